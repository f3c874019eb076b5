package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletionService;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.model.engine.SharedMoments;
import org.swav4j.model.engine.onednn.OneDnnEngine;
import org.swav4j.model.plan.AllReduce;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.OpType;

/** Workers with synchronised batch norm give loss, gradients and statistics of the whole batch. */
@Timeout(120)
class SynchroniseNormsTest {
  private static final List<CropGroup> CROPS = List.of(new CropGroup(2, 16), new CropGroup(1, 9));
  private static final int BATCH = 4;
  private static final int VIEWS = 3;
  private static final int ASSIGNING = 2;

  /**
   * Norms of images and of rows, with a rectifier behind them and without. At least 16 channels in
   * each: with fewer, gradients of 1x1 convolutions of stride 2 write out of bounds in oneDNN
   * (uxlfoundation/oneDNN issue 6035).
   */
  private static SwavConfig network(Architecture architecture) {
    double width = architecture == Architecture.RESNET20 ? 1 : 0.25;
    return new SwavConfig(architecture, width, Stem.SMALL, 3, 8, 6, 5, 0.1);
  }

  /** Threads that add up in the order of ranks. */
  private record Threads(int rank, double[][] given, CyclicBarrier barrier) implements AllReduce {
    static List<AllReduce> of(int count) {
      double[][] given = new double[count][];
      CyclicBarrier barrier = new CyclicBarrier(count);
      List<AllReduce> all = new ArrayList<>();
      for (int rank = 0; rank < count; rank++) {
        all.add(new Threads(rank, given, barrier));
      }
      return all;
    }

    @Override
    public int size() {
      return given.length;
    }

    @Override
    public void sum(double[] values) {
      given[rank] = values.clone();
      await();
      for (int i = 0; i < values.length; i++) {
        values[i] = 0;
        for (double[] each : given) {
          values[i] += each[i];
        }
      }
      await();
    }

