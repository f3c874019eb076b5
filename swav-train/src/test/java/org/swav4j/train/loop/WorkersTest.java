package org.swav4j.train.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.data.DataSpec;
import org.swav4j.data.ImageSource;
import org.swav4j.data.Normalisation;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.model.engine.onednn.OneDnnEngine;
import org.swav4j.train.cli.TrainingConfigTest;
import org.swav4j.train.collective.Collective;
import org.swav4j.train.config.TrainingConfig;

/** Workers that share each batch train as one machine with the whole batch does. */
@Timeout(300)
class WorkersTest {
  private static final ImageSource IMAGES = DataSpec.parse("shapes:48").open().train();

  /** As {@link #tiny} at full width: see SynchroniseNormsTest on oneDNN with few channels. */
  private static TrainingConfig wide(String... more) {
    return tiny(Stream.concat(Stream.of("--width=1"), Stream.of(more)).toArray(String[]::new));
  }

  /** ResNet-20 at a quarter of its width, 6 steps an epoch, and a queue that is full after 5. */
  private static TrainingConfig tiny(String... more) {
    Map<String, String> flags = new LinkedHashMap<>();
    Stream.concat(
            Stream.of(
                "--width=0.25",
                "--hidden=16",
                "--dim=8",
                "--prototypes=6",
                "--crops=2x16,1x8",
                "--batch=8",
                "--queue=24",
                "--queue-start=0.34",
                "--freeze=0.5",
                "--epochs=2",
                "--lr=0.05",
                "--seed=5",
                "--workers=1"),
            Stream.of(more))
        .forEach(flag -> flags.put(flag.split("=", 2)[0], flag));
    return TrainingConfigTest.quick(flags.values().toArray(String[]::new))
        .withNormalisation(new Normalisation(List.of(.5, .5, .5), List.of(.3, .3, .3)));
  }

  /** What a worker does, as a thread of its own. */
  private interface Work<T> {
    T by(Collective collective) throws Exception;
  }

  /** Results by rank; if a worker fails, its failure, and the others are interrupted. */
  private static <T> List<T> together(int count, Work<T> work) {
    ExecutorService threads = Executors.newFixedThreadPool(count);
    try {
      CompletionService<T> running = new ExecutorCompletionService<>(threads);
      List<Future<T>> byRank = new ArrayList<>();
      for (Collective c : Collective.threads(count)) {
        byRank.add(running.submit(() -> work.by(c)));
      }
      for (int i = 0; i < count; i++) {
        running.take().get();
      }
      List<T> results = new ArrayList<>();
      for (Future<T> f : byRank) {
        results.add(f.get());
      }
      return results;
    } catch (ExecutionException e) {
      throw new AssertionError("a worker failed", e.getCause());
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    } finally {
      threads.shutdownNow();
    }
  }

  private static Trainer trainer(TrainingConfig config, Collective collective, DataType type) {
    SwavWeights weights = SwavWeights.initialise(config.network().with(3), 5, type);
    Engine engine = type == DataType.DOUBLE ? new Nd4jEngine() : new OneDnnEngine();
    return new Trainer(config, IMAGES, weights, engine, collective);
  }

  /** What a step left behind: its numbers by name. */
  private record Trace(double loss, Map<String, INDArray> arrays) {}

  /** Everything after each step, up to a number of steps done. */
  private static List<Trace> traces(Trainer trainer, long until) {
    List<Trace> traces = new ArrayList<>();
    trainer
        .listener(
            new TrainingListener() {
              @Override
              public void step(StepMetrics metrics) {
                traces.add(trace(trainer, metrics));
                if (trainer.done() >= until) {
                  trainer.stop();
                }
              }
            })
        .run();
    return traces;
  }

