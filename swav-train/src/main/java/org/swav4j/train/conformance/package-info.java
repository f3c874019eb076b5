/**
 * Holds the code that training uses against recorded numbers: codes, loss, gradients, layers,
 * optimiser, schedule and image operations, in float and, where they compute in it, in double.
 *
 * <p>The way in is {@link org.swav4j.train.conformance.Conformance}. One {@code Suite} per fixture
 * file maps its fields to calls; {@code Fixture} remembers which fields were asked for, so that
 * whatever no suite looks at is listed and never passed over in silence. Every size is read from
 * the file.
 *
 * <p>Letters, as in the paper: B samples, V crops of each, A of them assigning, K prototypes, D
 * dimensions of an embedding, L rows of a queue.
 */
package org.swav4j.train.conformance;
