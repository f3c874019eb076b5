package org.swav4j.train.advice;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.swav4j.data.DataSpec;
import org.swav4j.data.Image;
import org.swav4j.data.ImageSource;
import org.swav4j.data.MultiCropLoader;
import org.swav4j.data.Normalisation;
import org.swav4j.data.UnreadableImageException;
import org.swav4j.model.Objective;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.TrainingStep;
import org.swav4j.model.Views;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Engines;
import org.swav4j.train.cli.TrainingConfigTest;
import org.swav4j.train.collective.Collective;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.loop.ConfiguredMethod;
import org.swav4j.train.loop.StepMetrics;
import org.swav4j.train.loop.Trainer;
import org.swav4j.train.loop.TrainingListener;
import org.swav4j.train.method.Method;

/** Runs that are spoiled on purpose are called by the right name within 300 steps. */
class SabotageTest {
  private static final int STEPS = 300;
  private static final ImageSource IMAGES = DataSpec.parse("shapes:2000").open().train();
  private static final Normalisation NORMALISATION = Normalisation.of(IMAGES, 300);

  private static TrainingConfig config(String... flags) {
    Map<String, String> all = new LinkedHashMap<>();
    Stream.concat(
            Stream.of(
                "--width=0.25",
                "--crops=2x16",
                "--scales=0.4-1",
                "--batch=32",
                "--prototypes=30",
                "--epochs=8",
                "--seed=1",
                "--workers=1"),
            Stream.of(flags).filter(f -> !f.isBlank()))
        .forEach(flag -> all.put(flag.split("=", 2)[0], flag));
    return TrainingConfigTest.quick(all.values().toArray(String[]::new))
        .withNormalisation(NORMALISATION);
  }

  /** The state, and all that was said, after so many steps or as soon as something is amiss. */
  private record Outcome(HealthState state, long step, List<String> advice) {}

  private static Outcome run(TrainingConfig config, ImageSource images, Sabotage how) {
    Engine engine = Engines.best();
    SwavWeights weights = SwavWeights.initialise(config.network().with(3), 1);
    List<String> advice = new ArrayList<>();
    HealthState[] state = new HealthState[1];
    long[] step = new long[1];
    try (MultiCropLoader loader =
            new MultiCropLoader(
                images,
                config.crops(),
                config.augmentation(),
                NORMALISATION,
                config.optimisation().batch(),
                1,
                1);
        Trainer trainer =
            new Trainer(
                config,
                loader,
                images.size(),
                weights,
                new Sabotaged(ConfiguredMethod.of(config, images, engine), how),
                engine,
                Collective.single())) {
      CollapseMonitor monitor = new CollapseMonitor(config, trainer.sizes());
      trainer
          .listener(
              new AdviceListener(
                  monitor, new VitalSigns(trainer.network(), trainer.sizes().batch(), weights)))
          .listener(
              new TrainingListener() {
                @Override
                public void step(StepMetrics m) {
                  advice.addAll(m.advice());
                  step[0] = m.step() + 1;
                  state[0] = monitor.state(step[0]);
                  if (state[0].amiss() || step[0] >= STEPS) {
                    trainer.stop();
                  }
                }
              })
          .run();
    }
    return new Outcome(state[0], step[0], advice);
  }

  private enum Sabotage {
    NONE,
    LONG_EMBEDDINGS,
    FREE_PROTOTYPES,
    FROZEN_TRUNK
  }

  /** SwAV with something left out. */
  private record Sabotaged(Method method, Sabotage how) implements Method {
    @Override
    public Objective objective() {
      Objective whole = method.objective();
      return how != Sabotage.LONG_EMBEDDINGS
          ? whole
          : new Objective() {
            @Override
            public SDVariable loss(SameDiff sd, SDVariable embeddings, Views views) {
              return whole.loss(sd, embeddings.mul(4), views);
            }

            @Override
            public List<String> reads() {
              return whole.reads();
            }
          };
    }

    @Override
    public void begin(TrainingStep step, SwavWeights weights) {
      method.begin(step, weights);
    }

    @Override
    public void beforeForward(SwavWeights weights) {
      if (how != Sabotage.FREE_PROTOTYPES) {
        method.beforeForward(weights);
      }
    }

    @Override
    public void targets(TrainingStep step, long number, Collective collective) {
      method.targets(step, number, collective);
    }

    @Override
    public boolean trains(String parameter, long number) {
      boolean head = parameter.startsWith("projection_head") || parameter.startsWith("prototypes");
      return (how != Sabotage.FROZEN_TRUNK || head) && method.trains(parameter, number);
    }

    @Override
    public double chanceLoss() {
      return method.chanceLoss();
    }

    @Override
    public void close() {
      method.close();
    }
  }

  @ParameterizedTest(name = "{0}, {1}: {2}")
  @CsvSource({
    "NONE, --epsilon=1, UNIFORM, `epsilon`",
    "NONE, --epsilon=0.03 --jitter=1 --grey=0.4 --solarise=0.3, UNIFORM, `solarise`",
    "NONE, --lr=5, DIVERGED, `learningRate`",
    "NONE, --lr=0.00005, SLOW, `learningRate`",
    "NONE, --prototypes=500, STARVED, `prototypes`",
    "NONE, --jitter=0 --grey=0 --flip=0 --rotate=0 --scales=1-1, EASY, `jitter`",
    "LONG_EMBEDDINGS, '', UNNORMALISED, unit length",
    "FREE_PROTOTYPES, '', UNNORMALISED, unit length",
    "FROZEN_TRUNK, '', FROZEN, Method.trains"
  })
  void isNamedWithTheKnobToTurn(Sabotage how, String flags, HealthState state, String knob) {
    Outcome outcome = run(config(flags.split(" ")), IMAGES, how);
    assertThat(outcome.state()).as("%s", outcome).isEqualTo(state);
    assertThat(outcome.advice())
        .singleElement()
        .asString()
        .startsWith(state.label())
        .contains(knob);
    assertThat(outcome.step()).isLessThanOrEqualTo(STEPS);
  }

  @Test
  void plainImagesAreNamed() {
    Outcome outcome = run(config(), new Plain(IMAGES), Sabotage.NONE);
    assertThat(outcome.state()).as("%s", outcome).isEqualTo(HealthState.BLANK);
    assertThat(outcome.advice()).singleElement().asString().contains("right images");
  }

  @Test
  void aHealthyRunIsNotAccused() {
    Outcome outcome = run(config(), IMAGES, Sabotage.NONE);
    assertThat(outcome.advice()).isEmpty();
    assertThat(outcome.step()).isEqualTo(STEPS);
    assertThat(outcome.state().amiss()).isFalse();
  }

  /** As many images, all of one colour. */
  private record Plain(ImageSource images) implements ImageSource {
    @Override
    public String name() {
      return "plain";
    }

    @Override
    public int size() {
      return images.size();
    }

    @Override
    public int channels() {
      return 3;
    }

    @Override
    public Image read(int index, int atLeast) throws UnreadableImageException {
      byte[] pixels = new byte[32 * 32 * 3];
      Arrays.fill(pixels, (byte) 120);
      return new Image(32, 32, 3, pixels);
    }

    @Override
    public int label(int index) {
      return -1;
    }

    @Override
    public List<String> classes() {
      return List.of();
    }

    @Override
    public String describe(int index) {
      return "plain " + index;
    }
  }
}
