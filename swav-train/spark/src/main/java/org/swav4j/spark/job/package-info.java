/**
 * Training as a job of Spark: the driver's part ({@link org.swav4j.spark.job.TrainingJob}), which
 * checks, starts and starts again, and the part of each executor. Steps, codes and checkpoints are
 * those of {@code swav-train}.
 */
package org.swav4j.spark.job;
