package org.swav4j.train.features;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.data.ImageSource;
import org.swav4j.data.MultiCropBatch;
import org.swav4j.data.MultiCropLoader;
import org.swav4j.model.CropGroup;
import org.swav4j.model.Objective;
import org.swav4j.model.SwavEncoder;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.TrainingStep;
import org.swav4j.model.Views;
import org.swav4j.model.engine.Engine;
import org.swav4j.train.evaluation.FeatureSet;
import org.swav4j.train.optimiser.Sgd;
import org.swav4j.train.optimiser.StepSchedule;

/**
 * Accuracy after fine-tuning with few labels: the trunk and a new linear classifier on its features
 * learn together from labelled images, random crops and flips, with a learning rate each; SGD with
 * momentum 0.9 and no decay, {@link StepSchedule#fineTuning}, batch norm by the batch (Caron et al.
 * 2020, <a href="https://arxiv.org/abs/2006.09882">arXiv 2006.09882</a>, section 4.1). Measured
 * after the last epoch, not at the best. The projection head takes no part.
 *
 * @param epochs passes over the labelled images, at least 1
 * @param batch images in a step, at least 1; fewer if there are not as many
 * @param trunkRate learning rate of the trunk, for the batch as it is
 * @param classifierRate learning rate of the classifier, for the batch as it is
 * @param seed of the classifier's weights, the order of images and their crops
 */
