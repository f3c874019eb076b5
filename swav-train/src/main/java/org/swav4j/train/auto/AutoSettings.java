package org.swav4j.train.auto;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.DoubleSupplier;
import org.swav4j.model.engine.Engines;
import org.swav4j.model.engine.Precision;
import org.swav4j.train.config.Preset;
import org.swav4j.train.config.Settings;
import org.swav4j.train.config.TrainingConfig;

/**
 * Chooses the settings of a run from what its images are like, the machine's speed and the time
 * there is. Each choice has a reason, and whatever is given by hand stays.
 */
public final class AutoSettings {
  /** Steps before which a run shows little. */
  private static final int FEW_STEPS = 2000;

  /** Steps after which a run of this size gains little. */
  private static final int MANY_STEPS = 60_000;

  private static final int LONGEST = 400;

  /** Share of the time that is left for what can't be foretold. */
  private static final double SPARE = 0.04;

  /** Time that k-NN may take, as a share of the training's. */
  private static final double JUDGING = 0.08;

  /** Images without which k-NN says little. */
  private static final int FEWEST_JUDGED = 200;

  /** Seconds until the first step. */
  private static final double START = 10;

  /** Images of a smaller side are learned from as they are. */
  private static final int SMALL = 64;

  private static final String FULL_SIDE = "no pixel is to be given away at this size";
  private static final String QUARTER_SIDE = "it divides the side by four: most of the time saved";

  /**
   * A network to learn with.
   *
   * @param enough steps without which a faster one learns more in the same time; 0 for the fastest
   */
  private record Trunk(String architecture, String stem, int enough) {}

  private static final List<Trunk> FOR_SMALL =
      List.of(
          new Trunk("resnet18", "small", 4000),
          new Trunk("resnet20", "small", 1000),
          new Trunk("resnet20", "imagenet", 0));

  private static final List<Trunk> FOR_PHOTOS =
      List.of(new Trunk("resnet18", "imagenet", 4000), new Trunk("resnet20", "imagenet", 0));

  private final DataSurvey survey;
  private final Map<String, String> given;
  private final Pace pace;
  private final Map<String, Choice> choices = new LinkedHashMap<>();
  private final TrainingConfig base;

  private AutoSettings(DataSurvey survey, Map<String, String> given, Pace pace) {
    this.survey = survey;
    this.given = given;
    this.pace = pace;
    this.base = (small() ? Preset.SMALL_IMAGES : Preset.PHOTOS).config();
  }

  /**
   * What was chosen.
   *
   * @param config the whole configuration
   * @param choices those made for it, in the order of their making
   * @param seconds that choosing took and the run will take
   */
  public record Selection(TrainingConfig config, List<Choice> choices, double seconds) {
    /** Copies the list. */
    public Selection {
      choices = List.copyOf(choices);
    }
  }

  /**
   * Chooses.
   *
   * @param survey of the training images
   * @param given settings that are given, by flag without dashes, the data among them
   * @param budget time that choosing and the run may take
   * @param spent seconds that choosing has taken so far
   * @param pace of this machine with these images
   * @throws IllegalArgumentException if what is given doesn't fit what is chosen, or there is too
   *     little memory for any of the networks
   */
  public static Selection choose(
      DataSurvey survey,
      Map<String, String> given,
      Duration budget,
      DoubleSupplier spent,
      Pace pace) {
    AutoSettings auto = new AutoSettings(survey, given, pace);
    auto.batchAndPrototypes();
    auto.crops();
    auto.augmentation();
    auto.precision();
    double step = auto.trunk(budget);
    return auto.epochs(budget, spent, step);
  }

  private boolean small() {
    return survey.side() < SMALL;
  }

  private void choose(String flag, Object value, String reason, Object... values) {
    if (!given.containsKey(flag)) {
      String text = value instanceof Double d ? TrainingConfig.number(d) : String.valueOf(value);
      choices.put(flag, new Choice(flag, text, String.format(Locale.ROOT, reason, values)));
    }
  }

