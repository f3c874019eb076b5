package org.swav4j.sinkhorn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** The graph's operations against the solver, finite differences and a Java without this module. */
class SDSinkhornTest {
  private final double[] rows = Problems.masses(6, new Random(1));
  private final double[] columns = Problems.masses(5, new Random(2));

  @ParameterizedTest
  @EnumSource(Form.class)
  void codesEqualTheSolvers(Form form) {
    for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
      // Beyond the kernel form's range, where the form isn't held to it.
      for (double epsilon : form == Form.KERNEL ? new double[] {0.05} : new double[] {0.05, 2e-4}) {
        INDArray scores = Problems.cosines(33, 20, 3).castTo(type);
        SameDiff sd = SameDiff.create();
        SDVariable x = sd.placeHolder("x", type, -1, 20);
        SDVariable codes = new SDSinkhorn(sd).withForm(form).codes("codes", x, epsilon, 3);
        assertThat(codes.dataType()).isEqualTo(type);
        INDArray expected = Nd4j.create(DataType.DOUBLE, 33, 20);
        new SwavCodes(epsilon, 3).assign(scores.castTo(DataType.DOUBLE), expected);
        assertThat(Problems.distance(sd.outputSingle(Map.of("x", scores), "codes"), expected))
            .isLessThan(type == DataType.FLOAT ? 2e-5 : 1e-11);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void plansEqualTheSolversWithAnyMarginals(Form form) {
    INDArray scores = Problems.cosines(6, 5, 4);
    SameDiff sd = SameDiff.create();
    SDVariable plan = plan(new SDSinkhorn(sd).withForm(form), sd.constant("x", scores));
    INDArray expected =
        new SinkhornSolver(4)
            .solve(OptimalTransportProblem.ofScores(scores, 0.1).withMarginals(rows, columns))
            .plan();
    assertThat(Problems.distance(plan.eval(), expected)).isLessThan(1e-13);
  }

  /** A point without mass has no share of the plan, and the others' is what it is without it. */
  @ParameterizedTest
  @EnumSource(Form.class)
  void pointsWithoutMassChangeNothing(Form form) {
    INDArray scores = Problems.cosines(8, 7, 4);
    INDArray kept = scores.get(NDArrayIndex.interval(1, 7), NDArrayIndex.interval(1, 6)).dup();
    SameDiff sd = SameDiff.create();
    SDSinkhorn sinkhorn = new SDSinkhorn(sd).withForm(form).differentiable();
    SDVariable x = sd.var("x", scores.dup());
    SDVariable plan =
        sinkhorn.plan(
            x,
            sd.constant(Nd4j.createFromArray(between(rows))),
            sd.constant(Nd4j.createFromArray(between(columns))),
            0.1,
            4);
    SDVariable without = plan(new SDSinkhorn(sd).withForm(form), sd.constant("kept", kept));
    INDArray all = plan.eval();
    INDArray inner = all.get(NDArrayIndex.interval(1, 7), NDArrayIndex.interval(1, 6));
    assertThat(Problems.distance(inner, without.eval())).isLessThan(1e-13);
    assertThat(all.sumNumber().doubleValue()).isCloseTo(1, within(1e-12));
    assertThat(
            Problems.distance(
                inner,
                new NDSinkhorn()
                    .plan(
                        scores,
                        Nd4j.createFromArray(between(rows)),
                        Nd4j.createFromArray(between(columns)),
                        0.1,
                        4)
                    .get(NDArrayIndex.interval(1, 7), NDArrayIndex.interval(1, 6))))
        .isLessThan(1e-13);
    plan.mul(plan).sum("squares").markAsLoss();
    INDArray gradient = sd.calculateGradients(Map.of(), "x").get("x");
    assertThat(Double.isFinite(gradient.sumNumber().doubleValue())).isTrue();
    assertThat(gradient.getRow(0).amaxNumber().doubleValue()).isZero();
  }

  /** With a point of no mass at either end. */
  private static double[] between(double[] masses) {
    double[] all = new double[masses.length + 2];
    System.arraycopy(masses, 0, all, 1, masses.length);
    return all;
  }

  private SDVariable plan(SDSinkhorn sinkhorn, SDVariable x) {
    SameDiff sd = x.getSameDiff();
    SDVariable a = sd.constant(Nd4j.createFromArray(rows));
    SDVariable b = sd.constant(Nd4j.createFromArray(columns));
    return sinkhorn.plan("plan", x, a, b, 0.1, 4);
  }

  /** The codes are targets: the loss' gradient is that with the codes held fixed. */
  @ParameterizedTest
  @EnumSource(names = {"KERNEL", "LOG_DOMAIN"})
  void noGradientFlowsThroughByDefault(Form form) {
    INDArray scores = Problems.cosines(6, 5, 5);
    SameDiff sd = SameDiff.create();
    SDVariable x = sd.var("x", scores.dup());
    SDVariable codes = new SDSinkhorn(sd).withForm(form).codes("codes", x, 0.1, 3);
    codes.mul(codes).add(codes.mul(x)).sum("loss").markAsLoss();
    INDArray gradient = sd.calculateGradients(Map.of(), "x").get("x");
    assertThat(gradient).isEqualTo(sd.outputSingle(Map.of(), "codes"));
  }

  @ParameterizedTest
  @EnumSource(names = {"KERNEL", "LOG_DOMAIN"})
  void theGradientThroughTheIterationsEqualsFiniteDifferences(Form form) {
    INDArray scores = Problems.cosines(6, 5, 6);
    INDArray weights = Problems.cosines(6, 5, 7);
    for (boolean general : new boolean[] {false, true}) {
      SameDiff sd = SameDiff.create();
      SDVariable x = sd.var("x", scores.dup());
      SDSinkhorn sinkhorn = new SDSinkhorn(sd).withForm(form).differentiable();
      SDVariable result = general ? plan(sinkhorn, x) : sinkhorn.codes(x, 0.1, 3);
      result.mul(sd.constant(weights)).sum("loss").markAsLoss();
      INDArray gradient = sd.calculateGradients(Map.of(), "x").get("x");
      double step = 1e-5;
      double largest = 0;
      for (int i = 0; i < 6; i++) {
        for (int k = 0; k < 5; k++) {
          double difference =
              (loss(sd, scores, i, k, step) - loss(sd, scores, i, k, -step)) / (2 * step);
          assertThat(gradient.getDouble(i, k)).isCloseTo(difference, within(1e-7));
          largest = Math.max(largest, Math.abs(difference));
        }
      }
      assertThat(largest).isGreaterThan(0.01);
    }
  }

  private static double loss(SameDiff sd, INDArray scores, int i, int k, double step) {
    INDArray x = scores.dup();
    x.putScalar(i, k, x.getDouble(i, k) + step);
    sd.associateArrayWithVariable(x, "x");
    return sd.outputSingle(Map.of(), "loss").getDouble(0);
  }

  /** What runs in a Java of its own, without this module: prints the gradient and the codes. */
  public static final class Application {
    private Application() {}

    public static void main(String[] args) {
      SameDiff sd = SameDiff.load(new File(args[0]), false);
      System.out.println("gradient " + bits(sd.calculateGradients(Map.of(), "x").get("x")));
      System.out.println("codes " + bits(sd.outputSingle(Map.of(), "codes")));
    }

    static int bits(INDArray array) {
      return Arrays.hashCode(array.dup('c').data().asDouble());
    }
  }

  @Test
  void aSavedGraphLoadsInAJavaWithoutThisModule(@TempDir Path folder) throws Exception {
    SameDiff sd = SameDiff.create();
    SDVariable x = sd.var("x", Problems.cosines(6, 5, 8).castTo(DataType.FLOAT));
    SDVariable codes = new SDSinkhorn(sd).codes("codes", x, 0.05, 3);
    SDVariable through = new SDSinkhorn(sd).differentiable().codes(x, 0.2, 3);
    codes.mul(x).add(through.mul(through)).sum("loss").markAsLoss();
    File file = folder.resolve("graph.fb").toFile();
    sd.save(file, false);

    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    String path =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    String module =
        Path.of(SDSinkhorn.class.getProtectionDomain().getCodeSource().getLocation().toURI())
            .toString();
    String without =
        Arrays.stream(path.split(File.pathSeparator))
            .filter(entry -> !Path.of(entry).equals(Path.of(module)))
            .collect(Collectors.joining(File.pathSeparator));
    assertThat(without.length()).isLessThan(path.length());
    File log = folder.resolve("log").toFile();
    Process process =
        new ProcessBuilder(
                java.toString(), "-Xmx512m", "-cp", without, Application.class.getName(), "" + file)
            .redirectErrorStream(true)
            .redirectOutput(log)
            .start();
    assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
    String printed = Files.readString(log.toPath(), StandardCharsets.UTF_8);
    INDArray gradient = sd.calculateGradients(Map.of(), "x").get("x");
    assertThat(printed)
        .contains("gradient " + Application.bits(gradient))
        .contains("codes " + Application.bits(sd.outputSingle(Map.of(), "codes")));
  }

  @Test
  void refusesWhatIsNoScoresOfThisGraph() {
    SameDiff sd = SameDiff.create();
    SDSinkhorn sinkhorn = new SDSinkhorn(sd);
    SDVariable x = sd.placeHolder("x", DataType.FLOAT, -1, 4);
    assertThatThrownBy(() -> sinkhorn.codes(null, 0.05, 3)).hasMessageContaining("scores is null");
    assertThatThrownBy(() -> new SDSinkhorn(SameDiff.create()).codes(x, 0.05, 3))
        .hasMessageContaining("\"x\" is of another graph");
    assertThatThrownBy(() -> sinkhorn.codes(sd.placeHolder("i", DataType.INT, -1, 4), 0.05, 3))
        .hasMessageContaining("\"i\" is INT");
    assertThatThrownBy(() -> sinkhorn.codes(x, 0, 3)).hasMessageContaining("epsilon is 0.0");
    assertThatThrownBy(() -> sinkhorn.codes(x, 0.05, 0)).hasMessageContaining("iterations is 0");
  }
}
