package org.swav4j.train.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import org.swav4j.data.Augmentation;
import org.swav4j.data.CropSpec;
import org.swav4j.data.Normalisation;
import org.swav4j.model.Architecture;
import org.swav4j.model.Stem;
import org.swav4j.train.config.Preset;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.config.TrainingConfig.Codes;
import org.swav4j.train.config.TrainingConfig.Data;
import org.swav4j.train.config.TrainingConfig.Evaluation;
import org.swav4j.train.config.TrainingConfig.Execution;
import org.swav4j.train.config.TrainingConfig.Network;
import org.swav4j.train.config.TrainingConfig.Optimisation;
import org.swav4j.train.config.TrainingConfig.OptimiserKind;
import org.swav4j.train.loop.Checkpoint;
import picocli.CommandLine.Option;

/** The flags that change a preset: what is not given stays as the preset has it. */
final class TrainOptions {
  @Option(
      names = "--data",
      paramLabel = "SPEC",
      description =
          "Images: shapes[:N] (built in), folder:DIR, idx:DIR, cifar10:DIR, cifar100:DIR, or a"
              + " directory that is recognised by its content.")
  String data;

  @Option(
      names = "--channels",
      paramLabel = "N",
      description = "3 reads colour, 1 grey; 0: as the data have it.")
  Integer channels;

  @Option(
      names = "--mean",
      paramLabel = "R,G,B",
      description =
          "Subtracted from pixels in 0..1, per channel; with --deviation. measured: from the"
              + " training images.")
  String mean;

  @Option(
      names = "--deviation",
      paramLabel = "R,G,B",
      description = "What pixels less the mean are divided by.")
  String deviation;

  @Option(
      names = "--arch",
      paramLabel = "NAME",
      description =
          "Trunk: resnet18, resnet34, resnet50, or resnet20, a thin one for small images.")
  String architecture;

  @Option(
      names = "--width",
      paramLabel = "X",
      description = "Multiplies the trunk's channels; cost grows with its square.")
  Double width;

  @Option(
      names = "--stem",
      paramLabel = "NAME",
      description =
          "What comes before the first stage: small (3x3, for up to about 64 pixels) or imagenet"
              + " (7x7 and pooling, a quarter of the size).")
  String stem;

  @Option(
      names = "--hidden",
      paramLabel = "N",
      description = "Width of the projection head's hidden layer.")
  Integer hidden;

  @Option(
      names = "--dim",
      paramLabel = "D",
      description = "Length of an embedding, in which images meet prototypes.")
  Integer dim;

