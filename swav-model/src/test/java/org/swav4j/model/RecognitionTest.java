package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.controlflow.compat.StopGradient;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.engine.Execution;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.OpType;
import org.swav4j.model.plan.Pass;
import org.swav4j.model.plan.Plan;
import org.swav4j.model.plan.Value;

/**
 * The passes that recognise SwAV's own stretches of a graph: they find them as they are written,
 * leave alone what only looks like them, and change no number either way.
 */
class RecognitionTest {
  private static final int B = 3;
  private static final int V = 3;
  private static final int D = 5;
  private static final int K = 7;
  private static final Views VIEWS =
      new Views(List.of(new CropGroup(2, 9), new CropGroup(1, 5)), B);

  /** Projections, prototypes and what hangs on them. */
  private static final class Graph {
    final SameDiff sd = SameDiff.create();
    final Random random = new Random(4);
    final SDVariable x;
    final SDVariable prototypes;
    final SDVariable z;
    final SDVariable scores;
    final Map<String, INDArray> placeholders = new LinkedHashMap<>();

    Graph(DataType type) {
      this(type, SwavGraph::normalizeRows);
    }

    Graph(DataType type, Function<SDVariable, SDVariable> normalize) {
      x = sd.var("x", GraphChecks.random(random, type, VIEWS.rows(), D));
      prototypes = sd.var("prototypes", GraphChecks.random(random, type, K, D));
      z = normalize.apply(x);
      scores = sd.mmul("scores", z, prototypes, false, true, false);
    }

    SDVariable codes(int assigning) {
      placeholders.put(
          "codes", GraphChecks.codes(random, DataType.DOUBLE, (long) assigning * B, K));
      return sd.placeHolder("codes", x.dataType(), (long) assigning * B, K);
    }

    /** SwAV's loss as it is. */
    SDVariable loss() {
      return SwavLoss.of(scores, codes(2), VIEWS, 2, 0.1);
    }

    /** The loss over targets of one's own, one per crop. */
    SDVariable loss(double factor, SDVariable... targets) {
      return sd.concat(0, targets).mul(sd.nn().logSoftmax(scores.mul(10))).sum().mul(factor);
    }

    SDVariable rows(SDVariable codes, int crop) {
      return sd.slice(codes, new int[] {crop * B, 0}, B, K);
    }
  }

  /** A graph, and how many of each op its plan has after the passes. */
  private record Case(
      String name, int predictions, int normalised, BiFunction<Graph, DataType, SDVariable> loss) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static final double FACTOR = -1.0 / (2 * (V - 1) * B);

