/**
 * How long a step takes on several workers: a formula, a simulation that sends every message, and
 * the table that follows. Both know the algorithms of the collective operations, and neither the
 * numbers that are summed.
 */
package org.swav4j.benchmarks.scaling;
