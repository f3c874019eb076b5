package org.swav4j.train.config;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.swav4j.data.Augmentation;
import org.swav4j.data.CropSpec;
import org.swav4j.data.Normalisation;
import org.swav4j.model.Architecture;
import org.swav4j.model.CropGroup;
import org.swav4j.model.Stem;
import org.swav4j.model.SwavConfig;
import org.swav4j.model.engine.Engines;
import org.swav4j.model.engine.Precision;
import org.swav4j.train.collective.GradientSums;
import org.swav4j.train.collective.SyncNorm;
import org.swav4j.train.config.Setting.OnResume;
import org.swav4j.train.method.CodeKind;
import org.swav4j.train.optimiser.Lars;

/**
 * Everything that decides a training run, and nothing that does not: two runs of equal
 * configurations on equal data and the same machine give the same weights. Written to the run
 * folder as {@code config.json}. Immutable.
 *
 * <p>Each component that carries a {@link Setting} is a flag of {@code swav train}, a line of its
 * help, a column of the presets and a key of {@code config.json}. A new one is added here, where it
 * is declared and checked, and nowhere else.
 *
 * @param data what is learned from
 * @param method how
 * @param network the network but for its channels, which the data decide
 * @param crops the crop groups in order; the assigning crops come first
 * @param augmentation what is done to every crop
 * @param codes how codes are computed
 * @param optimisation how weights change
 * @param evaluation how features are judged meanwhile
 * @param execution how it is computed
 */