  private static List<Case> losses() {
    return List.of(
        new Case("as written", 1, 1, (g, t) -> g.loss()),
        new Case(
            "another temperature",
            1,
            1,
            (g, t) -> SwavLoss.of(g.scores, g.codes(2), VIEWS, 2, 0.07)),
        new Case(
            "one crop assigns", 1, 1, (g, t) -> SwavLoss.of(g.scores, g.codes(1), VIEWS, 1, 0.1)),
        new Case(
            "all crops assign", 1, 1, (g, t) -> SwavLoss.of(g.scores, g.codes(3), VIEWS, 3, 0.1)),
        new Case("times seven plus thousand", 0, 1, (g, t) -> g.loss().mul(7).add(1000)),
        new Case("squared", 0, 1, (g, t) -> g.sd.math().square(g.loss())),
        new Case("plus thousand", 1, 1, (g, t) -> g.loss().add(1000)),
        new Case(
            "a term on the scores added",
            1,
            1,
            (g, t) -> g.loss().add(g.sd.math().square(g.scores).mean())),
        new Case(
            "a term on the embeddings added",
            1,
            1,
            (g, t) -> g.loss().add(g.sd.math().pow(g.z, 4).mean())),
        new Case(
            "the scores' softmax read twice",
            0,
            1,
            (g, t) -> {
              SDVariable q = g.codes(2);
              SDVariable l = g.sd.nn().logSoftmax(g.scores.mul(10));
              SDVariable all =
                  g.sd.concat(0, g.rows(q, 1), g.rows(q, 0), g.rows(q, 0).add(g.rows(q, 1)));
              return all.mul(l).sum().mul(FACTOR).add(l.mean());
            }),
        new Case(
            "by hand",
            1,
            1,
            (g, t) -> {
              SDVariable q = g.codes(2);
              return g.loss(FACTOR, g.rows(q, 1), g.rows(q, 0), g.rows(q, 1).add(g.rows(q, 0)));
            }),
        new Case(
            "a pair missing",
            0,
            1,
            (g, t) -> {
              SDVariable q = g.codes(2);
              return g.loss(FACTOR, g.rows(q, 1), g.rows(q, 0), g.rows(q, 1));
            }),
        new Case(
            "a crop predicts itself",
            0,
            1,
            (g, t) -> {
              SDVariable q = g.codes(2);
              return g.loss(FACTOR, g.rows(q, 0), g.rows(q, 1), g.rows(q, 1).add(g.rows(q, 0)));
            }),
        new Case(
            "a pair twice",
            0,
            1,
            (g, t) -> {
              SDVariable q = g.codes(2);
              SDVariable both = g.rows(q, 1).add(g.rows(q, 0));
              return g.loss(FACTOR, g.rows(q, 1), g.rows(q, 0), both.add(g.rows(q, 0)));
            }),
        new Case(
            "a pair weighed",
            0,
            1,
            (g, t) -> {
              SDVariable q = g.codes(2);
              return g.loss(
                  FACTOR, g.rows(q, 1), g.rows(q, 0).mul(0.5), g.rows(q, 1).add(g.rows(q, 0)));
            }),
        new Case(
            "another factor",
            0,
            1,
            (g, t) -> {
              SDVariable q = g.codes(2);
              return g.loss(
                  FACTOR * 1.001, g.rows(q, 1), g.rows(q, 0), g.rows(q, 1).add(g.rows(q, 0)));
            }),
        new Case(
            "scores detached",
            0,
            1,
            (g, t) -> {
              SDVariable q = g.codes(2);
              return SwavLoss.of(detached(g.scores), q, VIEWS, 2, 0.1)
                  .add(g.sd.math().pow(g.z, 4).mean());
            }),
        new Case(
            "softmax over columns",
            0,
            1,
            (g, t) -> {
              SDVariable q = g.codes(2);
              SDVariable all =
                  g.sd.concat(0, g.rows(q, 1), g.rows(q, 0), g.rows(q, 0).add(g.rows(q, 1)));
              SDVariable columns = g.sd.transpose(g.scores.mul(10));
              return all.mul(g.sd.transpose(g.sd.nn().logSoftmax(columns))).sum().mul(FACTOR);
            }));
  }

  static Stream<Arguments> onEachEngine() {
    return GraphChecks.engines().stream()
        .flatMap(on -> losses().stream().map(c -> Arguments.of(on, c)));
  }

  @ParameterizedTest
  @MethodSource("onEachEngine")
  void aLossTrainsAsWrittenAndIsMatchedOnlyIfItIsSwavs(GraphChecks.On on, Case c) {
    Graph g = new Graph(on.type());
    SDVariable loss = c.loss.apply(g, on.type());
    Plan plan = GraphChecks.assertTrainsAsWritten(on, g.sd, loss, g.placeholders);
    assertThat(GraphChecks.count(plan, OpType.SWAPPED_PREDICTION)).isEqualTo(c.predictions);
    assertThat(GraphChecks.count(plan, OpType.NORMALIZE_ROWS)).isEqualTo(c.normalised);
    if (c.name.equals("another temperature")) {
      assertThat(plan.ops().stream().mapToDouble(op -> op.arguments().temperature()).max())
          .hasValue(0.07);
    }
  }

  /** Normalisations that only look like rows brought to unit length. */
  private record Norm(String name, int normalised, Function<SDVariable, SDVariable> normalize) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static SDVariable norm(SDVariable x, int dimension) {
    SameDiff sd = x.getSameDiff();
    return sd.math().sqrt(sd.math().squaredNorm(x, true, dimension));
  }

  private static SDVariable atLeast(SDVariable norm, double smallest) {
    SameDiff sd = norm.getSameDiff();
    return sd.math().max(norm, sd.constant(Nd4j.scalar(norm.dataType(), smallest)));
  }

  /** The same numbers, through which no gradient goes. */
  private static SDVariable detached(SDVariable x) {
    return new StopGradient(x.getSameDiff(), x).outputVariable();
  }