  @Option(
      names = "--prototypes",
      paramLabel = "K",
      description =
          "Prototypes that images are spread over: about ten for each class expected, and no more"
              + " than --batch plus --queue.")
  Integer prototypes;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = "Divides the scores that predict a code; smaller is sharper.")
  Double temperature;

  @Option(
      names = "--crops",
      paramLabel = "NxS,...",
      description =
          "Crop groups, count x side in pixels. The first group gives the codes, so it comes with"
              + " the largest side.")
  String crops;

  @Option(
      names = "--scales",
      paramLabel = "MIN-MAX,...",
      description = "For each crop group, the share of the image's area that a crop shows.")
  String scales;

  @Option(
      names = "--assigning",
      paramLabel = "A",
      description = "How many crops of the first group get a code; all crops predict it.")
  Integer assigning;

  @Option(
      names = "--jitter",
      paramLabel = "S",
      description =
          "Strength of the colour jitter: 1 is the published one, small images take less.")
  Double jitter;

  @Option(
      names = "--jitter-probability",
      paramLabel = "P",
      description = "Share of crops that are jittered.")
  Double jitterProbability;

  @Option(names = "--grey", paramLabel = "P", description = "Share of crops turned grey.")
  Double grey;

  @Option(
      names = "--blur",
      paramLabel = "P",
      description = "Share of crops that are blurred; small images have no detail to lose.")
  Double blur;

  @Option(
      names = "--blur-sigma",
      paramLabel = "MIN-MAX",
      description = "Range of the blur's standard deviation, in pixels of the crop.")
  String blurSigma;

  @Option(
      names = "--solarise",
      paramLabel = "P",
      description = "Share of crops whose bright half is inverted.")
  Double solarise;

  @Option(
      names = "--flip",
      paramLabel = "P",
      description = "Share of crops mirrored left to right; 0 where that changes the meaning.")
  Double flip;

  @Option(
      names = "--epsilon",
      paramLabel = "E",
      description =
          "Entropy of the codes: smaller makes them harder and helps against collapse, larger"
              + " softer.")
  Double epsilon;

  @Option(
      names = "--sinkhorn-iterations",
      paramLabel = "N",
      description = "How often codes are balanced over prototypes and images.")
  Integer sinkhornIterations;

  @Option(
      names = "--queue",
      paramLabel = "L",
      description =
          "Embeddings of earlier batches that take part in codes, for batches smaller than the"
              + " number of prototypes; 0: none.")
  Integer queue;

  @Option(
      names = "--queue-start",
      paramLabel = "EPOCH",
      description =
          "When the queue begins to fill, in epochs: early embeddings are soon out of date.")
  Double queueStart;

  @Option(
      names = "--optimiser",
      paramLabel = "NAME",
      description = "sgd (momentum) or lars (a rate per tensor, for large batches).")
  String optimiser;

  @Option(
      names = "--batch",
      paramLabel = "B",
      description = "Images in a step; without --lr, the learning rate changes in proportion.")
  Integer batch;

  @Option(names = "--epochs", paramLabel = "N", description = "Passes over the data.")
  Integer epochs;

  @Option(
      names = "--lr",
      paramLabel = "RATE",
      description =
          "Learning rate after warm-up. Not given, the preset's in proportion to --batch: twice the"
              + " batch, twice the rate.")
  Double learningRate;

  @Option(names = "--start-lr", paramLabel = "RATE", description = "At the start of warm-up.")
  Double startLearningRate;

  @Option(
      names = "--final-lr",
      paramLabel = "RATE",
      description = "Where the cosine ends; not given, it keeps its ratio to --lr.")
  Double finalLearningRate;

  @Option(
      names = "--warmup",
      paramLabel = "EPOCHS",
      description =
          "Epochs of linear warm-up, also fractions; not given, at most a tenth of the run.")
  Double warmup;

  @Option(names = "--momentum", paramLabel = "M", description = "Of the update.")
  Double momentum;

  @Option(names = "--wd", paramLabel = "W", description = "Weight decay.")
  Double weightDecay;

  @Option(
      names = "--freeze",
      paramLabel = "EPOCHS",
      description =
          "Epochs, also fractions, in which the prototypes stay as they began, which helps at the"
              + " start; not given, at most a tenth of the run.")
  Double freeze;

  @Option(
      names = "--eval-every",
      paramLabel = "EPOCHS",
      description = "k-NN after each so many epochs, and at the end; 0: never.")
  Integer evalEvery;

  @Option(
      names = "--eval-bank",
      paramLabel = "N",
      description = "Labelled training images that vote, at most.")
  Integer evalBank;

  @Option(
      names = "--eval-test",
      paramLabel = "N",
      description = "Test images that are classified, at most.")
  Integer evalTest;

  @Option(names = "--neighbours", paramLabel = "N", description = "That vote on each test image.")
  Integer neighbours;

  @Option(
      names = "--eval-size",
      paramLabel = "PIXELS",
      description = "Side of the images that are embedded; 0: that of the first crop group.")
  Integer evalSize;

  @Option(
      names = "--engine",
      paramLabel = "NAME",
      description =
          "What runs the network: onednn (x86-64), nd4j (any), auto: the faster one that works"
              + " here.")
  String engine;

  @Option(
      names = "--precision",
      paramLabel = "NAME",
      description =
          "float, or bf16: two thirds of the memory, and up to two fifths less time, on processors"
              + " that multiply 16-bit numbers.")
  String precision;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Of everything random; the same seed gives the same run.")
  Long seed;

  @Option(
      names = "--workers",
      paramLabel = "N",
      description = "Threads that read and crop images; they never change the result.")
  Integer workers;

  /** What a preset says for each flag, in the order of the help. */
  static final Map<String, Function<TrainingConfig, String>> VALUES = values();

  private static Map<String, Function<TrainingConfig, String>> values() {
    Map<String, Function<TrainingConfig, String>> v = new LinkedHashMap<>();
    v.put("--data", c -> c.data().spec());
    v.put("--channels", c -> "" + c.data().channels());
    v.put("--mean", c -> numbers(c.data().normalisation(), Normalisation::mean));
    v.put("--deviation", c -> numbers(c.data().normalisation(), Normalisation::deviation));
    v.put("--arch", c -> c.network().architecture().label());
    v.put("--width", c -> number(c.network().width()));
    v.put("--stem", c -> c.network().stem().label());
    v.put("--hidden", c -> "" + c.network().hidden());
    v.put("--dim", c -> "" + c.network().dim());
    v.put("--prototypes", c -> "" + c.network().prototypes());
    v.put("--temperature", c -> number(c.network().temperature()));
    v.put("--crops", c -> TrainingConfig.format(c.crops()));
    v.put("--scales", c -> TrainingConfig.formatScales(c.crops()));
    v.put("--assigning", c -> "" + c.codes().assigning());
    v.put("--jitter", c -> number(c.augmentation().jitter()));
    v.put("--jitter-probability", c -> number(c.augmentation().jitterProbability()));
    v.put("--grey", c -> number(c.augmentation().greyProbability()));
    v.put("--blur", c -> number(c.augmentation().blurProbability()));
    v.put(
        "--blur-sigma",
        c -> number(c.augmentation().minSigma()) + "-" + number(c.augmentation().maxSigma()));
    v.put("--solarise", c -> number(c.augmentation().solariseProbability()));
    v.put("--flip", c -> number(c.augmentation().flipProbability()));
    v.put("--epsilon", c -> number(c.codes().epsilon()));
    v.put("--sinkhorn-iterations", c -> "" + c.codes().iterations());
    v.put("--queue", c -> "" + c.codes().queueLength());
    v.put("--queue-start", c -> number(c.codes().queueStartEpoch()));
    v.put("--optimiser", c -> c.optimisation().optimiser().label());
    v.put("--batch", c -> "" + c.optimisation().batch());
    v.put("--epochs", c -> "" + c.optimisation().epochs());
    v.put("--lr", c -> number(c.optimisation().learningRate()));
    v.put("--start-lr", c -> number(c.optimisation().startLearningRate()));
    v.put("--final-lr", c -> number(c.optimisation().finalLearningRate()));
    v.put("--warmup", c -> number(c.optimisation().warmupEpochs()));
    v.put("--momentum", c -> number(c.optimisation().momentum()));
    v.put("--wd", c -> number(c.optimisation().weightDecay()));
    v.put("--freeze", c -> number(c.optimisation().freezeEpochs()));
    v.put("--eval-every", c -> "" + c.evaluation().everyEpochs());
    v.put("--eval-bank", c -> "" + c.evaluation().bankImages());
    v.put("--eval-test", c -> "" + c.evaluation().testImages());
    v.put("--neighbours", c -> "" + c.evaluation().neighbours());
    v.put("--eval-size", c -> "" + c.evaluation().imageSize());
    v.put("--engine", c -> c.execution().engine());
    v.put("--precision", c -> c.execution().precision());
    v.put("--seed", c -> "" + c.execution().seed());
    v.put("--workers", c -> c.execution().workers() + " (here)");
    return v;
  }

  private static String number(double value) {
    return TrainingConfig.number(value);
  }

  private static String numbers(
      Normalisation normalisation, Function<Normalisation, List<Double>> which) {
    return normalisation == null
        ? "measured"
        : which.apply(normalisation).stream().map(n -> number(n)).collect(Collectors.joining(","));
  }

  /** The presets side by side, a line for each flag; for the help. */
  static String[] presetTable() {
    List<String> lines = new ArrayList<>();
    lines.add("");
    lines.add("Presets:");
    for (Preset p : Preset.values()) {
      lines.add(String.format("  %-13s %s", p.label(), p.summary()));
    }
    lines.add("");
    lines.add("What they set; any flag changes it:");
    lines.add(row("", p -> p.label()));
    VALUES.forEach((flag, value) -> lines.add(row(flag, p -> value.apply(p.config()))));
    return lines.toArray(String[]::new);
  }

  private static String row(String head, Function<Preset, String> cell) {
    return ("  "
            + String.format("%-23s", head)
            + Arrays.stream(Preset.values())
                .map(p -> String.format("%-17s", cell.apply(p)))
                .collect(Collectors.joining()))
        .stripTrailing();
  }

  /**
   * A preset with these flags.
   *
   * @throws IllegalArgumentException if a value can't be used, naming the flag
   */
  TrainingConfig applyTo(TrainingConfig preset) {
    return new TrainingConfig(
        data(preset.data()),
        network(preset.network()),
        crops(preset.crops()),
        augmentation(preset.augmentation()),
        new Codes(
            or(assigning, preset.codes().assigning()),
            or(epsilon, preset.codes().epsilon()),
            or(sinkhornIterations, preset.codes().iterations()),
            or(queue, preset.codes().queueLength()),
            or(queueStart, preset.codes().queueStartEpoch())),
        optimisation(preset.optimisation()),
        new Evaluation(
            or(evalEvery, preset.evaluation().everyEpochs()),
            or(evalBank, preset.evaluation().bankImages()),
            or(evalTest, preset.evaluation().testImages()),
            or(neighbours, preset.evaluation().neighbours()),
            or(evalSize, preset.evaluation().imageSize())),
        new Execution(
            or(engine, preset.execution().engine()),
            or(precision, preset.execution().precision()),
            or(seed, preset.execution().seed()),
            or(workers, preset.execution().workers())));
  }

  /** What {@link #applyTo} changed without a flag of its own, in one line; empty if nothing. */
  Optional<String> scaledRate(TrainingConfig preset) {
    Optimisation before = preset.optimisation();
    if (learningRate != null || batch == null || batch == before.batch()) {
      return Optional.empty();
    }
    return Optional.of(
        String.format(
            Locale.ROOT,
            "learning rate %s: the preset's %s for a batch of %d, in proportion to a batch of %d;"
                + " --lr sets another",
            number(before.scaledTo(batch).learningRate()),
            number(before.learningRate()),
            before.batch(),
            batch));
  }

  private static <T> T or(T given, T preset) {
    return given == null ? preset : given;
  }

  private Data data(Data preset) {
    if ((mean == null) != (deviation == null)) {
      throw new IllegalArgumentException(
          "--mean and --deviation belong together, and only one was given");
    }
    Normalisation normalisation =
        mean == null
            ? preset.normalisation()
            : new Normalisation(list("--mean", mean), list("--deviation", deviation));
    int wanted = or(channels, preset.channels());
    if (mean == null
        && normalisation != null
        && wanted != 0
        && wanted != normalisation.channels()) {
      // A preset's normalisation is for its own channels.
      normalisation = null;
    }
    return new Data(or(data, preset.spec()), wanted, normalisation);
  }

  private static List<Double> list(String flag, String text) {
    try {
      return DoubleStream.of(
              Arrays.stream(text.split(",", -1)).mapToDouble(Double::parseDouble).toArray())
          .boxed()
          .toList();
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          flag + " is '" + text + "', expected numbers such as 0.5,0.5,0.5", e);
    }
  }

  private Network network(Network preset) {
    return new Network(
        architecture == null ? preset.architecture() : Architecture.of(architecture),
        or(width, preset.width()),
        stem == null ? preset.stem() : Stem.of(stem),
        or(hidden, preset.hidden()),
        or(dim, preset.dim()),
        or(prototypes, preset.prototypes()),
        or(temperature, preset.temperature()));
  }

  private List<CropSpec> crops(List<CropSpec> preset) {
    if (crops == null && scales == null) {
      return preset;
    }
    String groups = or(crops, TrainingConfig.format(preset));
    return TrainingConfig.parseCrops(groups, scales == null ? scalesFor(groups, preset) : scales);
  }

  /** The preset's scales, as many as there are groups. */
  private static String scalesFor(String groups, List<CropSpec> preset) {
    int wanted = groups.split(",", -1).length;
    return TrainingConfig.formatScales(preset.subList(0, Math.min(wanted, preset.size())));
  }

  private Augmentation augmentation(Augmentation preset) {
    double minSigma = preset.minSigma();
    double maxSigma = preset.maxSigma();
    if (blurSigma != null) {
      String[] ends = blurSigma.split("-", 2);
      try {
        minSigma = Double.parseDouble(ends[0]);
        maxSigma = Double.parseDouble(ends[1]);
      } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
        throw new IllegalArgumentException(
            "--blur-sigma is '" + blurSigma + "', expected MIN-MAX in pixels such as 0.1-2", e);
      }
    }
    return preset
        .withJitter(or(jitter, preset.jitter()), or(jitterProbability, preset.jitterProbability()))
        .withGrey(or(grey, preset.greyProbability()))
        .withBlur(or(blur, preset.blurProbability()), minSigma, maxSigma)
        .withSolarise(or(solarise, preset.solariseProbability()))
        .withFlip(or(flip, preset.flipProbability()));
  }

  private Optimisation optimisation(Optimisation preset) {
    int length = or(epochs, preset.epochs());
    Optimisation scaled = preset.scaledTo(or(batch, preset.batch()));
    double base = or(learningRate, scaled.learningRate());
    double end =
        learningRate == null
            ? scaled.finalLearningRate()
            : preset.finalLearningRate() / preset.learningRate() * base;
    return new Optimisation(
        optimiser == null ? preset.optimiser() : optimiser(optimiser),
        scaled.batch(),
        length,
        base,
        or(startLearningRate, scaled.startLearningRate()),
        or(finalLearningRate, end),
        or(warmup, shortened(preset.warmupEpochs(), length)),
        or(momentum, preset.momentum()),
        or(weightDecay, preset.weightDecay()),
        or(freeze, shortened(preset.freezeEpochs(), length)));
  }

  /** A preset's number of epochs, but no more than a tenth of a run that was made shorter. */
  private double shortened(double preset, int length) {
    return epochs == null ? preset : Math.min(preset, length / 10.0);
  }

  private static OptimiserKind optimiser(String label) {
    for (OptimiserKind kind : OptimiserKind.values()) {
      if (kind.label().equals(label)) {
        return kind;
      }
    }
    throw new IllegalArgumentException("--optimiser is '" + label + "', expected sgd or lars");
  }

  /**
   * Refuses to continue a checkpoint under another configuration. Only what does not change results
   * may differ: the engine and the number of loader threads.
   *
   * @param wanted the configuration asked for
   * @param from where the checkpoint was read
   * @throws IllegalArgumentException naming the first flag that differs and both values
   */
  static void requireSame(Checkpoint checkpoint, TrainingConfig wanted, Path from) {
    VALUES.forEach(
        (flag, value) -> {
          String before = value.apply(checkpoint.config());
          String now = value.apply(wanted);
          if (!before.equals(now) && !flag.equals("--workers") && !flag.equals("--engine")) {
            throw new IllegalArgumentException(
                String.format(
                    "%s was made with %s %s, and %s was asked for: leave %s out to go on as before,"
                        + " or start a new run without --resume",
                    from, flag, before, now, flag));
          }
        });
  }
}
