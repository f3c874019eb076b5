package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDIndex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.controlflow.compat.StopGradient;
import org.nd4j.linalg.api.ops.impl.layers.convolution.config.Conv2DConfig;
import org.nd4j.linalg.api.ops.impl.layers.convolution.config.PaddingMode;
import org.nd4j.linalg.api.ops.impl.layers.convolution.config.Pooling2DConfig;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.engine.Execution;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.model.plan.OpType;
import org.swav4j.model.plan.Plan;

/** Any graph SameDiff can train is read, and its plan has SameDiff's numbers on each engine. */
class PlanReaderTest {
  /** What an op's graph is written with. */
  private static final class Graph {
    final SameDiff sd = SameDiff.create();
    final Random random = new Random(3);
    final DataType type;

    /** {@code [3, 4]}, above zero. */
    final SDVariable x;

    /** {@code [3, 4]}, of both signs. */
    final SDVariable y;

    /** {@code [2, 3, 6, 5]}. */
    final SDVariable image;

    Graph(DataType type) {
      this.type = type;
      INDArray positive = GraphChecks.random(random, type, 3, 4);
      positive.muli(positive).addi(0.3);
      x = sd.var("x", positive);
      y = sd.var("y", GraphChecks.random(random, type, 3, 4));
      image = sd.var("image", GraphChecks.random(random, type, 2, 3, 6, 5));
    }

    SDVariable var(String name, long... shape) {
      return sd.var(name, GraphChecks.random(random, type, shape));
    }

    SDVariable number(double value) {
      return sd.constant(Nd4j.scalar(type, value));
    }
  }

  private record Case(String name, Function<Graph, SDVariable> written) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Case of(String name, Function<Graph, SDVariable> written) {
    return new Case(name, written);
  }

  private static Conv2DConfig.Conv2DConfigBuilder window(int k, int s, int p) {
    return Conv2DConfig.builder()
        .kH(k)
        .kW(k)
        .sH(s)
        .sW(s)
        .pH(p)
        .pW(p)
        .paddingMode(PaddingMode.VALID);
  }

  private static Pooling2DConfig.Pooling2DConfigBuilder pool(int k, int s, int p) {
    return Pooling2DConfig.builder()
        .kH(k)
        .kW(k)
        .sH(s)
        .sW(s)
        .pH(p)
        .pW(p)
        .paddingMode(PaddingMode.VALID);
  }

  /** ND4J itself fails in floats: its helper can't describe the dilation. */
  private static final String ONLY_IN_DOUBLES = "convolution, dilated";

