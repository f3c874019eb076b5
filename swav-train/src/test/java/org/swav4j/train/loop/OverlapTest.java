package org.swav4j.train.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.rng.Random;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.Architecture;
import org.swav4j.model.CropGroup;
import org.swav4j.model.Stem;
import org.swav4j.model.SwavConfig;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.Views;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.model.engine.onednn.OneDnnEngine;
import org.swav4j.sinkhorn.SwavCodes;
import org.swav4j.train.collective.Collective;
import org.swav4j.train.collective.GradientSums;
import org.swav4j.train.collective.SyncNorm;
import org.swav4j.train.method.SwavMethod;
import org.swav4j.train.optimiser.Sgd;

/** Gradients are summed during the backward pass, and no bit of them is another for it. */
@Timeout(300)
class OverlapTest {
  /**
   * At full width: see SynchroniseNormsTest on oneDNN with few channels. 272 thousand gradients.
   */
  private static final SwavConfig NETWORK =
      new SwavConfig(Architecture.RESNET20, 1, Stem.SMALL, 3, 16, 8, 6, 0.1);

  private static final List<CropGroup> CROPS = List.of(new CropGroup(2, 12), new CropGroup(1, 8));

  /** So small that there are a dozen, and many gradients lie in two or more. */
  private static final int BUCKET = 23_456;

  private static final int STEPS = 2;
  private static final String THREAD = "gradients of worker ";

  /** What passes calls on, and has a lane only if it is given one. */
  private static class Passing implements Collective {
    private final Collective to;
    private final Collective lane;

    Passing(Collective to, Collective lane) {
      this.to = to;
      this.lane = lane;
    }

    @Override
    public int rank() {
      return to.rank();
    }

    @Override
    public int size() {
      return to.size();
    }

    @Override
    public void sum(double[] values) {
      to.sum(values);
    }

    @Override
    public void max(double[] values) {
      to.max(values);
    }

    @Override
    public void sum(INDArray array) {
      to.sum(array);
    }

    @Override
    public INDArray gather(INDArray rows) {
      return to.gather(rows);
    }

    @Override
    public Optional<Collective> lane() {
      return Optional.ofNullable(lane);
    }

    @Override
    public void close() {
      to.close();
    }
  }

  private interface Work<T> {
    T by(Collective collective) throws Exception;
  }

  /** Workers in threads, each of which leaves at its end, however it ends. */
  private static <T> List<Future<T>> begin(
      ExecutorService threads, int count, UnaryOperator<Collective> as, Work<T> work) {
    List<Future<T>> running = new ArrayList<>();
    for (Collective c : Collective.threads(count)) {
      running.add(
          threads.submit(
              () -> {
                try (Collective own = as.apply(c)) {
                  return work.by(own);
                }
              }));
    }
    return running;
  }

