/**
 * The files of a run: {@link org.swav4j.train.run.RunFolder} says where they lie, {@link
 * org.swav4j.train.run.CheckpointFile} and {@code ConfigFile} read and write a run's state and
 * settings, strictly and with a version, {@link org.swav4j.train.run.MetricsLog} writes what is
 * measured. Files are replaced whole; the log is appended to.
 *
 * <p>What they hold is defined elsewhere ({@code org.swav4j.train.loop}, {@code
 * org.swav4j.train.config}); the loop and the methods don't know this package.
 */
package org.swav4j.train.run;
