package org.swav4j.train.evaluation;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.impl.transforms.custom.SoftMax;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.train.optimiser.LearningRateSchedule;
import org.swav4j.train.optimiser.Sgd;

/**
 * Accuracy of a linear classifier (softmax regression) fitted to frozen features: the usual measure
 * of what features make linearly readable.
 *
 * <p>Features are standardised with the training set's mean and deviation and divided by sqrt(D),
 * so that rows have length about 1 and one learning rate suits every network and raw pixels alike;
 * SGD with momentum and a cosine per epoch. A function of its settings and the two sets: the same
 * seed gives the same figure. Thread-safe; one call uses the native threads.
 *
 * @param epochs passes over the training set
 * @param batch rows per step, at most the training set
 * @param learningRate of the first epoch, per batch as it is
 * @param momentum in [0, 1)
 * @param weightDecay at least 0
 * @param seed of initial weights and order
 */
public record LinearProbe(
    int epochs, int batch, double learningRate, double momentum, double weightDecay, long seed) {

  /**
   * What came out.
   *
   * @param top1 share of test images classified rightly after the last epoch, in [0, 1]
   * @param trainTop1 the same of the training images: far above {@code top1} means over-fitting
   */
  public record Result(double top1, double trainTop1) {}

  /** Checks the ranges; throws IllegalArgumentException with the offending value. */
  public LinearProbe {
    if (epochs < 1 || batch < 1) {
      throw new IllegalArgumentException(
          "linear probe with " + epochs + " epochs of batches of " + batch + ": both at least 1");
    }
  }

  /** 100 epochs, batch 256, learning rate 2, momentum 0.9, decay 1e-6, seed 31. */
  public LinearProbe() {
    this(100, 256, 2, 0.9, 1e-6, 31);
  }

  /** The same with another number of epochs. */
  public LinearProbe withEpochs(int value) {
    return new LinearProbe(value, batch, learningRate, momentum, weightDecay, seed);
  }

  /** The same with another learning rate. */
  public LinearProbe withLearningRate(double value) {
    return new LinearProbe(epochs, batch, value, momentum, weightDecay, seed);
  }

  /** The same with another seed. */
  public LinearProbe withSeed(long value) {
    return new LinearProbe(epochs, batch, learningRate, momentum, weightDecay, value);
  }

  /**
   * Fits on one set, measures on the other.
   *
   * @throws IllegalArgumentException if a set is empty or has unlabelled images, or the widths
   *     differ, or a feature is not finite, or the learning rate is so high that the fit diverges
   */
  public Result evaluate(FeatureSet train, FeatureSet test) {
    train.requireLabels("training");
    test.requireLabels("test");
    FeatureSet.requireSameWidth(train, test.features());
    Standardisation standardisation = Standardisation.of(train.features());
    INDArray x = standardisation.apply(train.features());
    INDArray xTest = standardisation.apply(test.features());
    try (Classifier classifier =
        new Classifier(train.dim(), Math.max(train.classes(), test.classes()))) {
      classifier.fit(x, train.labels());
      return new Result(
          classifier.accuracy(xTest, test.labels()), classifier.accuracy(x, train.labels()));
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(
          "the linear classifier diverged at a learning rate of "
              + learningRate
              + ", expected one at which its gradient stays finite: 2 is usual, try a tenth of"
              + " yours",
          e);
    } finally {
      x.close();
      xTest.close();
    }
  }

  private record Standardisation(INDArray mean, INDArray scale) {
    private static final int BLOCK = 4096;

    static Standardisation of(INDArray features) {
      long n = features.size(0);
      INDArray zero = Nd4j.zeros(DataType.DOUBLE, features.size(1));
      INDArray mean = sums(features, zero, 1).divi(n);
      INDArray variance = sums(features, mean, 2).divi(n);
      double[] scale = variance.toDoubleVector();
      double root = Math.sqrt(scale.length);
      for (int d = 0; d < scale.length; d++) {
        if (!(scale[d] < Double.POSITIVE_INFINITY)) {
          throw new IllegalArgumentException(
              "feature column "
                  + d
                  + " has variance "
                  + scale[d]
                  + ", expected a finite number: have the weights diverged in training?");
        }
        // A column that never changes says nothing, and dividing by rounding noise would not help.
        scale[d] = scale[d] > 1e-16 ? 1 / (Math.sqrt(scale[d]) * root) : 0;
      }
      return new Standardisation(
          mean.castTo(DataType.FLOAT), Nd4j.createFromArray(scale).castTo(DataType.FLOAT));
    }

    /** Column sums of (features - offset)^power, in double, a block of rows at a time. */
    private static INDArray sums(INDArray features, INDArray offset, int power) {
      INDArray total = offset.like();
      for (long start = 0; start < features.size(0); start += BLOCK) {
        long end = Math.min(features.size(0), start + BLOCK);
        try (INDArray block =
            features.get(NDArrayIndex.interval(start, end)).castTo(DataType.DOUBLE)) {
          block.subiRowVector(offset);
          total.addi((power == 1 ? block : block.muli(block)).sum(0));
        }
      }
      return total;
    }

    INDArray apply(INDArray features) {
      return features.dup('c').subiRowVector(mean).muliRowVector(scale);
    }
  }

  /** Weights {@code [D, C]} and bias {@code [C]} with the buffers of a step. */
  private final class Classifier implements AutoCloseable {
    private final Random random = new Random(seed);
    private final Map<String, INDArray> parameters = new LinkedHashMap<>();
    private final Map<String, INDArray> gradients = new LinkedHashMap<>();
    private final INDArray weight;
    private final INDArray bias;

    Classifier(int dim, int classes) {
      float[] initial = new float[dim * classes];
      for (int i = 0; i < initial.length; i++) {
        initial[i] = (float) (0.01 * random.nextGaussian());
      }
      weight = Nd4j.createFromArray(initial).reshape(dim, classes);
      bias = Nd4j.zeros(DataType.FLOAT, classes);
      parameters.put("weight", weight);
      parameters.put("bias", bias);
      gradients.put("weight", Nd4j.create(DataType.FLOAT, dim, classes));
      gradients.put("bias", Nd4j.create(DataType.FLOAT, classes));
    }

    void fit(INDArray x, int[] labels) {
      int n = labels.length;
      int b = Math.min(batch, n);
      int[] order = new int[n];
      Arrays.setAll(order, i -> i);
      Sgd sgd = new Sgd(momentum, weightDecay);
      LearningRateSchedule schedule = LearningRateSchedule.cosine(epochs, learningRate, 0);
      INDArray rows = Nd4j.createUninitialized(DataType.FLOAT, b, x.size(1));
      INDArray p = Nd4j.createUninitialized(DataType.FLOAT, b, weight.size(1));
      for (int epoch = 0; epoch < epochs; epoch++) {
        shuffle(order);
        // The remainder of an epoch that fills no batch is other images each time.
        for (int start = 0; start + b <= n; start += b) {
          int[] picked = Arrays.copyOfRange(order, start, start + b);
          Nd4j.pullRows(x, rows, 1, picked);
          probabilities(rows, p);
          for (int i = 0; i < b; i++) {
            int c = labels[picked[i]];
            p.putScalar(i, c, p.getFloat(i, c) - 1);
          }
          p.divi(b);
          Nd4j.gemm(rows, p, gradients.get("weight"), true, false, 1, 0);
          p.sum(gradients.get("bias"), 0);
          sgd.step(parameters, gradients, schedule.at(epoch));
        }
      }
      rows.close();
      p.close();
    }

    private void shuffle(int[] order) {
      for (int i = order.length - 1; i > 0; i--) {
        int j = random.nextInt(i + 1);
        int swap = order[i];
        order[i] = order[j];
        order[j] = swap;
      }
    }

    private void probabilities(INDArray x, INDArray out) {
      x.mmuli(weight, out);
      out.addiRowVector(bias);
      Nd4j.exec((CustomOp) new SoftMax(out, out, 1));
    }

    double accuracy(INDArray x, int[] labels) {
      int right = 0;
      int block = 4096;
      for (int start = 0; start < labels.length; start += block) {
        int end = Math.min(labels.length, start + block);
        INDArray logits = x.get(NDArrayIndex.interval(start, end)).mmul(weight).addiRowVector(bias);
        INDArray winners = logits.argMax(1);
        for (int i = start; i < end; i++) {
          right += winners.getInt(i - start) == labels[i] ? 1 : 0;
        }
        logits.close();
        winners.close();
      }
      return (double) right / labels.length;
    }

    @Override
    public void close() {
      parameters.values().forEach(INDArray::close);
      gradients.values().forEach(INDArray::close);
    }
  }
}
