package org.swav4j.train.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.swav4j.data.DataSpec;
import org.swav4j.data.ImageSource;
import org.swav4j.data.MultiCropBatch;
import org.swav4j.data.MultiCropLoader;
import org.swav4j.data.Normalisation;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.TrainingStep;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Execution;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.model.engine.Precision;
import org.swav4j.model.plan.Plan;
import org.swav4j.train.cli.TrainingConfigTest;
import org.swav4j.train.config.TrainingConfig;

/** The trainer against a loop that shares nothing with it but network, loss and crops. */
class TrajectoryTest {
  private static final int B = 8;
  private static final ImageSource IMAGES = DataSpec.parse("shapes:48").open().train();

  /**
   * 6 steps an epoch: warm-up over 3, prototypes frozen for 2, a queue of 2 batches from step 3.
   */
  private static TrainingConfig config(String crops, String scales) {
    return TrainingConfigTest.quick(
            "--width=0.25",
            "--hidden=16",
            "--dim=8",
            "--prototypes=6",
            "--crops=" + crops,
            "--scales=" + scales,
            "--batch=8",
            "--epochs=2",
            "--lr=0.005",
            "--start-lr=0.001",
            "--final-lr=0.0002",
            "--warmup=0.5",
            "--momentum=0.9",
            "--wd=0.05",
            "--freeze=0.34",
            "--epsilon=0.05",
            "--queue=16",
            "--queue-start=0.5",
            "--seed=5",
            "--workers=1")
        .withNormalisation(new Normalisation(List.of(.5, .5, .5), List.of(.3, .3, .3)));
  }

  /** In doubles: in floats, rounding grows by a factor of two or three a step. */
  private static SwavWeights weights(TrainingConfig config) {
    return SwavWeights.initialise(config.network().with(3), 5, DataType.DOUBLE);
  }

  private static void normalise(INDArray prototypes) {
    prototypes.diviColumnVector(prototypes.norm2(true, 1));
  }

  private static INDArray rows(INDArray matrix, int crop) {
    return matrix.get(NDArrayIndex.interval((long) crop * B, (crop + 1L) * B));
  }

  /** Three rounds of columns and rows, in doubles; the last B rows. */
  private static INDArray codes(INDArray scores) {
    INDArray q = Transforms.exp(scores.castTo(DataType.DOUBLE).div(0.05));
    for (int i = 0; i < 3; i++) {
      q.diviRowVector(q.sum(true, 0));
      q.diviColumnVector(q.sum(true, 1));
    }
    return q.get(NDArrayIndex.interval(q.size(0) - B, q.size(0)));
  }

  /** Linear over 3 steps, then half a cosine over the other 9. */
  private static double learningRate(int t) {
    return t < 3
        ? 0.001 + (0.005 - 0.001) * t / 2
        : 0.0002 + 0.5 * (0.005 - 0.0002) * (1 + Math.cos(Math.PI * (t - 3) / 9));
  }

