package org.swav4j.train.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class LinearProbeTest {
  private static final LinearProbe PROBE = new LinearProbe().withEpochs(30);

  /** Classes are the corners of a simplex with noise that cannot reach across; odd offsets. */
  private static FeatureSet separable(long seed, int n) {
    Random random = new Random(seed);
    float[][] rows = new float[n][8];
    int[] labels = new int[n];
    for (int i = 0; i < n; i++) {
      labels[i] = random.nextInt(5);
      for (int d = 0; d < 8; d++) {
        double value = (d == labels[i] ? 1 : 0) + 0.2 * (random.nextDouble() - 0.5);
        rows[i][d] = (float) (100 + (d + 1) * value); // scales and offsets that differ by column
      }
      rows[i][7] = 3; // and one that says nothing
    }
    return new FeatureSet(Nd4j.createFromArray(rows), labels);
  }

  @Test
  void reachesFullAccuracyOnSeparableClasses() {
    LinearProbe.Result result = PROBE.evaluate(separable(1, 1000), separable(2, 400));
    assertThat(result.top1()).isEqualTo(1);
    assertThat(result.trainTop1()).isEqualTo(1);
  }

  @Test
  void staysNearChanceOnLabelsThatHaveNothingToDoWithTheFeatures() {
    FeatureSet train = separable(1, 1000);
    FeatureSet test = separable(2, 1000);
    Random random = new Random(3);
    int[] shuffled = random.ints(1000, 0, 5).toArray();
    assertThat(PROBE.evaluate(new FeatureSet(train.features(), shuffled), test).top1())
        .isLessThan(0.45);
  }

  @Test
  void theSameSeedGivesTheSameFigureAndLeavesTheFeaturesAlone() {
    FeatureSet train = separable(1, 300);
    INDArray before = train.features().dup();
    FeatureSet test = separable(2, 300);
    LinearProbe shortProbe = new LinearProbe().withEpochs(1).withLearningRate(0.05);
    assertThat(shortProbe.evaluate(train, test)).isEqualTo(shortProbe.evaluate(train, test));
    assertThat(train.features()).isEqualTo(before);
  }

  @Test
  void refusesSetsWithoutAnAnswer() {
    FeatureSet train = separable(1, 20);
    assertThatThrownBy(() -> new LinearProbe().withEpochs(0)).hasMessageContaining("0 epochs");
    int[] unlabelled = train.labels().clone();
    unlabelled[3] = -1;
    assertThatThrownBy(() -> PROBE.evaluate(new FeatureSet(train.features(), unlabelled), train))
        .hasMessageContaining("training image 3 has no label");
    INDArray infinite = train.features().dup();
    infinite.putScalar(2, 1, Float.POSITIVE_INFINITY);
    assertThatThrownBy(() -> PROBE.evaluate(new FeatureSet(infinite, train.labels()), train))
        .hasMessageContaining("column 1");
  }
}
