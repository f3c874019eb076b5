package org.swav4j.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Execution;
import org.swav4j.model.plan.Arguments;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.OpType;
import org.swav4j.model.plan.Plan;
import org.swav4j.model.plan.Value;

/**
 * The layers SwAV's numbers hang on, one at a time, to be held against published numbers. Each is
 * written in SameDiff by the code that writes the training graph, read and simplified as that is,
 * and run on the engine given. Not for use by several threads.
 */
public final class Layers {
  private Layers() {}

  /** A graph that gets {@code Σ y·dy} as its loss, so that y's gradient is the given dy. */
  private static SDVariable pulledBy(SDVariable y, SDVariable dy) {
    return y.mul(dy).sum().rename("loss");
  }

  private static Value input(Plan plan, String name) {
    return plan.inputs().stream().filter(v -> v.name().equals(name)).findAny().orElseThrow();
  }

  /**
   * Rows brought to unit length.
   *
   * @param y x / max(‖x‖, 1e-12), {@code [N, D]}
   * @param dx gradient with respect to x
   */
  public record NormalizedRows(INDArray y, INDArray dx) {}

  /** Normalises the rows of x {@code [N, D]}, and takes the gradient dy {@code [N, D]} back. */
  public static NormalizedRows normalizeRows(Engine engine, INDArray x, INDArray dy) {
    SameDiff sd = SameDiff.create();
    SDVariable y =
        SwavGraph.normalizeRows(sd.placeHolder("x", x.dataType(), x.shape())).rename("y");
    pulledBy(y, sd.placeHolder("dy", x.dataType(), x.shape()));
    PlanReader.Program program = PlanReader.read(sd, Map.of(), List.of("y"), "loss", List.of("x"));
    Plan plan = org.swav4j.model.plan.Pass.standard().apply(program.plan());
    try (Execution run = engine.prepare(plan)) {
      run.array(input(plan, "x")).assign(x);
      run.array(input(plan, "dy")).assign(dy);
      run.forward();
      run.backward();
      return new NormalizedRows(
          run.array(program.values().get("y")).dup(),
          run.array(program.gradients().get("x")).dup());
    }
  }

  /** Batch norm over one shape, with its running statistics. */
  public static final class BatchNorm implements AutoCloseable {
    private final Engine engine;
    private final INDArray gamma;
    private final INDArray beta;
    private final INDArray runningMean;
    private final INDArray runningVariance;
    private final Value x;
    private final Value dy;
    private final List<Value> results = new ArrayList<>();
    private final Execution run;
    private final RunningStatistics statistics;

    /**
     * Of one pass in training.
     *
     * @param y normalised
     * @param dx gradient with respect to x
     * @param dgamma gradient with respect to gamma
     * @param dbeta gradient with respect to beta
     * @param mean of the batch
     * @param variance of the batch, biased
     */
    public record Pass(
        INDArray y,
        INDArray dx,
        INDArray dgamma,
        INDArray dbeta,
        INDArray mean,
        INDArray variance) {}

    /**
     * Running statistics start at 0 and 1.
     *
     * @param engine what runs it
     * @param gamma {@code [C]}
     * @param beta {@code [C]}
     * @param shape of x: {@code [N, C, H, W]} or {@code [N, C]}
     */
    public BatchNorm(Engine engine, INDArray gamma, INDArray beta, long... shape) {
      this.engine = engine;
      this.gamma = gamma;
      this.beta = beta;
      DataType type = gamma.dataType();
      runningMean = Nd4j.zeros(type, gamma.length());
      runningVariance = Nd4j.ones(type, gamma.length());
      SameDiff sd = SameDiff.create();
      SDVariable[] norm =
          BatchNormalization.apply(
              sd,
              "norm",
              sd.placeHolder("x", type, shape),
              shape.length,
              sd.var("gamma", gamma),
              sd.var("beta", beta));
      String y = norm[0].name();
      String mean = norm[1].name();
      String variance = norm[2].name();
      pulledBy(norm[0], sd.placeHolder("dy", type, shape));
      PlanReader.Program program =
          PlanReader.read(
              sd,
              Map.of("gamma", gamma, "beta", beta),
              List.of(y, mean, variance),
              "loss",
              List.of("x", "gamma", "beta"));
      Plan plan = org.swav4j.model.plan.Pass.standard().apply(program.plan());
      x = input(plan, "x");
      dy = input(plan, "dy");
      Map<String, Value> values = program.values();
      results.add(values.get(y));
      results.addAll(program.gradients().values());
      results.add(values.get(mean));
      results.add(values.get(variance));
      run = engine.prepare(plan);
      statistics =
          new RunningStatistics(
              List.of(
                  new RunningStatistics.Entry(
                      run.array(values.get(mean)),
                      run.array(values.get(variance)),
                      x.length() / gamma.length(),
                      runningMean,
                      runningVariance)));
    }

    /** One pass in training; moves the running statistics. */
    public Pass train(INDArray images, INDArray gradient) {
      run.array(x).assign(images);
      run.array(dy).assign(gradient);
      run.forward();
      run.backward();
      statistics.update();
      List<INDArray> r = results.stream().map(v -> run.array(v).dup()).toList();
      return new Pass(r.get(0), r.get(1), r.get(2), r.get(3), r.get(4), r.get(5));
    }

    /** As after training: by the running statistics, folded into a 1×1 convolution of ones. */
    public INDArray infer(INDArray images) {
      long c = gamma.length();
      INDArray bias = Nd4j.create(gamma.dataType(), c);
      INDArray weights = Nd4j.zeros(gamma.dataType(), 1, 1, c, c);
      for (long k = 0; k < c; k++) {
        double s =
            gamma.getDouble(k)
                / Math.sqrt(runningVariance.getDouble(k) + BatchNormalization.EPSILON);
        bias.putScalar(k, beta.getDouble(k) - runningMean.getDouble(k) * s);
        weights.putScalar(new long[] {0, 0, k, k}, s);
      }
      long[] shape = images.rank() == 4 ? images.shape() : new long[] {images.size(0), c, 1, 1};
      Value in = Value.input("x", gamma.dataType(), shape);
      Value out = Value.result("y", in.type(), shape);
      Plan plan =
          new Plan(
              List.of(in),
              List.of(out),
              List.of(
                  new Op(
                      OpType.CONV2D,
                      List.of(in, Value.constant("weights", weights), Value.constant("bias", bias)),
                      List.of(out),
                      Arguments.window(1, 1, 0).withBias())),
              List.of());
      try (Execution inference = engine.prepare(plan)) {
        inference.array(in).assign(images.reshape(shape));
        inference.forward();
        return inference.array(out).dup().reshape(images.shape());
      }
    }

    /** {@code [C]}. */
    public INDArray runningMean() {
      return runningMean;
    }

    /** {@code [C]}, unbiased. */
    public INDArray runningVariance() {
      return runningVariance;
    }

    @Override
    public void close() {
      run.close();
    }
  }
}