  private TrainingConfig config() {
    Map<String, String> values = new LinkedHashMap<>();
    choices.forEach((flag, choice) -> values.put(flag, choice.value()));
    values.putAll(given);
    return Settings.change(base, values);
  }

  private void batchAndPrototypes() {
    int batch = 128;
    while (batch > 16 && survey.images() / batch < 20) {
      batch /= 2;
    }
    choose(
        "batch",
        batch,
        "%d images make %d steps an epoch",
        survey.images(),
        survey.images() / batch);
    int size = config().optimisation().imagesPerStep();
    choose(
        "prototypes",
        Math.max(4, size * 15 / 16),
        "a batch of %d can be spread over no more, so no queue is needed",
        size);
    queue(size);
    choose("epsilon", 0.03, "codes of few images stay sharp; with 0.05 losses stayed at ln K");
    choose("optimiser", "sgd", "for batches up to 256");
    if (config().optimisation().optimiser() == TrainingConfig.OptimiserKind.LARS) {
      choose("lr", 0.6 * size / 256, "0.6 for each 256 images of a batch, as published for lars");
    } else {
      choose("lr", 0.2 * size / 128, "0.2 for each 128 images of a batch");
    }
  }

  /** None, unless more prototypes were given than a batch can be spread over. */
  private void queue(int size) {
    int missing = config().network().prototypes() - size;
    if (missing <= 0) {
      choose("queue", 0, "there are no more prototypes than images in a batch");
    } else {
      int batches = (missing - 1) / size + 1;
      choose("queue", batches * size, "fills up the batch for so many prototypes");
      choose("queue-start", 1, "embeddings change too fast to be kept in the first epoch");
    }
  }

  private void crops() {
    if (small()) {
      int side = Math.max(12, survey.side() / 4 * 4);
      choose(
          "crops",
          "2x" + side + ",4x" + side / 2,
          "the images have a side of %d pixels",
          survey.side());
      scales("0.3-1,0.1-0.3", "small images lose their object in smaller crops");
      choose("eval-size", side, "as the large crops");
    } else {
      choose("crops", "2x64,4x32", "the images have a side of %s", side());
      scales("0.25-1,0.08-0.3", "photographs, at the shares that were tried for them");
      choose("eval-size", Math.min(96, survey.side() / 8 * 8), "larger than crops, which helps");
    }
  }

  /** Of crops that are given, the scales stay the preset's, as far as it has any. */
  private void scales(String value, String reason) {
    if (!given.containsKey("crops")) {
      choose("scales", value, reason);
    }
  }

  private String side() {
    return survey.side() == DataSurvey.LARGEST
        ? DataSurvey.LARGEST + " pixels or more"
        : survey.side() + " pixels";
  }

  private void augmentation() {
    if (survey.grey()) {
      choose("jitter", 0.8, "the images are grey: only brightness and contrast change");
      choose("grey", 0, "they are grey already");
      choose("solarise", 0.2, "brightness alone must not tell which crops belong together");
    } else {
      choose("jitter", small() ? 0.5 : 0.8, "images in colour of this size");
    }
  }

  private void precision() {
    if (Engines.canRun(config().execution().engine(), Precision.BF16)) {
      choose("precision", "bf16", "this processor computes in it, in up to two fifths less time");
    }
  }

