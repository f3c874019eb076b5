package org.swav4j.train.bench;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.IntUnaryOperator;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.CropGroup;
import org.swav4j.model.SwavConfig;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.Views;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Execution;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.Plan;
import org.swav4j.model.plan.Value;
import org.swav4j.sinkhorn.SwavCodes;
import org.swav4j.train.collective.Collective;
import org.swav4j.train.host.HostTensor;
import org.swav4j.train.loop.MethodStep;
import org.swav4j.train.loop.MethodStep.Part;
import org.swav4j.train.method.Method;
import org.swav4j.train.method.SwavMethod;
import org.swav4j.train.optimiser.PrototypeNormaliser;
import org.swav4j.train.optimiser.Sgd;

/**
 * Full training steps on random crops in memory: what the method prepares, forward, its targets,
 * loss and backward, SGD with momentum 0.9. SwAV's targets are the codes of the first two crops
 * (epsilon 0.05, 3 iterations). Not thread-safe.
 */
public final class StepBench implements AutoCloseable {
  private static final int ASSIGNING = 2;

  private final MethodStep step;
  private final Method method;
  private final SplittableRandom random = new SplittableRandom(1);

  /**
   * Parts of a step, medians in milliseconds.
   *
   * @param step the whole
   * @param forward of all crops
   * @param codes the method's targets: of the assigning crops
   * @param backward loss, gradients and running statistics
   * @param update prototypes normalised and parameters moved
   * @param loss of the last step, in nats
   */
  public record Result(
      Times step, double forward, double codes, double backward, double update, double loss) {}

  /**
   * What one kind of op costs in a step.
   *
   * @param name of the kind
   * @param count kernels of it
   * @param forward milliseconds up to the codes
   * @param backward milliseconds after them
   * @param flops of convolutions and products, see {@link FlopCount}
   */
  public record Cost(String name, int count, double forward, double backward, long flops) {
    /** Milliseconds in all. */
    public double total() {
      return forward + backward;
    }

    private Cost plus(Cost other) {
      return new Cost(
          name,
          count + other.count,
          forward + other.forward,
          backward + other.backward,
          flops + other.flops);
    }
  }

  /**
   * Compiles a step of SwAV and fills its crops.
   *
   * @param network trained from random weights
   * @param crops groups of equal size
   * @param batch B
   * @param threads of the codes' solver
   * @throws IllegalArgumentException if a number is out of range
   */
  public StepBench(
      SwavConfig network, List<CropGroup> crops, int batch, int threads, Engine engine) {
    this(
        network,
        crops,
        batch,
        new SwavMethod(
            new SwavMethod.Settings(ASSIGNING, network.temperature()),
            new SwavCodes(0.05, 3).withThreads(threads),
            engine),
        engine);
  }

  /**
   * Compiles a step of any method and fills its crops; the images are the first B.
   *
   * @param network trained from random weights
   * @param crops groups of equal size
   * @param batch B
   * @param method closed with this
   * @throws IllegalArgumentException if a number is out of range
   */
  public StepBench(
      SwavConfig network, List<CropGroup> crops, int batch, Method method, Engine engine) {
    this.method = method;
    step =
        new MethodStep(
            SwavWeights.initialise(network, 1),
            new Views(crops, batch),
            method,
            new Sgd(0.9, 1e-6),
            engine,
            Collective.single());
    for (int g = 0; g < crops.size(); g++) {
      fill(new HostTensor().bind(step.crops(g)).floats());
    }
  }

  private void fill(FloatBuffer numbers) {
    for (int i = 0; i < numbers.capacity(); i++) {
      numbers.put(i, (float) random.nextGaussian());
    }
  }