  /** Codes of the two large crops; and of a large one and a small one, which lie in two groups. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      value = {"2x16,1x8 0.3-1,0.2-0.6", "1x16,1x8,1x16 0.3-1,0.2-0.6,0.3-1"})
  void twelveStepsEqualALoopWrittenFromTheFormulas(String crops, String scales) {
    TrainingConfig config = config(crops, scales);
    SwavWeights expected = weights(config);
    Map<String, INDArray> momentum = new HashMap<>();
    List<Deque<INDArray>> queues = List.of(new ArrayDeque<>(), new ArrayDeque<>());
    INDArray prototypes = expected.parameters().get("prototypes.weight");
    double[] losses = new double[12];
    try (MultiCropLoader loader =
            new MultiCropLoader(
                IMAGES,
                config.crops(),
                config.augmentation(),
                config.data().normalisation(),
                B,
                5,
                1);
        TrainingStep step = new TrainingStep(expected, config.groups(), B, 2, new Nd4jEngine())) {
      for (int t = 0; t < 12; t++) {
        Iterator<MultiCropBatch> batches = loader.epoch(t / 6).iterator();
        for (int skipped = 0; skipped < t % 6; skipped++) {
          batches.next().close();
        }
        try (MultiCropBatch batch = batches.next()) {
          for (int g = 0; g < config.groups().size(); g++) {
            step.crops(g).assign(batch.crops(g));
          }
        }
        normalise(prototypes);
        step.forward();
        for (int i = 0; i < 2; i++) {
          INDArray scores = rows(step.scores(), i);
          if (queues.get(i).size() == 2) {
            INDArray earlier = Nd4j.vstack(queues.get(i).toArray(INDArray[]::new));
            scores = Nd4j.vstack(earlier.mmul(prototypes.transpose()), scores);
          }
          rows(step.codes(), i).assign(codes(scores));
          if (t >= 3) {
            queues.get(i).addFirst(rows(step.embeddings(), i).dup());
            if (queues.get(i).size() > 2) {
              queues.get(i).removeLast();
            }
          }
        }
        losses[t] = step.backward();
        for (Map.Entry<String, INDArray> g : step.gradients().entrySet()) {
          String name = g.getKey();
          if (t < 2 && name.equals("prototypes.weight")) {
            continue;
          }
          INDArray w = expected.parameters().get(name);
          INDArray d = g.getValue().add(w.mul(0.05));
          INDArray m = momentum.containsKey(name) ? momentum.get(name).mul(0.9).add(d) : d;
          momentum.put(name, m);
          w.subi(m.mul(learningRate(t)));
        }
      }
    }
    SwavWeights trained = weights(config);
    try (Trainer trainer = new Trainer(config, IMAGES, trained, new Nd4jEngine())) {
      trainer
          .listener(
              new TrainingListener() {
                @Override
                public void step(StepMetrics m) {
                  int t = (int) m.step();
                  assertThat(m.learningRate()).isCloseTo(learningRate(t), within(1e-12));
                  assertThat(m.queueRows()).isEqualTo(t < 5 ? 0 : 16);
                  assertThat(m.loss()).as("step " + t).isCloseTo(losses[t], within(1e-9));
                }
              })
          .run();
    }
    trained
        .parameters()
        .forEach(
            (name, w) -> {
              INDArray other = expected.parameters().get(name);
              double change = weights(config).parameters().get(name).distance2(other);
              assertThat(change).as("moved: " + name).isGreaterThan(1e-4);
              assertThat(w.distance2(other)).as(name).isLessThan(1e-8 * change);
            });
  }

  /** What an application might bring: some other engine, counted. */
  private static final class Own implements Engine {
    private final Engine inner = new Nd4jEngine();
    private int plans;
    private Precision asked;

    @Override
    public String name() {
      return "no such name on any class path";
    }

    @Override
    public Engine withPrecision(Precision precision) {
      asked = precision;
      return this;
    }

    @Override
    public Execution prepare(Plan plan) {
      plans++;
      return inner.prepare(plan);
    }
  }

  @Test
  void anEngineOfTheApplicationsOwnRunsNetworkAndQueue() {
    TrainingConfig config = config("2x16,1x8", "0.3-1,0.2-0.6");
    SwavWeights expected = weights(config);
    try (Trainer trainer = new Trainer(config, IMAGES, expected, new Nd4jEngine())) {
      trainer.run();
    }
    Own engine = new Own();
    SwavWeights weights = weights(config);
    try (Trainer trainer = new Trainer(config, IMAGES, weights, engine)) {
      trainer.run();
    }
    assertThat(engine.plans).as("network, and queue times prototypes").isEqualTo(2);
    assertThat(engine.asked).isEqualTo(Precision.FLOAT);
    weights
        .parameters()
        .forEach((name, w) -> assertThat(w).as(name).isEqualTo(expected.parameters().get(name)));
  }
}