  /** SameDiff's ops whose gradients are right. */
  private static List<Case> ops() {
    List<Case> c = new ArrayList<>();
    c.add(of("add, same shape", g -> g.x.add(g.y)));
    c.add(of("add, row", g -> g.x.add(g.var("row", 4))));
    c.add(of("add, column", g -> g.x.add(g.var("column", 3, 1))));
    c.add(of("add, channels", g -> g.image.add(g.var("channels", 1, 3, 1, 1))));
    c.add(of("add, row first", g -> g.var("row", 4).add(g.x)));
    c.add(of("sub, div, mul", g -> g.x.sub(g.y).div(g.x).mul(g.y.sub(g.var("row", 4)))));
    c.add(of("mul, channels", g -> g.image.mul(g.var("channels", 1, 3, 1, 1))));
    c.add(of("rsub, rdiv, neg", g -> g.x.rsub(g.y).rdiv(g.x).neg()));
    c.add(of("scalars", g -> g.x.add(2).sub(0.5).mul(3).div(7).rsub(1).rdiv(2)));
    c.add(
        of(
            "exp, log, sqrt",
            g -> g.sd.math().exp(g.y).add(g.sd.math().log(g.x)).mul(g.sd.math().sqrt(g.x))));
    c.add(
        of(
            "rsqrt, square, pow",
            g ->
                g.sd
                    .math()
                    .rsqrt(g.x)
                    .add(g.sd.math().square(g.y))
                    .add(g.sd.math().pow(g.x, 1.7))));
    c.add(of("reciprocal, abs", g -> g.sd.math().reciprocal(g.x).add(g.sd.math().abs(g.y))));
    c.add(of("max, min", g -> g.sd.math().max(g.x, g.y).add(g.sd.math().min(g.x, g.y).mul(3))));
    c.add(of("clip by value", g -> g.sd.math().clipByValue(g.y, -0.5, 0.5)));
    c.add(of("sum, mean", g -> g.y.sum(0).add(g.y.mean(0)).mul(g.y.mean(true, 0)).add(g.y.sum())));
    c.add(of("max, min over a dimension", g -> g.y.max(1).add(g.y.min(1).mul(2))));
    c.add(of("norms", g -> g.y.norm1(1).add(g.y.norm2(1)).add(g.sd.math().squaredNorm(g.y, 1))));
    c.add(of("norms, kept", g -> g.y.norm1(true, 1).add(g.y.norm2(true, 1)).mul(g.y)));
    c.add(of("standard deviation", g -> g.y.std(true, 1).add(g.y.std(false, 1))));
    c.add(of("variance", g -> g.sd.variance(g.y, true, 1)));
    c.add(
        of(
            "moments",
            g -> {
              SDVariable[] m = g.sd.math().moments(g.y, new int[] {0}, false);
              return m[0].add(m[1]);
            }));
    c.add(of("standardize", g -> g.sd.math().standardize(g.y, 1).mul(g.x)));
    c.add(
        of(
            "layer norm",
            g -> g.sd.nn().layerNorm(g.y, g.var("gain", 4), g.var("bias", 4), true, 1)));
    c.add(of("softmax", g -> g.sd.nn().softmax(g.y).add(g.sd.nn().softmax(g.y, 0))));
    c.add(of("log softmax", g -> g.sd.nn().logSoftmax(g.y)));
    c.add(
        of(
            "relu, leaky, elu",
            g ->
                g.sd.nn().relu(g.y, 0).add(g.sd.nn().leakyRelu(g.y, 0.1)).add(g.sd.nn().elu(g.y))));
    c.add(of("relu above a threshold", g -> g.sd.nn().relu(g.y, 0.4)));
    c.add(of("gelu, swish", g -> g.sd.nn().gelu(g.y).add(g.sd.nn().swish(g.y))));
    c.add(of("sigmoid, tanh", g -> g.sd.nn().sigmoid(g.y).mul(g.sd.math().tanh(g.x))));
    c.add(of("mmul", g -> g.sd.mmul(g.x, g.var("w", 4, 2))));
    c.add(of("mmul, left transposed", g -> g.sd.mmul(g.x, g.var("w", 3, 2), true, false, false)));
    c.add(of("mmul, right transposed", g -> g.sd.mmul(g.x, g.var("w", 2, 4), false, true, false)));
    c.add(of("mmul, both transposed", g -> g.sd.mmul(g.x, g.var("w", 2, 3), true, true, false)));
    c.add(of("mmul, result transposed", g -> g.sd.mmul(g.x, g.var("w", 4, 2), false, false, true)));
    c.add(of("mmul of batches", g -> g.sd.mmul(g.var("a", 2, 3, 4), g.var("b", 2, 4, 5))));
    c.add(of("linear", g -> g.sd.nn().linear(g.x, g.var("w", 4, 2), g.var("b", 2))));
    c.add(of("concat", g -> g.sd.concat(1, g.x, g.y).mul(g.sd.concat(1, g.y, g.x))));
    c.add(of("concat rows", g -> g.sd.concat(0, g.x, g.y)));
    c.add(
        of(
            "stack, unstack",
            g -> {
              SDVariable[] u = g.sd.unstack(g.sd.stack(1, g.x, g.y), 0, 3);
              return u[0].mul(u[2]);
            }));
    c.add(
        of(
            "split",
            g -> {
              SDVariable[] s = g.sd.split(g.y, 2, 1);
              return s[0].mul(s[1]);
            }));
    c.add(of("slice rows", g -> g.sd.slice(g.y, new int[] {1, 0}, 2, 4)));
    c.add(of("slice the rest", g -> g.sd.slice(g.y, new int[] {1, 0}, 2, -1)));
    c.add(of("slice columns", g -> g.sd.slice(g.y, new int[] {1, 1}, 2, 2)));
    c.add(
        of(
            "strided slice",
            g -> g.sd.stridedSlice(g.y, new long[] {0, 0}, new long[] {3, 4}, 2, 2)));
    c.add(of("get", g -> g.y.get(SDIndex.interval(0, 2), SDIndex.all())));
    c.add(of("permute, transpose", g -> g.sd.transpose(g.y).mul(g.sd.permute(g.x, 1, 0))));
    c.add(of("permute images", g -> g.sd.permute(g.image, 0, 2, 3, 1).mul(g.var("last", 3))));
    c.add(of("reshape", g -> g.y.reshape(2, -1).mul(g.x.reshape(2, 6))));
    c.add(
        of(
            "reshape to another's shape",
            g -> g.sd.reshape(g.y.reshape(12), g.sd.shape(g.x)).mul(g.x)));
    c.add(
        of(
            "expand, squeeze, tile",
            g -> g.sd.tile(g.sd.squeeze(g.sd.expandDims(g.y, 1), 1), 2, 1)));
    c.add(of("reverse", g -> g.sd.reverse(g.y, 1).mul(g.x)));
    c.add(
        of(
            "pad",
            g ->
                g.sd
                    .nn()
                    .pad(
                        g.y,
                        g.sd.constant(Nd4j.createFromArray(new int[][] {{1, 0}, {0, 2}})),
                        0)));
    c.add(of("bias", g -> g.sd.nn().biasAdd(g.y, g.var("b", 4), false)));
    c.add(
        of(
            "identity, stopped gradient",
            g -> g.sd.identity(g.y).mul(new StopGradient(g.sd, g.x).outputVariable())));
    c.add(
        of(
            "cast",
            g ->
                g.y
                    .mul(g.x.castTo(DataType.INT).castTo(g.type))
                    .add(g.y.castTo(DataType.DOUBLE).castTo(g.type))));
    c.add(of("comparison", g -> g.y.mul(g.y.gt(0.1).castTo(g.type))));
    c.add(
        of(
            "dot, cosine",
            g -> g.sd.dot(g.x, g.y, 1).add(g.sd.math().cosineSimilarity(g.x, g.y, 1))));
    c.add(
        of(
            "convolution",
            g -> g.sd.cnn().conv2d(g.image, g.var("w", 3, 3, 3, 2), window(3, 1, 1).build())));
    c.add(
        of(
            "convolution, stride 2",
            g -> g.sd.cnn().conv2d(g.image, g.var("w", 3, 3, 3, 2), window(3, 2, 1).build())));
    c.add(
        of(
            "convolution, bias",
            g ->
                g.sd
                    .cnn()
                    .conv2d(
                        g.image, g.var("w", 3, 3, 3, 2), g.var("b", 2), window(3, 1, 1).build())));
    c.add(
        of(
            ONLY_IN_DOUBLES,
            g ->
                g.sd
                    .cnn()
                    .conv2d(g.image, g.var("w", 2, 2, 3, 2), window(2, 1, 0).dH(2).dW(2).build())));
    c.add(
        of(
            "convolution, same",
            g ->
                g.sd
                    .cnn()
                    .conv2d(
                        g.image,
                        g.var("w", 3, 3, 3, 2),
                        window(3, 2, 0).paddingMode(PaddingMode.SAME).build())));
    c.add(
        of(
            "convolution, channels last",
            g ->
                g.sd
                    .cnn()
                    .conv2d(
                        g.sd.permute(g.image, 0, 2, 3, 1),
                        g.var("w", 3, 3, 3, 2),
                        window(3, 1, 1).dataFormat("NHWC").build())));
    c.add(
        of(
            "convolution, oblong",
            g ->
                g.sd
                    .cnn()
                    .conv2d(g.image, g.var("w", 3, 2, 3, 2), window(3, 1, 1).kW(2).pW(0).build())));
    c.add(of("max pooling", g -> g.sd.cnn().maxPooling2d(g.image, pool(3, 2, 1).build())));
    c.add(
        of(
            "max pooling, oblong",
            g -> g.sd.cnn().maxPooling2d(g.image, pool(3, 2, 1).kW(2).pW(0).build())));
    c.add(
        of(
            "max pooling, same",
            g ->
                g.sd
                    .cnn()
                    .maxPooling2d(g.image, pool(3, 2, 0).paddingMode(PaddingMode.SAME).build())));
    c.add(
        of(
            "average pooling, padding not counted",
            g -> g.sd.cnn().avgPooling2d(g.image, pool(3, 2, 1).extra(0).build())));
    c.add(
        of(
            "average pooling, padding counted",
            g -> g.sd.cnn().avgPooling2d(g.image, pool(3, 2, 1).extra(1).build())));
    c.add(of("global mean", g -> g.image.mean(2, 3)));
    c.add(of("global mean, kept", g -> g.image.mean(true, 2, 3)));
    c.add(of("mean of channels", g -> g.image.mean(1)));
    return c;
  }

