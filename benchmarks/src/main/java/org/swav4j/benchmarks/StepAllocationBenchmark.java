package org.swav4j.benchmarks;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.nd4j.linalg.factory.Nd4j;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.swav4j.model.Architecture;
import org.swav4j.model.CropGroup;
import org.swav4j.model.Stem;
import org.swav4j.model.SwavConfig;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.TrainingStep;
import org.swav4j.model.Views;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Engines;
import org.swav4j.model.engine.Precision;
import org.swav4j.sinkhorn.SwavCodes;
import org.swav4j.train.collective.Collective;
import org.swav4j.train.loop.MethodStep;
import org.swav4j.train.method.SwavMethod;
import org.swav4j.train.optimiser.Lars;
import org.swav4j.train.optimiser.Optimiser;
import org.swav4j.train.optimiser.Sgd;

/**
 * How many bytes does a training step put on the Java heap once it is warm, and which part of it?
 *
 * <p>Control: {@code nothing}, the harness's own. Parts: {@code forward}, {@code codes}, {@code
 * forwardAndBackward} (with the running statistics), {@code update} (prototypes and optimiser);
 * {@code step} is all of them. The network is small, so that there are many steps; what a step
 * allocates goes with the number of ops and parameters, not with their size.
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar StepAllocationBenchmark -prof gc
 * </pre>
 *
 * <p>Read {@code gc.alloc.rate.norm}, bytes per operation.
 *
 * <p>Seen (2026-11-27, 2 cores of an AMD EPYC with AVX-512, JDK 17.0.15, oneDNN, LARS, {@code -f 1
 * -wi 2 -i 3 -w 1 -r 1}, {@code step} with {@code -wi 10 -w 2 -r 2}): codes 0.01, forward 9,
 * forward and backward 66, step 48; update 0.3 (SGD) and 1.0 (LARS), with {@code -wi 4}. The
 * harness itself allocates 0.006 MB/s in {@code nothing}, which is 9 bytes in the 1.5 ms of a
 * forward pass and 32 in a step of 5.3 ms. A step needs some seconds of warm-up: until HotSpot has
 * compiled the codes, their vectors are objects (55 kB per step in the third second).
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 3, time = 2)
@Fork(
    value = 1,
    jvmArgs = {"-Xmx2g", "--add-modules=jdk.incubator.vector"})
public class StepAllocationBenchmark {
  private static final int BATCH = 8;
  private static final int ASSIGNING = 2;

  /** What runs the plan. */
  @Param("onednn")
  public String engine;

  /** {@code sgd} or {@code lars}. */
  @Param({"sgd", "lars"})
  public String optimiser;

  private SwavWeights weights;
  private SwavMethod method;
  private Optimiser rule;
  private MethodStep step;
  private TrainingStep network;

  /** A step that has run once. */
  @Setup
  public void setUp() {
    SwavConfig config = new SwavConfig(Architecture.RESNET20, 0.5, Stem.SMALL, 1, 32, 16, 30, 0.1);
    weights = SwavWeights.initialise(config, 1);
    List<CropGroup> crops = List.of(new CropGroup(2, 16), new CropGroup(2, 8));
    Engine runner = Engines.of(engine, Precision.FLOAT);
    method =
        new SwavMethod(
            new SwavMethod.Settings(ASSIGNING, config.temperature()),
            new SwavCodes(0.05, 3),
            runner);
    rule = optimiser.equals("lars") ? new Lars(0.9, 1e-6) : new Sgd(0.9, 1e-6);
    step =
        new MethodStep(weights, new Views(crops, BATCH), method, rule, runner, Collective.single());
    network = step.network();
    for (int g = 0; g < crops.size(); g++) {
      step.crops(g).assign(Nd4j.randn(step.crops(g).shape()));
    }
    step();
  }

  /** Releases the plan. */
  @TearDown
  public void close() {
    step.close();
  }

  /** Control. */
  @Benchmark
  public void nothing() {}

  /** The whole step, as the training loop has it. */
  @Benchmark
  public double step() {
    // No change: any number of updates on one batch would leave the range of floats.
    return step.run(0, 0);
  }

  /** Trunk, head, prototypes. */
  @Benchmark
  public void forward() {
    network.forward();
  }

  /** Codes of the assigning crops. */
  @Benchmark
  public void codes() {
    method.targets(network, 0, Collective.single());
  }

  /** Forward, then loss, gradients and running statistics, which overwrite what forward left. */
  @Benchmark
  public double forwardAndBackward() {
    network.forward();
    return network.backward();
  }

  /** Prototypes back on the sphere, parameters moved. */
  @Benchmark
  public void update() {
    method.beforeForward(weights);
    rule.step(weights.parameters(), network.gradients(), 0);
  }
}
