package org.swav4j.train.method;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.Objective;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.TrainingStep;
import org.swav4j.train.collective.Collective;

/**
 * What is learned from: a loss, the targets it compares with, the state these come from, and which
 * parameters move. The loop calls it in this order:
 *
 * <pre>
 *   workers                                once, where several share each batch
 *   begin                                  once, when the step is compiled
 *   epochBegins                            at each epoch's start
 *   images, beforeForward, forward, targets, backward, trains     at each step
 * </pre>
 *
 * <p>A method whose loss needs no targets, such as one that compares the views of a batch with each
 * other, implements {@link #objective} and nothing else. {@link SwavMethod} implements most of it.
 * An instance belongs to one run; it is used by one thread.
 */
public interface Method extends AutoCloseable {
  /** The loss. Its placeholders are filled by {@link #targets}. */
  Objective objective();

  /**
   * Several workers share each batch, and this is the method of one of them: called once, before
   * {@link #begin}, and not at all where there is one. Loss and targets are then of this worker's
   * images; gradients are averaged over workers. What a method computes over the whole batch, or
   * keeps of it, it sums or gathers by the collective.
   *
   * @param collective the workers; the one that {@link #targets} is given
   * @throws IllegalArgumentException if the method learns with one worker alone
   */
  default void workers(Collective collective) {
    if (!allowsParts()) {
      throw new IllegalArgumentException(
          collective.size()
              + " workers, expected 1 with "
              + getClass().getSimpleName()
              + ", which doesn't say that a batch may be worked off in parts: its loss may compare"
              + " images of a batch with each other, and a worker has its own images alone");
    }
  }

  /**
   * Called once, before anything else but {@link #objective} and {@link #workers}: the place to
   * make views and buffers, so that no step allocates.
   *
   * @param step compiled with {@link #objective}
   * @param weights that it trains
   */
  default void begin(TrainingStep step, SwavWeights weights) {}

  /**
   * An epoch begins, or is gone on with after an interruption.
   *
   * @param epoch from 0
   */
  default void epochBegins(int epoch) {}

  /**
   * Whether it keeps or knows something of each image, and so must be told by {@link #images} which
   * are in a batch. It can then learn from a {@link org.swav4j.data.MultiCropLoader} alone.
   */
  default boolean knowsImages() {
    return false;
  }

  /**
   * Before every step, where it {@link #knowsImages}: the images of the batch.
   *
   * @param indices of the B images in their source, the same array at every step
   */
  default void images(int[] indices) {}

  /** Before every forward pass: may change the weights in place. */
  default void beforeForward(SwavWeights weights) {}

  /**
   * Between the two halves of every step: fills the objective's placeholders ({@link
   * TrainingStep#target}) from what the forward half gave ({@link TrainingStep#embeddings}, {@link
   * TrainingStep#value}).
   *
   * @param step after its forward half
   * @param number of the step in the run, from 0
   * @param collective the workers, where a batch is spread over several
   */
  default void targets(TrainingStep step, long number, Collective collective) {}

  /**
   * Whether a parameter moves at a step. One that does not keeps its momentum too.
   *
   * @param parameter its name
   * @param number of the step in the run, from 0
   */
  default boolean trains(String parameter, long number) {
    return true;
  }

  /**
   * Makes weights ready for use outside of training, such as embedding images: SwAV brings the
   * prototypes to unit length, which a step leaves a little off.
   *
   * @param copy of the weights that are trained; changed in place
   */
  default void beforeSaving(SwavWeights copy) {}

  /**
   * Whether a batch may be worked off in parts: with the targets given, the loss is a mean over
   * images, and all that the objective reads or is given has rows for each image, crop by crop. Not
   * so for a loss that compares the images of a batch with each other.
   */
  default boolean allowsParts() {
    return false;
  }

  /** Rows of earlier batches that the last step's targets were made from as well. */
  default int queueRows() {
    return 0;
  }

  /**
   * The loss of a network that tells nothing about its images, in nats, to which the run's losses
   * are compared; NaN if there is no such number.
   */
  default double chanceLoss() {
    return Double.NaN;
  }

  /** Bytes it holds, or will come to hold, beside the step and the weights. */
  default long bytes() {
    return 0;
  }

  /**
   * Everything a checkpoint must keep for {@link #restore}, by name; empty if there is nothing.
   * With several {@link #workers} all call it at the same step, and it is that of the whole batch,
   * whatever their number.
   */
  default Map<String, INDArray> state() {
    return Map.of();
  }

  /**
   * Goes back to a {@link #state}, after {@link #begin} and before the next step. One of several
   * {@link #workers} takes its share of it.
   *
   * @param state as {@link #state} gave it; its arrays are copied
   * @throws IllegalArgumentException if it does not fit
   */
  default void restore(Map<String, INDArray> state) {
    if (!state.isEmpty()) {
      throw new IllegalArgumentException(
          "the checkpoint keeps "
              + state.keySet()
              + " for its method, and "
              + getClass().getSimpleName()
              + " keeps nothing: was it written by another method?");
    }
  }

  /** Frees native memory. */
  @Override
  default void close() {}
}
