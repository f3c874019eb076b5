package org.swav4j.train.loop;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.TrainingStep;
import org.swav4j.model.Views;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.plan.AllReduce;
import org.swav4j.train.collective.Collective;
import org.swav4j.train.collective.GradientSums;
import org.swav4j.train.collective.SyncNorm;
import org.swav4j.train.method.Method;
import org.swav4j.train.optimiser.Optimiser;

/**
 * One whole step of training with a {@link Method}: the trainer runs it, benchmarks time it, {@code
 * conformance} holds it against recorded numbers. Fine-tuning on labels has no method and a step of
 * its own, {@code FineTuning}.
 *
 * <pre>
 *   method.beforeForward               SwAV: prototypes back to the unit sphere
 *   step.forward                       crops → embeddings, and what the loss reads
 *   method.targets                     SwAV: scores → codes
 *   step.backward                      → loss, gradients, running statistics
 *   collective.sum                     the mean over workers, for the most part during backward
 *   optimiser.step                     the parameters that the method trains
 * </pre>
 *
 * <p>Crops go into {@link #crops} before. Weights are changed in place. Allocates nothing after the
 * first steps. Not thread-safe.
 */
public final class MethodStep implements AutoCloseable {
  /** The parts of a step, in order. */
  public enum Part {
    /** What the method does before the network runs. */
    PREPARE,
    /** The network. */
    FORWARD,
    /** The method's targets. */
    TARGETS,
    /** Loss, gradients and running statistics. */
    BACKWARD,
    /** Sums over workers, as far as they aren't done when the backward pass is. */
    SUM,
    /** The optimiser. */
    UPDATE
  }

  private static final int PARTS = Part.values().length;

  private final SwavWeights weights;
  private final Views views;
  private final Method method;
  private final TrainingStep step;
  private final Optimiser optimiser;
  private final Collective collective;
  private final String[] names;
  private final INDArray[] all;
  private final boolean[] moves;
  private final int[] images;
  private Map<String, INDArray> gradients;
  private final WorkersMean mean;
  private final long[] marks = new long[PARTS + 1];

  /**
   * Compiles the network with the method's loss, and begins the method.
   *
   * @param weights changed in place
   * @param views the crops of a batch; of this worker's share where there are several
   * @param method closed with this step
   * @param engine what runs the network
   * @param collective the workers that share each batch
   * @throws IllegalArgumentException if method and crops don't go together
   */
  public MethodStep(
      SwavWeights weights,
      Views views,
      Method method,
      Optimiser optimiser,
      Engine engine,
      Collective collective) {
    this(weights, views, 1, method, optimiser, engine, collective);
  }

  /**
   * The same for batches that are worked off in parts, see {@link TrainingStep}.
   *
   * @param weights changed in place
   * @param views the crops of a whole batch; of this worker's share where there are several
   * @param parts of a batch, of which one at a time is in memory; its images are a multiple
   * @param method closed with this step
   * @param engine what runs the network
   * @param collective the workers that share each batch
   * @throws IllegalArgumentException if method and crops don't go together, or the method doesn't
   *     allow parts
   */
  public MethodStep(
      SwavWeights weights,
      Views views,
      int parts,
      Method method,
      Optimiser optimiser,
      Engine engine,
      Collective collective) {
    this(
        weights,
        views,
        parts,
        method,
        optimiser,
        engine,
        collective,
        SyncNorm.ON,
        GradientSums.FLOAT);
  }

  /**
   * The same with a choice of the rows that batch norm takes its moments from, and of how gradients
   * are summed.
   *
   * @param weights changed in place; equal on all workers
   * @param views the crops of a whole batch; of this worker's share where there are several
   * @param parts of a batch, of which one at a time is in memory; its images are a multiple
   * @param method closed with this step
   * @param engine what runs the network
   * @param collective the workers that share each batch
   * @param syncNorm with one worker only {@link SyncNorm#EXACT} has an effect
   * @param sums how gradients travel between workers
   * @throws IllegalArgumentException if method and crops don't go together, or the method doesn't
   *     allow parts, or several workers
   */
  public MethodStep(
      SwavWeights weights,
      Views views,
      int parts,
      Method method,
      Optimiser optimiser,
      Engine engine,
      Collective collective,
      SyncNorm syncNorm,
      GradientSums sums) {
    this(
        weights,
        views,
        parts,
        method,
        optimiser,
        engine,
        collective,
        syncNorm,
        sums,
        WorkersMean.BUCKET);
  }