  private double trunk(Duration budget) {
    double seconds = budget.toSeconds() * (1 - SPARE) / (1 + JUDGING);
    double step = 0;
    for (Trunk trunk : trunks()) {
      choices.remove("arch");
      choices.remove("stem");
      choose("stem", trunk.stem, trunk.stem.equals("small") ? FULL_SIDE : QUARTER_SIDE);
      choose("arch", trunk.architecture, "");
      step = pace.step(config(), seconds / trunk.enough);
      double steps = seconds / step;
      choices.remove("arch");
      choose(
          "arch",
          trunk.architecture,
          "a step takes %.2f s here, so that there is time for %.0f steps%s",
          step,
          steps,
          steps < FEW_STEPS ? ", which are few: a longer `budget` helps" : "");
      if (steps >= trunk.enough) {
        break;
      }
    }
    if (Double.isInfinite(step)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "a `batch` of %d with `crops` %s takes more memory than there is, even with %s: take"
                  + " fewer or smaller ones",
              config().optimisation().batch(),
              given.containsKey("crops") ? given.get("crops") : choices.get("crops").value(),
              config().network().architecture().label()));
    }
    return step;
  }

  /** Those to choose from, the strongest and slowest first; what is given stays. */
  private List<Trunk> trunks() {
    List<Trunk> all = new ArrayList<>();
    for (Trunk trunk : small() ? FOR_SMALL : FOR_PHOTOS) {
      Trunk possible =
          new Trunk(
              given.getOrDefault("arch", trunk.architecture),
              given.getOrDefault("stem", trunk.stem),
              trunk.enough);
      all.removeIf(
          t -> t.architecture.equals(possible.architecture) && t.stem.equals(possible.stem));
      all.add(possible);
    }
    return all;
  }

  private Selection epochs(Duration budget, DoubleSupplier sinceStart, double step) {
    TrainingConfig config = config();
    int perEpoch = Math.max(1, survey.images() / config.optimisation().imagesPerStep());
    double judging = judging(budget);
    double spent = sinceStart.getAsDouble();
    // Judged before the first step and after the last whatever the time, in between if there is.
    double left = budget.toSeconds() * (1 - SPARE) - spent - START - 2 * judging;
    double steps = Math.min(MANY_STEPS, left / (1 + JUDGING) / step);
    int epochs = (int) Math.max(1, Math.min(LONGEST, Math.floor(steps / perEpoch)));
    choose("epochs", epochs, "what %s allow, at most %d", readable(budget), LONGEST);
    epochs = config().optimisation().epochs();
    double warmup = Math.min(epochs / 10.0, Math.max(0.3, 150.0 / perEpoch));
    choose("warmup", rounded(warmup), "150 steps, but at most a tenth of the run");
    choose(
        "freeze",
        rounded(Math.min(epochs / 10.0, 30.0 / perEpoch)),
        "30 steps, but at most a tenth of the run");
    double training = (double) epochs * perEpoch * step;
    long times = Math.max(1, Math.min(10, Math.round(training * JUDGING / judging)));
    choose(
        "eval-every",
        Math.max(1, epochs / times),
        "judging takes %s, where there are labels",
        judging < 1 ? "less than a second" : String.format(Locale.ROOT, "some %.0f s", judging));
    int every = config().evaluation().everyEpochs();
    double judged = every == 0 ? 0 : 1 + Math.ceil((double) epochs / every);
    return new Selection(
        config(), new ArrayList<>(choices.values()), spent + START + training + judged * judging);
  }

  /** Chooses as many images as there is time to judge, and says how many seconds that takes. */
  private double judging(Duration budget) {
    TrainingConfig config = config();
    double image = pace.judged(config);
    int most = (int) (budget.toSeconds() * JUDGING / 2 / image);
    if (judged(config) > most) {
      String reason = "an image takes %.0f ms to be judged";
      choose("eval-bank", Math.max(FEWEST_JUDGED, most / 4 * 3), reason, 1e3 * image);
      choose("eval-test", Math.max(FEWEST_JUDGED, most / 4), reason, 1e3 * image);
    }
    return judged(config()) * image;
  }

  private int judged(TrainingConfig config) {
    return Math.min(survey.images(), config.evaluation().bankImages())
        + Math.min(survey.images() / 4, config.evaluation().testImages());
  }

  private static double rounded(double epochs) {
    return Math.round(100 * epochs) / 100.0;
  }

  /** {@code 1 h 30 min}. */
  public static String readable(Duration time) {
    long minutes = Math.max(1, Math.round(time.toSeconds() / 60.0));
    return minutes < 60
        ? minutes + " min"
        : minutes / 60 + " h" + (minutes % 60 == 0 ? "" : " " + minutes % 60 + " min");
  }
}
