/**
 * Measurements: JMH benchmarks of the kernels, and whole steps beside peers. Sees every module,
 * seen by none.
 *
 * <p>One file, one question: each class says what it asks, what its control is, how to run it and
 * what was seen. All of them: {@code java -jar benchmarks/target/benchmarks.jar}; a list of them:
 * {@code -l}; one: its class name; allocation per call: {@code -prof gc}.
 */
package org.swav4j.benchmarks;