public record TrainingConfig(
    Data data,
    @Setting(
            flag = "method",
            label = "NAME",
            help = "What is learned from, one of: " + Setting.CHOICES + ".",
            presets = "swav",
            since = 3,
            earlier = "swav")
        MethodKind method,
    Network network,
    @Setting(
            flag = "crops",
            label = "NxS,...",
            help =
                "Crop groups, count x side in pixels. Codes are computed from the first crops, so"
                    + " the largest should come first.",
            presets = {"2x32,4x16", "2x32,4x16", "2x224,6x96"},
            parts = {"count", "size"},
            between = "x")
        @Setting(
            flag = "scales",
            label = "MIN-MAX,...",
            help =
                "For each crop group, the smallest and the largest share of the image's area that"
                    + " a crop shows.",
            presets = {"0.3-1,0.2-0.6", "0.3-1,0.1-0.3", "0.14-1,0.05-0.14"},
            onResume = OnResume.OTHER_RESULT,
            parts = {"minScale", "maxScale"})
        List<CropSpec> crops,
    @Setting(
            flag = "jitter",
            label = "S",
            help = "Strength of the colour jitter. The paper uses 1; small images need less.",
            presets = {"0.5", "0.5", "1"},
            onResume = OnResume.OTHER_RESULT,
            parts = "jitter")
        @Setting(
            flag = "jitter-probability",
            label = "P",
            help = "Share of crops whose colours are jittered.",
            presets = "0.8",
            onResume = OnResume.OTHER_RESULT,
            parts = "jitterProbability")
        @Setting(
            flag = "grey",
            label = "P",
            help = "Share of crops that are turned grey.",
            presets = "0.2",
            onResume = OnResume.OTHER_RESULT,
            parts = "greyProbability")
        @Setting(
            flag = "blur",
            label = "P",
            help = "Share of crops that are blurred. Blur removes too much from small images.",
            presets = {"0", "0", "0.5"},
            onResume = OnResume.OTHER_RESULT,
            parts = "blurProbability")
        @Setting(
            flag = "blur-sigma",
            label = "MIN-MAX",
            help = "Smallest and largest standard deviation of the blur, in pixels of the crop.",
            presets = "0.1-2",
            onResume = OnResume.OTHER_RESULT,
            parts = {"minSigma", "maxSigma"})
        @Setting(
            flag = "solarise",
            label = "P",
            help = "Share of crops that are solarised: values above one half are inverted.",
            presets = "0",
            onResume = OnResume.OTHER_RESULT,
            parts = "solariseProbability")
        @Setting(
            flag = "flip",
            label = "P",
            help =
                "Share of crops that are mirrored left to right; 0 for images in which left and"
                    + " right matter, such as text.",
            presets = "0.5",
            onResume = OnResume.OTHER_RESULT,
            parts = "flipProbability")
        @Setting(
            flag = "rotate",
            label = "DEGREES",
            help =
                "Crops are turned by a random angle of up to this many degrees either way: 180 for"
                    + " images without an upside, such as microscopy or the built-in shapes; 0 for"
                    + " none. Beyond its edge an image is mirrored.",
            presets = {"180", "0", "0"},
            onResume = OnResume.OTHER_RESULT,
            parts = "maxDegrees",
            since = 3,
            earlier = "0")
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
   * @param holdout share of a folder without parts of its own that is held out for testing
   * @param allowBroken largest share of unreadable images with which training starts
   */
  public record Data(
      @Setting(
              flag = "data",
              label = "SPEC",
              help =
                  "Images: shapes[:N] (built in), folder:DIR, idx:DIR, cifar10:DIR, cifar100:DIR,"
                      + " or a directory, whose format is recognised by its content.",
              presets = "shapes",
              onResume = OnResume.SAME_RESULT)
          String spec,
      @Setting(
              flag = "channels",
              label = "N",
              help = "Reads images in colour (3), in grey (1), or as they are stored (0).",
              presets = {"0", "0", "3"})
          int channels,
      @Setting(
              flag = "mean",
              label = "R,G,B",
              help =
                  "Mean of each channel, subtracted from pixels between 0 and 1; given together"
                      + " with `deviation`. measured: computed from training images.",
              presets = {"measured", "measured", "0.485,0.456,0.406"},
              parts = "mean",
              open = "measured")
          @Setting(
              flag = "deviation",
              label = "R,G,B",
              help = "Standard deviation of each channel; pixels are divided by it.",
              presets = {"measured", "measured", "0.228,0.224,0.225"},
              parts = "deviation",
              open = "measured")
          Normalisation normalisation,
      @Setting(
              flag = "holdout",
              label = "SHARE",
              help =
                  "Share of the images of a folder that are held out for testing, 0 to 0.5, chosen by"
                      + " a hash of their paths; 0 learns from all. A folder with parts of its own,"
                      + " such as train and val, is used as it is.",
              presets = "0.2",
              since = 2,
              earlier = "0.2")
          double holdout,
      @Setting(
              flag = "allow-broken",
              label = "SHARE",
              help =
                  "Largest share of images that can't be read with which training starts, as found"
                      + " in a sample; 1 allows any. Others stand in for those that can't be read.",
              presets = "0.5",
              onResume = OnResume.SAME_RESULT,
              since = 2,
              earlier = "0.5")
          double allowBroken) {
    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException naming the one that is out of range
     */
    public Data {
      require(
          spec != null && !spec.isBlank(),
          "spec",
          "'" + spec + "'",
          "such as shapes or folder:DIR");
      require(
          channels == 0 || channels == 1 || channels == 3,
          "channels",
          channels,
          "3 (RGB), 1 (grey) or 0 (as the data have it)");
      require(
          channels == 0 || normalisation == null || normalisation.channels() == channels,
          "normalisation",
          normalisation,
          "one value for each of " + channels + " channels");
      require(
          holdout >= 0 && holdout <= 0.5,
          "holdout",
          holdout,
          "a share from 0 (learn from all) to 0.5, usually 0.2");
      require(
          allowBroken >= 0 && allowBroken <= 1, "allowBroken", allowBroken, "a share from 0 to 1");
    }

    /** The same of other data. */
    Data of(String spec) {
      return new Data(spec, channels, normalisation, holdout, allowBroken);
    }

    /** The same with the normalisation that was measured. */
    Data with(Normalisation normalisation) {
      return new Data(spec, channels, normalisation, holdout, allowBroken);
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
   * @param prototypes K, in each head
   * @param heads H, sets of prototypes
   * @param temperature of the swapped prediction
   * @param init file or run folder that the first weights come from; null: they are random
   * @param initPartial whether only the trunk's are taken
   */
  public record Network(
      @Setting(
              flag = "arch",
              label = "NAME",
              help =
                  "Residual trunk: resnet18, resnet34, resnet50, or resnet20, which has a quarter"
                      + " of the channels and suits small images.",
              presets = {"resnet20", "resnet18", "resnet50"})
          Architecture architecture,
      @Setting(
              flag = "width",
              label = "X",
              help = "Multiplies the trunk's channels. The cost grows with its square.",
              presets = "1")
          double width,
      @Setting(
              flag = "stem",
              label = "NAME",
              help =
                  "Layers before the first stage: small (a 3x3 convolution, for images up to about"
                      + " 64 pixels) or imagenet (a 7x7 convolution and max-pooling, which divide"
                      + " the side by four).",
              presets = {"small", "small", "imagenet"})
          Stem stem,
      @Setting(
              flag = "hidden",
              label = "N",
              help = "Width of the projection head's hidden layer.",
              presets = {"256", "512", "2048"})
          int hidden,
      @Setting(
              flag = "dim",
              label = "D",
              help = "Length of an embedding, which is what is compared with prototypes.",
              presets = {"64", "128", "128"})
          int dim,
      @Setting(
              flag = "prototypes",
              label = "K",
              help =
                  "Number of prototypes: about ten for each class you expect, and at most the sum"
                      + " of `batch` and `queueLength`.",
              presets = {"60", "256", "3000"})
          int prototypes,
      @Setting(
              flag = "heads",
              label = "H",
              help =
                  "Sets of `prototypes`, each with codes, or clusters, of its own; the loss is the"
                      + " mean over them. For swav and deepcluster-v2, which is published with 3.",
              presets = "1",
              since = 3,
              earlier = "1")
          int heads,
      @Setting(
              flag = "temperature",
              label = "T",
              help =
                  "Temperature of the softmax that predicts codes: scores are divided by it. A"
                      + " smaller one makes predictions sharper.",
              presets = "0.1",
              onResume = OnResume.OTHER_RESULT)
          double temperature,
      @Setting(
              flag = "init",
              label = "FILE",
              help =
                  "Begins with the weights of a file: a run folder or its weights, safetensors with"
                      + " torchvision's names, or a PyTorch state dict (.pth, .pth.tar). What it"
                      + " lacks of head and prototypes begins at random.",
              presets = "none",
              open = "none",
              since = 2,
              earlier = "none")
          String init,
      @Setting(
              flag = "init-partial",
              label = "",
              help = "Takes the trunk alone of the file of `init`.",
              presets = "false",
              since = 2,
              earlier = "false")
          boolean initPartial) {
    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException naming the one that is out of range
     */
    public Network {
      require(init == null || !init.isBlank(), "init", "'" + init + "'", "a file or a run folder");
      require(heads >= 1 && heads <= 1000, "heads", heads, "from 1 to 1000, usually 1 or 3");
      require(
          !initPartial || init != null, "initPartial", initPartial, "a file with it, by `init`");
      try {
        of(architecture, width, stem, 3, hidden, dim, prototypes, temperature);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(
            e.getMessage().replaceFirst("^(\\w+) is ", "`$1` is "), e);
      }
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

    /** The same with K prototypes. */
    Network withPrototypes(int prototypes) {
      return new Network(
          architecture,
          width,
          stem,
          hidden,
          dim,
          prototypes,
          heads,
          temperature,
          init,
          initPartial);
    }

    /** The network for images of that many channels, with the prototypes of all heads. */
    public SwavConfig with(int channels) {
      return of(architecture, width, stem, channels, hidden, dim, heads * prototypes, temperature);
    }

    /**
     * The same around a {@link org.swav4j.model.Backbone} of one's own, in the place of the
     * architecture.
     */
    public SwavConfig aroundBackbone(int channels) {
      return SwavConfig.aroundBackbone(channels, hidden, dim, heads * prototypes, temperature);
    }
  }

  /**
   * How codes are computed.
   *
   * @param assigning A, the crops that get a code: the first ones, at most all of them
   * @param epsilon entropic regularisation; larger makes softer codes
   * @param iterations of Sinkhorn-Knopp
   * @param queueLength L, embeddings of earlier batches that take part, 0 for none; rounded down to
   *     whole batches
   * @param queueStartEpoch the epoch, from 0, at whose start the queue begins to fill
   * @param kind how codes are made of scores
   */
  public record Codes(
      @Setting(
              flag = "assigning",
              label = "A",
              help =
                  "How many crops get a code, from the first of `crops` on. Every other crop of the"
                      + " image predicts it. Groups may be in any order and repeat a size:"
                      + " 1x32,1x16,1x32,3x16 with 2 gives codes to a large and a small one.",
              presets = "2")
          int assigning,
      @Setting(
              flag = "epsilon",
              label = "E",
              help =
                  "Entropic regularisation of the codes. A smaller one makes codes harder and helps"
                      + " against collapse; a larger one makes them softer.",
              presets = {"0.02", "0.03", "0.05"},
              onResume = OnResume.OTHER_RESULT)
          double epsilon,
      @Setting(
              flag = "sinkhorn-iterations",
              label = "N",
              help = "Sinkhorn-Knopp iterations, which balance codes over prototypes and images.",
              presets = "3",
              onResume = OnResume.OTHER_RESULT)
          int iterations,
      @Setting(
              flag = "queue",
              label = "L",
              help =
                  "Embeddings of earlier batches that take part in computing codes, for a batch"
                      + " smaller than the number of prototypes; 0: none.",
              presets = {"0", "0", "3840"})
          int queueLength,
      @Setting(
              flag = "queue-start",
              label = "EPOCH",
              help =
                  "Epoch at which the queue begins to fill; fractions are allowed. Embeddings"
                      + " change fast at first, so that queued ones are soon out of date.",
              presets = {"0", "0", "15"},
              onResume = OnResume.OTHER_RESULT)
          double queueStartEpoch,
      @Setting(
              flag = "codes",
              label = "KIND",
              help =
                  "soft: codes are predicted as they are solved. hard: each image's best prototype"
                      + " alone; trains faster at first and ends worse. unbalanced: a softmax of"
                      + " each image's scores, without Sinkhorn-Knopp; it collapses, and is for"
                      + " comparison.",
              presets = "soft",
              onResume = OnResume.OTHER_RESULT,
              since = 2,
              earlier = "soft")
          CodeKind kind) {
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
          "above 0, usually 0.02 to 0.05: it divides the scores; small values make codes hard");
      require(
          iterations >= 1 && iterations <= 10_000,
          "iterations",
          iterations,
          "at least 1, usually 3: without one, codes are not balanced and the network collapses");
      require(
          queueLength >= 0, "queueLength", queueLength, "0 (no queue) or a number of embeddings");
      require(queueStartEpoch >= 0, "queueStartEpoch", queueStartEpoch, "an epoch, counted from 0");
    }
  }

  /**
   * How weights change.
   *
   * @param optimiser the update rule
   * @param batch images in a step, or in each part of one
   * @param accumulate parts of a step; B is so many times the batch
   * @param epochs passes over the data
   * @param learningRate after warm-up
   * @param startLearningRate at the first step of warm-up
   * @param finalLearningRate towards which the cosine falls
   * @param warmupEpochs epochs of linear warm-up, also fractions
   * @param momentum share of the last update that is kept
   * @param weightDecay added to gradients, times the weights
   * @param freezeEpochs epochs, also fractions, during which the prototypes stay as they began
   * @param larsTrust trust coefficient of lars
   * @param larsRatio how lars uses its rate for each tensor
   * @param larsScope which tensors lars scales and decays
   * @param averageDecay share of the weights' average that a step keeps; 0: no average is kept
   */
  public record Optimisation(
      @Setting(
              flag = "optimiser",
              label = "NAME",
              help =
                  "sgd: gradient descent with momentum. lars: the same with a rate for each tensor,"
                      + " for large batches.",
              presets = {"sgd", "sgd", "lars"})
          OptimiserKind optimiser,
      @Setting(
              flag = "batch",
              label = "B",
              help =
                  "Images in a step, or in each part of one with `accumulate`. Without"
                      + " `learningRate`, learning rates change in proportion.",
              presets = {"64", "256", "256"})
          int batch,
      @Setting(
              flag = "accumulate",
              label = "N",
              help =
                  "Parts of a step, one at a time in memory: the result is that of N times the"
                      + " `batch`, but for the statistics of batch norm, which are of each part. It"
                      + " takes a third more time.",
              presets = "1",
              since = 2,
              earlier = "1")
          int accumulate,
      @Setting(
              flag = "epochs",
              label = "N",
              help = "Passes over the training images.",
              presets = {"5", "100", "200"},
              onResume = OnResume.OTHER_RESULT)
          int epochs,
      @Setting(
              flag = "lr",
              label = "RATE",
              help =
                  "Learning rate after warm-up. Not given, the preset's in proportion to `batch`:"
                      + " twice the batch, twice the rate.",
              presets = {"0.2", "0.2", "0.6"},
              onResume = OnResume.OTHER_RESULT)
          double learningRate,
      @Setting(
              flag = "start-lr",
              label = "RATE",
              help = "Learning rate at the first step of warm-up.",
              presets = "0",
              onResume = OnResume.OTHER_RESULT)
          double startLearningRate,
      @Setting(
              flag = "final-lr",
              label = "RATE",
              help =
                  "Learning rate at the last step, where the cosine schedule ends. Not given, it"
                      + " keeps the preset's ratio to `learningRate`.",
              presets = {"0.0002", "0.0002", "0.0006"},
              onResume = OnResume.OTHER_RESULT)
          double finalLearningRate,
      @Setting(
              flag = "warmup",
              label = "EPOCHS",
              help =
                  "Epochs during which the learning rate rises linearly; fractions are allowed. Not"
                      + " given, at most a tenth of the run.",
              presets = {"0.3", "2", "0"},
              onResume = OnResume.OTHER_RESULT)
          double warmupEpochs,
      @Setting(
              flag = "momentum",
              label = "M",
              help = "Momentum of sgd and lars: the share of the last update that is kept.",
              presets = "0.9",
              onResume = OnResume.OTHER_RESULT)
          double momentum,
      @Setting(
              flag = "wd",
              label = "W",
              help = "Weight decay: this times the weights is added to their gradients.",
              presets = {"0.0001", "0.0001", "1e-6"},
              onResume = OnResume.OTHER_RESULT)
          double weightDecay,
      @Setting(
              flag = "freeze",
              label = "EPOCHS",
              help =
                  "Epochs at the start during which prototypes are not trained; fractions are"
                      + " allowed. Not given, at most a tenth of the run.",
              presets = {"0.1", "1", "1"},
              onResume = OnResume.OTHER_RESULT)
          double freezeEpochs,
      @Setting(
              flag = "lars-trust",
              label = "T",
              help =
                  "Trust coefficient of lars: a step at learning rate 1 moves a tensor by this share"
                      + " of its norm.",
              presets = "0.001",
              onResume = OnResume.OTHER_RESULT,
              since = 2,
              earlier = "0.001")
          double larsTrust,
      @Setting(
              flag = "lars-ratio",
              label = "NAME",
              help =
                  "How lars uses its rate for each tensor: scale (as it is) or clip (at most the"
                      + " learning rate, known as LARC).",
              presets = "scale",
              onResume = OnResume.OTHER_RESULT,
              since = 2,
              earlier = "scale")
          Lars.Ratio larsRatio,
      @Setting(
              flag = "lars-scope",
              label = "NAME",
              help =
                  "What lars scales and decays: all tensors, or weights, that is, none of biases and"
                      + " batch norm, which get plain sgd without decay.",
              presets = "all",
              onResume = OnResume.OTHER_RESULT,
              since = 2,
              earlier = "all")
          Lars.Scope larsScope,
      @Setting(
              flag = "ema",
              label = "DECAY",
              help =
                  "Keeps an exponential moving average of the weights, of which every step keeps"
                      + " this share, such as 0.99. The weights file and k-NN are then of the"
                      + " average; training goes on with the weights themselves. 0: none.",
              presets = "0",
              since = 2,
              earlier = "0")
          double averageDecay) {
    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException naming the one that is out of range
     */
    public Optimisation {
      require(batch >= 2, "batch", batch, "at least 2: with one image every code is exactly 1/K");
      require(
          accumulate >= 1 && (long) accumulate * batch <= 1 << 24,
          "accumulate",
          accumulate,
          "at least 1 part, and at most " + (1 << 24) + " images in a step");
      require(epochs >= 1, "epochs", epochs, "at least 1");
      require(
          learningRate > 0 && learningRate < 1e3,
          "learningRate",
          learningRate,
          "above 0 and below 1000: about 0.1 with sgd, 0.6 per 256 images with lars");
      require(
          startLearningRate >= 0 && startLearningRate < 1e3,
          "startLearningRate",
          startLearningRate,
          "0 or more");
      require(
          finalLearningRate >= 0 && finalLearningRate < 1e3,
          "finalLearningRate",
          finalLearningRate,
          "0 or more");
      require(
          warmupEpochs >= 0 && warmupEpochs <= epochs,
          "warmupEpochs",
          warmupEpochs,
          "0 to " + epochs + " epochs, the length of the run");
      require(
          momentum >= 0 && momentum < 1, "momentum", momentum, "0 up to but not 1, usually 0.9");
      require(
          weightDecay >= 0 && weightDecay < 1,
          "weightDecay",
          weightDecay,
          "0 or a little more: 1e-6");
      require(
          freezeEpochs >= 0 && freezeEpochs < 1e6,
          "freezeEpochs",
          freezeEpochs,
          "0 or more epochs");
      require(
          larsTrust > 0 && larsTrust < 1e3,
          "larsTrust",
          larsTrust,
          "above 0 and below 1000, usually 0.001");
      require(
          averageDecay >= 0 && averageDecay < 1,
          "averageDecay",
          averageDecay,
          "0 for none, or a share below 1 such as 0.99");
    }

    /**
     * The same for another batch in as many parts, see {@link #scaledTo(int, int)}.
     *
     * @throws IllegalArgumentException if the batch or a rate comes out of its range
     */
    public Optimisation scaledTo(int batch) {
      return scaledTo(batch, accumulate);
    }

    /** B, images in a step. */
    public int imagesPerStep() {
      return batch * accumulate;
    }

    /**
     * The same for another number of images in a step, with the three learning rates in proportion
     * to it (linear scaling rule: Goyal et al. 2017, <a
     * href="https://arxiv.org/abs/1706.02677">arXiv 1706.02677</a>, section 2.1; the published SwAV
     * recipes keep it with LARS, 0.6 per 256 images). Rates are rounded to 9 digits.
     *
     * @param batch images in each part
     * @param accumulate parts
     * @throws IllegalArgumentException if the batch or a rate comes out of its range
     */
    public Optimisation scaledTo(int batch, int accumulate) {
      long images = (long) batch * accumulate;
      return new Optimisation(
          optimiser,
          batch,
          accumulate,
          epochs,
          scaled(learningRate, images),
          scaled(startLearningRate, images),
          scaled(finalLearningRate, images),
          warmupEpochs,
          momentum,
          weightDecay,
          freezeEpochs,
          larsTrust,
          larsRatio,
          larsScope,
          averageDecay);
    }

    private double scaled(double rate, long images) {
      return images == imagesPerStep()
          ? rate
          : new BigDecimal(rate * images / imagesPerStep()).round(new MathContext(9)).doubleValue();
    }
  }

  /**
   * How features are judged during training, and where that is told.
   *
   * @param everyEpochs k-NN and RankMe after each so many epochs, and at the end; 0: never
   * @param bankImages training images that vote, if labelled, and whose features are ranked, at
   *     most
   * @param testImages test images that are classified, at most
   * @param neighbours nearest features that vote on the class of each test image
   * @param imageSize side in pixels at which images are embedded; 0: that of the first crop group
   * @param tensorboard whether the figures are also written for TensorBoard
   */
  public record Evaluation(
      @Setting(
              flag = "eval-every",
              label = "EPOCHS",
              help =
                  "Judges features after every so many epochs, before the first and after the last:"
                      + " by RankMe, and where there are labels by k-NN; 0: never.",
              presets = {"1", "5", "10"},
              onResume = OnResume.SAME_RESULT)
          int everyEpochs,
      @Setting(
              flag = "eval-bank",
              label = "N",
              help =
                  "Training images, at most, whose features are ranked and among which neighbours are"
                      + " looked for.",
              presets = {"10000", "10000", "50000"},
              onResume = OnResume.SAME_RESULT)
          int bankImages,
      @Setting(
              flag = "eval-test",
              label = "N",
              help = "Test images that are classified, at most.",
              presets = {"2000", "5000", "10000"},
              onResume = OnResume.SAME_RESULT)
          int testImages,
      @Setting(
              flag = "neighbours",
              label = "N",
              help = "Nearest neighbours that vote on the class of each test image.",
              presets = "20",
              onResume = OnResume.SAME_RESULT)
          int neighbours,
      @Setting(
              flag = "eval-size",
              label = "PIXELS",
              help =
                  "Side to which images are resized before they are judged; 0: that of the first"
                      + " crop group.",
              presets = "0",
              onResume = OnResume.SAME_RESULT)
          int imageSize,
      @Setting(
              flag = "tensorboard",
              label = "",
              help =
                  "Writes the figures of every epoch as events for TensorBoard, too, into the run"
                      + " folder: 'tensorboard --logdir RUN' shows them.",
              presets = "false",
              onResume = OnResume.SAME_RESULT,
              since = 5,
              earlier = "false")
          boolean tensorboard) {
    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException naming the one that is out of range
     */
    public Evaluation {
      require(everyEpochs >= 0, "everyEpochs", everyEpochs, "0 (never) or a number of epochs");
      require(bankImages >= 1, "bankImages", bankImages, "at least 1 labelled image");
      require(testImages >= 1, "testImages", testImages, "at least 1 image");
      require(neighbours >= 1, "neighbours", neighbours, "at least 1, usually 20");
      require(
          imageSize == 0 || (imageSize >= 4 && imageSize <= 4096),
          "imageSize",
          imageSize,
          "0 (as the first crops) or 4 to 4096 pixels");
    }
  }

  /**
   * How it is computed. But for precision and engine this does not change results.
   *
   * @param engine {@code auto} or one of {@link Engines#names}
   * @param precision of the network's arithmetic, {@code float} or {@code bf16}; weights,
   *     statistics, codes and loss are always float
   * @param seed of the initial weights, the order of images, crops and augmentations
   * @param workers threads that decode and crop
   * @param syncNorm which rows batch norm takes its moments from
   * @param gradients how they travel between workers
   */
  public record Execution(
      @Setting(
              flag = "engine",
              label = "NAME",
              help =
                  "Library that computes the network: onednn (x86-64 processors), nd4j (everywhere)"
                      + " or auto, the faster of those that work here.",
              presets = "auto",
              onResume = OnResume.OTHER_RESULT)
          String engine,
      @Setting(
              flag = "precision",
              label = "NAME",
              help =
                  "float, or bf16, which takes two thirds of the memory, and up to two fifths less"
                      + " time on processors that multiply 16-bit numbers.",
              presets = "float",
              onResume = OnResume.OTHER_RESULT)
          String precision,
      @Setting(
              flag = "seed",
              label = "N",
              help = "Seed of everything random. The same seed gives the same run.",
              presets = "1")
          long seed,
      @Setting(
              flag = "workers",
              label = "N",
              help = "Threads that read and crop images. Their number does not change the result.",
              presets = Setting.HALF_THE_CORES,
              onResume = OnResume.SAME_RESULT)
          int workers,
      @Setting(
              flag = "sync-norm",
              label = "NAME",
              help =
                  "Where several machines share a batch: on (batch norm takes its statistics from the"
                      + " whole batch, so that the result is that of one machine, up to rounding),"
                      + " exact (the same, slower, so that any number of machines, one with exact"
                      + " included, gives an image the same features) or off (from each machine's"
                      + " images, which saves their waiting for each other).",
              presets = "on",
              onResume = OnResume.OTHER_RESULT,
              since = 4,
              earlier = "on")
          SyncNorm syncNorm,
      @Setting(
              flag = "gradients",
              label = "NAME",
              help =
                  "How gradients travel where several machines share a batch: float, or fp16 (half"
                      + " as many bytes; each sum is off by up to a thousandth of what is added).",
              presets = "float",
              onResume = OnResume.OTHER_RESULT,
              since = 5,
              earlier = "float")
          GradientSums gradients) {
    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException naming the one that is out of range
     */
    public Execution {
      require(
          engine.equals("auto") || Engines.names().contains(engine),
          "engine",
          "'" + engine + "'",
          "auto, " + String.join(" or ", Engines.names()));
      require(
          Stream.of(Precision.values()).anyMatch(p -> p.label().equals(precision)),
          "precision",
          "'" + precision + "'",
          Stream.of(Precision.values()).map(Precision::label).collect(Collectors.joining(" or ")));
      require(
          Engines.computesIn(engine, Precision.of(precision)),
          "precision",
          precision,
          Stream.of(Precision.values())
                  .filter(p -> Engines.computesIn(engine, p))
                  .map(Precision::label)
                  .collect(Collectors.joining(" or "))
              + " with engine "
              + engine
              + ", which computes in no other; auto takes one that does");
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
    for (CropSpec crop : crops) {
      require(crop.size() >= 4, "crops", CropNotation.format(crops), "sides of at least 4 pixels");
    }
    int views = crops.stream().mapToInt(CropSpec::count).sum();
    require(
        views >= 2,
        "crops",
        CropNotation.format(crops),
        "at least two crops in all: the code of one is predicted from another");
    require(
        codes.assigning() <= views,
        "assigning",
        codes.assigning(),
        "at most "
            + views
            + ", the crops of an image; usually 2, the large ones: small ones see too little of it for"
            + " codes that others should predict");
    require(
        network.heads() == 1 || method.clusters(),
        "heads",
        network.heads(),
        "1 with " + method.label() + ": only " + MethodKind.withClusters() + " have several");
  }

  private static void require(boolean ok, String name, Object value, String expected) {
    if (!ok) {
      throw new IllegalArgumentException("`" + name + "` is " + value + ", expected " + expected);
    }
  }

  /** V, the crops of an image. */
  public int views() {
    return crops.stream().mapToInt(CropSpec::count).sum();
  }

  /** The crop groups as the network sees them: neighbours of one size are one. */
  public List<CropGroup> groups() {
    return groups(crops);
  }

  private static List<CropGroup> groups(List<CropSpec> crops) {
    List<CropGroup> groups = new ArrayList<>();
    for (CropSpec crop : crops) {
      int last = groups.size() - 1;
      if (last >= 0 && groups.get(last).size() == crop.size()) {
        groups.set(last, new CropGroup(groups.get(last).count() + crop.count(), crop.size()));
      } else {
        groups.add(new CropGroup(crop.count(), crop.size()));
      }
    }
    return groups;
  }

  /** Side in pixels at which images are embedded when features are judged. */
  public int evaluationSize() {
    return evaluation.imageSize() == 0 ? crops.get(0).size() : evaluation.imageSize();
  }

  /** The same with the normalisation that was measured. */
  public TrainingConfig withNormalisation(Normalisation normalisation) {
    return new TrainingConfig(
        data.with(normalisation),
        method,
        network,
        crops,
        augmentation,
        codes,
        optimisation,
        evaluation,
        execution);
  }

  /** The same on data of that name. */
  public TrainingConfig withData(String spec) {
    return new TrainingConfig(
        data.of(spec),
        method,
        network,
        crops,
        augmentation,
        codes,
        optimisation,
        evaluation,
        execution);
  }

  /** The same with K prototypes. */
  public TrainingConfig withPrototypes(int prototypes) {
    return new TrainingConfig(
        data,
        method,
        network.withPrototypes(prototypes),
        crops,
        augmentation,
        codes,
        optimisation,
        evaluation,
        execution);
  }

  /** L rounded down to whole batches; 0 with codes that don't depend on other images. */
  public int queueRows() {
    int batch = optimisation.imagesPerStep();
    return codes.kind().balanced() ? codes.queueLength() / batch * batch : 0;
  }

  /** A number as short as it can be written: {@code 1}, {@code 0.05}, {@code 1e-6}. */
  public static String number(double value) {
    if (value == Math.rint(value) && Math.abs(value) < 1e9) {
      return Long.toString((long) value);
    }
    String text = Double.toString(value).replace("E", "e");
    return text.replace(".0e", "e");
  }
}
