/**
 * The settings of a run. {@link org.swav4j.train.config.TrainingConfig} declares each of them once;
 * options, help, presets, {@code config.json} and the comparison on resume are made from that by
 * {@link org.swav4j.train.config.Settings}. {@link org.swav4j.train.config.Machine} tells what the
 * defaults depend on.
 *
 * <p>Values and their ranges only: what is done with them stands in the packages that use this one,
 * the loop among them. No files of a run, no command line; methods don't know this package.
 */
package org.swav4j.train.config;
