package org.swav4j.sinkhorn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Scale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class SwavCodesTest {

  /** The method's own words: exp, then columns to N/K and rows to 1 in turn, in double. */
  private static double[][] byDefinition(INDArray scores, double epsilon, int iterations) {
    double[][] p = scores.castTo(DataType.DOUBLE).toDoubleMatrix();
    int n = p.length;
    int k = p[0].length;
    double largest = scores.maxNumber().doubleValue();
    for (double[] row : p) {
      for (int j = 0; j < k; j++) {
        row[j] = Math.exp((row[j] - largest) / epsilon);
      }
    }
    for (int it = 0; it < iterations; it++) {
      for (int j = 0; j < k; j++) {
        double sum = 0;
        for (double[] row : p) {
          sum += row[j];
        }
        for (double[] row : p) {
          row[j] *= n / (sum * k);
        }
      }
      for (double[] row : p) {
        double sum = java.util.Arrays.stream(row).sum();
        for (int j = 0; j < k; j++) {
          row[j] /= sum;
        }
      }
    }
    return p;
  }

  @Property(tries = 60)
  void codesEqualTheDefinition(
      @ForAll @IntRange(min = 1, max = 70) int n,
      @ForAll @IntRange(min = 1, max = 70) int k,
      @ForAll @Scale(4) @DoubleRange(min = 0.03, max = 0.5) double epsilon,
      @ForAll @IntRange(min = 1, max = 12) int iterations,
      @ForAll Form form,
      @ForAll long seed) {
    INDArray scores = Problems.cosines(n, k, seed).muli(0.8);
    INDArray expected = Nd4j.createFromArray(byDefinition(scores, epsilon, iterations));
    SwavCodes solver = new SwavCodes(epsilon, iterations).withForm(form);
    assertThat(Problems.distance(codes(solver, scores), expected)).isLessThan(1e-12);
    assertThat(Problems.distance(codes(solver, scores.castTo(DataType.FLOAT)), expected))
        .isLessThan(1e-5);
  }

  @Property(tries = 30)
  void floatEqualsDoubleAtAnyRange(
      @ForAll @IntRange(min = 1, max = 40) int n,
      @ForAll @IntRange(min = 1, max = 40) int k,
      @ForAll @Scale(4) @DoubleRange(min = 0.1, max = 64) double scale,
      @ForAll @IntRange(min = 1, max = 40) int iterations,
      @ForAll long seed) {
    // Rounded to float first: both must see the same scores.
    INDArray scores = Problems.cosines(n, k, seed).muli(scale).castTo(DataType.FLOAT);
    SwavCodes solver = new SwavCodes(0.05, iterations);
    INDArray inFloat = codes(solver, scores);
    assertThat(Problems.distance(inFloat, codes(solver, scores.castTo(DataType.DOUBLE))))
        .isLessThan(2e-5);
    assertThat(Problems.distance(inFloat.sum(1), Nd4j.ones(n))).isLessThan(1e-5);
  }

  @Property(tries = 20)
  void aCommonOffsetChangesNothing(
      @ForAll @IntRange(min = 1, max = 40) int n,
      @ForAll @Scale(4) @DoubleRange(min = -1e6, max = 1e6) double offset,
      @ForAll long seed) {
    INDArray scores = Problems.cosines(n, 17, seed);
    SwavCodes solver = new SwavCodes(0.05, 3);
    assertThat(Problems.distance(codes(solver, scores.add(offset)), codes(solver, scores)))
        .isLessThan(1e-7);
  }

  @Test
  void constantScoresGiveUniformCodes() {
    for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
      INDArray codes =
          codes(new SwavCodes(0.05, 3), Nd4j.valueArrayOf(new long[] {9, 7}, 0.3, type));
      assertThat(Problems.distance(codes, Nd4j.valueArrayOf(new long[] {9, 7}, 1.0 / 7, type)))
          .isLessThan(1e-7);
    }
  }

  @Test
  void withAQueueInFrontTheCodesAreThoseOfTheLastRows() {
    for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
      INDArray scores = Problems.cosines(50, 21, 3).castTo(type);
      SwavCodes solver = new SwavCodes(0.05, 3);
      INDArray all = codes(solver, scores);
      INDArray last = Nd4j.create(type, 12, 21);
      solver.assign(scores, last);
      assertThat(Problems.distance(last, all.get(NDArrayIndex.interval(38, 50)))).isZero();
    }
  }

  @Test
  void viewsAreReadAndWrittenInPlace() {
    for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
      INDArray big = Problems.cosines(40, 30, 5).castTo(type);
      INDArray inside = big.get(NDArrayIndex.interval(7, 27), NDArrayIndex.interval(3, 22));
      INDArray rows = big.get(NDArrayIndex.interval(7, 27), NDArrayIndex.all());
      INDArray out = Nd4j.valueArrayOf(new long[] {40, 30}, 5.0, type);
      SwavCodes solver = new SwavCodes(0.05, 3);
      INDArray target = out.get(NDArrayIndex.interval(1, 21), NDArrayIndex.interval(2, 21));
      solver.assign(inside, target);
      assertThat(Problems.distance(target, codes(solver, inside.dup('c')))).isLessThan(1e-7);
      assertThat(out.getDouble(0, 2)).isEqualTo(5);
      assertThat(out.getDouble(1, 1)).isEqualTo(5);
      assertThat(out.getDouble(21, 2)).isEqualTo(5);
      INDArray band = out.get(NDArrayIndex.interval(20, 40), NDArrayIndex.all());
      solver.assign(rows, band);
      assertThat(Problems.distance(band, codes(solver, rows.dup('c')))).isLessThan(1e-7);
      assertThat(Problems.distance(codes(solver, rows.dup('f')), codes(solver, rows.dup('c'))))
          .isLessThan(1e-7);
      INDArray columnMajor = Nd4j.create(type, new long[] {20, 30}, 'f');
      solver.assign(rows, columnMajor);
      assertThat(Problems.distance(columnMajor, codes(solver, rows.dup('c')))).isLessThan(1e-7);
    }
  }

  @Test
  void scoresAreLeftAsTheyWere() {
    INDArray scores = Problems.cosines(20, 30, 5).castTo(DataType.FLOAT);
    INDArray before = scores.dup();
    codes(new SwavCodes(0.05, 3), scores);
    codes(new SwavCodes(0.001, 3), scores);
    assertThat(scores).isEqualTo(before);
  }

  @Property(tries = 20)
  void shardsTogetherGiveTheCodesOfTheWhole(
      @ForAll @IntRange(min = 1, max = 4) int shards,
      @ForAll @IntRange(min = 1, max = 20) int rowsPerShard,
      @ForAll @IntRange(min = 1, max = 40) int k,
      @ForAll @Scale(4) @DoubleRange(min = 0.002, max = 0.5) double epsilon,
      @ForAll boolean inFloat,
      @ForAll long seed)
      throws Exception {
    DataType type = inFloat ? DataType.FLOAT : DataType.DOUBLE;
    int n = shards * rowsPerShard;
    INDArray scores = Problems.cosines(n, k, seed).castTo(type);
    // One shard far from the others, so that they disagree on what is safe.
    scores.get(NDArrayIndex.interval(0, rowsPerShard)).muli(new Random(seed).nextInt(4));
    INDArray whole = codes(new SwavCodes(epsilon, 3), scores);
    List<Reduction> reductions = Reduction.shards(shards);
    List<Callable<INDArray>> tasks = new ArrayList<>();
    for (int i = 0; i < shards; i++) {
      INDArray part =
          scores.get(NDArrayIndex.interval(i * rowsPerShard, (i + 1) * rowsPerShard)).dup();
      SwavCodes solver = new SwavCodes(epsilon, 3).withReduction(reductions.get(i));
      tasks.add(() -> codes(solver, part));
    }
    INDArray together = Nd4j.vstack(Problems.together(tasks));
    assertThat(Problems.distance(together, whole)).isLessThan(inFloat ? 1e-5 : 1e-12);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, -0.05, Double.NaN, Double.POSITIVE_INFINITY})
  void refusesAnEpsilonThatIsNoPositiveNumber(double epsilon) {
    assertThatThrownBy(() -> new SwavCodes(epsilon, 3))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("epsilon is " + epsilon)
        .hasMessageContaining("0.05");
  }

  @Test
  void refusesToMakeNoIteration() {
    assertThatThrownBy(() -> new SwavCodes(0.05, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("iterations is 0");
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY})
  void namesTheFirstScoreThatIsNotFiniteAndTheLikelyCause(double bad) {
    for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
      for (Form form : Form.values()) {
        INDArray scores = Problems.cosines(20, 33, 1).castTo(type);
        scores.putScalar(17, 32, bad);
        scores.putScalar(18, 0, bad);
        assertThatThrownBy(() -> codes(new SwavCodes(0.05, 3).withForm(form), scores))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("scores[17, 32] is " + bad)
            .hasMessageContaining("2 of 660")
            .hasMessageContaining("L2-normalised");
      }
    }
  }

  @Test
  void refusesTheKernelFormWhereItWouldLoseAccuracy() {
    INDArray scores = Problems.cosines(20, 33, 1).castTo(DataType.FLOAT);
    assertThatThrownBy(() -> codes(new SwavCodes(0.005, 3).withForm(Form.KERNEL), scores))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("kernel form")
        .hasMessageContaining("AUTOMATIC");
  }

  @Test
  void refusesShapesAndTypesThatDoNotFit() {
    SwavCodes solver = new SwavCodes(0.05, 3);
    INDArray scores = Nd4j.zeros(DataType.FLOAT, 4, 3);
    assertThatThrownBy(() -> solver.assign(scores, Nd4j.zeros(DataType.FLOAT, 5, 3)))
        .hasMessageContaining("[5, 3]");
    assertThatThrownBy(() -> solver.assign(scores, Nd4j.zeros(DataType.FLOAT, 4, 2)))
        .hasMessageContaining("[4, 2]");
    assertThatThrownBy(() -> solver.assign(scores, Nd4j.zeros(DataType.DOUBLE, 4, 3)))
        .hasMessageContaining("DOUBLE");
    assertThatThrownBy(() -> solver.assign(Nd4j.zeros(DataType.FLOAT, 4), scores))
        .hasMessageContaining("[B, K]");
    assertThatThrownBy(() -> solver.assign(Nd4j.zeros(DataType.INT, 4, 3), scores))
        .hasMessageContaining("INT");
  }

  @Test
  void codesSpreadASkewedBatchOverThePrototypes() {
    // Every sample prefers prototype 0; the codes must not.
    INDArray scores = Problems.cosines(64, 8, 9).muli(0.2);
    scores.getColumn(0).addi(0.7);
    INDArray codes = codes(new SwavCodes(0.05, 50), scores);
    assertThat(Problems.distance(codes.sum(0), Nd4j.valueArrayOf(new long[] {8}, 8.0)))
        .isLessThan(0.05);
    // Scores alone would send every sample to the same prototype.
    assertThat(scores.argMax(1).maxNumber().intValue()).isZero();
  }

  /** The method's own words: each row's exp divided by its sum, in double. */
  private static double[][] softmax(INDArray scores, double epsilon) {
    double[][] p = scores.castTo(DataType.DOUBLE).toDoubleMatrix();
    for (double[] row : p) {
      double largest = java.util.Arrays.stream(row).max().orElseThrow();
      double sum = java.util.Arrays.stream(row).map(s -> Math.exp((s - largest) / epsilon)).sum();
      for (int j = 0; j < row.length; j++) {
        row[j] = Math.exp((row[j] - largest) / epsilon) / sum;
      }
    }
    return p;
  }

  @Property(tries = 40)
  void unbalancedCodesAreTheSoftmaxOfTheLastRowsWhateverIsInFrontAndHoweverTheyLie(
      @ForAll @IntRange(min = 1, max = 40) int b,
      @ForAll @IntRange(min = 0, max = 20) int queue,
      @ForAll @IntRange(min = 1, max = 70) int k,
      @ForAll @Scale(5) @DoubleRange(min = 1e-5, max = 10) double epsilon,
      @ForAll long seed) {
    for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
      double tolerance = type == DataType.FLOAT ? 1e-6 : 1e-13;
      INDArray scores = Problems.cosines(queue + b, k, seed).castTo(type);
      INDArray own = scores.get(NDArrayIndex.interval(queue, queue + b));
      INDArray expected = Nd4j.createFromArray(softmax(own.dup(), epsilon));
      if (queue > 0) {
        scores.get(NDArrayIndex.interval(0, queue)).muli(1e6);
      }
      SwavCodes solver = new SwavCodes(epsilon, 3);
      for (SwavCodes by : List.of(solver, solver.withOperations())) {
        INDArray codes = Nd4j.create(type, b, k);
        by.assignUnbalanced(scores, codes);
        assertThat(Problems.distance(codes, expected)).isLessThan(tolerance);
        INDArray scattered = Nd4j.create(type, new long[] {b, k}, 'f');
        by.assignUnbalanced(scores.dup('f'), scattered);
        assertThat(Problems.distance(scattered, expected)).isLessThan(tolerance);
      }
    }
  }

  @Test
  void unbalancedCodesOfScoresAsLargeAsTheyGetAreExact() {
    INDArray huge =
        Nd4j.createFromArray(
            new float[][] {{3e38f, -3e38f, 3e38f}, {-3e38f, -3e38f, -3e38f}, {0, 1e-30f, 0}});
    INDArray expected =
        Nd4j.createFromArray(new float[][] {{.5f, 0, .5f}, {1 / 3f, 1 / 3f, 1 / 3f}, {0, 1, 0}});
    for (SwavCodes by :
        List.of(new SwavCodes(1e-33, 3), new SwavCodes(1e-33, 3).withOperations())) {
      INDArray codes = Nd4j.create(DataType.FLOAT, 3, 3);
      by.assignUnbalanced(huge, codes);
      assertThat(Problems.distance(codes, expected)).isLessThan(1e-7);
    }
  }

  /** One that refused alone would leave the others waiting for its gradients. */
  @Test
  void shardsRefuseUnbalancedCodesOfScoresThatAreNotFiniteTogether() throws Exception {
    List<Reduction> reductions = Reduction.shards(2);
    List<Callable<String>> tasks = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      INDArray scores = Problems.cosines(5, 4, i).castTo(DataType.FLOAT);
      scores.putScalar(3, 1, i == 0 ? 0.5 : Double.NaN);
      SwavCodes solver = new SwavCodes(0.05, 3).withReduction(reductions.get(i));
      tasks.add(
          () ->
              catchThrowable(
                      () -> solver.assignUnbalanced(scores, Nd4j.create(DataType.FLOAT, 5, 4)))
                  .getMessage());
    }
    List<String> messages = Problems.together(tasks);
    assertThat(messages.get(0)).contains("a score of another shard");
    assertThat(messages.get(1)).contains("scores[3, 1] is NaN");
  }

  private static INDArray codes(SwavCodes solver, INDArray scores) {
    INDArray codes = Nd4j.create(scores.dataType(), scores.shape());
    solver.assign(scores, codes);
    return codes;
  }
}
