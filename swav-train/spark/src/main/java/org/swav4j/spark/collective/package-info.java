/**
 * Sums between the executors of a training job, over the transport that Spark moves its own blocks
 * with: its authentication and encryption hold here too, and nothing else listens.
 */
package org.swav4j.spark.collective;
