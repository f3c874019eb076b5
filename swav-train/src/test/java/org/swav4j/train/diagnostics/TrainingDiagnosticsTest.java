package org.swav4j.train.diagnostics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.INDArrayIndex;
import org.nd4j.linalg.indexing.NDArrayIndex;

class TrainingDiagnosticsTest {
  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {"FLOAT", "DOUBLE"})
  void numbersEqualThoseByHand(DataType type) {
    TrainingDiagnostics diagnostics = new TrainingDiagnostics(4, 2);
    INDArray codes =
        Nd4j.createFromArray(new double[][] {{0.5, 0.5, 0, 0}, {0, 0, 1, 0}}).castTo(type);
    INDArray scores =
        Nd4j.createFromArray(
                new double[][] {{0.1, 0.9, 0, 0}, {0, 0.8, -1, 0}, {9, 0, 0, 0}, {9, 0, 0, 0}})
            .castTo(type);
    INDArray z = Nd4j.createFromArray(new double[][] {{1, 0}, {0, 1}, {9, 9}, {9, 9}}).castTo(type);
    diagnostics.inspect(2, scores, codes, z);
    diagnostics.inspect(1, scores, codes, z);

    INDArray prototypes =
        Nd4j.createFromArray(new double[][] {{3, 0}, {0, 1}, {0.5, 0}, {-1, 0}}).castTo(type);
    INDArray before = prototypes.dup();
    EpochDiagnostics epoch = diagnostics.finishEpoch(prototypes);
    assertThat(prototypes).isEqualTo(before);
    assertThat(epoch.codeEntropy()).isCloseTo(Math.log(2) / 2, within(1e-7));
    assertThat(epoch.divergence()).isCloseTo(1.5 - Math.log(2) / 2, within(1e-7));
    assertThat(epoch.used()).isEqualTo(0.25);
    assertThat(epoch.largest()).isEqualTo(1);
    assertThat(epoch.spread()).isCloseTo(0.5 * Math.sqrt(2), within(1e-12));
    assertThat(epoch.distinct()).as("whatever their lengths").isEqualTo(0.75);

    double nan = Double.NaN;
    assertThat(diagnostics.finishEpoch(prototypes))
        .as("nothing inspected since")
        .isEqualTo(new EpochDiagnostics(nan, nan, nan, nan, nan, 0.75));
  }

  @Test
  void numbersOfSeveralHeadsAreTheMeansOfTheirs() {
    Nd4j.getRandom().setSeed(3);
    INDArray scores = Nd4j.randn(DataType.DOUBLE, 6, 8);
    INDArray codes = Nd4j.rand(DataType.DOUBLE, 6, 8);
    INDArray z = Nd4j.randn(DataType.DOUBLE, 6, 5);
    INDArray prototypes = Nd4j.randn(DataType.DOUBLE, 8, 5);
    TrainingDiagnostics both = new TrainingDiagnostics(2, 4, 5);
    both.inspect(1, scores, codes, z);
    EpochDiagnostics actual = both.finishEpoch(prototypes);
    double[] mean = new double[4];
    for (int head = 0; head < 2; head++) {
      INDArrayIndex columns = NDArrayIndex.interval(head * 4, head * 4 + 4);
      TrainingDiagnostics one = new TrainingDiagnostics(4, 5);
      one.inspect(
          1,
          scores.get(NDArrayIndex.all(), columns).dup('c'),
          codes.get(NDArrayIndex.all(), columns).dup('c'),
          z);
      EpochDiagnostics of = one.finishEpoch(prototypes.get(columns));
      mean[0] += of.codeEntropy() / 2;
      mean[1] += of.divergence() / 2;
      mean[2] += of.used() / 2;
      mean[3] = Math.max(mean[3], of.largest());
    }
    assertThat(actual.codeEntropy()).isCloseTo(mean[0], within(1e-6));
    assertThat(actual.divergence()).isCloseTo(mean[1], within(1e-6));
    assertThat(actual.used()).isEqualTo(mean[2]);
    assertThat(actual.largest()).as("the largest share in any head").isEqualTo(mean[3]);
  }

  @Test
  void copiesAreFoundAcrossBlocks() {
    INDArray prototypes = Nd4j.randn(DataType.FLOAT, 2100, 16);
    TrainingDiagnostics diagnostics = new TrainingDiagnostics(2100, 16);
    assertThat(diagnostics.finishEpoch(prototypes).distinct()).isEqualTo(1);
    prototypes.getRow(2050).assign(prototypes.getRow(3).mul(2));
    prototypes.getRow(2051).assign(prototypes.getRow(3));
    prototypes.getRow(1030).assign(prototypes.getRow(1029));
    assertThat(diagnostics.finishEpoch(prototypes).distinct()).isEqualTo(2097 / 2100.0);
  }

  @Test
  void evenlySpreadEmbeddingsHaveSpreadOne() {
    INDArray z = Nd4j.randn(DataType.FLOAT, 4000, 32);
    z.diviColumnVector(z.norm2(1));
    INDArray scores = Nd4j.rand(DataType.FLOAT, 4000, 3);
    TrainingDiagnostics diagnostics = new TrainingDiagnostics(3, 32);
    diagnostics.inspect(1, scores, scores, z);
    assertThat(diagnostics.finishEpoch(Nd4j.eye(32).castTo(DataType.FLOAT)).spread())
        .isCloseTo(1, within(0.02));
  }

  @Test
  void refusesOtherShapes() {
    INDArray scores = Nd4j.ones(DataType.FLOAT, 4, 3);
    assertThatThrownBy(
            () ->
                new TrainingDiagnostics(5, 2)
                    .inspect(1, scores, scores, Nd4j.ones(DataType.FLOAT, 4, 2)))
        .hasMessageContaining("[4, 3]")
        .hasMessageContaining("of 5");
  }
}