public record FineTuning(
    int epochs, int batch, double trunkRate, double classifierRate, long seed) {
  /** Images in a step that {@link #published} rates belong to. */
  private static final double PUBLISHED_BATCH = 256;

  private static final double MOMENTUM = 0.9;

  /**
   * What came out.
   *
   * @param top1 share of test images classified rightly, in [0, 1]
   * @param trainTop1 the same of the labelled images
   */
  public record Result(double top1, double trainTop1) {}

  /** Checks the ranges; throws IllegalArgumentException with the offending value. */
  public FineTuning {
    if (epochs < 1 || batch < 1) {
      throw new IllegalArgumentException(
          "fine-tuning for "
              + epochs
              + " epochs of batches of "
              + batch
              + " images, expected at least 1 of each");
    }
    if (!(trunkRate >= 0 && trunkRate < Double.POSITIVE_INFINITY)
        || !(classifierRate > 0 && classifierRate < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "fine-tuning at learning rates of "
              + trunkRate
              + " for the trunk and "
              + classifierRate
              + " for the classifier, expected at least 0 and above 0");
    }
  }

  /**
   * The published rates, scaled from their batch of 256 to this one: for up to 3 % of the labels
   * 0.02 for the trunk and 5 for the classifier, which are those of 1 %; for more 0.01 and 0.2,
   * those of 10 %.
   *
   * @param share of the training images that have labels, above 0 and up to 1
   */
  public static FineTuning published(double share, int epochs, int batch, long seed) {
    double scale = batch / PUBLISHED_BATCH;
    return share <= 0.03
        ? new FineTuning(epochs, batch, 0.02 * scale, 5 * scale, seed)
        : new FineTuning(epochs, batch, 0.01 * scale, 0.2 * scale, seed);
  }

  /**
   * For a trunk that knows nothing: 0.1 for trunk and classifier for 256 images, as usual for
   * residual networks (Goyal et al. 2017, <a href="https://arxiv.org/abs/1706.02677">arXiv
   * 1706.02677</a>).
   */
  public static FineTuning fromScratch(int epochs, int batch, long seed) {
    double rate = 0.1 * batch / PUBLISHED_BATCH;
    return new FineTuning(epochs, batch, rate, rate, seed);
  }

  /** The same with another learning rate of the trunk. */
  public FineTuning withTrunkRate(double value) {
    return new FineTuning(epochs, batch, value, classifierRate, seed);
  }

  /** The same with another learning rate of the classifier. */
  public FineTuning withClassifierRate(double value) {
    return new FineTuning(epochs, batch, trunkRate, value, seed);
  }

  /**
   * Fine-tunes a copy of the weights and measures it.
   *
   * @param weights to begin with; left as they are
   * @param labelled images to learn from, each with a label
   * @param test images to measure on, each with a label
   * @param embedder at the size and with the normalisation of the weights
   * @param engine what runs the network, in float
   * @throws IllegalArgumentException if an image has no label, or training diverges
   */
  public Result evaluate(
      SwavWeights weights,
      ImageSource labelled,
      ImageSource test,
      Embedder embedder,
      Engine engine) {
    int images = Math.min(batch, labelled.size());
    SwavWeights tuned = weights.copy();
    Classifier classifier =
        new Classifier(tuned.features(), Math.max(2, labelled.classes().size()), seed);
    Views views = new Views(List.of(new CropGroup(1, embedder.size())), images);
    try (classifier;
        MultiCropLoader crops = embedder.crops(labelled, images, seed);
        TrainingStep step =
            new TrainingStep(tuned, views.groups(), views.batch(), classifier, engine)) {
      fit(tuned, classifier, step, crops, labelled);
      try (SwavEncoder encoder = SwavEncoder.ofNormalised(tuned, engine)) {
        return new Result(
            classifier.accuracy(embedder.collect(test, encoder::features)),
            classifier.accuracy(embedder.collect(labelled, encoder::features)));
      }
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(
          "fine-tuning diverged at learning rates of "
              + trunkRate
              + " for the trunk and "
              + classifierRate
              + " for the classifier, expected ones at which loss and gradients stay finite: try a"
              + " tenth of each",
          e);
    } finally {
      tuned.parameters().values().forEach(INDArray::close);
      tuned.statistics().values().forEach(INDArray::close);
    }
  }

  private void fit(
      SwavWeights weights,
      Classifier classifier,
      TrainingStep step,
      MultiCropLoader crops,
      ImageSource labelled) {
    Map<String, INDArray> trunkGradients = new LinkedHashMap<>(step.gradients());
    Map<String, INDArray> classifierGradients = new LinkedHashMap<>(step.gradients());
    trunkGradients.keySet().removeAll(classifier.parameters().keySet());
    classifierGradients.keySet().retainAll(classifier.parameters().keySet());
    Sgd trunk = new Sgd(MOMENTUM, 0);
    Sgd linear = new Sgd(MOMENTUM, 0);
    StepSchedule trunkRates = StepSchedule.fineTuning(trunkRate, epochs);
    StepSchedule classifierRates = StepSchedule.fineTuning(classifierRate, epochs);
    INDArray targets = step.target(Classifier.TARGETS);
    for (int epoch = 0; epoch < epochs; epoch++) {
      for (MultiCropBatch batchOfCrops : crops.epoch(epoch)) {
        try (batchOfCrops) {
          step.crops(0).assign(batchOfCrops.crops(0));
          targets.assign(0);
          for (int row = 0; row < batchOfCrops.size(); row++) {
            targets.putScalar(row, label(labelled, batchOfCrops.indices()[row]), 1);
          }
        }
        step.forward();
        double loss = step.backward();
        if (!Double.isFinite(loss)) {
          throw new ArithmeticException("the loss is " + loss);
        }
        trunk.step(weights.parameters(), trunkGradients, trunkRates.at(epoch));
        linear.step(classifier.parameters(), classifierGradients, classifierRates.at(epoch));
      }
    }
  }

  private static int label(ImageSource images, int index) {
    int label = images.label(index);
    if (label < 0) {
      throw new IllegalArgumentException(
          images.describe(index)
              + " has no label ("
              + label
              + "): fine-tuning learns from labels, for instance a folder per class");
    }
    return label;
  }

  /**
   * Softmax regression on the trunk's features, trained with it: cross-entropy with targets {@code
   * [B, C]}.
   */
  private static final class Classifier implements Objective, AutoCloseable {
    static final String TARGETS = "targets";

    private static final String WEIGHT = "classifier.weight";
    private static final String BIAS = "classifier.bias";

    private final int classes;
    private final Map<String, INDArray> parameters = new LinkedHashMap<>();

    /** Small normal weights and a bias of 0. */
    Classifier(int features, int classes, long seed) {
      this.classes = classes;
      Random random = new Random(seed);
      float[] initial = new float[classes * features];
      for (int i = 0; i < initial.length; i++) {
        initial[i] = (float) (0.01 * random.nextGaussian());
      }
      parameters.put(WEIGHT, Nd4j.createFromArray(initial).reshape(classes, features));
      parameters.put(BIAS, Nd4j.zeros(DataType.FLOAT, classes));
    }

    @Override
    public Map<String, INDArray> parameters() {
      return parameters;
    }

    @Override
    public SDVariable loss(SameDiff sd, SDVariable embeddings, Views views) {
      SDVariable product =
          sd.mmul(sd.getVariable(FEATURES), sd.getVariable(WEIGHT), false, true, false);
      SDVariable logits = product.add(sd.getVariable(BIAS));
      // ND4J's logSoftmax is the logarithm of a softmax that may be 0: no number at high rates.
      SDVariable shifted = logits.sub(sd.max(logits, true, 1));
      SDVariable logP = shifted.sub(sd.math().log(sd.math().exp(shifted).sum(true, 1)));
      SDVariable targets = sd.placeHolder(TARGETS, logits.dataType(), views.rows(), classes);
      return targets.mul(logP).sum().mul(-1.0 / views.rows());
    }

    double accuracy(FeatureSet set) {
      try (INDArray features = set.features();
          INDArray logits = Nd4j.matmul(features, parameters.get(WEIGHT), false, true, false);
          INDArray winners = logits.addiRowVector(parameters.get(BIAS)).argMax(1)) {
        int right = 0;
        for (int n = 0; n < set.size(); n++) {
          right += winners.getInt(n) == set.labels()[n] ? 1 : 0;
        }
        return (double) right / set.size();
      }
    }

    @Override
    public void close() {
      parameters.values().forEach(INDArray::close);
    }
  }
}
