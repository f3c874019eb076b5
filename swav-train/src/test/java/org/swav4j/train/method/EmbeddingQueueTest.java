package org.swav4j.train.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Engines;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.sinkhorn.SwavCodes;
import org.swav4j.testing.Golden;
import org.swav4j.train.optimiser.PrototypeNormaliser;

class EmbeddingQueueTest {
  private static final JsonObject SEQUENCE =
      Golden.file("swav_loss").getAsJsonObject("queue_sequence");

  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {"FLOAT", "DOUBLE"})
  void codesAndContentsEqualTheRecordedSequence(DataType type) {
    double tolerance = type == DataType.DOUBLE ? 1e-9 : 2e-5;
    JsonObject meta = SEQUENCE.has("meta") ? SEQUENCE.getAsJsonObject("meta") : SEQUENCE;
    SwavCodes sinkhorn =
        new SwavCodes(
            meta.get("epsilon").getAsDouble(), meta.get("sinkhorn_iterations").getAsInt());
    PrototypeNormaliser normaliser = new PrototypeNormaliser();
    EmbeddingQueue queue = null;
    for (JsonElement element : SEQUENCE.getAsJsonArray("steps")) {
      JsonObject step = element.getAsJsonObject();
      INDArray prototypes = Golden.array(step.get("prototypes_raw"), type);
      normaliser.normalise(prototypes);
      boolean used = step.get("queue_used").getAsBoolean();
      for (int i = 0; i < 2; i++) {
        INDArray z = Golden.array(step.getAsJsonArray("features_raw").get(i), type);
        normaliser.normalise(z);
        if (queue == null) {
          queue = queue(2, meta.get("queue_length").getAsInt(), z.rows(), z.columns(), type);
        }
        INDArray batchScores = z.mmul(prototypes.transpose()).dup('c');
        assertThat(queue.full(i)).isEqualTo(used);
        INDArray scores = used ? queue.scores(i, batchScores, prototypes) : batchScores;
        queue.push(i, z);
        INDArray codes = Nd4j.create(type, z.rows(), prototypes.rows());
        sinkhorn.assign(scores, codes);
        near(codes, Golden.array(step.getAsJsonArray("codes_f64").get(i), type), tolerance);
        near(
            queue.contents(i),
            Golden.array(step.getAsJsonArray("queue_after_f64").get(i), type),
            tolerance);
      }
    }
  }

  private static EmbeddingQueue queue(
      int assigning, int length, int batch, int dim, DataType type) {
    Engine engine = type == DataType.DOUBLE ? new Nd4jEngine() : Engines.best();
    return new EmbeddingQueue(assigning, length, batch, dim, type, engine);
  }

  private static void near(INDArray actual, INDArray expected, double tolerance) {
    assertThat(actual.shape()).isEqualTo(expected.shape());
    assertThat(actual.sub(expected).amaxNumber().doubleValue()).isLessThan(tolerance);
  }

  @Test
  void holdsTheLastBatchesNewestFirstAndScoresThemWithTheCurrentPrototypes() {
    EmbeddingQueue queue = queue(1, 7, 2, 3, DataType.FLOAT);
    assertThat(queue.length()).isEqualTo(6);
    List<INDArray> batches = new ArrayList<>();
    for (int t = 0; t < 8; t++) {
      INDArray batch = Nd4j.rand(DataType.FLOAT, 2, 3);
      batches.add(0, batch);
      assertThat(queue.full(0)).isEqualTo(t >= 3);
      queue.push(0, batch);
    }
    INDArray newestFirst = Nd4j.concat(0, batches.subList(0, 3).toArray(INDArray[]::new));
    assertThat(queue.contents(0)).isEqualTo(newestFirst);

    INDArray batchScores = Nd4j.rand(DataType.FLOAT, 2, 5);
    for (INDArray c : List.of(Nd4j.rand(DataType.FLOAT, 5, 3), Nd4j.rand(DataType.FLOAT, 5, 3))) {
      c.muli(2); // in place, after the buffers were made for it
      queue.scores(0, batchScores, c);
      c.muli(0.25);
      INDArray stacked = queue.scores(0, batchScores, c);
      assertThat(stacked.get(NDArrayIndex.interval(6, 8))).isEqualTo(batchScores);
      INDArray queued = stacked.get(NDArrayIndex.interval(0, 6));
      INDArray all = newestFirst.mmul(c.transpose());
      // The order of the rows does not matter to the codes and is left open: compare the sums.
      near(queued.sum(0), all.sum(0), 1e-5);
      near(queued.mul(queued).sum(0), all.mul(all).sum(0), 1e-5);
    }
  }

  @Test
  void aRestoredQueueContinuesAsIfNeverInterrupted() {
    EmbeddingQueue one = queue(2, 6, 2, 3, DataType.DOUBLE);
    for (int t = 0; t < 4; t++) {
      one.push(0, Nd4j.rand(DataType.DOUBLE, 2, 3));
    }
    one.push(1, Nd4j.rand(DataType.DOUBLE, 2, 3));
    EmbeddingQueue two = queue(2, 6, 2, 3, DataType.DOUBLE);
    two.restore(one.state());
    for (int i = 0; i < 2; i++) {
      INDArray next = Nd4j.rand(DataType.DOUBLE, 2, 3);
      one.push(i, next);
      two.push(i, next);
      assertThat(two.contents(i)).isEqualTo(one.contents(i));
      assertThat(two.full(i)).isEqualTo(one.full(i));
    }
    EmbeddingQueue other = queue(2, 8, 2, 3, DataType.DOUBLE);
    assertThatThrownBy(() -> other.restore(one.state()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("DOUBLE[6, 3], expected DOUBLE[8, 3]");
  }

  @Test
  void cropsInTurnAllocateNothing() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    INDArray prototypes = Nd4j.rand(DataType.FLOAT, 5, 3);
    INDArray[] z = {Nd4j.rand(DataType.FLOAT, 2, 3), Nd4j.rand(DataType.FLOAT, 2, 3)};
    INDArray[] batchScores = {Nd4j.rand(DataType.FLOAT, 2, 5), Nd4j.rand(DataType.FLOAT, 2, 5)};
    long perStep = Long.MAX_VALUE;
    try (EmbeddingQueue queue = queue(2, 4, 2, 3, DataType.FLOAT)) {
      queue.push(0, z[0]);
      queue.push(1, z[1]);
      // Until the compiler has been there, which finds out what need not be an object.
      for (int round = 0; round < 100 && perStep > 8; round++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int step = 0; step < 200; step++) {
          for (int i = 0; i < 2; i++) {
            queue.push(i, z[i]);
            queue.scores(i, batchScores[i], prototypes);
          }
        }
        perStep = (threads.getCurrentThreadAllocatedBytes() - before) / 200;
      }
    }
    assertThat(perStep).as("bytes per step").isLessThanOrEqualTo(8);
  }

  @Test
  void refusesWhatDoesNotFit() {
    assertThatThrownBy(() -> queue(2, 100, 256, 8, DataType.FLOAT))
        .hasMessageContaining("100 rows holds no batch of 256");
    EmbeddingQueue queue = queue(1, 4, 2, 3, DataType.FLOAT);
    INDArray z = Nd4j.ones(DataType.FLOAT, 2, 3);
    assertThatThrownBy(() -> queue.scores(0, z, z))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("0 of the 2 batches");
    assertThatThrownBy(() -> queue.push(0, Nd4j.ones(DataType.FLOAT, 3, 3)))
        .hasMessageContaining("FLOAT[3, 3], expected FLOAT[2, 3]");
  }
}