  private static List<Norm> almostNorms() {
    return List.of(
        new Norm("as written", 1, x -> x.div(atLeast(norm(x, 1), 1e-12))),
        new Norm("another smallest norm", 0, x -> x.div(atLeast(norm(x, 1), 1.5))),
        new Norm("columns", 0, x -> x.div(atLeast(norm(x, 0), 1e-12))),
        new Norm("norms times three", 0, x -> x.div(atLeast(norm(x, 1).mul(3), 1e-12))),
        new Norm("no smallest norm", 0, x -> x.div(norm(x, 1))),
        new Norm("another's norm", 0, x -> x.div(atLeast(norm(x.mul(2), 1), 1e-12))),
        new Norm("norms detached", 0, x -> x.div(detached(atLeast(norm(x, 1), 1e-12)))),
        new Norm("x detached for the norms", 0, x -> x.div(atLeast(norm(detached(x), 1), 1e-12))),
        new Norm(
            "norms read twice",
            0,
            x -> {
              SDVariable n = atLeast(norm(x, 1), 1e-12);
              return x.div(n).add(n.mul(0.1));
            }),
        new Norm("x read besides", 0, x -> x.div(atLeast(norm(x, 1), 1e-12)).add(x.mul(0.1))));
  }

  static Stream<Arguments> normsOnEachEngine() {
    return GraphChecks.engines().stream()
        .flatMap(on -> almostNorms().stream().map(c -> Arguments.of(on, c)));
  }

  @ParameterizedTest
  @MethodSource("normsOnEachEngine")
  void aNormalisationTrainsAsWrittenAndIsMatchedOnlyIfItIsOfRows(GraphChecks.On on, Norm c) {
    Graph g = new Graph(on.type(), c.normalize);
    Plan plan = GraphChecks.assertTrainsAsWritten(on, g.sd, g.loss(), g.placeholders);
    assertThat(GraphChecks.count(plan, OpType.NORMALIZE_ROWS)).isEqualTo(c.normalised);
    assertThat(GraphChecks.count(plan, OpType.NORMALIZE_ROWS_BP)).isEqualTo(c.normalised);
    assertThat(GraphChecks.count(plan, OpType.SWAPPED_PREDICTION)).isEqualTo(1);
  }

  @ParameterizedTest
  @MethodSource("org.swav4j.model.GraphChecks#engines")
  void aLossTimesSevenPlusThousandHasSevenfoldGradients(GraphChecks.On on) {
    Map<String, INDArray> plain = run(on, new Graph(on.type()), g -> g.loss());
    Map<String, INDArray> scaled = run(on, new Graph(on.type()), g -> g.loss().mul(7).add(1000));
    GraphChecks.assertClose(
        on, "loss", scaled.remove("loss"), plain.remove("loss").mul(7).add(1000));
    plain.forEach((name, g) -> GraphChecks.assertClose(on, name, scaled.get(name), g.mul(7)));
  }

  private static Map<String, INDArray> run(
      GraphChecks.On on, Graph g, Function<Graph, SDVariable> written) {
    PlanReader.Program program = GraphChecks.read(g.sd, written.apply(g).name());
    Plan plan = Pass.standard().apply(program.plan());
    Map<String, INDArray> results = new LinkedHashMap<>();
    try (Execution run = on.engine().prepare(plan)) {
      plan.inputs().forEach(v -> run.array(v).assign(g.placeholders.get(v.name())));
      run.forward();
      run.backward();
      results.put("loss", run.array(program.loss()).dup());
      program.gradients().forEach((name, v) -> results.put(name, run.array(v).dup()));
    }
    return results;
  }

  /** A value in between that the caller wants is kept. */
  @ParameterizedTest
  @MethodSource("org.swav4j.model.GraphChecks#engines")
  void whatTheCallerReadsIsNotFusedAway(GraphChecks.On on) {
    Graph g = new Graph(on.type());
    SDVariable loss = g.loss();
    Plan plan = GraphChecks.read(g.sd, loss.name()).plan();
    for (String inner : List.of("log_softmax", "multiply", "maximum", "sqrt")) {
      Op op = plan.ops().stream().filter(o -> o.isNative(inner)).findFirst().orElseThrow();
      List<Value> outputs = new ArrayList<>(plan.outputs());
      outputs.add(op.output());
      Plan passed =
          Pass.standard().apply(new Plan(plan.inputs(), outputs, plan.forward(), plan.backward()));
      assertThat(passed.ops()).as(inner).contains(op);
    }
  }
}