  /**
   * Brings a method that learns from all images at each epoch's start, as DeepCluster-v2 does from
   * their clusters, to the start of its second epoch: the steps that are timed afterwards are those
   * of a run, in whose first epoch nothing moves. The first goes by without the network, with
   * random embeddings.
   *
   * @param images N, at least a batch; those of the last incomplete batch are left out
   * @return how long the second epoch's start took, in milliseconds
   */
  public double secondEpoch(int images) {
    method.epochBegins(0);
    int[] batch = step.images();
    INDArray embeddings = step.network().embeddings();
    FloatBuffer numbers = new HostTensor().bind(embeddings).floats();
    PrototypeNormaliser toUnitLength = new PrototypeNormaliser();
    for (int first = 0; first + batch.length <= images; first += batch.length) {
      Arrays.setAll(batch, own(first));
      fill(numbers);
      toUnitLength.normalise(embeddings);
      method.images(batch);
      method.targets(step.network(), first / batch.length, Collective.single());
    }
    Arrays.setAll(batch, own(0));
    long begin = System.nanoTime();
    method.epochBegins(1);
    return (System.nanoTime() - begin) / 1e6;
  }

  private static IntUnaryOperator own(int first) {
    return i -> first + i;
  }

  /**
   * Trains.
   *
   * @param warmup steps that don't count, at least 0
   * @param repeats steps that do, at least 1
   */
  public Result run(int warmup, int repeats) {
    Times.checkRuns(warmup, repeats);
    long[] whole = new long[repeats];
    long[] forward = new long[repeats];
    long[] targets = new long[repeats];
    long[] backward = new long[repeats];
    long[] update = new long[repeats];
    double loss = Double.NaN;
    for (int run = -warmup; run < repeats; run++) {
      loss = step.run(run + (long) warmup, 0.01);
      if (run >= 0) {
        whole[run] = step.nanoseconds();
        forward[run] = step.nanoseconds(Part.FORWARD);
        targets[run] = step.nanoseconds(Part.TARGETS);
        backward[run] = step.nanoseconds(Part.BACKWARD);
        update[run] =
            step.nanoseconds(Part.PREPARE)
                + step.nanoseconds(Part.SUM)
                + step.nanoseconds(Part.UPDATE);
      }
    }
    return new Result(
        Times.of(whole),
        Times.of(forward).median(),
        Times.of(targets).median(),
        Times.of(backward).median(),
        Times.of(update).median(),
        loss);
  }

  /** What is run. */
  public Plan plan() {
    return step.network().plan();
  }

  /** Bytes the step holds besides the weights. */
  public long bytes() {
    return step.network().bytes();
  }

  /** One run with a clock on each kernel; run at least one step before. */
  public List<Execution.Timing> profile() {
    return step.network().profile();
  }

  /**
   * The kernels of a profile by kind, the dearest first. An op's operations are shared equally by
   * the kinds that compute it, as a convolution's two gradients are, and counted with the first of
   * each kind.
   */
  public List<Cost> costs(List<Execution.Timing> profile) {
    Set<Value> read = FlopCount.wanted(step.network().plan());
    Map<Op, Set<String>> kernels = new IdentityHashMap<>();
    for (Execution.Timing t : profile) {
      if (t.work() == Execution.Work.ARITHMETIC) {
        kernels.computeIfAbsent(t.op(), op -> new HashSet<>()).add(t.kernel());
      }
    }
    Map<Op, Set<String>> counted = new IdentityHashMap<>();
    Map<String, Cost> costs = new LinkedHashMap<>();
    for (Execution.Timing t : profile) {
      boolean counts =
          t.work() == Execution.Work.ARITHMETIC
              && counted.computeIfAbsent(t.op(), op -> new HashSet<>()).add(t.kernel());
      long flops = counts ? FlopCount.of(t.op(), read) / kernels.get(t.op()).size() : 0;
      double ms = t.nanoseconds() / 1e6;
      String kind = kind(t);
      costs.merge(
          kind, new Cost(kind, 1, t.backward() ? 0 : ms, t.backward() ? ms : 0, flops), Cost::plus);
    }
    List<Cost> sorted = new ArrayList<>(costs.values());
    sorted.sort(Comparator.comparingDouble(Cost::total).reversed());
    return sorted;
  }

  /** A kernel's name, and whether it multiplies by Winograd's algorithm. */
  private static String kind(Execution.Timing t) {
    return t.kernel() + (t.implementation().contains("wino") ? " (Winograd)" : "");
  }

  @Override
  public void close() {
    step.close();
  }
}
