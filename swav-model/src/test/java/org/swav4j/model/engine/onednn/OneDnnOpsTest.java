package org.swav4j.model.engine.onednn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Execution;
import org.swav4j.model.engine.Precision;
import org.swav4j.model.plan.AllReduce;
import org.swav4j.model.plan.Arguments;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.OpType;
import org.swav4j.model.plan.Plan;
import org.swav4j.model.plan.Value;

/** Each op type alone equals plain loops over doubles, on sizes that fit no block. */
class OneDnnOpsTest {
  private static final double TOLERANCE = 1e-5;

  private final Engine engine = new OneDnnEngine();
  private final PlanChecks checks = new PlanChecks();

  private void assertEqualsLoops(Value... outputs) {
    checks.assertMatches(engine, TOLERANCE, checks.plan(outputs));
  }

  @ParameterizedTest
  @CsvSource({
    "1, 16, 3, 1, 1, 7, 9", "3, 64, 7, 2, 3, 17, 13", "5, 19, 3, 2, 1, 8, 8",
    "16, 16, 3, 1, 1, 5, 5", "19, 5, 1, 1, 0, 6, 4", "64, 3, 1, 2, 0, 9, 7",
    "16, 64, 1, 2, 0, 4, 4", "64, 64, 3, 2, 1, 4, 4", "64, 64, 3, 1, 1, 1, 1",
    "48, 32, 3, 1, 1, 9, 11"
  })
  void convolutionForwardAndBackward(int c, int o, int k, int stride, int pad, int h, int w) {
    Plan plan = checks.convolutionBothWays(3, c, o, k, stride, pad, h, w);
    checks.assertMatches(engine, TOLERANCE, plan);
  }

  @ParameterizedTest
  @CsvSource({
    "64, 70, 3, 1, 1, 2, 2", "70, 64, 3, 2, 1, 4, 4", "64, 64, 3, 2, 1, 3, 3",
    "64, 64, 3, 1, 1, 1, 2", "64, 64, 3, 1, 1, 1, 1", "64, 64, 5, 2, 2, 3, 4",
    "64, 64, 3, 4, 4, 1, 2"
  })
  void convolutionOfSmallMapsForwardAndBackward(
      int c, int o, int k, int stride, int pad, int h, int w) {
    Plan plan = checks.convolutionBothWays(32, c, o, k, stride, pad, h, w);
    checks.assertMatches(engine, TOLERANCE, plan);
    assertThat(kinds(plan))
        .contains(
            "convolution as products",
            "convolution data's gradient as products",
            "convolution weights' gradient as products")
        .doesNotContain("convolution", "convolution weights' gradient");
  }

  /** On any processor, in floats: what is fast with AMX must be right everywhere. */
  @ParameterizedTest
  @CsvSource({
    "64, 130, 3, 1, 1, 8, 8", "130, 64, 3, 2, 1, 7, 9", "64, 66, 1, 1, 0, 9, 11",
    "66, 128, 1, 2, 0, 8, 5", "64, 128, 5, 1, 2, 3, 4", "128, 64, 1, 1, 1, 2, 2"
  })
  void gradientsWithoutTiles(int c, int o, int k, int stride, int pad, int h, int w) {
    Plan plan = checks.convolutionBothWays(32, c, o, k, stride, pad, h, w);
    Engine tiles = new OneDnnEngine(Precision.FLOAT, true);
    checks.assertMatches(tiles, TOLERANCE, plan);
    assertThat(kinds(tiles, plan))
        .contains("convolution weights' gradient as products")
        .doesNotContain("convolution weights' gradient");
    if (k == 1) {
      assertThat(kinds(tiles, plan))
          .contains("convolution data's gradient as products")
          .doesNotContain("convolution data's gradient");
    }
  }

  @Test
  void gradientWithoutForwardAndWithOneReaderOnly() {
    Value x = checks.input(2, 16, 5, 5);
    Value weights = checks.parameter(3, 3, 16, 19);
    Value dy = checks.input(2, 19, 5, 5);
    Value dx = checks.result(x.shape());
    Value dw = checks.result(weights.shape());
    checks.codes();
    checks.op(OpType.CONV2D_BP, Arguments.window(3, 1, 1), List.of(x, weights, dy), dx, dw);
    Plan plan = checks.plan(dw);
    checks.assertMatches(engine, TOLERANCE, plan);
    assertThat(kinds(plan))
        .contains("convolution weights' gradient")
        .doesNotContain("convolution data's gradient");
  }

