package org.swav4j.train.method;

import java.util.function.IntUnaryOperator;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.Objective;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.TrainingStep;
import org.swav4j.train.collective.Collective;
import org.swav4j.train.optimiser.PrototypeNormaliser;

/**
 * Learning from labels, as a measure of what can be reached with the same network, crops and
 * schedule. There is a prototype for each class, on the unit sphere, and every crop predicts that
 * of its image: a softmax over cosines divided by τ (Wang et al. 2017, <a
 * href="https://arxiv.org/abs/1704.06369">arXiv 1704.06369</a>).
 */
public final class SupervisedMethod implements Method {
  private final IntUnaryOperator labels;
  private final double temperature;
  private final PrototypeNormaliser normaliser = new PrototypeNormaliser();
  private INDArray prototypes;
  private INDArray targets;
  private int[] images = {};

  /**
   * Learning from these labels.
   *
   * @param labels of the images by their index, from 0 up to but not K
   * @param temperature τ, usually 0.1
   */
  public SupervisedMethod(IntUnaryOperator labels, double temperature) {
    this.labels = labels;
    this.temperature = temperature;
  }

  @Override
  public Objective objective() {
    return new LabelPrediction(temperature);
  }

  @Override
  public void begin(TrainingStep step, SwavWeights weights) {
    prototypes = weights.parameters().get(SwavMethod.PROTOTYPES);
    targets = step.target(LabelPrediction.TARGETS);
  }

  @Override
  public boolean knowsImages() {
    return true;
  }

  @Override
  public void images(int[] indices) {
    images = indices;
  }

  @Override
  public void beforeForward(SwavWeights weights) {
    normaliser.normalise(prototypes);
  }

  @Override
  public void beforeSaving(SwavWeights copy) {
    new PrototypeNormaliser().normalise(copy.parameters().get(SwavMethod.PROTOTYPES));
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException if a label is none of the K
   */
  @Override
  public void targets(TrainingStep step, long number, Collective collective) {
    targets.assign(0);
    for (int row = 0; row < images.length; row++) {
      int label = labels.applyAsInt(images[row]);
      if (label < 0 || label >= targets.size(1)) {
        throw new IllegalArgumentException(
            "image "
                + images[row]
                + " has label "
                + label
                + ", expected 0 to "
                + (targets.size(1) - 1)
                + ": learning from labels takes one for every image");
      }
      targets.putScalar(row, label, 1);
    }
  }

  /** True: the loss is a mean over images. */
  @Override
  public boolean allowsParts() {
    return true;
  }

  /** ln K: every class predicted alike. */
  @Override
  public double chanceLoss() {
    return Math.log(targets.size(1));
  }
}