  private static Trace trace(Trainer trainer, StepMetrics metrics) {
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    trainer.network().gradients().forEach((n, g) -> arrays.put("gradient " + n, g.dup()));
    Checkpoint checkpoint = trainer.checkpoint(Double.NaN);
    checkpoint.parameters().forEach((n, a) -> arrays.put("parameter " + n, a.dup()));
    checkpoint.statistics().forEach((n, a) -> arrays.put("statistic " + n, a.dup()));
    checkpoint.momentum().forEach((n, a) -> arrays.put("momentum " + n, a.dup()));
    checkpoint.method().forEach((n, a) -> arrays.put("method " + n, a.dup()));
    arrays.put("codes", trainer.network().codes().dup());
    return new Trace(metrics.loss(), arrays);
  }

  /** The rows of every crop that a worker has, of a matrix of all. */
  private static INDArray rows(INDArray whole, int crops, int rank, int workers) {
    long batch = whole.size(0) / crops;
    long share = batch / workers;
    int[] own =
        IntStream.range(0, crops)
            .flatMap(
                c -> IntStream.range(0, (int) share).map(i -> (int) (c * batch + rank * share) + i))
            .toArray();
    return whole.getRows(own);
  }

  /** How far a worker is from what one machine has: by kind, relative to all arrays of a kind. */
  private static Map<String, Double> errors(Trace actual, Trace expected, int rank, int workers) {
    assertThat(actual.arrays().keySet()).isEqualTo(expected.arrays().keySet());
    Map<String, Double> errors = new LinkedHashMap<>();
    errors.put("loss", Math.abs(actual.loss() / expected.loss() - 1));
    INDArray codes = rows(expected.arrays().get("codes"), 2, rank, workers).castTo(DataType.DOUBLE);
    errors.put("codes", actual.arrays().get("codes").castTo(DataType.DOUBLE).distance2(codes));
    for (String kind : List.of("gradient", "parameter", "statistic", "momentum", "method")) {
      double square = 0;
      double difference = 0;
      for (String name : expected.arrays().keySet()) {
        if (name.startsWith(kind + " ")) {
          INDArray e = expected.arrays().get(name).castTo(DataType.DOUBLE);
          INDArray a = actual.arrays().get(name).castTo(DataType.DOUBLE);
          assertThat(a.shape()).as(name).isEqualTo(e.shape());
          square += Math.pow(e.norm2Number().doubleValue(), 2);
          difference += Math.pow(e.distance2(a), 2);
        }
      }
      errors.put(kind, Math.sqrt(difference / Math.max(square, 1e-30)));
    }
    return errors;
  }