  @ParameterizedTest
  @CsvSource({
    "3, 16, true, true, true",
    "16, 19, true, false, true",
    "64, 64, true, true, false",
    "5, 5, false, true, true",
    "16, 16, false, false, true",
    "16, 16, true, true, true"
  })
  void convolutionWithBiasResidualAndRelu(
      int c, int o, boolean bias, boolean residual, boolean relu) {
    Value x = checks.input(2, c, 7, 6);
    Value weights = checks.constant(3, 3, c, o);
    Value y = checks.result(2, o, 7, 6);
    Arguments a = Arguments.window(3, 1, 1);
    List<Value> in = new ArrayList<>(List.of(x, weights));
    if (bias) {
      a = a.withBias();
      in.add(checks.constant(o));
    }
    if (residual) {
      a = a.withResidual();
      in.add(checks.input(y.shape()));
    }
    checks.op(OpType.CONV2D, relu ? a.withRelu() : a, in, y);
    assertEqualsLoops(y);
  }

  @Test
  void constantWeightsAreReorderedOnceAndParametersEveryRun() {
    Value x = checks.input(2, 16, 7, 6);
    Value y = checks.convolution(x, checks.constant(3, 3, 16, 16), 1, 1);
    long constant = kinds(checks.plan(y)).stream().filter("reorder"::equals).count();
    PlanChecks other = new PlanChecks();
    Value x2 = other.input(2, 16, 7, 6);
    Value y2 = other.convolution(x2, other.parameter(3, 3, 16, 16), 1, 1);
    long parameter = kinds(other.plan(y2)).stream().filter("reorder"::equals).count();
    assertThat(parameter).isEqualTo(constant + 1);
  }

  @Test
  void parametersInAConvolutionsLayoutAreNotHeldForTheWayBack() {
    Value x = checks.input(4, 32, 9, 9);
    Value weights = checks.parameter(3, 3, 32, 48);
    Value y = checks.convolution(x, weights, 1, 1);
    Value dy = checks.input(y.shape());
    Value dx = checks.result(x.shape());
    Value dw = checks.result(weights.shape());
    checks.codes();
    checks.op(OpType.CONV2D_BP, Arguments.window(3, 1, 1), List.of(x, weights, dy), dx, dw);
    List<Step> steps = steps(checks.plan(y, dx, dw));
    List<Buffer> reordered =
        steps.stream()
            .filter(s -> s.op().type() == OpType.CONV2D && s.kernel().equals(PrimitiveStep.REORDER))
            .map(s -> s.tensors().get(1))
            .filter(t -> t.layout().dim(2) == 3)
            .map(Tensor::buffer)
            .toList();
    assertThat(reordered).isNotEmpty();
    assertThat(steps.stream().filter(s -> s.op().type() == OpType.CONV2D_BP))
        .isNotEmpty()
        .flatMap(Step::tensors)
        .extracting(Tensor::buffer)
        .doesNotContainAnyElementsOf(reordered);
  }

  /** 6 channels don't fill a block, whose rest must not change what is summed. */
  @ParameterizedTest
  @CsvSource({"6, true", "6, false", "8, true", "21, true"})
  void sumsOfConvolutionsAreExactWhateverTheChannels(int channels, boolean relu) {
    Value x = checks.input(2, 3, 7, 6);
    Value a = checks.convolution(x, checks.parameter(3, 3, 3, channels), 1, 1);
    Value b = checks.convolution(x, checks.parameter(1, 1, 3, channels), 1, 0);
    Value sum = checks.result(a.shape());
    Value mean = checks.result(2, channels);
    checks.op(OpType.ADD, relu ? Arguments.NONE.withRelu() : Arguments.NONE, List.of(a, b), sum);
    checks.op(OpType.GLOBAL_MEAN, Arguments.NONE, List.of(sum), mean);
    checks.assertMatches(engine, TOLERANCE, checks.plan(mean));
  }

