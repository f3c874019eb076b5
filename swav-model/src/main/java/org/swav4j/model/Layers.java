package org.swav4j.model;

import java.util.ArrayList;
import java.util.List;
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
 * The layers SwAV's numbers hang on, one at a time, as training runs them: to be held against
 * published numbers. Each is a plan of a few ops on the engine given. Not for use by several
 * threads.
 */
public final class Layers {
  private Layers() {}

  private static Op op(OpType type, Arguments arguments, List<Value> in, Value... out) {
    return new Op(type, in, List.of(out), arguments);
  }

  private static Value like(String name, Value shape) {
    return Value.result(name, shape.type(), shape.shape());
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
    Value in = Value.input("x", x.dataType(), x.shape());
    Value gradient = Value.input("dy", x.dataType(), x.shape());
    Value y = like("y", in);
    Value dx = like("dx", in);
    Plan plan =
        new Plan(
            List.of(in, gradient),
            List.of(y, dx),
            List.of(op(OpType.NORMALIZE_ROWS, Arguments.NONE, List.of(in), y)),
            List.of(op(OpType.NORMALIZE_ROWS_BP, Arguments.NONE, List.of(in, y, gradient), dx)));
    try (Execution run = engine.prepare(plan)) {
      run.array(in).assign(x);
      run.array(gradient).assign(dy);
      run.forward();
      run.backward();
      return new NormalizedRows(run.array(y).dup(), run.array(dx).dup());
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
      x = Value.input("x", type, shape);
      dy = Value.input("dy", type, shape);
      Value g = Value.parameter("gamma", gamma);
      Value b = Value.parameter("beta", beta);
      Value y = like("y", x);
      Value mean = like("mean", g);
      Value variance = like("variance", g);
      Value dx = like("dx", x);
      Value dgamma = like("dgamma", g);
      Value dbeta = like("dbeta", g);
      results.addAll(List.of(y, dx, dgamma, dbeta, mean, variance));
      Arguments epsilon = Arguments.epsilon(BatchNormalization.EPSILON);
      run =
          engine.prepare(
              new Plan(
                  List.of(x, dy),
                  results,
                  List.of(op(OpType.BATCH_NORM, epsilon, List.of(x, g, b), y, mean, variance)),
                  List.of(
                      op(
                          OpType.BATCH_NORM_BP,
                          epsilon,
                          List.of(x, g, b, mean, variance, dy),
                          dx,
                          dgamma,
                          dbeta))));
      statistics =
          new RunningStatistics(
              List.of(
                  new RunningStatistics.Entry(
                      run.array(mean),
                      run.array(variance),
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
      Value out = like("y", in);
      Plan plan =
          new Plan(
              List.of(in),
              List.of(out),
              List.of(
                  op(
                      OpType.CONV2D,
                      Arguments.window(1, 1, 0).withBias(),
                      List.of(in, Value.constant("weights", weights), Value.constant("bias", bias)),
                      out)),
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

  /** Everything behind the projection head: normalisation, prototypes, loss, and back. */
  public static final class Prediction implements AutoCloseable {
    private final Value features;
    private final Value embeddings;
    private final Value scores;
    private final Value codes;
    private final Value loss;
    private final Value dScores;
    private final Value dEmbeddings;
    private final Value dPrototypes;
    private final Value dFeatures;
    private final Execution run;

    /**
     * For B samples in V crops, A of them assigning.
     *
     * @param engine what runs it
     * @param prototypes C, {@code [K, D]}, read at each run: rows of unit length
     * @param views V
     * @param assigning A
     * @param batch B
     * @param temperature tau
     */
    public Prediction(
        Engine engine,
        INDArray prototypes,
        int views,
        int assigning,
        int batch,
        double temperature) {
      DataType type = prototypes.dataType();
      long k = prototypes.size(0);
      long rows = (long) views * batch;
      Value c = Value.parameter("prototypes", prototypes);
      features = Value.input("features", type, rows, prototypes.size(1));
      codes = Value.input("codes", type, (long) assigning * batch, k);
      embeddings = like("embeddings", features);
      scores = Value.result("scores", type, rows, k);
      loss = Value.result("loss", type);
      dScores = like("dScores", scores);
      dEmbeddings = like("dEmbeddings", embeddings);
      dPrototypes = like("dPrototypes", c);
      dFeatures = like("dFeatures", features);
      run =
          engine.prepare(
              new Plan(
                  List.of(features, codes),
                  List.of(embeddings, scores, loss, dScores, dEmbeddings, dPrototypes, dFeatures),
                  List.of(
                      op(OpType.NORMALIZE_ROWS, Arguments.NONE, List.of(features), embeddings),
                      op(
                          OpType.MATMUL,
                          Arguments.transpose(false, true),
                          List.of(embeddings, c),
                          scores)),
                  List.of(
                      op(
                          OpType.SWAPPED_PREDICTION,
                          Arguments.prediction(views, assigning, temperature),
                          List.of(scores, codes),
                          loss,
                          dScores),
                      op(
                          OpType.MATMUL,
                          Arguments.transpose(true, false),
                          List.of(dScores, embeddings),
                          dPrototypes),
                      op(
                          OpType.MATMUL,
                          Arguments.transpose(false, false),
                          List.of(dScores, c),
                          dEmbeddings),
                      op(
                          OpType.NORMALIZE_ROWS_BP,
                          Arguments.NONE,
                          List.of(features, embeddings, dEmbeddings),
                          dFeatures))));
    }

    /** Where the projections go, {@code [V·B, D]}, of any length. */
    public INDArray features() {
      return run.array(features);
    }

    /** Normalises and scores. */
    public void forward() {
      run.forward();
    }

    /** {@code [V·B, D]}. */
    public INDArray embeddings() {
      return run.array(embeddings);
    }

    /** {@code [V·B, K]}. */
    public INDArray scores() {
      return run.array(scores);
    }

    /** Where the codes go, {@code [A·B, K]}. */
    public INDArray codes() {
      return run.array(codes);
    }

    /** The loss in nats; afterwards the gradients are current. */
    public double backward() {
      run.backward();
      return run.array(loss).getDouble(0);
    }

    /** {@code [V·B, K]}. */
    public INDArray gradientOfScores() {
      return run.array(dScores);
    }

    /** {@code [V·B, D]}. */
    public INDArray gradientOfEmbeddings() {
      return run.array(dEmbeddings);
    }

    /** {@code [K, D]}, not projected onto the sphere. */
    public INDArray gradientOfPrototypes() {
      return run.array(dPrototypes);
    }

    /** {@code [V·B, D]}. */
    public INDArray gradientOfFeatures() {
      return run.array(dFeatures);
    }

    @Override
    public void close() {
      run.close();
    }
  }
}
