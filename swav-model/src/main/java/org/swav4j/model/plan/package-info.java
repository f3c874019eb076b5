/**
 * The intermediate form between SameDiff's graph and what runs: values of fixed shape and the ops
 * between them, in order. {@link org.swav4j.model.plan.OpType} is the contract: every engine
 * computes every op as it says. Passes turn a plan into an equal one that costs less. Nothing here
 * knows of an engine, allocates, or runs.
 */
package org.swav4j.model.plan;