  /** One or two images take F(2×2, 3×3) where the library offers it, more take F(4×4, 3×3). */
  @ParameterizedTest
  @CsvSource({
    "1, true, true",
    "5, true, true",
    "5, true, false",
    "5, false, true",
    "5, false, false"
  })
  void inferenceByWinogradTransformsItsWeightsOnce(int n, boolean residual, boolean relu) {
    Value x = checks.input(n, 32, 17, 16);
    Value y = checks.result(n, 48, 17, 16);
    List<Value> in =
        new ArrayList<>(List.of(x, checks.constant(3, 3, 32, 48), checks.constant(48)));
    Arguments a = Arguments.window(3, 1, 1).withBias();
    if (residual) {
      a = a.withResidual();
      in.add(checks.input(y.shape()));
    }
    checks.op(OpType.CONV2D, relu ? a.withRelu() : a, in, y);
    Plan plan = checks.plan(y);
    checks.assertMatches(engine, TOLERANCE, plan);
    assumeThat(Dnnl.isa()).isIn(Dnnl.Isa.AVX512, Dnnl.Isa.AVX512_VNNI, Dnnl.Isa.AVX512_BF16);
    assertThat(steps(plan)).anyMatch(s -> s.implementation().contains("wino"));
    long reordersOfImages = residual ? 4 : 2;
    assertThat(kinds(plan).stream().filter("reorder"::equals).count())
        .isLessThanOrEqualTo(reordersOfImages);
  }

  @ParameterizedTest
  @CsvSource({"1, false", "3, true", "5, true", "16, false", "16, true", "19, true", "64, true"})
  void batchNormOfImages(int c, boolean relu) {
    batchNorm(relu, 4, c, 5, 3);
  }

  @ParameterizedTest
  @CsvSource({"1, false", "19, true", "64, true"})
  void batchNormOfRows(int c, boolean relu) {
    batchNorm(relu, 33, c);
  }

  @ParameterizedTest
  @CsvSource({"3, true", "16, true", "19, true", "64, false"})
  void batchNormBehindAConvolution(int c, boolean relu) {
    Value x = checks.input(4, 16, 6, 5);
    batchNorm(relu, checks.convolution(x, checks.parameter(3, 3, 16, c), 1, 1));
  }

  private void batchNorm(boolean relu, long... shape) {
    batchNorm(relu, checks.input(shape));
  }

  private void batchNorm(boolean relu, Value x) {
    Value gamma = checks.parameter(x.size(1));
    Value beta = checks.parameter(x.size(1));
    Value y = checks.result(x.shape());
    Value mean = checks.result(x.size(1));
    Value variance = checks.result(x.size(1));
    Arguments a = relu ? Arguments.epsilon(1e-5).withRelu() : Arguments.epsilon(1e-5);
    checks.op(OpType.BATCH_NORM, a, List.of(x, gamma, beta), y, mean, variance);
    Value dy = checks.input(x.shape());
    checks.codes();
    Value dx = checks.result(x.shape());
    Value dgamma = checks.result(x.size(1));
    Value dbeta = checks.result(x.size(1));
    checks.op(
        OpType.BATCH_NORM_BP,
        a,
        relu
            ? List.of(x, gamma, beta, mean, variance, dy, y)
            : List.of(x, gamma, beta, mean, variance, dy),
        dx,
        dgamma,
        dbeta);
    assertEqualsLoops(y, mean, variance, dx, dgamma, dbeta);
  }

