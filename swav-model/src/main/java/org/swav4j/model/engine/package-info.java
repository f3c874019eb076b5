/**
 * What runs plans. An {@link org.swav4j.model.engine.Engine} prepares a {@link
 * org.swav4j.model.plan.Plan} once, with all its memory; the {@link
 * org.swav4j.model.engine.Execution} it gives is then run over and over without allocating. {@link
 * org.swav4j.model.engine.Nd4jEngine} runs anywhere ND4J does, in float and double, and is what
 * other engines are checked against; {@code org.swav4j.model.engine.onednn} is the fast one on
 * x86-64. {@link org.swav4j.model.engine.Engines} finds them, and those of other jars, by their
 * {@link org.swav4j.model.engine.EngineProvider}. An engine knows nothing of networks, weights or
 * training.
 */
package org.swav4j.model.engine;
