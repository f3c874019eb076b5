/**
 * What a trained network answers about a folder of images: which belong together ({@link
 * org.swav4j.train.answers.Clustering}), which are nearly the same ({@link
 * org.swav4j.train.answers.NearDuplicates}). For programs without the command line, too. Nothing
 * here learns features or prints.
 */
package org.swav4j.train.answers;
