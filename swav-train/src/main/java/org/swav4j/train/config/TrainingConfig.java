package org.swav4j.train.config;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.swav4j.data.Augmentation;
import org.swav4j.data.CropSpec;
import org.swav4j.data.Normalisation;
import org.swav4j.model.Architecture;
import org.swav4j.model.CropGroup;
import org.swav4j.model.Stem;
import org.swav4j.model.SwavConfig;

/**
 * Everything that decides a training run, and nothing that does not: two runs of equal
 * configurations on equal data and the same machine give the same weights. Written to the run
 * folder as {@code config.json}. Immutable.
 *
 * @param data what is learned from
 * @param network the network but for its channels, which the data decide
 * @param crops the crop groups in order; crops of group 0 come first, and it holds the assigning
 *     ones
 * @param augmentation what is done to every crop
 * @param codes how codes are computed
 * @param optimisation how weights change
 * @param evaluation how features are judged meanwhile
 * @param execution how it is computed
 */
public record TrainingConfig(
    Data data,
    Network network,
    List<CropSpec> crops,
    Augmentation augmentation,
    Codes codes,
    Optimisation optimisation,
    Evaluation evaluation,
    Execution execution) {

  /** The update rule. */
  public enum OptimiserKind {
    /** Gradient descent with momentum. */
    SGD,
    /** The same with a rate per tensor, for large batches. */
    LARS;

    /** As on the command line. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * What is learned from.
   *
   * @param spec where the images come from, as on the command line: {@code shapes}, {@code idx:DIR}
   * @param channels 3 (RGB), 1 (grey) or 0: as the data have it
   * @param normalisation of pixels; null: measured on the training images
   */
  public record Data(String spec, int channels, Normalisation normalisation) {
    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException naming the one that is out of range
     */
    public Data {
      require(
          spec != null && !spec.isBlank(),
          "data",
          "'" + spec + "'",
          "such as shapes or folder:DIR");
      require(
          channels == 0 || channels == 1 || channels == 3,
          "channels",
          channels,
          "3 (RGB), 1 (grey) or 0 (as the data have it)");
      require(
          channels == 0 || normalisation == null || normalisation.channels() == channels,
          "mean",
          normalisation == null ? null : normalisation.mean(),
          "one value for each of " + channels + " channels");
    }
  }

  /**
   * The network but for its channels.
   *
   * @param architecture the trunk
   * @param width multiplies its planes
   * @param stem what stands before its first stage
   * @param hidden width of the projection head
   * @param dim D
   * @param prototypes K
   * @param temperature of the swapped prediction
   */
  public record Network(
      Architecture architecture,
      double width,
      Stem stem,
      int hidden,
      int dim,
      int prototypes,
      double temperature) {
    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException naming the one that is out of range
     */
    public Network {
      of(architecture, width, stem, 3, hidden, dim, prototypes, temperature);
    }

    private static SwavConfig of(
        Architecture architecture,
        double width,
        Stem stem,
        int channels,
        int hidden,
        int dim,
        int prototypes,
        double temperature) {
      return new SwavConfig(
          architecture, width, stem, channels, hidden, dim, prototypes, temperature);
    }

    /** The network for images of that many channels. */
    public SwavConfig with(int channels) {
      return of(architecture, width, stem, channels, hidden, dim, prototypes, temperature);
    }
  }

  /**
   * How codes are computed.
   *
   * @param assigning A, the crops that get a code: the first ones, at most those of group 0
   * @param epsilon entropic regularisation; larger makes softer codes
   * @param iterations of Sinkhorn-Knopp
   * @param queueLength L, embeddings of earlier batches that take part, 0 for none; rounded down to
   *     whole batches
   * @param queueStartEpoch the epoch, from 0, at whose start the queue begins to fill
   */
  public record Codes(
      int assigning, double epsilon, int iterations, int queueLength, double queueStartEpoch) {
    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException naming the one that is out of range
     */
    public Codes {
      require(assigning >= 1, "assigning", assigning, "at least 1 crop that gets a code");
      require(
          epsilon > 0 && epsilon <= 1e3,
          "epsilon",
          epsilon,
          "above 0, usually 0.03 to 0.05: it divides the scores; small values make codes hard");
      require(
          iterations >= 1 && iterations <= 10_000,
          "sinkhorn-iterations",
          iterations,
          "at least 1, usually 3: without one, codes are not balanced and the network collapses");
      require(queueLength >= 0, "queue", queueLength, "0 (no queue) or a number of embeddings");
      require(queueStartEpoch >= 0, "queue-start", queueStartEpoch, "an epoch, counted from 0");
    }
  }

  /**
   * How weights change.
   *
   * @param optimiser the update rule
   * @param batch B, images in a step
   * @param epochs passes over the data
   * @param learningRate after warm-up
   * @param startLearningRate at the first step of warm-up
   * @param finalLearningRate towards which the cosine falls
   * @param warmupEpochs epochs of linear warm-up, also fractions
   * @param momentum of the update
   * @param weightDecay added to gradients, times the weights
   * @param freezeEpochs epochs, also fractions, during which the prototypes stay as they began
   */
  public record Optimisation(
      OptimiserKind optimiser,
      int batch,
      int epochs,
      double learningRate,
      double startLearningRate,
      double finalLearningRate,
      double warmupEpochs,
      double momentum,
      double weightDecay,
      double freezeEpochs) {
    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException naming the one that is out of range
     */
    public Optimisation {
      require(batch >= 2, "batch", batch, "at least 2: with one image every code is exactly 1/K");
      require(epochs >= 1, "epochs", epochs, "at least 1");
      require(
          learningRate > 0 && learningRate < 1e3,
          "lr",
          learningRate,
          "above 0 and below 1000: about 0.1 with sgd, 0.6 per 256 images with lars");
      require(
          startLearningRate >= 0 && startLearningRate < 1e3,
          "start-lr",
          startLearningRate,
          "0 or more");
      require(
          finalLearningRate >= 0 && finalLearningRate < 1e3,
          "final-lr",
          finalLearningRate,
          "0 or more");
      require(
          warmupEpochs >= 0 && warmupEpochs <= epochs,
          "warmup",
          warmupEpochs,
          "0 to " + epochs + " epochs, the length of the run");
      require(
          momentum >= 0 && momentum < 1, "momentum", momentum, "0 up to but not 1, usually 0.9");
      require(weightDecay >= 0 && weightDecay < 1, "wd", weightDecay, "0 or a little more: 1e-6");
      require(freezeEpochs >= 0 && freezeEpochs < 1e6, "freeze", freezeEpochs, "0 or more epochs");
    }

    /**
     * The same for another batch, with the three learning rates in proportion to it (linear scaling
     * rule: Goyal et al. 2017, <a href="https://arxiv.org/abs/1706.02677">arXiv 1706.02677</a>,
     * section 2.1; the published SwAV recipes keep it with LARS, 0.6 per 256 images). Rates are
     * rounded to 9 digits.
     *
     * @throws IllegalArgumentException if the batch or a rate comes out of its range
     */
    public Optimisation scaledTo(int batch) {
      return new Optimisation(
          optimiser,
          batch,
          epochs,
          scaled(learningRate, batch),
          scaled(startLearningRate, batch),
          scaled(finalLearningRate, batch),
          warmupEpochs,
          momentum,
          weightDecay,
          freezeEpochs);
    }

    private double scaled(double rate, int batch) {
      return batch == this.batch
          ? rate
          : new BigDecimal(rate * batch / this.batch).round(new MathContext(9)).doubleValue();
    }
  }

  /**
   * How features are judged during training.
   *
   * @param everyEpochs k-NN after each so many epochs, and at the end; 0: never
   * @param bankImages labelled training images that vote, at most
   * @param testImages test images that are classified, at most
   * @param neighbours that vote on each
   * @param imageSize side in pixels at which images are embedded; 0: that of the first crop group
   */
  public record Evaluation(
      int everyEpochs, int bankImages, int testImages, int neighbours, int imageSize) {
    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException naming the one that is out of range
     */
    public Evaluation {
      require(everyEpochs >= 0, "eval-every", everyEpochs, "0 (never) or a number of epochs");
      require(bankImages >= 1, "eval-bank", bankImages, "at least 1 labelled image");
      require(testImages >= 1, "eval-test", testImages, "at least 1 image");
      require(neighbours >= 1, "neighbours", neighbours, "at least 1, usually 20");
      require(
          imageSize == 0 || (imageSize >= 4 && imageSize <= 4096),
          "eval-size",
          imageSize,
          "0 (as the first crops) or 4 to 4096 pixels");
    }
  }

  /**
   * How it is computed. But for precision and engine this does not change results.
   *
   * @param engine {@code auto}, {@code nd4j} or {@code onednn}
   * @param precision of the network's arithmetic, {@code float} or {@code bf16}; weights,
   *     statistics, codes and loss are always float
   * @param seed of the initial weights, the order of images, crops and augmentations
   * @param workers threads that decode and crop
   */
  public record Execution(String engine, String precision, long seed, int workers) {
    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException naming the one that is out of range
     */
    public Execution {
      require(
          List.of("auto", "nd4j", "onednn").contains(engine),
          "engine",
          "'" + engine + "'",
          "auto, nd4j or onednn");
      require(
          List.of("float", "bf16").contains(precision),
          "precision",
          "'" + precision + "'",
          "float or bf16");
      require(
          precision.equals("float") || !engine.equals("nd4j"),
          "precision",
          precision,
          "float with the nd4j engine: only the onednn engine computes in bf16");
      require(
          workers >= 1 && workers <= 1024, "workers", workers, "1 to 1024 threads for the crops");
    }
  }

  /**
   * Checks what single values can't show.
   *
   * @throws IllegalArgumentException naming what does not fit together
   */
  public TrainingConfig {
    crops = List.copyOf(crops);
    require(!crops.isEmpty(), "crops", "empty", "groups such as 2x32,4x16");
    int views = crops.stream().mapToInt(CropSpec::count).sum();
    require(
        views >= 2,
        "crops",
        format(crops),
        "at least two crops in all: the code of one is predicted from another");
    require(
        codes.assigning() <= crops.get(0).count(),
        "assigning",
        codes.assigning(),
        "at most "
            + crops.get(0).count()
            + ", the crops of the first group, which should be the largest");
    for (CropSpec crop : crops) {
      require(crop.size() >= 4, "crop size", crop.size(), "at least 4 pixels");
    }
    for (int i = 1; i < crops.size(); i++) {
      require(
          crops.get(i).size() != crops.get(i - 1).size(),
          "crops",
          format(crops),
          "neighbouring groups of different sizes: crops of one size form one group");
    }
  }

  private static void require(boolean ok, String name, Object value, String expected) {
    if (!ok) {
      throw new IllegalArgumentException(name + " is " + value + ", expected " + expected);
    }
  }

  /** V, the crops of an image. */
  public int views() {
    return crops.stream().mapToInt(CropSpec::count).sum();
  }

  /** The crop groups as the network sees them. */
  public List<CropGroup> groups() {
    return crops.stream().map(c -> new CropGroup(c.count(), c.size())).toList();
  }

  /** Side in pixels at which images are embedded when features are judged. */
  public int evaluationSize() {
    return evaluation.imageSize() == 0 ? crops.get(0).size() : evaluation.imageSize();
  }

  /** The same with the normalisation that was measured. */
  public TrainingConfig withNormalisation(Normalisation normalisation) {
    return new TrainingConfig(
        new Data(data.spec(), data.channels(), normalisation),
        network,
        crops,
        augmentation,
        codes,
        optimisation,
        evaluation,
        execution);
  }

  /** L rounded down to whole batches. */
  public int queueRows() {
    return codes.queueLength() / optimisation.batch() * optimisation.batch();
  }

  /** Crop groups as on the command line: {@code 2x32,4x16}. */
  public static String format(List<CropSpec> crops) {
    List<String> parts = new ArrayList<>();
    for (CropSpec c : crops) {
      parts.add(c.count() + "x" + c.size());
    }
    return String.join(",", parts);
  }

  /** Their scales as on the command line: {@code 0.3-1,0.1-0.3}. */
  public static String formatScales(List<CropSpec> crops) {
    List<String> parts = new ArrayList<>();
    for (CropSpec c : crops) {
      parts.add(number(c.minScale()) + "-" + number(c.maxScale()));
    }
    return String.join(",", parts);
  }

  /** A number as short as it can be written: {@code 1}, {@code 0.05}, {@code 1e-6}. */
  public static String number(double value) {
    if (value == Math.rint(value) && Math.abs(value) < 1e9) {
      return Long.toString((long) value);
    }
    String text = Double.toString(value).replace("E", "e");
    return text.replace(".0e", "e");
  }

  /**
   * Crop groups from the command line's two lists.
   *
   * @param crops such as {@code 2x32,4x16}
   * @param scales such as {@code 0.3-1,0.1-0.3}: shares of the image's area
   * @throws IllegalArgumentException if a part can't be read or the lists differ in length
   */
  public static List<CropSpec> parseCrops(String crops, String scales) {
    List<CropGroup> groups = parseGroups(crops);
    String[] ranges = scales.split(",", -1);
    if (groups.size() != ranges.length) {
      throw new IllegalArgumentException(
          String.format(
              "--crops %s has %d groups and --scales %s has %d, expected one scale range for each"
                  + " group, as in --crops 2x32,4x16 --scales 0.3-1,0.1-0.3",
              crops, groups.size(), scales, ranges.length));
    }
    List<CropSpec> specs = new ArrayList<>();
    for (int i = 0; i < ranges.length; i++) {
      String[] ends = ranges[i].split("-", 2);
      try {
        specs.add(
            new CropSpec(
                groups.get(i).count(),
                groups.get(i).size(),
                Double.parseDouble(ends[0]),
                Double.parseDouble(ends[1])));
      } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
        throw new IllegalArgumentException(
            "--scales part '"
                + ranges[i]
                + "' can't be read, expected MIN-MAX, shares of the image's area such as 0.3-1",
            e);
      }
    }
    return specs;
  }

  /**
   * Crop groups without scales.
   *
   * @param crops such as {@code 2x32,4x16}
   * @throws IllegalArgumentException if a part can't be read
   */
  public static List<CropGroup> parseGroups(String crops) {
    List<CropGroup> groups = new ArrayList<>();
    for (String part : crops.split(",", -1)) {
      if (!part.matches("[0-9]{1,4}x[0-9]{1,5}")) {
        throw new IllegalArgumentException(
            "--crops part '"
                + part
                + "' can't be read, expected COUNTxSIZE such as 2x32:"
                + " a count of at most 9999 and a side of at most 99999 pixels");
      }
      String[] numbers = part.split("x", 2);
      groups.add(new CropGroup(Integer.parseInt(numbers[0]), Integer.parseInt(numbers[1])));
    }
    return groups;
  }
}
