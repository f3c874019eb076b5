/**
 * The training loop. {@link org.swav4j.train.loop.Trainer} runs it over any {@link
 * org.swav4j.train.method.Method} and any ND4J iterator of crops; {@link
 * org.swav4j.train.loop.MethodStep} is one step of it, which {@code bench} and the benchmarks run,
 * too; whatever watches is a {@link org.swav4j.train.loop.TrainingListener}. Nothing here knows of
 * codes, files, reports or the command line.
 */
package org.swav4j.train.loop;
