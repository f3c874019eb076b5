/**
 * The SwAV network: its configuration, weights, training step and encoder (Caron et al. 2020,
 * arXiv:2006.09882).
 *
 * <p>The ways in: {@link org.swav4j.model.SwavWeights} (made, read, written), {@link
 * org.swav4j.model.Backbone} (the trunk, described once; {@link org.swav4j.model.ResNet} unless
 * another is handed in), {@link org.swav4j.model.TrainingStep} (crops to embeddings, targets to
 * loss and gradients), {@link org.swav4j.model.Objective} (a loss in SameDiff; SwAV's is {@link
 * org.swav4j.model.SwappedPrediction}), {@link org.swav4j.model.SwavLoss} (equation 2 as a piece of
 * any graph), {@link org.swav4j.model.PlanReader} (any SameDiff graph to a plan), {@link
 * org.swav4j.model.SwavEncoder} (images to features), {@link org.swav4j.model.Dl4jExport} (the
 * trunk as Deeplearning4j's own models).
 *
 * <p>Letters are the paper's: B samples in a batch, V crops of each, A of them assigning (those
 * that get codes), D the length of an embedding, K prototypes, tau the temperature. Images are
 * {@code [n, C, H, W]}, red, green, blue. Names of parameters are torchvision's.
 *
 * <p>Not here: images and augmentation (swav-data), codes (swav-sinkhorn), optimisers, loops and
 * evaluation (swav-train). SameDiff defines and differentiates the network ({@code SwavGraph});
 * what runs is a plan ({@link org.swav4j.model.plan}) on an engine ({@link
 * org.swav4j.model.engine}).
 */
package org.swav4j.model;
