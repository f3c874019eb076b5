/**
 * Experiments on what the method claims: described in small files, run by {@link
 * org.swav4j.benchmarks.study.RunExperiments}, judged by {@link
 * org.swav4j.benchmarks.study.Report}.
 *
 * <p>{@link org.swav4j.benchmarks.study.Experiment} is the description, {@link
 * org.swav4j.benchmarks.study.RunLog} what is kept of one run, {@link
 * org.swav4j.benchmarks.study.PairedDifference} the judgement. The rules that hold for all of them
 * are in {@code benchmarks/study/RULES.md}.
 */
package org.swav4j.benchmarks.study;
