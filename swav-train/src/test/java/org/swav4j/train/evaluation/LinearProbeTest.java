package org.swav4j.train.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
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
  void learnsTheLabelsOfTheTrainingSetAndLooksAtNoOthers() {
    FeatureSet train = separable(1, 1000);
    FeatureSet test = separable(2, 400);
    FeatureSet renamed = renamed(train);
    assertThat(PROBE.evaluate(renamed, renamed(test)).top1()).isEqualTo(1);
    assertThat(PROBE.evaluate(renamed, test).top1()).isZero();
  }

  /** Every class under the name of the next. */
  private static FeatureSet renamed(FeatureSet set) {
    return new FeatureSet(
        set.features(), Arrays.stream(set.labels()).map(c -> (c + 1) % 5).toArray());
  }

  @Test
  void reachesTheAccuracyOfTheBestRuleOnClassesThatOverlap() {
    // Two normal classes two deviations apart: no rule beats the plane between them, Phi(1).
    assertThat(new LinearProbe().withEpochs(5).evaluate(normal(1), normal(2)).top1())
        .as("20000 images: 4 standard errors, and half a per cent for the fit")
        .isCloseTo(0.8413, within(0.015));
  }

  private static FeatureSet normal(long seed) {
    Random random = new Random(seed);
    float[][] rows = new float[20_000][3];
    int[] labels = new int[rows.length];
    for (int i = 0; i < rows.length; i++) {
      labels[i] = i & 1;
      for (int d = 0; d < 3; d++) {
        rows[i][d] = (float) (random.nextGaussian() + (d == 1 ? 2 * labels[i] : 0));
      }
    }
    return new FeatureSet(Nd4j.createFromArray(rows), labels);
  }

  @Test
  void aRateAtWhichTheClassifierDivergesIsNamed() {
    assertThatThrownBy(
            () -> PROBE.withLearningRate(1e30).evaluate(separable(1, 300), separable(2, 300)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("diverged at a learning rate of 1.0E30");
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
  void theSearchTakesTheRateThatDoesBestOnHeldOutImagesAndLearnsFromTheViews() {
    FeatureSet train = separable(1, 400);
    FeatureSet test = separable(2, 200);
    int[] images = IntStream.range(0, 400).toArray();
    IndexedFeatures centre = new IndexedFeatures(train, images);
    LinearProbe probe = new LinearProbe().withEpochs(10);
    LinearProbe.Found found =
        probe.search(List.of(centre, centre), centre, test, List.of(1e-9, 2.0, 1e30));
    assertThat(found.learningRate()).isEqualTo(2);
    assertThat(found.heldOutTop1()).isEqualTo(1);
    assertThat(found.result().top1()).isEqualTo(1);
    // Views whose labels are those of the next class: what is learned is theirs.
    IndexedFeatures other = new IndexedFeatures(renamed(train), images);
    assertThat(probe.search(List.of(other), centre, test, List.of(2.0)).result().top1()).isZero();
    assertThatThrownBy(() -> probe.search(List.of(centre), centre, test, List.of(1e30)))
        .hasMessageContaining("diverged at every learning rate of [1.0E30]");
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