  static Stream<Arguments> opsOnEachEngine() {
    return GraphChecks.engines().stream()
        .flatMap(
            on ->
                ops().stream()
                    .filter(c -> on.type() == DataType.DOUBLE || !c.name.equals(ONLY_IN_DOUBLES))
                    .map(c -> Arguments.of(on, c)));
  }

  @ParameterizedTest
  @MethodSource("opsOnEachEngine")
  void anOpHasSameDiffsResultsAndGradients(GraphChecks.On on, Case c) {
    Graph g = new Graph(on.type());
    SDVariable result = c.written.apply(g);
    // Neither linear nor even, so that every element's gradient is its own.
    SDVariable loss =
        g.sd.math().square(result.add(g.number(0.3))).mean().add(g.sd.math().tanh(result).mean());
    GraphChecks.assertTrainsAsWritten(on, g.sd, loss, Map.of());
  }

  /** None of its layers is SwAV's, and neither is the loss. */
  private static SDVariable network(Graph g, Map<String, INDArray> placeholders) {
    SameDiff sd = g.sd;
    placeholders.put("images", GraphChecks.random(g.random, DataType.DOUBLE, 4, 3, 8, 8));
    placeholders.put("wanted", GraphChecks.random(g.random, DataType.DOUBLE, 4, 5));
    SDVariable images = sd.placeHolder("images", g.type, 4, 3, 8, 8);
    SDVariable h =
        sd.cnn().conv2d(images, g.var("w1", 3, 3, 3, 6), g.var("b1", 6), window(3, 1, 1).build());
    h = sd.nn().gelu(h);
    h = sd.cnn().depthWiseConv2d(h, g.var("w2", 3, 3, 6, 2), window(3, 2, 1).build());
    h = sd.nn().relu(h, 0);
    h = sd.cnn().avgPooling2d(h, pool(2, 2, 0).build());
    h = sd.cnn().conv2d(h, g.var("w3", 1, 1, 12, 7), window(1, 1, 0).build());
    h = sd.nn().sigmoid(h).mean(2, 3);
    h = sd.nn().layerNorm(h, g.var("gain", 7), g.var("bias", 7), true, 1);
    h = sd.mmul(h, g.var("w4", 7, 5)).add(g.var("b4", 5));
    SDVariable error = h.sub(sd.placeHolder("wanted", g.type, 4, 5));
    SDVariable huber = sd.math().sqrt(sd.math().square(error).add(1)).sub(1);
    return huber.mean().add(h.norm2(1).mean().mul(0.01));
  }

