package org.swav4j.train.method;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.sinkhorn.Reduction;
import org.swav4j.sinkhorn.SwavCodes;
import org.swav4j.train.optimiser.PrototypeNormaliser;

/** Which codes depend on the other images, in the batch and in the queue. */
class CodeKindTest {
  private static final int BATCH = 4;
  private static final int QUEUE = 8;
  private static final int K = 7;
  private static final double EPSILON = 0.05;

  private static INDArray unitRows(int rows) {
    INDArray all = Nd4j.randn(DataType.DOUBLE, rows, 6);
    new PrototypeNormaliser().normalise(all);
    return all;
  }

  /** The codes of a batch once the queue is full of other images, and how many took part. */
  private static int assign(CodeKind kind, INDArray z, INDArray prototypes, INDArray codes) {
    INDArray scores = z.mmul(prototypes.transpose());
    try (CodeAssigner assigner =
        new CodeAssigner(new SwavCodes(EPSILON, 3), Reduction.whole(), kind)) {
      assigner.use(new EmbeddingQueue(1, QUEUE, BATCH, 6, DataType.DOUBLE, new Nd4jEngine()));
      for (int step = 0; step < QUEUE / BATCH; step++) {
        assertThat(assigner.assign(0, scores, unitRows(BATCH), prototypes, codes)).isZero();
      }
      return assigner.assign(0, scores, z, prototypes, codes);
    }
  }

  @ParameterizedTest
  @EnumSource(CodeKind.class)
  void unbalancedCodesAreTheSoftmaxOfAnImagesScoresAndTheQueueTakesPartInAllOthers(CodeKind kind) {
    Nd4j.getRandom().setSeed(7);
    INDArray z = unitRows(BATCH);
    INDArray prototypes = unitRows(K);
    INDArray codes = Nd4j.create(DataType.DOUBLE, BATCH, K);
    assertThat(assign(kind, z, prototypes, codes)).isEqualTo(kind.balanced() ? QUEUE : 0);
    INDArray exp = Transforms.exp(z.mmul(prototypes.transpose()).div(EPSILON));
    double distance = codes.sub(exp.div(exp.sum(true, 1))).amaxNumber().doubleValue();
    if (kind == CodeKind.UNBALANCED) {
      assertThat(distance).isLessThan(1e-12);
    } else {
      assertThat(distance).isGreaterThan(0.01);
    }
  }
}