  /** The same with a number of gradients that are summed at a time. */
  MethodStep(
      SwavWeights weights,
      Views views,
      int parts,
      Method method,
      Optimiser optimiser,
      Engine engine,
      Collective collective,
      SyncNorm syncNorm,
      GradientSums sums,
      int bucket) {
    if (parts > 1 && !method.allowsParts()) {
      throw new IllegalArgumentException(
          "`accumulate` is "
              + parts
              + ", expected 1 with "
              + method.getClass().getSimpleName()
              + ", which doesn't say that a batch may be worked off in parts: its loss may compare"
              + " images of a batch with each other");
    }
    if (collective.size() > 1) {
      method.workers(collective);
    }
    this.weights = weights;
    this.views = views;
    this.method = method;
    this.mean = new WorkersMean(collective, sums, bucket);
    this.step =
        new TrainingStep(
            weights,
            views.groups(),
            views.batch(),
            parts,
            method.objective(),
            engine,
            norms(syncNorm, collective),
            mean.listener());
    this.optimiser = optimiser;
    this.collective = collective;
    this.gradients = step.gradients();
    this.names = gradients.keySet().toArray(String[]::new);
    this.all = gradients.values().toArray(INDArray[]::new);
    this.images = IntStream.range(0, views.batch()).toArray();
    this.moves = new boolean[names.length];
    Arrays.fill(moves, true);
    mean.begin(step, syncNorm == SyncNorm.OFF ? weights.statistics().values() : List.of());
    method.begin(step, weights);
  }

  private static AllReduce norms(SyncNorm syncNorm, Collective collective) {
    return switch (syncNorm) {
      case ON -> collective.norms();
      case EXACT -> AllReduce.exact(collective.norms());
      case OFF -> AllReduce.alone();
    };
  }

  /** Where the crops of a group go: {@code [count·B, C, size, size]}. */
  public INDArray crops(int group) {
    return step.crops(group);
  }

  /** Where the indices of the batch's images go, B numbers, for a method that wants them. */
  public int[] images() {
    return images;
  }

  /** The crops of a batch. */
  public Views views() {
    return views;
  }

  /** Network and loss, whose arrays hold what the last step left. */
  public TrainingStep network() {
    return step;
  }

  /**
   * Runs a step.
   *
   * @param number of the step in the run, from 0
   * @param learningRate of this step
   * @return the loss in nats; the mean over the workers
   * @throws ArithmeticException if the loss, or a gradient the optimiser looks at, is not finite;
   *     the weights are then as they were, or partly updated
   * @throws IllegalArgumentException if the method refuses what the network gave
   */
  public double run(long number, double learningRate) {
    marks[0] = System.nanoTime();
    if (method.knowsImages()) {
      method.images(images);
    }
    method.beforeForward(weights);
    mark(Part.PREPARE);
    step.forward();
    mark(Part.FORWARD);
    method.targets(step, number, collective);
    mark(Part.TARGETS);
    double own = step.backward();
    mark(Part.BACKWARD);
    double loss = mean.take(own);
    if (!Double.isFinite(loss)) {
      throw new ArithmeticException("the loss is " + loss);
    }
    mark(Part.SUM);
    optimiser.step(weights.parameters(), trained(number), learningRate);
    mark(Part.UPDATE);
    return loss;
  }

  private void mark(Part part) {
    marks[part.ordinal() + 1] = System.nanoTime();
  }

  /** The gradients of the parameters that move: a new map only when these are others. */
  private Map<String, INDArray> trained(long number) {
    boolean same = true;
    for (int i = 0; i < names.length; i++) {
      boolean now = method.trains(names[i], number);
      same &= now == moves[i];
      moves[i] = now;
    }
    if (!same) {
      gradients = new LinkedHashMap<>();
      for (int i = 0; i < names.length; i++) {
        if (moves[i]) {
          gradients.put(names[i], all[i]);
        }
      }
    }
    return gradients;
  }

  /** How long a part of the last step took. */
  public long nanoseconds(Part part) {
    return marks[part.ordinal() + 1] - marks[part.ordinal()];
  }

  /** How long the last step took. */
  public long nanoseconds() {
    return marks[PARTS] - marks[0];
  }

  /** Frees the memory of network and method; the weights stay. */
  @Override
  public void close() {
    mean.close(); // first: its thread may be reading gradients
    step.close();
    method.close();
  }
}
