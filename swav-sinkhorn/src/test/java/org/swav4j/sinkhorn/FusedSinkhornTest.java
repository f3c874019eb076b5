package org.swav4j.sinkhorn;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
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
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The fused kernels against the ND4J operations, and what only they promise. */
class FusedSinkhornTest {

  @Property(tries = 60)
  void bothKernelsEqualTheOperations(
      @ForAll @IntRange(min = 1, max = 300) int n,
      @ForAll @IntRange(min = 1, max = 300) int k,
      @ForAll @Scale(4) @DoubleRange(min = 0.0005, max = 0.5) double epsilon,
      @ForAll @IntRange(min = 1, max = 10) int iterations,
      @ForAll long seed) {
    INDArray scores = Problems.cosines(n, k, seed).castTo(DataType.FLOAT);
    INDArray expected = Nd4j.create(DataType.DOUBLE, n, k);
    new SwavCodes(epsilon, iterations)
        .withOperations()
        .assign(scores.castTo(DataType.DOUBLE), expected);
    for (Form form : List.of(Form.AUTOMATIC, Form.LOG_DOMAIN)) {
      for (FloatKernels kernels : List.of(new PlainKernels(), new VectorKernels())) {
        INDArray codes = codes(kernels, 2, scores, epsilon, iterations, form);
        assertThat(Problems.distance(codes, expected)).isLessThan(2e-5);
      }
    }
  }

