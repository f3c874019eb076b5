package org.swav4j.train.collective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.rng.Random;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.model.Architecture;
import org.swav4j.model.CropGroup;
import org.swav4j.model.GivenFeatures;
import org.swav4j.model.Stem;
import org.swav4j.model.SwavConfig;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.Views;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.sinkhorn.SwavCodes;
import org.swav4j.train.loop.MethodStep;
import org.swav4j.train.method.SwavMethod;
import org.swav4j.train.optimiser.Sgd;

class CollectiveTest {
  /** What a worker does. */
  private interface Worker<T> {
    T run(Collective collective) throws Exception;
  }

  private static <T> List<T> together(int count, Worker<T> worker) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(count);
    try {
      List<Future<T>> running = new ArrayList<>();
      for (Collective c : Collective.threads(count)) {
        running.add(threads.submit(() -> worker.run(c)));
      }
      List<T> results = new ArrayList<>();
      for (Future<T> f : running) {
        results.add(f.get());
      }
      return results;
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void rowsAreGatheredInTheOrderOfRanks() throws Exception {
    Worker<INDArray> worker =
        c -> {
          INDArray rows = Nd4j.createFromArray(new float[][] {{c.rank(), 1}, {c.rank(), 2}});
          INDArray all = c.gather(rows);
          rows.assign(-1);
          return all;
        };
    INDArray expected =
        Nd4j.createFromArray(new float[][] {{0, 1}, {0, 2}, {1, 1}, {1, 2}, {2, 1}, {2, 2}});
    assertThat(together(3, worker)).containsExactly(expected, expected, expected);
    INDArray mine = Nd4j.createFromArray(new float[][] {{3, 4}});
    INDArray alone = Collective.single().gather(mine);
    mine.assign(0);
    assertThat(alone).isEqualTo(Nd4j.createFromArray(new float[][] {{3, 4}}));
  }

  @Test
  void sumsAreAddedInTheOrderOfRanksAndEqualEverywhere() throws Exception {
    // In floats (1e8 + 1) - 1e8 is 0, whereas (1e8 - 1e8) + 1 is 1.
    float[] parts = {1e8f, 1, -1e8f};
    List<float[]> sums =
        together(
            3,
            c -> {
              assertThat(c.size()).isEqualTo(3);
              INDArray array = Nd4j.createFromArray(parts[c.rank()], c.rank(), 1f);
              double[] values = {c.rank() + 0.5, -c.rank()};
              double[] largest = {c.rank(), -c.rank()};
              for (int i = 0; i < 50; i++) {
                double[] again = values.clone();
                c.sum(again);
                assertThat(again).containsExactly(4.5, -3);
              }
              c.max(largest);
              assertThat(largest).containsExactly(2, 0);
              c.sum(array);
              return array.toFloatVector();
            });
    assertThat(sums).allSatisfy(s -> assertThat(s).containsExactly(0f, 3f, 3f));
    assertThatIllegalArgumentException().isThrownBy(() -> Collective.threads(0));
  }

  private static INDArray unitRows(int rows, int columns, long seed) {
    Random random = Nd4j.getRandomFactory().getNewRandomInstance(seed);
    INDArray x = Nd4j.randn(random, rows, columns).castTo(DataType.FLOAT);
    return x.diviColumnVector(x.norm2(true, 1));
  }

  private static INDArray half(INDArray rows, int rank) {
    long n = rows.size(0) / 2;
    return rows.get(NDArrayIndex.interval(rank * n, (rank + 1) * n)).dup();
  }

  /** With embeddings given, from codes to the gradient of the prototypes. */
  @Test
  void codesLossAndGradientOfHalvesAreThoseOfTheWholeBatch() throws Exception {
    INDArray prototypes = unitRows(5, 6, 1);
    INDArray first = unitRows(8, 6, 2);
    INDArray second = unitRows(8, 6, 3);
    INDArray[] whole = predicted(Nd4j.vstack(first, second), prototypes, 8, Collective.single());
    List<INDArray[]> halves =
        together(
            2,
            c ->
                predicted(
                    Nd4j.vstack(half(first, c.rank()), half(second, c.rank())),
                    prototypes.dup(),
                    4,
                    c));
    for (int rank = 0; rank < 2; rank++) {
      INDArray[] mine = halves.get(rank);
      assertThat(mine[0].distance2(half(whole[0], rank))).as("codes").isLessThan(1e-6);
      assertThat(mine[1].getDouble(0)).as("loss").isCloseTo(whole[1].getDouble(0), within(1e-6));
      assertThat(mine[2].distance2(whole[2])).as("gradient").isLessThan(1e-6);
    }
    INDArray[] alone =
        predicted(Nd4j.vstack(half(first, 0), half(second, 0)), prototypes, 4, Collective.single());
    assertThat(alone[0].distance2(half(whole[0], 0)))
        .as("control: without the other half, the codes are others")
        .isGreaterThan(0.05);
  }

  /** Codes of crop 0, loss, and gradient of the prototypes; crop 1 predicts. */
  private static INDArray[] predicted(
      INDArray embeddings, INDArray prototypes, int batch, Collective collective) {
    GivenFeatures given = new GivenFeatures(2, batch, prototypes, 0.1);
    Engine engine = new Nd4jEngine();
    try (MethodStep step =
        new MethodStep(
            given.weights(),
            given.views(),
            new SwavMethod(new SwavMethod.Settings(1, 0.1), new SwavCodes(0.05, 3), engine),
            new Sgd(0, 0),
            engine,
            collective)) {
      given.give(embeddings);
      step.crops(0).assign(given.images());
      double loss = step.run(0, 0);
      return new INDArray[] {
        step.network().codes().dup(),
        Nd4j.createFromArray(loss),
        step.network().gradients().get(SwavMethod.PROTOTYPES).dup()
      };
    }
  }

  private static final SwavConfig NETWORK =
      new SwavConfig(Architecture.RESNET20, 0.25, Stem.SMALL, 1, 8, 6, 5, 0.1);

  private static final int STEPS = 3;

  /** Some steps on images that this worker alone has; weights and the losses. */
  private static Map<String, INDArray> train(Collective collective, long seed, double[] losses) {
    SwavWeights weights = SwavWeights.initialise(NETWORK, 1);
    Engine engine = new Nd4jEngine();
    SwavMethod method =
        new SwavMethod(
            new SwavMethod.Settings(2, 0.1).withQueue(4 * collective.size(), 1),
            new SwavCodes(0.05, 3),
            engine);
    try (MethodStep step =
        new MethodStep(
            weights,
            new Views(List.of(new CropGroup(2, 12)), 4),
            method,
            new Sgd(0.9, 1e-6),
            engine,
            collective)) {
      Random random = Nd4j.getRandomFactory().getNewRandomInstance(seed);
      for (int t = 0; t < STEPS; t++) {
        step.crops(0).assign(Nd4j.randn(random, step.crops(0).shape()));
        losses[t] = step.run(t, 0.1);
      }
    }
    return weights.parameters();
  }

  @Test
  void workersKeepTheSameWeightsAndARunOfTheSameSizeGivesTheSameBits() throws Exception {
    Worker<Map<String, INDArray>> worker = c -> train(c, 7 + c.rank(), new double[STEPS]);
    List<Map<String, INDArray>> once = together(2, worker);
    List<Map<String, INDArray>> again = together(2, worker);
    Map<String, INDArray> alone = train(Collective.single(), 7, new double[STEPS]);
    once.get(0)
        .forEach(
            (name, w) -> {
              assertThat(once.get(1).get(name)).as(name).isEqualTo(w);
              assertThat(again.get(0).get(name)).as(name).isEqualTo(w);
            });
    assertThat(alone.get("conv1.weight").distance2(once.get(0).get("conv1.weight")))
        .as("control: alone, the weights are others")
        .isGreaterThan(1e-3);
  }

  /** Each worker has the same images: batch norm too is then that of one worker alone. */
  @Test
  void twoWorkersOnTheSameImagesTrainAsOne() throws Exception {
    double[] expected = new double[STEPS];
    Map<String, INDArray> alone = train(Collective.single(), 7, expected);
    List<double[]> losses = Stream.generate(() -> new double[STEPS]).limit(2).toList();
    List<Map<String, INDArray>> both = together(2, c -> train(c, 7, losses.get(c.rank())));
    assertThat(losses.get(0)).containsExactly(losses.get(1));
    for (int t = 0; t < STEPS; t++) {
      assertThat(losses.get(0)[t]).isCloseTo(expected[t], within(1e-4));
    }
    both.get(0)
        .forEach((name, w) -> assertThat(w.distance2(alone.get(name))).as(name).isLessThan(1e-3));
  }
}