  private static <T> List<T> together(int count, UnaryOperator<Collective> as, Work<T> work)
      throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(count);
    try {
      List<T> results = new ArrayList<>();
      for (Future<T> worker : begin(threads, count, as, work)) {
        results.add(worker.get());
      }
      return results;
    } finally {
      threads.shutdownNow();
    }
  }

  /** How a step is run. */
  private record Kind(Engine engine, int parts, SyncNorm norms, GradientSums sums) {
    MethodStep step(SwavWeights weights, Collective collective) {
      SwavMethod method =
          new SwavMethod(
              new SwavMethod.Settings(2, 0.1).withQueue(0, 1), new SwavCodes(0.05, 3), engine);
      return new MethodStep(
          weights,
          new Views(CROPS, 4),
          parts,
          method,
          new Sgd(0.9, 1e-6),
          engine,
          collective,
          norms,
          sums,
          BUCKET);
    }

    @Override
    public String toString() {
      return engine.name() + ", " + parts + " parts, norms " + norms + ", " + sums;
    }
  }

  private static Kind plain() {
    return new Kind(new OneDnnEngine(), 1, SyncNorm.ON, GradientSums.FLOAT);
  }

  private static void fill(MethodStep step, Random random) {
    for (int group = 0; group < CROPS.size(); group++) {
      step.crops(group).assign(Nd4j.randn(random, step.crops(group).shape()));
    }
  }

  /** Some steps: losses, gradients of the last step and weights. */
  private static Map<String, INDArray> train(Kind kind, Collective collective) {
    SwavWeights weights = SwavWeights.initialise(NETWORK, 1);
    Map<String, INDArray> left = new LinkedHashMap<>();
    try (MethodStep step = kind.step(weights, collective)) {
      Random random = Nd4j.getRandomFactory().getNewRandomInstance(7 + collective.rank());
      for (int t = 0; t < STEPS; t++) {
        fill(step, random);
        left.put("loss " + t, Nd4j.createFromArray(step.run(t, 0.1)));
      }
      step.network().gradients().forEach((n, g) -> left.put("gradient " + n, g.dup()));
    }
    weights.parameters().forEach((n, w) -> left.put("weight " + n, w));
    weights.statistics().forEach((n, s) -> left.put("statistic " + n, s));
    return left;
  }

  static Stream<Arguments> kinds() {
    return Stream.of(new OneDnnEngine(), new Nd4jEngine())
        .flatMap(
            engine ->
                Stream.of(
                    Arguments.of(2, new Kind(engine, 1, SyncNorm.ON, GradientSums.FLOAT)),
                    Arguments.of(4, new Kind(engine, 1, SyncNorm.OFF, GradientSums.FLOAT)),
                    Arguments.of(3, new Kind(engine, 2, SyncNorm.ON, GradientSums.FLOAT)),
                    Arguments.of(2, new Kind(engine, 1, SyncNorm.ON, GradientSums.FP16)),
                    Arguments.of(4, new Kind(engine, 2, SyncNorm.OFF, GradientSums.FP16))));
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void sumsDuringTheBackwardPassHaveTheBitsOfSumsAfterIt(int workers, Kind kind) throws Exception {
    List<Map<String, INDArray>> during = together(workers, c -> c, c -> train(kind, c));
    List<Map<String, INDArray>> after =
        together(workers, c -> new Passing(c, null), c -> train(kind, c));
    for (int rank = 0; rank < workers; rank++) {
      assertThat(during.get(rank)).isEqualTo(after.get(rank));
    }
    assertThat(train(kind, Collective.single()).get("weight conv1.weight"))
        .as("control: another number of workers")
        .isNotEqualTo(after.get(0).get("weight conv1.weight"));
  }

  /** Arrays of several shapes in buckets of ten numbers, told in steps of their own sizes. */
  @Test
  void bucketsAreAveragedInTheOrderOfRanksBitForBit() throws Exception {
    long[][] shapes = {{1}, {3, 4}, {2}, {31}, {2, 3, 2}, {5}};
    float[][] expected = new float[shapes.length][];
    for (int i = 0; i < shapes.length; i++) {
      float[] sum = flat(gradient(shapes[i], i, 0));
      for (int rank = 1; rank < 3; rank++) {
        float[] more = flat(gradient(shapes[i], i, rank));
        for (int j = 0; j < sum.length; j++) {
          sum[j] += more[j];
        }
      }
      for (int j = 0; j < sum.length; j++) {
        sum[j] /= 3;
      }
      expected[i] = sum;
    }
    for (List<float[]> means : together(3, c -> c, c -> means(c, shapes))) {
      for (int i = 0; i < shapes.length; i++) {
        assertThat(means.get(i)).as("array %d", i).isEqualTo(expected[i]);
      }
    }
  }

  private static INDArray gradient(long[] shape, int place, int rank) {
    Random random = Nd4j.getRandomFactory().getNewRandomInstance(10 * place + rank + 1);
    return Nd4j.randn(random, shape).castTo(DataType.FLOAT).muli(Math.pow(10, rank));
  }

  private static float[] flat(INDArray array) {
    return array.reshape(array.length()).toFloatVector();
  }

  /** Of two steps, the second. */
  private static List<float[]> means(Collective collective, long[][] shapes) {
    List<INDArray> gradients = new ArrayList<>();
    for (long[] shape : shapes) {
      gradients.add(Nd4j.create(DataType.FLOAT, shape));
    }
    long length = gradients.stream().mapToLong(INDArray::length).sum();
    INDArray all = Nd4j.zeros(DataType.FLOAT, length + 1);
    try (GradientBuckets buckets =
        new GradientBuckets(collective, gradients, all, 10, GradientSums.FLOAT)) {
      for (int step = 0; step < 2; step++) {
        for (int i = 0; i < shapes.length; i++) {
          gradients.get(i).assign(gradient(shapes[i], i, collective.rank()));
          if ((i + collective.rank()) % 2 == 0 || i == shapes.length - 1) {
            buckets.upTo(i + 1);
          }
        }
      }
    }
    return gradients.stream().map(OverlapTest::flat).toList();
  }

  /**
   * Notes small sums, and holds the first sum of gradients until the last of them has been made.
   */
  private static final class Held {
    private final List<String> events = Collections.synchronizedList(new ArrayList<>());
    private final CountDownLatch lastSmallSum = new CountDownLatch(1);
    private volatile int smallSums = -1;
    private int seen;

    Collective of(Collective to) {
      Collective lane =
          new Passing(to.lane().orElseThrow(), null) {
            @Override
            public void sum(INDArray array) {
              if (smallSums >= 0) {
                events.add("gradients");
                hold();
              }
              super.sum(array);
            }
          };
      return new Passing(to, lane) {
        @Override
        public void sum(double[] values) {
          super.sum(values);
          seen++;
          if (smallSums >= 0) {
            events.add("small");
            if (seen == smallSums) {
              lastSmallSum.countDown();
            }
          }
        }
      };
    }

    private void hold() {
      try {
        assertThat(lastSmallSum.await(120, TimeUnit.SECONDS))
            .as("the backward pass goes on while gradients are summed")
            .isTrue();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** By the sums of synchronised batch norm, of which the first norm's is the last. */
  @ParameterizedTest
  @ValueSource(strings = {"onednn", "nd4j"})
  void theBackwardPassGoesOnWhileGradientsAreSummed(String engine) throws Exception {
    Kind kind =
        new Kind(
            engine.equals("nd4j") ? new Nd4jEngine() : new OneDnnEngine(),
            1,
            SyncNorm.ON,
            GradientSums.FLOAT);
    Work<List<String>> work =
        c -> {
          Held held = new Held();
          Collective watched = held.of(c);
          try (MethodStep step = kind.step(SwavWeights.initialise(NETWORK, 1), watched)) {
            Random random = Nd4j.getRandomFactory().getNewRandomInstance(7 + c.rank());
            fill(step, random);
            step.run(0, 0.1);
            held.smallSums = held.seen;
            held.seen = 0;
            fill(step, random);
            step.run(1, 0.1);
          }
          return held.events;
        };
    for (List<String> events : together(2, c -> c, work)) {
      assertThat(events).filteredOn("gradients"::equals).hasSizeGreaterThan(5);
      assertThat(events.indexOf("gradients"))
          .as("the first sum of gradients begins before the last norm's gradient is computed")
          .isLessThan(events.lastIndexOf("small") - 10);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void aWorkerThatFailsDuringASumOfGradientsEndsAll(int workers) throws Exception {
    UnaryOperator<Collective> failing =
        c -> {
          Collective lane =
              new Passing(c.lane().orElseThrow(), null) {
                private int sums;

                @Override
                public void sum(INDArray array) {
                  if (rank() == 1 && ++sums == 3) {
                    throw new IllegalStateException("the network card is on fire");
                  }
                  super.sum(array);
                }
              };
          return new Passing(c, lane);
        };
    ExecutorService threads = Executors.newFixedThreadPool(workers);
    try {
      List<Future<Map<String, INDArray>>> running =
          begin(threads, workers, failing, c -> train(plain(), c));
      assertThatThrownBy(() -> running.get(1).get(60, TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class)
          .cause()
          .hasMessageContaining("the network card is on fire");
      for (int rank = 0; rank < workers; rank++) {
        Future<Map<String, INDArray>> worker = running.get(rank);
        assertThatThrownBy(() -> worker.get(60, TimeUnit.SECONDS))
            .as("worker %d", rank)
            .isInstanceOf(ExecutionException.class)
            .cause()
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining(rank == 1 ? "on fire" : "another worker failed");
      }
      assertThat(threadsOfGradients()).isEmpty();
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void aWorkerThatIsInterruptedEndsAll() throws Exception {
    CountDownLatch held = new CountDownLatch(1);
    UnaryOperator<Collective> waiting =
        c -> {
          Collective lane =
              new Passing(c.lane().orElseThrow(), null) {
                @Override
                public void sum(INDArray array) {
                  if (rank() == 0) {
                    held.countDown();
                    super.sum(array);
                  } else {
                    // never comes
                    try {
                      Thread.sleep(300_000);
                    } catch (InterruptedException e) {
                      throw new IllegalStateException("interrupted", e);
                    }
                  }
                }
              };
          return new Passing(c, lane);
        };
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try {
      List<Future<Map<String, INDArray>>> running =
          begin(threads, 2, waiting, c -> train(plain(), c));
      assertThat(held.await(60, TimeUnit.SECONDS)).isTrue();
      threads.shutdownNow();
      for (Future<Map<String, INDArray>> worker : running) {
        assertThatThrownBy(() -> worker.get(60, TimeUnit.SECONDS))
            .isInstanceOf(ExecutionException.class)
            .cause()
            .isInstanceOf(IllegalStateException.class);
      }
      assertThat(threadsOfGradients()).isEmpty();
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void withOneWorkerThereIsNoThreadAndNoOpMore() throws Exception {
    SwavWeights weights = SwavWeights.initialise(NETWORK, 1);
    try (MethodStep step = plain().step(weights, Collective.single())) {
      fill(step, Nd4j.getRandomFactory().getNewRandomInstance(7));
      step.run(0, 0.1);
      assertThat(threadsOfGradients()).isEmpty();
      assertThat(step.network().finalOrder()).isEmpty();
    }
    for (List<String> threads : together(2, c -> c, OverlapTest::threadsOfARun)) {
      assertThat(threads).as("control").isNotEmpty();
    }
    assertThat(threadsOfGradients()).isEmpty();
  }

  private static List<String> threadsOfARun(Collective collective) {
    try (MethodStep step = plain().step(SwavWeights.initialise(NETWORK, 1), collective)) {
      assertThat(step.network().finalOrder())
          .containsExactlyInAnyOrderElementsOf(step.network().gradients().keySet());
      fill(step, Nd4j.getRandomFactory().getNewRandomInstance(7));
      step.run(0, 0.1);
      return threadsOfGradients();
    }
  }

  private static List<String> threadsOfGradients() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.startsWith(THREAD))
        .toList();
  }
}
