/** Benchmarks. */
package org.swav4j.benchmarks;
