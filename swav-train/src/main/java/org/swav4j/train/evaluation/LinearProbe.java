package org.swav4j.train.evaluation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
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
 * SGD with momentum and a cosine per epoch. A function of its settings and the sets: the same seed
 * gives the same figure. Thread-safe; one call uses the native threads.
 *
 * <p>There are two protocols. {@link #evaluate} fits to one view of each image at one learning
 * rate: seconds. {@link #search} fits to random crops, others in each epoch, at the learning rate
 * that does best on images held out for it, as published figures are made.
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

  /**
   * What came out of a search.
   *
   * @param result with a classifier fitted to all training images at the rate found
   * @param learningRate the rate found
   * @param heldOutTop1 accuracy at that rate on the training images that were held out
   */
  public record Found(Result result, double learningRate, double heldOutTop1) {}

  /** Every so many-th image of a class is held out to find the learning rate. */
  private static final int HELD_OUT = 10;

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
    int classes = Math.max(train.classes(), test.classes());
    Standardisation standardisation = Standardisation.of(List.of(train.features()));
    Rows x = new Rows(standardisation.apply(train.features()), train.labels());
    Rows xTest = new Rows(standardisation.apply(test.features()), test.labels());
    try (x;
        xTest;
        Classifier classifier = fitted(List.of(x), classes)) {
      return new Result(classifier.accuracy(xTest), classifier.accuracy(x));
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(
          "the linear classifier diverged at a learning rate of "
              + learningRate
              + ", expected one at which its gradient stays finite: 2 is usual, try a tenth of"
              + " yours",
          e);
    }
  }

  /**
   * Finds the learning rate on a tenth of the training images of each class, fitting to the rest;
   * then fits to all of them at that rate. Epoch e learns from the crops {@code e mod views}.
   *
   * @param views features of random crops of the training images, a set of rows for each view; a
   *     view may lack some of the images
   * @param train features of the same images as the network sees them in use
   * @param test features of the images that are measured on
   * @param rates to choose from; of equally good ones the first. {@link #learningRate} isn't looked
   *     at
   * @throws IllegalArgumentException as {@link #evaluate}, or if there are no views or rates, no
   *     class has two training images, or the fit diverges at every rate
   */
  public Found search(
      List<IndexedFeatures> views, IndexedFeatures train, FeatureSet test, List<Double> rates) {
    train.set().requireLabels("training");
    test.requireLabels("test");
    FeatureSet.requireSameWidth(train.set(), test.features());
    if (views.isEmpty() || rates.isEmpty()) {
      throw new IllegalArgumentException(
          views.size() + " views and " + rates.size() + " rates, expected at least one of each");
    }
    for (IndexedFeatures view : views) {
      view.set().requireLabels("training");
      FeatureSet.requireSameWidth(train.set(), view.set().features());
    }
    BitSet held = heldOut(train);
    int classes = Math.max(train.set().classes(), test.classes());
    Standardisation standardisation =
        Standardisation.of(views.stream().map(v -> v.set().features()).toList());
    List<Rows> x = new ArrayList<>();
    views.forEach(v -> x.add(Rows.of(standardisation, v)));
    Rows xTrain = Rows.of(standardisation, train);
    Rows xTest = new Rows(standardisation.apply(test.features()), test.labels());
    try (xTrain;
        xTest) {
      List<Rows> rest = x.stream().map(rows -> rows.where(i -> !held.get(i))).toList();
      Rows judged = xTrain.where(held::get);
      double best = Double.NaN;
      double bestTop1 = -1;
      for (double rate : rates) {
        double top1 = withLearningRate(rate).heldOutTop1(rest, judged, classes);
        if (top1 > bestTop1) {
          best = rate;
          bestTop1 = top1;
        }
      }
      if (bestTop1 < 0) {
        throw new IllegalArgumentException(
            "the linear classifier diverged at every learning rate of "
                + rates
                + ", expected one at which its gradient stays finite: try lower ones");
      }
      try (Classifier classifier = withLearningRate(best).fitted(x, classes)) {
        return new Found(
            new Result(classifier.accuracy(xTest), classifier.accuracy(xTrain)), best, bestTop1);
      }
    } finally {
      x.forEach(Rows::close);
    }
  }

  /** The second image of each class and every tenth after it. */
  private static BitSet heldOut(IndexedFeatures train) {
    BitSet held = new BitSet();
    int[] seen = new int[train.set().classes()];
    for (int n = 0; n < train.images().length; n++) {
      if (seen[train.set().labels()[n]]++ % HELD_OUT == 1) {
        held.set(train.images()[n]);
      }
    }
    if (held.isEmpty()) {
      throw new IllegalArgumentException(
          "no class has two training images, expected some to find the learning rate with: give"
              + " more images, or a learning rate");
    }
    return held;
  }

  /** Accuracy on images that the fit has not seen; -1 if it diverges. */
  private double heldOutTop1(List<Rows> rest, Rows judged, int classes) {
    try (Classifier classifier = fitted(rest, classes)) {
      return classifier.accuracy(judged);
    } catch (ArithmeticException e) {
      return -1;
    }
  }

  private Classifier fitted(List<Rows> views, int classes) {
    Classifier classifier = new Classifier((int) views.get(0).x.size(1), classes);
    try {
      classifier.fit(views);
      return classifier;
    } catch (RuntimeException e) {
      classifier.close();
      throw e;
    }
  }

  /**
   * Standardised features, and which rows of them are used.
   *
   * @param x {@code [N, D]}
   * @param labels N classes
   * @param images N numbers by which {@link #where} chooses
   * @param used numbers of rows
   */
  private record Rows(INDArray x, int[] labels, int[] images, int[] used) implements AutoCloseable {
    Rows(INDArray x, int[] labels) {
      this(x, labels, labels, IntStream.range(0, labels.length).toArray());
    }

    static Rows of(Standardisation standardisation, IndexedFeatures features) {
      int[] all = IntStream.range(0, features.set().size()).toArray();
      INDArray x = standardisation.apply(features.set().features());
      return new Rows(x, features.set().labels(), features.images(), all);
    }

    /** The rows of some images, over the same array. */
    Rows where(IntPredicate image) {
      int[] some = Arrays.stream(used).filter(row -> image.test(images[row])).toArray();
      return new Rows(x, labels, images, some);
    }

    @Override
    public void close() {
      x.close();
    }
  }

  private record Standardisation(INDArray mean, INDArray scale) {
    private static final int BLOCK = 4096;

    static Standardisation of(List<INDArray> views) {
      long n = views.stream().mapToLong(features -> features.size(0)).sum();
      INDArray zero = Nd4j.zeros(DataType.DOUBLE, views.get(0).size(1));
      INDArray mean = sums(views, zero, 1).divi(n);
      INDArray variance = sums(views, mean, 2).divi(n);
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
    private static INDArray sums(List<INDArray> views, INDArray offset, int power) {
      INDArray total = offset.like();
      for (INDArray features : views) {
        for (long start = 0; start < features.size(0); start += BLOCK) {
          long end = Math.min(features.size(0), start + BLOCK);
          try (INDArray block =
              features.get(NDArrayIndex.interval(start, end)).castTo(DataType.DOUBLE)) {
            block.subiRowVector(offset);
            total.addi((power == 1 ? block : block.muli(block)).sum(0));
          }
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

    /** Takes the views in turn, one in each epoch. */
    void fit(List<Rows> views) {
      int fewest = views.stream().mapToInt(view -> view.used().length).min().orElse(0);
      int b = Math.min(batch, fewest);
      if (b == 0) {
        throw new IllegalArgumentException("a view has no rows, expected some of every view");
      }
      List<int[]> orders = views.stream().map(view -> view.used().clone()).toList();
      Sgd sgd = new Sgd(momentum, weightDecay);
      LearningRateSchedule schedule = LearningRateSchedule.cosine(epochs, learningRate, 0);
      INDArray rows = Nd4j.createUninitialized(DataType.FLOAT, b, weight.size(0));
      INDArray p = Nd4j.createUninitialized(DataType.FLOAT, b, weight.size(1));
      for (int epoch = 0; epoch < epochs; epoch++) {
        Rows view = views.get(epoch % views.size());
        int[] order = orders.get(epoch % views.size());
        shuffle(order);
        // The remainder of an epoch that fills no batch is other images each time.
        for (int start = 0; start + b <= order.length; start += b) {
          int[] picked = Arrays.copyOfRange(order, start, start + b);
          Nd4j.pullRows(view.x(), rows, 1, picked);
          probabilities(rows, p);
          for (int i = 0; i < b; i++) {
            int c = view.labels()[picked[i]];
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

    double accuracy(Rows rows) {
      int right = 0;
      int block = 4096;
      int[] used = rows.used();
      for (int start = 0; start < used.length; start += block) {
        int[] picked = Arrays.copyOfRange(used, start, Math.min(used.length, start + block));
        try (INDArray x = Nd4j.pullRows(rows.x(), 1, picked);
            INDArray logits = x.mmul(weight).addiRowVector(bias);
            INDArray winners = logits.argMax(1)) {
          for (int i = 0; i < picked.length; i++) {
            right += winners.getInt(i) == rows.labels()[picked[i]] ? 1 : 0;
          }
        }
      }
      return (double) right / used.length;
    }

    @Override
    public void close() {
      parameters.values().forEach(INDArray::close);
      gradients.values().forEach(INDArray::close);
    }
  }
}
