/**
 * How good features are, judged without training the network further: neighbours vote, or a linear
 * classifier is fitted; and their export to files. Works on matrices of features and knows nothing
 * of networks or images, so raw pixels are judged by the same code.
 *
 * <p>Letters: N rows (images), D features, C classes, k neighbours.
 */
package org.swav4j.train.evaluation;