    private void await() {
      try {
        barrier.await();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** What a step left. */
  private record Result(
      double loss,
      INDArray embeddings,
      Map<String, INDArray> gradients,
      Map<String, INDArray> statistics) {}

  /** Rows r·B/N up to (r+1)·B/N of every crop. */
  private static INDArray share(INDArray all, int crops, int rank, int workers) {
    long batch = all.size(0) / crops;
    long rows = batch / workers;
    INDArray[] own = new INDArray[crops];
    for (int crop = 0; crop < crops; crop++) {
      long from = crop * batch + rank * rows;
      own[crop] = all.get(NDArrayIndex.interval(from, from + rows));
    }
    return Nd4j.concat(0, own);
  }

  private static INDArray random(Random random, long... shape) {
    INDArray a = Nd4j.create(DataType.DOUBLE, shape);
    for (long i = 0; i < a.length(); i++) {
      a.data().put(i, random.nextGaussian());
    }
    return a;
  }

  /** Two steps, so that what the first left behind would be seen. */
  private static Result run(
      GraphChecks.On on, SwavConfig config, int batch, int rank, int size, AllReduce norms) {
    Random random = new Random(4);
    SwavWeights weights = SwavWeights.initialise(config, 5, on.type());
    // Betas and biases away from zero, so that no gradient is zero by luck.
    weights.parameters().values().stream()
        .filter(p -> p.rank() == 1)
        .forEach(p -> p.addi(random(random, p.shape()).muli(0.1).castTo(on.type())));
    try (TrainingStep step =
        new TrainingStep(
            weights,
            CROPS,
            batch / size,
            1,
            new SwappedPrediction(ASSIGNING, 0.1),
            on.engine(),
            norms)) {
      double loss = 0;
      for (int i = 0; i < 2; i++) {
        for (int g = 0; g < CROPS.size(); g++) {
          CropGroup group = CROPS.get(g);
          INDArray images =
              random(random, (long) group.count() * batch, 3, group.size(), group.size()).addi(2);
          step.crops(g).assign(share(images, group.count(), rank, size));
        }
        INDArray codes = Transforms.softmax(random(random, ASSIGNING * batch, 5), false);
        step.forward();
        step.codes().assign(share(codes, ASSIGNING, rank, size));
        loss = step.backward();
      }
      Map<String, INDArray> gradients = new LinkedHashMap<>();
      step.gradients().forEach((n, g) -> gradients.put(n, g.castTo(DataType.DOUBLE).dup()));
      assertThat(step.plan().ops().stream().filter(SynchroniseNormsTest::isNorm))
          .isNotEmpty()
          .allMatch(op -> op.label().endsWith("+sync") == (norms.size() > 1 || norms.isExact()));
      return new Result(
          loss, step.embeddings().castTo(DataType.DOUBLE).dup(), gradients, weights.statistics());
    }
  }

  private static boolean isNorm(Op op) {
    return op.type() == OpType.BATCH_NORM || op.type() == OpType.BATCH_NORM_BP;
  }

  private static List<Result> together(
      GraphChecks.On on, SwavConfig config, int batch, List<AllReduce> norms) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(norms.size());
    try {
      CompletionService<Result> running = new ExecutorCompletionService<>(threads);
      List<Future<Result>> byRank = new ArrayList<>();
      for (int r = 0; r < norms.size(); r++) {
        int rank = r;
        byRank.add(
            running.submit(() -> run(on, config, batch, rank, norms.size(), norms.get(rank))));
      }
      for (int i = 0; i < norms.size(); i++) {
        running.take().get();
      }
      List<Result> results = new ArrayList<>();
      for (Future<Result> f : byRank) {
        results.add(f.get());
      }
      return results;
    } finally {
      threads.shutdownNow();
    }
  }

  /** In floats not ResNet-50, which is ill-conditioned: even alone it is 1 % off the exact one. */
  static Stream<Arguments> networksOnEachEngine() {
    return GraphChecks.engines().stream()
        .flatMap(
            on ->
                Stream.of(
                        Architecture.RESNET20,
                        on.type() == DataType.DOUBLE
                            ? Architecture.RESNET50
                            : Architecture.RESNET18)
                    .map(a -> Arguments.of(on, a)));
  }

  @ParameterizedTest
  @MethodSource("networksOnEachEngine")
  void sharesOfABatchGiveWhatTheWholeBatchGives(GraphChecks.On on, Architecture architecture)
      throws Exception {
    SwavConfig config = network(architecture);
    double tolerance = on.type() == DataType.DOUBLE ? 1e-9 : 2e-4;
    Result whole = run(on, config, BATCH, 0, 1, AllReduce.alone());
    for (int workers : new int[] {2, 4}) {
      List<Result> all = together(on, config, BATCH, Threads.of(workers));
      double loss = all.stream().mapToDouble(Result::loss).average().orElseThrow();
      assertThat(loss).isCloseTo(whole.loss(), within(tolerance));
      Map<String, INDArray> mean = meanGradients(all);
      assertThat(distance(mean, whole.gradients())).as("gradients").isLessThan(tolerance);
      for (int rank = 0; rank < workers; rank++) {
        assertThat(
                all.get(rank)
                    .embeddings()
                    .distance2(share(whole.embeddings(), VIEWS, rank, workers)))
            .as("embeddings")
            .isLessThan(tolerance);
        assertThat(distance(all.get(rank).statistics(), whole.statistics()))
            .as("running statistics")
            .isLessThan(tolerance);
        assertThat(all.get(rank).statistics()).isEqualTo(all.get(0).statistics());
      }
    }
    List<Result> apart = together(on, config, BATCH, List.of(AllReduce.alone(), AllReduce.alone()));
    assertThat(distance(meanGradients(apart), whole.gradients()))
        .as("control: by the moments of their own rows, the gradients are others")
        .isGreaterThan(0.05);
  }

  /**
   * A batch at whose maps Winograd's algorithm and products of pixels are chosen by the number of
   * images: a worker's share would choose otherwise. On maps of up to 2x2, of 1x1 and of more.
   */
  @ParameterizedTest
  @ValueSource(strings = {"RESNET20", "RESNET18"})
  void anImageGetsTheSameBitsHoweverManyWorkersShareTheBatch(Architecture architecture)
      throws Exception {
    GraphChecks.On on = new GraphChecks.On(new OneDnnEngine(), DataType.FLOAT);
    SwavConfig config = new SwavConfig(architecture, 1, Stem.SMALL, 3, 8, 6, 5, 0.1);
    int batch = 16;
    AllReduce one = AllReduce.exact(AllReduce.alone());
    Result whole = run(on, config, batch, 0, 1, one);
    for (int workers : new int[] {2, 4}) {
      List<AllReduce> threads = Threads.of(workers).stream().map(AllReduce::exact).toList();
      List<Result> all = together(on, config, batch, threads);
      for (int rank = 0; rank < workers; rank++) {
        assertThat(numbers(all.get(rank).embeddings()))
            .as("embeddings")
            .isEqualTo(numbers(share(whole.embeddings(), VIEWS, rank, workers)));
        for (String name : whole.statistics().keySet()) {
          assertThat(numbers(all.get(rank).statistics().get(name)))
              .as(name)
              .isEqualTo(numbers(whole.statistics().get(name)));
        }
      }
      assertThat(distance(meanGradients(all), whole.gradients())).as("gradients").isLessThan(1e-5);
    }
    Result usual = run(on, config, batch, 0, 1, AllReduce.alone());
    assertThat(numbers(usual.embeddings()))
        .as("control: one machine sums over all images at once")
        .isNotEqualTo(numbers(whole.embeddings()));
    assertThat(usual.embeddings().distance2(whole.embeddings())).isLessThan(2e-4);
  }

  /** To be compared to the last bit, which arrays are not. */
  private static double[] numbers(INDArray array) {
    return array.dup('c').data().asDouble();
  }

  private static Map<String, INDArray> meanGradients(List<Result> all) {
    Map<String, INDArray> mean = new LinkedHashMap<>();
    for (Result r : all) {
      r.gradients().forEach((n, g) -> mean.merge(n, g.div(all.size()), (a, b) -> a.add(b)));
    }
    return mean;
  }

  /** Of all arrays together, relative. */
  private static double distance(Map<String, INDArray> actual, Map<String, INDArray> expected) {
    double difference = 0;
    double square = 0;
    for (Map.Entry<String, INDArray> e : expected.entrySet()) {
      difference += Math.pow(actual.get(e.getKey()).distance2(e.getValue()), 2);
      square += Math.pow(e.getValue().norm2Number().doubleValue(), 2);
    }
    return Math.sqrt(difference / square);
  }

  /** Means a million deviations away, as squares of floats could not tell. */
  @Test
  void momentsOfAllRowsComeFromThoseOfShares() throws Exception {
    double[][] rows = {{1e6, 1e6 + 1, 1e6 + 5}, {1e6 - 2, 1e6 + 3, 1e6 + 2}};
    double mean = 1e6 + 1.5;
    double variance = (1.5 * 1.5 * 2 + .5 * .5 * 2 + 3.5 * 3.5 * 2) / 6;
    List<AllReduce> workers = Threads.of(2);
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try {
      List<Future<SharedMoments>> running = new ArrayList<>();
      for (int rank = 0; rank < 2; rank++) {
        int r = rank;
        running.add(
            threads.submit(
                () -> {
                  double m = (rows[r][0] + rows[r][1] + rows[r][2]) / 3;
                  double v = 0;
                  for (double x : rows[r]) {
                    v += (x - m) * (x - m) / 3;
                  }
                  SharedMoments moments = new SharedMoments(workers.get(r), 1);
                  moments.put(0, m, v);
                  moments.combine();
                  return moments;
                }));
      }
      for (Future<SharedMoments> f : running) {
        assertThat(f.get().first(0)).isCloseTo(mean, within(1e-9));
        assertThat(f.get().second(0)).isCloseTo(variance, within(1e-3));
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void ofOneWorkerThePlanStaysTheSame() {
    GraphChecks.On on = new GraphChecks.On(new Nd4jEngine(), DataType.DOUBLE);
    Result alone = run(on, network(Architecture.RESNET20), BATCH, 0, 1, AllReduce.alone());
    Result threadsOfOne =
        run(on, network(Architecture.RESNET20), BATCH, 0, 1, Threads.of(1).get(0));
    assertThat(threadsOfOne.gradients()).isEqualTo(alone.gradients());
  }
}
