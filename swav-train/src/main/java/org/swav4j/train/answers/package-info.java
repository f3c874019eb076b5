/**
 * What a trained network answers about images: which belong together ({@link
 * org.swav4j.train.answers.Clustering}), which are nearly the same ({@link
 * org.swav4j.train.answers.NearDuplicates}), which are like another one ({@link
 * org.swav4j.train.answers.ImageIndex}), and, from a few labels, what they show ({@link
 * org.swav4j.train.answers.LabelClassifier}). For programs with or without the command line;
 * nothing here learns features or prints. Lucene stays in this package.
 */
package org.swav4j.train.answers;
