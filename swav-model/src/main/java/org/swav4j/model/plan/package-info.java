/**
 * The intermediate form between SameDiff's graph and what runs: values of fixed shape and the ops
 * between them, in order. {@link org.swav4j.model.plan.OpType} is the contract: every engine
 * computes every op as it says, and hands those of type {@code ND4J} to ND4J. Passes turn a plan
 * into an equal one that costs less: some recognise a stretch of the graph as one op, by its
 * structure and constants. Nothing here knows of an engine, allocates, or runs.
 */
package org.swav4j.model.plan;