  @Property(tries = 40)
  void fusedSolversEqualTheOperationsWithAnyMarginals(
      @ForAll @IntRange(min = 1, max = 30) int n,
      @ForAll @IntRange(min = 1, max = 30) int k,
      @ForAll @Scale(4) @DoubleRange(min = 0.001, max = 0.5) double epsilon,
      @ForAll @IntRange(min = 1, max = 30) int iterations,
      @ForAll long seed) {
    Random random = new Random(seed);
    INDArray scores = Problems.cosines(n, k, seed).castTo(DataType.FLOAT);
    double[] a = Problems.masses(n, random);
    double[] b = Problems.masses(k, random);
    SinkhornSolver exact = new SinkhornSolver(iterations).withForm(Form.LOG_DOMAIN);
    INDArray expected =
        exact
            .withOperations()
            .solve(
                OptimalTransportProblem.ofScores(scores.castTo(DataType.DOUBLE), epsilon)
                    .withMarginals(a, b))
            .plan();
    SinkhornSolver solver = new SinkhornSolver(iterations);
    for (Form form : List.of(Form.AUTOMATIC, Form.LOG_DOMAIN)) {
      for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
        INDArray plan =
            solver
                .withForm(form)
                .solve(
                    OptimalTransportProblem.ofScores(scores.castTo(type), epsilon)
                        .withMarginals(a, b))
                .plan();
        assertThat(Problems.distance(plan, expected))
            .isLessThan(type == DataType.FLOAT ? 2e-5 : 1e-11);
      }
    }
  }

  /** Potentials that move hundreds of epsilons from iteration to iteration, gauges with them. */
  @Test
  void aHardAssignmentIsReachedThroughManyAbsorptions() {
    Random random = new Random(3);
    int n = 24;
    int[] order = Problems.permutation(n, random);
    INDArray scores = Nd4j.create(DataType.FLOAT, n, n);
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < n; k++) {
        // Rows and columns of very unequal appeal, and a match that only the sums reveal.
        float s =
            (float) (2 * i + 1.5 * order[k] + (k == order[i] ? 0.7 : 0.7 * random.nextFloat()));
        scores.putScalar(i, k, s);
      }
    }
    for (int iterations : new int[] {1, 2, 3, 10, 300}) {
      INDArray exact = Nd4j.create(DataType.DOUBLE, n, n);
      new SwavCodes(0.01, iterations)
          .withOperations()
          .assign(scores.castTo(DataType.DOUBLE), exact);
      for (FloatKernels kernels : List.of(new PlainKernels(), new VectorKernels())) {
        INDArray codes = codes(kernels, 1, scores, 0.01, iterations, Form.AUTOMATIC);
        assertThat(Problems.distance(codes, exact)).isLessThan(2e-4);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void codesOfALargeBatchDoNotDependOnTheNumberOfThreads(Form form) {
    for (int[] shape : new int[][] {{300, 700}, {2900, 3000}}) {
      INDArray scores = Problems.cosines(shape[0], shape[1], 11).muli(0.9).castTo(DataType.FLOAT);
      INDArray alone = codes(new VectorKernels(), 1, scores, 0.05, 3, form);
      for (int threads : new int[] {2, 3, 8}) {
        assertThat(codes(new VectorKernels(), threads, scores, 0.05, 3, form)).isEqualTo(alone);
      }
    }
  }

  /** Beyond the size whose exponentials are kept. */
  @ParameterizedTest
  @EnumSource(Form.class)
  void aLargeBatchEqualsTheOperations(Form form) {
    INDArray scores = Problems.cosines(2900, 3000, 12).muli(0.9).castTo(DataType.FLOAT);
    INDArray expected = Nd4j.create(DataType.FLOAT, scores.shape());
    new SwavCodes(0.05, 3).withOperations().assign(scores, expected);
    for (FloatKernels kernels : List.of(new PlainKernels(), new VectorKernels())) {
      INDArray codes = codes(kernels, 2, scores, 0.05, 3, form);
      assertThat(Problems.distance(codes, expected)).isLessThan(1e-5);
    }
  }

  @Test
  void anEpsilonThatFloatsCannotFollowIsSolvedInDouble() {
    INDArray scores = Problems.cosines(12, 9, 2).castTo(DataType.FLOAT);
    for (double epsilon : new double[] {1e-5, 1e-7, 1e-12, 1e-36, 1e-60}) {
      INDArray inFloat = Nd4j.create(DataType.FLOAT, 12, 9);
      new SwavCodes(epsilon, 3).assign(scores, inFloat);
      INDArray exact = Nd4j.create(DataType.DOUBLE, 12, 9);
      new SwavCodes(epsilon, 3).assign(scores.castTo(DataType.DOUBLE), exact);
      assertThat(Problems.distance(inFloat, exact)).as("epsilon %s", epsilon).isLessThan(2e-5);
      assertThat(Problems.distance(inFloat.sum(1), Nd4j.ones(12))).isLessThan(1e-6);
    }
  }

  @Test
  void massesFarApartAreMetToTheirOwnDigits() {
    INDArray scores = Problems.cosines(5, 4, 6).castTo(DataType.FLOAT);
    double[] a = {1e-30, 0.5, 0.25, 0.25, 1e-12};
    double[] b = {0.4, 0.6, 1e-25, 1e-9};
    for (double epsilon : new double[] {0.05, 0.003}) {
      TransportPlan plan =
          new SinkhornSolver(50)
              .solve(OptimalTransportProblem.ofScores(scores, epsilon).withMarginals(a, b));
      TransportPlan exact =
          new SinkhornSolver(50)
              .solve(
                  OptimalTransportProblem.ofScores(scores.castTo(DataType.DOUBLE), epsilon)
                      .withMarginals(a, b));
      for (int i = 0; i < a.length; i++) {
        double sum = plan.plan().getRow(i).castTo(DataType.DOUBLE).sumNumber().doubleValue();
        assertThat(sum / a[i]).isBetween(0.9999, 1.0001);
        assertThat(plan.f().getDouble(i))
            .isBetween(exact.f().getDouble(i) - 1e-5, exact.f().getDouble(i) + 1e-5);
      }
    }
  }

  @Test
  void solversOfSeveralThreadsShareThePool() throws Exception {
    List<Callable<INDArray>> tasks = new ArrayList<>();
    List<INDArray> expected = new ArrayList<>();
    for (int t = 0; t < 4; t++) {
      INDArray scores = Problems.cosines(200 + 16 * t, 500, t).castTo(DataType.FLOAT);
      expected.add(codes(new VectorKernels(), 1, scores, 0.05, 3, Form.AUTOMATIC));
      tasks.add(
          () -> {
            INDArray codes = null;
            SwavCodes solver = new SwavCodes(0.05, 3).withThreads(3);
            for (int i = 0; i < 50; i++) {
              codes = Nd4j.create(DataType.FLOAT, scores.shape());
              solver.assign(scores, codes);
            }
            return codes;
          });
    }
    assertThat(Problems.together(tasks)).isEqualTo(expected);
  }

  /** The codes of a solver, in the way that is measured. */
  private interface Assigns {
    void assign(SwavCodes solver, INDArray scores, INDArray codes);
  }

  @Test
  void nothingIsAllocatedAfterTheFirstCall() {
    for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
      for (Form form : Form.values()) {
        assertAllocatesNothing(type, form, SwavCodes::assign);
      }
      assertAllocatesNothing(type, Form.AUTOMATIC, SwavCodes::assignUnbalanced);
    }
  }

  private static void assertAllocatesNothing(DataType type, Form form, Assigns by) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    INDArray scores = Problems.cosines(96, 480, 4).muli(0.9).castTo(type);
    INDArray codes = Nd4j.create(type, 64, 480);
    INDArray otherCodes = Nd4j.create(type, 64, 480);
    SwavCodes solver = new SwavCodes(0.05, 3).withForm(form).withThreads(2);
    // Vectors are objects until HotSpot has compiled the loops: give it the calls it needs.
    long perCall = Long.MAX_VALUE;
    for (int attempt = 0; attempt < 200 && perCall >= 1000; attempt++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 50; i++) {
        by.assign(solver, scores, i % 2 == 0 ? codes : otherCodes);
      }
      perCall = (threads.getCurrentThreadAllocatedBytes() - before) / 50;
    }
    // The array accessors of ND4J make a few small objects; a row would be 1920 bytes.
    assertThat(perCall).as("%s %s", type, form).isLessThan(1000);
  }

  @Test
  void anInstanceFollowsChangingShapes() {
    SwavCodes solver = new SwavCodes(0.05, 3);
    for (int[] shape : new int[][] {{5, 40}, {64, 30}, {5, 40}, {200, 17}, {64, 31}}) {
      INDArray scores = Problems.cosines(shape[0], shape[1], 8).castTo(DataType.FLOAT);
      INDArray codes = Nd4j.create(DataType.FLOAT, scores.shape());
      solver.assign(scores, codes);
      assertThat(codes).isEqualTo(codes(new VectorKernels(), 1, scores, 0.05, 3, Form.AUTOMATIC));
    }
  }

  private static INDArray codes(
      FloatKernels kernels,
      int threads,
      INDArray scores,
      double epsilon,
      int iterations,
      Form form) {
    INDArray codes = Nd4j.create(DataType.FLOAT, scores.shape());
    HostMatrix from = new HostMatrix();
    from.wrap(scores);
    HostMatrix to = new HostMatrix();
    to.wrap(codes);
    double[] b = new double[scores.columns()];
    Arrays.fill(b, (double) scores.rows() / b.length);
    FloatSinkhorn.Outcome outcome =
        new FloatSinkhorn(kernels, threads)
            .run(
                from,
                null,
                b,
                epsilon,
                new Iterations(iterations, Double.NaN),
                form,
                Reduction.whole(),
                to);
    assertThat(outcome).isEqualTo(FloatSinkhorn.Outcome.DONE);
    return codes;
  }
}
