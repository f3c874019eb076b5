/**
 * From images to features and their quality: {@link org.swav4j.train.features.Embedder} takes a
 * source of images through a network, {@link org.swav4j.train.features.FeatureFile} and {@link
 * org.swav4j.train.features.RowIndex} write what comes out, {@link
 * org.swav4j.train.features.FeatureJudge} judges it during a run, and {@link
 * org.swav4j.train.features.FineTuning} trains on from it with few labels.
 *
 * <p>The measures themselves, on matrices, stand in {@code org.swav4j.train.evaluation}. The loop
 * and the methods don't know this package.
 */
package org.swav4j.train.features;