  /**
   * Ten steps, the last five with a full queue: loss, codes, gradients, weights, running
   * statistics, momentum and the queue after each. In doubles, in which rounding can't hide a term
   * left out.
   */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4})
  void workersTrainAsOneMachineWithTheWholeBatch(int workers) {
    TrainingConfig config = tiny();
    List<Trace> expected;
    try (Trainer t = trainer(config, Collective.single(), DataType.DOUBLE)) {
      expected = traces(t, 10);
      assertThat(t.checkpoint(Double.NaN).method()).containsKeys("crop0", "crop1", "pushes");
    }
    List<List<Trace>> all =
        together(
            workers,
            c -> {
              try (Trainer t = trainer(config, c, DataType.DOUBLE)) {
                return traces(t, 10);
              }
            });
    for (int rank = 0; rank < workers; rank++) {
      assertThat(all.get(rank)).hasSize(10);
      for (int step = 0; step < 10; step++) {
        assertThat(errors(all.get(rank).get(step), expected.get(step), rank, workers))
            .allSatisfy((kind, error) -> assertThat(error).as(kind).isLessThan(1e-8));
      }
    }
  }

  /** The same with parts of a batch, several heads and an average of the weights. */
  @ParameterizedTest
  @ValueSource(strings = {"hard", "unbalanced"})
  void partsHeadsAndAverageAreThoseOfTheWholeBatch(String codes) {
    TrainingConfig config =
        tiny("--accumulate=2", "--batch=4", "--heads=2", "--ema=0.5", "--codes=" + codes);
    List<Trace> expected;
    Checkpoint alone;
    try (Trainer t = trainer(config, Collective.single(), DataType.DOUBLE)) {
      expected = traces(t, 8);
      alone = copy(t.checkpoint(Double.NaN));
    }
    List<Checkpoint> both =
        together(
            2,
            c -> {
              try (Trainer t = trainer(config, c, DataType.DOUBLE)) {
                List<Trace> own = traces(t, 8);
                for (int step = 0; step < 8; step++) {
                  assertThat(own.get(step).loss())
                      .isCloseTo(expected.get(step).loss(), within(1e-8));
                }
                return copy(t.checkpoint(Double.NaN));
              }
            });
    assertSame(both.get(0), alone, 1e-8);
    assertSame(both.get(1), alone, 1e-8);
  }

  private static Checkpoint copy(Checkpoint c) {
    return with(c, INDArray::dup);
  }

  private static Checkpoint inDoubles(Checkpoint c) {
    return with(c, a -> a.dataType() == DataType.FLOAT ? a.castTo(DataType.DOUBLE) : a);
  }

  private static Checkpoint with(Checkpoint c, UnaryOperator<INDArray> arrays) {
    return new Checkpoint(
        c.config(),
        c.images(),
        c.channels(),
        c.data(),
        c.step(),
        c.lossSum(),
        c.rawPixels(),
        with(c.parameters(), arrays),
        with(c.statistics(), arrays),
        with(c.momentum(), arrays),
        with(c.method(), arrays),
        with(c.average(), arrays));
  }

  private static Map<String, INDArray> with(
      Map<String, INDArray> arrays, UnaryOperator<INDArray> change) {
    Map<String, INDArray> changed = new LinkedHashMap<>(arrays);
    changed.replaceAll((name, a) -> change.apply(a));
    return changed;
  }

  /** The same names and shapes, and numbers within a tolerance; 0 for the same bits. */
  private static void assertSame(Checkpoint actual, Checkpoint expected, double tolerance) {
    assertThat(actual.step()).isEqualTo(expected.step());
    assertThat(actual.lossSum()).isCloseTo(expected.lossSum(), within(tolerance));
    assertSame(actual.parameters(), expected.parameters(), tolerance);
    assertSame(actual.statistics(), expected.statistics(), tolerance);
    assertSame(actual.momentum(), expected.momentum(), tolerance);
    assertSame(actual.method(), expected.method(), tolerance);
    assertSame(actual.average(), expected.average(), tolerance);
  }

  private static void assertSame(
      Map<String, INDArray> actual, Map<String, INDArray> expected, double tolerance) {
    assertThat(actual.keySet()).isEqualTo(expected.keySet());
    expected.forEach(
        (name, e) -> {
          INDArray a = actual.get(name);
          assertThat(a.dataType()).isEqualTo(e.dataType());
          if (tolerance == 0) {
            assertThat(a).as(name).isEqualTo(e);
          } else {
            assertThat(a.castTo(DataType.DOUBLE).sub(e.castTo(DataType.DOUBLE)).amaxNumber())
                .as(name)
                .satisfies(n -> assertThat(n.doubleValue()).isLessThan(tolerance));
          }
        });
  }

  /**
   * In floats by the fast engine, step by step, each from the state that one machine had: against
   * the same step in doubles, workers are as exact as one machine with the whole batch is.
   */
  @ParameterizedTest
  @CsvSource({"2, 0", "2, 7", "4, 1", "4, 8"})
  void aStepInFloatsIsAsExactAsThatOfTheWholeBatch(int workers, long before) {
    TrainingConfig config = wide();
    Checkpoint from;
    try (Trainer t = trainer(config, Collective.single(), DataType.FLOAT)) {
      if (before > 0) {
        traces(t, before);
      }
      from = copy(t.checkpoint(Double.NaN));
    }
    Trace exact = step(config, Collective.single(), inDoubles(from), DataType.DOUBLE);
    Map<String, Double> alone =
        errors(step(config, Collective.single(), from, DataType.FLOAT), exact, 0, 1);
    List<Trace> all = together(workers, c -> step(config, c, from, DataType.FLOAT));
    for (int rank = 0; rank < workers; rank++) {
      assertThat(errors(all.get(rank), exact, rank, workers))
          .allSatisfy(
              (kind, error) ->
                  assertThat(error)
                      .as(kind)
                      // One number may be right by luck.
                      .isLessThan(
                          Math.max(kind.equals("loss") ? 1e-5 : 1e-6, 4 * alone.get(kind))));
    }
    assertThat(alone).allSatisfy((kind, error) -> assertThat(error).as(kind).isLessThan(1e-3));
  }

  /** What one machine computes image by image is, but for the order of sums, what several do. */
  @ParameterizedTest
  @CsvSource({
    "resnet20, 2, 0",
    "resnet20, 2, 7",
    "resnet20, 4, 1",
    "resnet20, 4, 8",
    "resnet18, 2, 7",
    "resnet18, 4, 1"
  })
  void aStepInFloatsIsThatOfTheWholeBatchWithExactNorms(String network, int workers, long before) {
    TrainingConfig config = wide("--sync-norm=exact", "--arch=" + network);
    Checkpoint from = train(config, Collective.single(), null, before);
    Trace alone = step(config, Collective.single(), from, DataType.FLOAT);
    List<Trace> all = together(workers, c -> step(config, c, from, DataType.FLOAT));
    for (int rank = 0; rank < workers; rank++) {
      Map<String, Double> errors = errors(all.get(rank), alone, rank, workers);
      assertThat(errors.get("codes")).as("codes, all together").isLessThan(1e-6);
      assertThat(errors.get("statistic")).isZero();
      assertThat(errors).allSatisfy((kind, error) -> assertThat(error).as(kind).isLessThan(1e-5));
    }
    Trace usual = step(wide("--arch=" + network), Collective.single(), from, DataType.FLOAT);
    assertThat(errors(usual, alone, 0, 1).get("codes"))
        .as("control: rounding where one machine sums over all images at once")
        .isGreaterThan(1e-6);
  }

  /** The step after a checkpoint. */
  private static Trace step(TrainingConfig config, Collective c, Checkpoint from, DataType type) {
    try (Trainer t = trainer(config, c, type)) {
      t.restore(from);
      return traces(t, from.step() + 1).get(0);
    }
  }

  private static Checkpoint train(
      TrainingConfig config, Collective c, Checkpoint from, long until) {
    try (Trainer t = trainer(config, c, DataType.FLOAT)) {
      if (from != null) {
        t.restore(from);
      }
      if (until > 0) {
        traces(t, until);
      }
      return copy(t.checkpoint(Double.NaN));
    }
  }

  @Test
  void aRunOfTheSameSizeGivesTheSameBitsAlsoAfterAResume() {
    TrainingConfig config = wide();
    List<Checkpoint> once = together(2, c -> train(config, c, null, 12));
    List<Checkpoint> again = together(2, c -> train(config, c, null, 12));
    List<Checkpoint> half = together(2, c -> train(config, c, null, 8));
    List<Checkpoint> resumed = together(2, c -> train(config, c, half.get(1), 12));
    for (int rank = 0; rank < 2; rank++) {
      assertSame(once.get(rank), once.get(0), 0);
      assertSame(again.get(rank), once.get(0), 0);
      assertSame(resumed.get(rank), once.get(0), 0);
    }
    assertThat(train(config, Collective.single(), null, 12).parameters())
        .as("control: one machine adds up in another order")
        .isNotEqualTo(once.get(0).parameters());
  }

  /** From two workers to four, to one, to two; in doubles, so that only an error shows. */
  @Test
  void aRunGoesOnWithAnotherNumberOfWorkers() {
    TrainingConfig config = tiny();
    Checkpoint state = null;
    long done = 0;
    for (int workers : new int[] {2, 4, 1, 2}) {
      Checkpoint from = state;
      long until = done += 3;
      state =
          together(
                  workers,
                  c -> {
                    try (Trainer t = trainer(config, c, DataType.DOUBLE)) {
                      if (from != null) {
                        t.restore(from);
                      }
                      traces(t, until);
                      return copy(t.checkpoint(Double.NaN));
                    }
                  })
              .get(workers - 1);
    }
    try (Trainer t = trainer(config, Collective.single(), DataType.DOUBLE)) {
      traces(t, done);
      assertSame(state, t.checkpoint(Double.NaN), 1e-8);
    }
  }

  /** A step by other gradients, but the same on all workers, and so are the running statistics. */
  @Test
  void withoutSynchronisedNormsGradientsDifferAndWorkersStayAlike() {
    TrainingConfig off = wide("--sync-norm=off");
    Trace whole;
    try (Trainer t = trainer(off, Collective.single(), DataType.FLOAT)) {
      whole = traces(t, 1).get(0);
    }
    List<Checkpoint> workers = together(2, c -> train(off, c, null, 6));
    assertSame(workers.get(1), workers.get(0), 0);
    for (Trace own :
        together(
            2,
            c -> {
              try (Trainer t = trainer(off, c, DataType.FLOAT)) {
                return traces(t, 1).get(0);
              }
            })) {
      assertThat(errors(own, whole, 0, 2).get("gradient")).isGreaterThan(0.05);
      INDArray mean = own.arrays().get("statistic bn1.running_mean");
      assertThat(mean.distance2(whole.arrays().get("statistic bn1.running_mean")))
          .as("the first norm's means are those of the whole batch: means of means of halves")
          .isLessThan(1e-6);
    }
  }

  @Test
  void tenStepsWithGradientsAsHalfFloatsStayCloseToThoseInFloatsAndWorkersStayAlike() {
    TrainingConfig config = wide("--gradients=fp16");
    Map<String, INDArray> start =
        SwavWeights.initialise(config.network().with(3), 5, DataType.FLOAT).parameters();
    List<Checkpoint> halves = together(2, c -> train(config, c, null, 10));
    assertSame(halves.get(1), halves.get(0), 0);
    Map<String, INDArray> rounded = halves.get(0).parameters();
    Map<String, INDArray> exact = together(2, c -> train(wide(), c, null, 10)).get(0).parameters();
    assertThat(distance(rounded, exact)).isPositive().isLessThan(0.05 * distance(exact, start));
    Map<String, INDArray> first = firstGradients(wide());
    double size =
        Math.sqrt(
            first.values().stream().mapToDouble(g -> g.mul(g).sumNumber().doubleValue()).sum());
    assertThat(distance(firstGradients(config), first)).isPositive().isLessThan(size / 1024);
  }

  private static Map<String, INDArray> firstGradients(TrainingConfig config) {
    Map<String, INDArray> gradients =
        together(
                2,
                c -> {
                  try (Trainer t = trainer(config, c, DataType.FLOAT)) {
                    return new LinkedHashMap<>(traces(t, 1).get(0).arrays());
                  }
                })
            .get(0);
    gradients.keySet().removeIf(name -> !name.startsWith("gradient "));
    return gradients;
  }

  private static double distance(Map<String, INDArray> a, Map<String, INDArray> b) {
    return Math.sqrt(
        a.keySet().stream().mapToDouble(n -> Math.pow(a.get(n).distance2(b.get(n)), 2)).sum());
  }

  @Test
  void aWorkerOfOtherWeightsIsNamedOnAll() {
    TrainingConfig config = wide("--batch=9");
    assertThat(together(3, c -> failure(config, c, 0)))
        .as("from the start")
        .allSatisfy(
            m ->
                assertThat(m)
                    .startsWith(
                        "the weights of worker 1 of 3 are not those of the others after 0"));
    assertThat(together(3, c -> failure(config, c, 2)))
        .as("once an epoch of 5 steps is done")
        .allSatisfy(
            m ->
                assertThat(m)
                    .startsWith(
                        "the weights of worker 1 of 3 are not those of the others after 5"));
  }

  @Test
  void ofTwoWorkersThatDifferNeitherIsBlamed() {
    List<String> failures = together(2, c -> failure(wide(), c, 0));
    assertThat(failures.get(0))
        .startsWith("the weights of 2 workers differ after 0 steps, and it can't be told whose are")
        .containsPattern("digests by rank: (?<own>[0-9a-f]{8}), (?!\\k<own>)[0-9a-f]{8}\\)")
        .isEqualTo(failures.get(1));
  }

  /** What training ends with if worker 1 has other weights once so many steps are done. */
  private static String failure(TrainingConfig config, Collective c, long after) {
    try (Trainer t = trainer(config, c, DataType.FLOAT)) {
      alter(t, c.rank() == 1 && after == 0);
      t.listener(
              new TrainingListener() {
                @Override
                public void step(StepMetrics metrics) {
                  alter(t, c.rank() == 1 && t.done() == after);
                }

                @Override
                public void epoch(EpochMetrics metrics) {
                  assertThat(t.done()).as("no epoch ends with it").isZero();
                }
              })
          .run();
      return "none";
    } catch (TrainingException e) {
      return e.getMessage();
    }
  }

  private static void alter(Trainer trainer, boolean really) {
    if (really) {
      trainer.checkpoint(Double.NaN).parameters().get("conv1.weight").addi(1e-3);
    }
  }

  @Test
  void whoeverIsAskedToStopAllStopAfterTheSameStep() {
    List<Long> done =
        together(
            2,
            c -> {
              try (Trainer t = trainer(wide(), c, DataType.FLOAT)) {
                t.listener(
                    new TrainingListener() {
                      @Override
                      public void step(StepMetrics metrics) {
                        if (c.rank() == 1 && t.done() == 3) {
                          t.stop();
                        }
                      }
                    });
                t.run();
                return t.done();
              }
            });
    assertThat(done).containsExactly(3L, 3L);
  }

  @Test
  void whatCannotBeSharedOutIsRefused() {
    List<Collective> three = Collective.threads(3);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> trainer(tiny(), three.get(1), DataType.FLOAT))
        .withMessageContaining("`batch` is 8 and there are 3 workers")
        .withMessageContaining("take 6 or 9");
    Collective one = Collective.threads(2).get(0);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> trainer(tiny("--method=simclr"), one, DataType.FLOAT))
        .withMessageContaining("simclr")
        .withMessageContaining("2 workers");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> trainer(tiny("--method=deepcluster-v2"), one, DataType.FLOAT))
        .withMessageContaining("deepcluster-v2")
        .withMessageContaining("there are 2");
  }

  /** Targets, too, come from each worker's own images. */
  @Test
  void learningFromLabelsIsSharedOut() {
    TrainingConfig config = tiny("--method=supervised", "--prototypes=" + IMAGES.classes().size());
    Checkpoint alone;
    try (Trainer t = trainer(config, Collective.single(), DataType.DOUBLE)) {
      stopAfter(t, 4).run();
      alone = copy(t.checkpoint(Double.NaN));
    }
    for (Checkpoint own :
        together(
            2,
            c -> {
              try (Trainer t = trainer(config, c, DataType.DOUBLE)) {
                stopAfter(t, 4).run();
                return copy(t.checkpoint(Double.NaN));
              }
            })) {
      assertSame(own, alone, 1e-8);
    }
  }

  private static Trainer stopAfter(Trainer trainer, long steps) {
    return trainer.listener(
        new TrainingListener() {
          @Override
          public void step(StepMetrics metrics) {
            if (trainer.done() >= steps) {
              trainer.stop();
            }
          }
        });
  }
}
