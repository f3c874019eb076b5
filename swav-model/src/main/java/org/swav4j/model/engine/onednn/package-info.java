/**
 * The engine for x86-64 processors: a plan as a list of oneDNN primitives over one arena. {@link
 * org.swav4j.model.engine.onednn.OneDnnEngine} is the way in.
 *
 * <p>A plan goes through three stages. {@code Lowering} turns each op into steps (a primitive or a
 * few lines of Java) over tensors, each of which has a layout chosen by the convolutions and kept
 * from op to op; a reorder is added where a step needs another layout, once per value and layout. A
 * {@link org.swav4j.model.engine.ArenaLayout} then gives every buffer its place in one allocation,
 * buffers that are never alive together sharing bytes. {@code OneDnnExecution} binds the steps to
 * that memory and runs them; nothing is allocated after that.
 */
package org.swav4j.model.engine.onednn;
