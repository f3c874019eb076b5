package org.swav4j.train.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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

  private static <T> List<T> together(int count, Work<T> work) {
    ExecutorService threads = Executors.newFixedThreadPool(count);
    try {
      List<Future<T>> running = new ArrayList<>();
      for (Collective c : Collective.threads(count)) {
        running.add(threads.submit(() -> work.by(c)));
      }
      List<T> results = new ArrayList<>();
      for (Future<T> f : running) {
        results.add(f.get());
      }
      return results;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new AssertionError(e);
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

  private static void assertClose(Trace actual, Trace expected, int rank, int workers, double to) {
    assertThat(Math.abs(actual.loss() / expected.loss() - 1)).as("loss").isLessThan(to);
    assertThat(actual.arrays().keySet()).isEqualTo(expected.arrays().keySet());
    INDArray codes = rows(expected.arrays().get("codes"), 2, rank, workers);
    assertThat(actual.arrays().get("codes").sub(codes).amaxNumber().doubleValue())
        .as("codes")
        .isLessThan(Math.min(to, 1e-6));
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
      assertThat(Math.sqrt(difference / Math.max(square, 1e-30)))
          .as("all %ss, relative", kind)
          .isLessThan(to);
    }
  }

  /**
   * Ten steps, the last five with a full queue: loss, codes, gradients, weights, running statistics,
   * momentum and the queue after each. In doubles, in which rounding can't hide a term left out.
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
        assertClose(all.get(rank).get(step), expected.get(step), rank, workers, 1e-8);
      }
    }
  }
}