  @ParameterizedTest
  @MethodSource("org.swav4j.model.GraphChecks#engines")
  void aNetworkOfOnesOwnTrainsAsSameDiffTrainsIt(GraphChecks.On on) {
    Graph g = new Graph(on.type());
    Map<String, INDArray> placeholders = new LinkedHashMap<>();
    SDVariable loss = network(g, placeholders);
    Plan plan = GraphChecks.assertTrainsAsWritten(on, g.sd, loss, placeholders);
    assertThat(GraphChecks.count(plan, OpType.ND4J)).isGreaterThan(20);
    assertThat(GraphChecks.count(plan, OpType.CONV2D)).isEqualTo(1);
    assertThat(plan.ops()).anyMatch(op -> op.isNative("depthwise_conv2d_bp"));
  }

  @Test
  void aGraphIsReadWithoutBeingChanged() {
    Graph g = new Graph(DataType.DOUBLE);
    SDVariable loss = g.x.mul(g.y).sum();
    int variables = g.sd.variables().size();
    GraphChecks.read(g.sd, loss.name());
    assertThat(g.sd.variables()).hasSize(variables);
    assertThat(g.sd.variables()).allMatch(v -> v.getSameDiff() == g.sd);
    assertThat(g.sd.getOps().values()).allMatch(op -> op.getOp().getSameDiff() == g.sd);
    assertThat(g.sd.hasGradientFunction()).isFalse();
    assertThat(g.sd.getFunction("grad")).isNull();
  }