  @Test
  void batchNormGradientWithoutItsForwardOp() {
    Value x = checks.input(4, 16, 5, 3);
    Value gamma = checks.parameter(16);
    Value beta = checks.parameter(16);
    Value mean = checks.input(16);
    Value variance = checks.input(checks.random(1, 16).mul(0).add(0.7), 16);
    Value dy = checks.input(x.shape());
    Value y = checks.input(x.shape());
    Value dx = checks.result(x.shape());
    Value dgamma = checks.result(16);
    Value dbeta = checks.result(16);
    checks.op(
        OpType.BATCH_NORM_BP,
        Arguments.epsilon(1e-5).withRelu(),
        List.of(x, gamma, beta, mean, variance, dy, y),
        dx,
        dgamma,
        dbeta);
    assertEqualsLoops(dx, dgamma, dbeta);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 16, 19})
  void reluAndItsGradient(int c) {
    Value x = checks.input(2, c, 5, 3);
    Value y = checks.result(x.shape());
    checks.op(OpType.RELU, Arguments.NONE, List.of(x), y);
    Value dy = checks.input(x.shape());
    Value dx = checks.result(x.shape());
    checks.op(OpType.RELU_BP, Arguments.NONE, List.of(y, dy), dx);
    assertEqualsLoops(y, dx);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void sumOfTwoConvolutionsAndOfPlainImages(boolean relu) {
    Arguments a = relu ? Arguments.NONE.withRelu() : Arguments.NONE;
    Value x = checks.input(2, 5, 6, 6);
    Value y = checks.convolution(x, checks.parameter(3, 3, 5, 16), 1, 1);
    Value plain = checks.input(2, 16, 6, 6);
    Value sum = checks.result(y.shape());
    checks.op(OpType.ADD, a, List.of(plain, y), sum);
    Value again = checks.result(y.shape());
    checks.op(OpType.ADD, a, List.of(sum, plain), again);
    assertEqualsLoops(sum, again);
  }

  @Test
  void sumOfARow() {
    Value x = checks.input(7, 19);
    Value y = checks.result(7, 19);
    checks.op(OpType.ADD, Arguments.NONE, List.of(x, checks.parameter(19)), y);
    assertEqualsLoops(y);
  }

  @Test
  void twoGradientsOfOneWeightAddUpInTheConvolutionsLayout() {
    Value w = checks.parameter(3, 3, 16, 64);
    Value total = null;
    for (int size : new int[] {8, 5}) {
      Value x = checks.input(2, 16, size, size);
      Value dy = checks.input(2, 64, size, size);
      Value dw = checks.result(w.shape());
      checks.op(
          OpType.CONV2D_BP,
          Arguments.window(3, 1, 1),
          List.of(x, w, dy),
          checks.result(x.shape()),
          dw);
      if (total == null) {
        total = dw;
      } else {
        Value sum = checks.result(w.shape());
        checks.op(OpType.ADD, Arguments.NONE, List.of(total, dw), sum);
        total = sum;
      }
    }
    assertEqualsLoops(total);
  }

  @ParameterizedTest
  @CsvSource({"1, 3, 2, 1, 7, 9", "16, 3, 2, 1, 8, 8", "19, 2, 2, 0, 6, 4", "64, 3, 1, 1, 5, 5"})
  void maxPoolAndItsGradient(int c, int k, int stride, int pad, int h, int w) {
    Value x = checks.input(2, c, h, w);
    Value y = checks.result(2, c, (h + 2 * pad - k) / stride + 1, (w + 2 * pad - k) / stride + 1);
    checks.op(OpType.MAX_POOL, Arguments.window(k, stride, pad), List.of(x), y);
    Value dy = checks.input(y.shape());
    Value dx = checks.result(x.shape());
    checks.codes();
    checks.op(OpType.MAX_POOL_BP, Arguments.window(k, stride, pad), List.of(x, dy), dx);
    assertEqualsLoops(y, dx);
  }

  @Test
  void maxPoolGradientWithoutItsForwardOp() {
    Value x = checks.input(2, 16, 8, 8);
    Value dy = checks.input(2, 16, 4, 4);
    Value dx = checks.result(x.shape());
    checks.op(OpType.MAX_POOL_BP, Arguments.window(3, 2, 1), List.of(x, dy), dx);
    assertEqualsLoops(dx);
  }

  @ParameterizedTest
  @CsvSource({"1, 4, 4", "16, 5, 3", "19, 1, 1", "64, 7, 7"})
  void globalMeanAndItsGradient(int c, int h, int w) {
    Value x = checks.input(3, 16, h, w);
    Value images = checks.convolution(x, checks.parameter(1, 1, 16, c), 1, 0);
    Value y = checks.result(3, c);
    checks.op(OpType.GLOBAL_MEAN, Arguments.NONE, List.of(images), y);
    Value dy = checks.input(3, c);
    Value dx = checks.result(images.shape());
    checks.codes();
    checks.op(OpType.GLOBAL_MEAN_BP, Arguments.NONE, List.of(dy), dx);
    assertEqualsLoops(y, dx);
  }

  @Test
  void globalMeanGradientAlone() {
    Value dy = checks.input(3, 19);
    Value dx = checks.result(3, 19, 4, 5);
    checks.op(OpType.GLOBAL_MEAN_BP, Arguments.NONE, List.of(dy), dx);
    assertEqualsLoops(dx);
  }

  @Test
  void concatenatedMeansAreWrittenInPlaceAndOtherRowsCopied() {
    Value a = checks.input(2, 16, 3, 3);
    Value b = checks.input(4, 16, 2, 2);
    Value given = checks.input(3, 16);
    Value ya = checks.result(2, 16);
    Value yb = checks.result(4, 16);
    Value whole = checks.result(9, 16);
    checks.op(OpType.GLOBAL_MEAN, Arguments.NONE, List.of(a), ya);
    checks.op(OpType.GLOBAL_MEAN, Arguments.NONE, List.of(b), yb);
    checks.op(OpType.CONCAT_ROWS, Arguments.NONE, List.of(ya, given, yb), whole);
    Value rows = checks.result(5, 16);
    checks.op(OpType.ROWS, Arguments.start(2), List.of(whole), rows);
    Value relu = checks.result(5, 16);
    checks.op(OpType.RELU, Arguments.NONE, List.of(rows), relu);
    Value all = checks.result(9, 16);
    checks.op(OpType.RELU, Arguments.NONE, List.of(whole), all);
    Plan plan = checks.plan(relu, all);
    checks.assertMatches(engine, TOLERANCE, plan);
    assertThat(kinds(plan)).containsOnlyOnce("reorder");
  }

  @Test
  void aValueConcatenatedTwiceAndAnOutputThatIsRows() {
    Value x = checks.input(2, 5);
    Value y = checks.result(2, 5);
    checks.op(OpType.RELU, Arguments.NONE, List.of(x), y);
    Value whole = checks.result(4, 5);
    checks.op(OpType.CONCAT_ROWS, Arguments.NONE, List.of(y, y), whole);
    Value rows = checks.result(1, 5);
    checks.op(OpType.ROWS, Arguments.start(3), List.of(whole), rows);
    assertEqualsLoops(whole, rows);
  }

  @ParameterizedTest
  @CsvSource({"false, false", "true, false", "false, true", "true, true"})
  void product(boolean ta, boolean tb) {
    Value a = ta ? checks.input(19, 7) : checks.input(7, 19);
    Value b = tb ? checks.parameter(33, 19) : checks.parameter(19, 33);
    Value y = checks.result(7, 33);
    checks.op(OpType.MATMUL, Arguments.transpose(ta, tb), List.of(a, b), y);
    assertEqualsLoops(y);
  }

  /** Sums in another order are other sums, in the last bits. */
  @ParameterizedTest
  @CsvSource({"6, 5, 3", "19, 33, 7", "64, 128, 16", "128, 300, 32", "512, 512, 8", "512, 64, 200"})
  void aRowOfAProductGetsTheSameBitsHoweverManyWorkersShareThem(int k, int n, int rows) {
    for (boolean transposed : new boolean[] {false, true}) {
      Value weights = transposed ? checks.parameter(n, k) : checks.parameter(k, n);
      Value bias = checks.parameter(n);
      INDArray all = checks.random(1, 4L * rows, k);
      double[] whole = product(all, weights, transposed, bias, workers(1));
      for (int workers : new int[] {2, 4}) {
        INDArray own = all.get(NDArrayIndex.interval(0, 4L * rows / workers)).dup('c');
        double[] share = product(own, weights, transposed, bias, workers(workers));
        assertThat(share).isEqualTo(Arrays.copyOf(whole, share.length));
      }
    }
  }

  /** On maps that are multiplied as products where those don't mind how many images there are. */
  @ParameterizedTest
  @CsvSource({"64, 70, 3, 1, 1, 2, 2", "512, 64, 3, 1, 1, 1, 1", "128, 64, 1, 1, 0, 2, 2"})
  void anImageOfAConvolutionGetsTheSameBitsHoweverManyWorkersShareThem(
      int c, int o, int k, int stride, int pad, int h, int w) {
    Value weights = checks.parameter(k, k, c, o);
    Arguments window = Arguments.window(k, stride, pad);
    INDArray all = checks.random(1, 128, c, h, w);
    double[] whole = convolution(all, weights, window.over(workers(1)));
    for (int workers : new int[] {2, 4}) {
      INDArray own = all.get(NDArrayIndex.interval(0, 128 / workers)).dup('c');
      double[] share = convolution(own, weights, window.over(workers(workers)));
      assertThat(share).isEqualTo(Arrays.copyOf(whole, share.length));
    }
  }

  private double[] product(
      INDArray rows, Value weights, boolean transposed, Value bias, AllReduce workers) {
    PlanChecks own = new PlanChecks();
    Value y = own.result(rows.size(0), bias.size(0));
    Value z = own.result(y.shape());
    own.op(
        OpType.MATMUL,
        Arguments.transpose(false, transposed).over(workers),
        List.of(own.input(rows, rows.shape()), weights),
        y);
    own.op(OpType.ADD, Arguments.NONE.withRelu(), List.of(y, bias), z);
    return forward(own, z);
  }

  private double[] convolution(INDArray images, Value weights, Arguments arguments) {
    PlanChecks own = new PlanChecks();
    Value y = own.result(images.size(0), weights.size(3), images.size(2), images.size(3));
    Value x = own.input(images, images.shape());
    own.op(OpType.CONV2D, arguments, List.of(x, weights), y);
    own.codes();
    // A backward pass, without which it would be inference, that has other algorithms.
    own.op(OpType.RELU, Arguments.NONE, List.of(y), own.result(y.shape()));
    return forward(own, y);
  }

  private double[] forward(PlanChecks own, Value output) {
    Plan plan = own.plan(output);
    own.assertMatches(engine, TOLERANCE, plan);
    try (Execution execution = engine.prepare(plan)) {
      own.fillInputs(execution, plan);
      execution.forward();
      return execution.array(output).data().asDouble();
    }
  }

  /** So many, none of whom is ever asked. */
  private static AllReduce workers(int count) {
    AllReduce workers =
        new AllReduce() {
          @Override
          public int size() {
            return count;
          }

          @Override
          public void sum(double[] values) {
            throw new IllegalStateException("nothing to sum");
          }
        };
    return AllReduce.exact(workers);
  }

  @Test
  void productWithABiasIsOneStep() {
    Value a = checks.input(7, 19);
    Value y = checks.result(7, 33);
    Value z = checks.result(7, 33);
    checks.op(OpType.MATMUL, Arguments.NONE, List.of(a, checks.parameter(19, 33)), y);
    checks.op(OpType.ADD, Arguments.NONE.withRelu(), List.of(y, checks.parameter(33)), z);
    Plan plan = checks.plan(z);
    checks.assertMatches(engine, TOLERANCE, plan);
    assertThat(kinds(plan)).containsExactly("product");
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "7, 19", "64, 300"})
  void columnSum(int n, int m) {
    Value x = checks.input(n, m);
    Value y = checks.result(m);
    checks.op(OpType.COLUMN_SUM, Arguments.NONE, List.of(x), y);
    assertEqualsLoops(y);
  }

  @Test
  void normalisedRowsWithAZeroRow() {
    Value x = checks.input(checks.random(1, 6, 19), 6, 19);
    Value y = checks.result(6, 19);
    checks.op(OpType.NORMALIZE_ROWS, Arguments.NONE, List.of(x), y);
    Value dy = checks.input(6, 19);
    Value dx = checks.result(6, 19);
    checks.op(OpType.NORMALIZE_ROWS_BP, Arguments.NONE, List.of(x, y, dy), dx);
    assertEqualsLoops(y, dx);
    PlanChecks zero = new PlanChecks();
    Value zx = zero.input(Nd4j.zeros(DataType.FLOAT, 2, 3), 2, 3);
    Value zy = zero.result(2, 3);
    zero.op(OpType.NORMALIZE_ROWS, Arguments.NONE, List.of(zx), zy);
    Value zdy = zero.input(2, 3);
    Value zdx = zero.result(2, 3);
    zero.op(OpType.NORMALIZE_ROWS_BP, Arguments.NONE, List.of(zx, zy, zdy), zdx);
    zero.assertMatches(engine, TOLERANCE, zero.plan(zy, zdx));
  }

  @ParameterizedTest
  @CsvSource({
    "2, 1, 3, 5",
    "2, 2, 4, 19",
    "6, 2, 5, 300",
    "5, 3, 3, 17",
    "3, 1, 7, 64",
    "8, 8, 2, 33"
  })
  void swappedPrediction(int views, int assigning, int b, int k) {
    Value scores = checks.input(checks.random(0.4, (long) views * b, k), (long) views * b, k);
    Value codes = checks.input(checks.codes((long) assigning * b, k), (long) assigning * b, k);
    Value loss = checks.result();
    Value ds = checks.result(scores.shape());
    checks.codes();
    checks.op(
        OpType.SWAPPED_PREDICTION,
        Arguments.prediction(views, assigning, 0.1),
        List.of(scores, codes),
        loss,
        ds);
    assertEqualsLoops(loss, ds);
  }

  @Test
  void swappedPredictionOfCodesThatDoNotSumToOne() {
    Value scores = checks.input(checks.random(0.4, 12, 19), 12, 19);
    Value codes = checks.input(checks.codes(6, 19).mul(0.6), 6, 19);
    Value loss = checks.result();
    Value ds = checks.result(scores.shape());
    checks.op(
        OpType.SWAPPED_PREDICTION,
        Arguments.prediction(4, 2, 0.1),
        List.of(scores, codes),
        loss,
        ds);
    assertEqualsLoops(loss, ds);
  }

  @Test
  void aDoublePlanIsRefused() {
    Value x = Value.input("x", DataType.DOUBLE, 2, 3);
    Value y = Value.result("y", DataType.DOUBLE, 2, 3);
    Plan plan =
        new Plan(
            List.of(x),
            List.of(y),
            List.of(new Op(OpType.RELU, List.of(x), List.of(y), Arguments.NONE)),
            List.of());
    assertThatThrownBy(() -> engine.prepare(plan))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("x:DOUBLE[2, 3]")
        .hasMessageContaining("engine nd4j");
  }

  @Test
  void aParameterThatIsNotDenseIsRefused() {
    Value x = checks.input(2, 3);
    Value y = checks.result(2, 4);
    Value w = Value.parameter("w", Nd4j.rand(DataType.FLOAT, 4, 3).transpose());
    checks.op(OpType.MATMUL, Arguments.NONE, List.of(x, w), y);
    assertThatThrownBy(() -> engine.prepare(checks.plan(y)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("w:FLOAT[3, 4]")
        .hasMessageContaining("dup('c')");
  }

  @Test
  void onlyInputsAndOutputsHaveArraysAndAClosedExecutionRefusesToRun() {
    Value x = checks.input(2, 3);
    Value y = checks.result(2, 3);
    Value z = checks.result(2, 3);
    checks.op(OpType.RELU, Arguments.NONE, List.of(x), y);
    checks.op(OpType.RELU, Arguments.NONE, List.of(y), z);
    Execution execution = engine.prepare(checks.plan(z));
    assertThat(execution.array(z)).isSameAs(execution.array(z));
    assertThatThrownBy(() -> execution.array(y)).isInstanceOf(IllegalArgumentException.class);
    execution.close();
    execution.close();
    assertThatThrownBy(execution::forward).isInstanceOf(IllegalStateException.class);
  }

  private List<String> kinds(Plan plan) {
    return kinds(engine, plan);
  }

  private static List<String> kinds(Engine engine, Plan plan) {
    return steps(engine, plan).stream()
        .filter(PrimitiveStep.class::isInstance)
        .map(Step::kernel)
        .toList();
  }

  private List<Step> steps(Plan plan) {
    return steps(engine, plan);
  }

  private static List<Step> steps(Engine engine, Plan plan) {
    try (OneDnnExecution execution = (OneDnnExecution) engine.prepare(plan)) {
      return execution.steps();
    }
  }
}
