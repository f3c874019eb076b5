/**
 * swav4j on Apache Spark. {@link org.swav4j.spark.SwavEstimator} trains on many machines, {@link
 * org.swav4j.spark.SwavModel} embeds a column of images, and {@link org.swav4j.spark.SwavSpark}
 * does both from a command line. Nothing of Spark's is in the other modules, and what trains and
 * what embeds is not here but there: here is what brings it to executors and its results back.
 */
package org.swav4j.spark;