  @Test
  void twoParametersWithOneGradientGetAnArrayEach() {
    Graph g = new Graph(DataType.DOUBLE);
    SDVariable loss = g.sd.math().square(g.x.add(g.y)).sum();
    PlanReader.Program program = GraphChecks.read(g.sd, loss.name());
    try (Execution run = new Nd4jEngine().prepare(program.plan())) {
      run.forward();
      run.backward();
      INDArray dx = run.array(program.gradients().get("x"));
      INDArray dy = run.array(program.gradients().get("y"));
      assertThat(dy).isEqualTo(dx);
      dx.assign(0);
      assertThat(dy.norm2Number().doubleValue()).isPositive();
    }
  }

  @Test
  void aParameterTheLossDoesNotReachHasNoGradient() {
    Graph g = new Graph(DataType.DOUBLE);
    assertThat(GraphChecks.read(g.sd, g.sd.math().square(g.x).sum().name()).gradients().keySet())
        .containsExactly("x");
  }

  @Test
  void whatHasNoFixedShapeIsRefused() {
    Graph g = new Graph(DataType.DOUBLE);
    SDVariable open = g.sd.placeHolder("open", DataType.DOUBLE, -1, 4);
    String loss = open.add(g.x).sum().name();
    assertThatThrownBy(() -> GraphChecks.read(g.sd, loss))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("placeholder \"open\" has shape [-1, 4], expected a fixed one");
    SDVariable vector = g.sd.math().square(g.x);
    assertThatThrownBy(() -> GraphChecks.read(g.sd, vector.name()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is no scalar");
  }

  /** SameDiff's own differentiation prints a line per op. */
  @Test
  void readingPrintsNothingAndLosesNothingThatOtherThreadsPrint() throws InterruptedException {
    PrintStream out = System.out;
    ByteArrayOutputStream seen = new ByteArrayOutputStream();
    PrintStream caught = new PrintStream(seen, true, StandardCharsets.UTF_8);
    AtomicBoolean reading = new AtomicBoolean(true);
    AtomicInteger printed = new AtomicInteger();
    System.setOut(caught);
    try {
      Thread other =
          new Thread(
              () -> {
                while (reading.get()) {
                  System.out.println("line " + printed.getAndIncrement());
                  Thread.yield();
                }
              });
      other.start();
      for (int i = 0; i < 3; i++) {
        Graph g = new Graph(DataType.FLOAT);
        SDVariable loss = network(g, new LinkedHashMap<>());
        GraphChecks.read(g.sd, loss.name());
      }
      reading.set(false);
      other.join();
    } finally {
      System.setOut(out);
    }
    List<String> lines = seen.toString(StandardCharsets.UTF_8).lines().toList();
    assertThat(lines).filteredOn(line -> line.startsWith("line ")).hasSize(printed.get());
    assertThat(lines).noneMatch(line -> line.contains("differentiated"));
  }
}
