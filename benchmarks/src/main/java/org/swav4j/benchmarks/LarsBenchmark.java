package org.swav4j.benchmarks;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
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
import org.openjdk.jmh.annotations.Warmup;
import org.swav4j.train.optimiser.Lars;

/**
 * Question: what does the update of all parameters cost per step, and how far is it from memory
 * speed? One tensor per convolution or layer, sizes as in the network.
 *
 * <p>Control: {@link #copy}, which moves five times the parameters through memory, as much as the
 * update does beside its two norms (read w, g, m; write m, w). {@link #nd4jOps} is the same formula
 * written with ND4J's in-place operations.
 *
 * <p>Run: {@code java -jar benchmarks/target/benchmarks.jar LarsBenchmark -prof gc}. Expected: the
 * update within twice the copy, and 0 bytes allocated per step.
 *
 * <p>Seen (2026-11-27, 2 cores of an AMD EPYC with AVX-512, JDK 17.0.15, 2 native threads, {@code
 * -f 1 -wi 2 -i 3 -w 1 -r 1}), in milliseconds:
 *
 * <pre>
 *              0.4 million   12 million   28 million
 *   update     0.64          20.2         46
 *   copy       0.09          10.3         21
 *   nd4jOps    29            69           145
 * </pre>
 *
 * <p>So it is twice the copy from 12 million on; what fits the caches is bound by arithmetic. Bytes
 * per update are the harness's, 0.006 MB/s; the ND4J form makes 2.7 MB of Java objects.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class LarsBenchmark {
  /** Parameters in millions: ResNet-20, ResNet-18, ResNet-50, each with its head. */
  @Param({"0.4", "12", "28"})
  double millions;

  private final Map<String, INDArray> parameters = new LinkedHashMap<>();
  private final Map<String, INDArray> gradients = new LinkedHashMap<>();
  private final Map<String, INDArray> momentum = new LinkedHashMap<>();
  private final Lars lars = new Lars(0.9, 1e-6);
  private INDArray from;
  private INDArray to;

  /** Sixty weights whose sizes double from stage to stage, each with a vector beside it. */
  @Setup
  public void setUp() {
    long total = (long) (millions * 1e6);
    for (int i = 0; i < 60; i++) {
      long stage = i / 15;
      long length = (total << (2 * stage)) / (15 * 85);
      add("weight" + i, length);
      add("gamma" + i, Math.max(8, length / 1000));
    }
    from = Nd4j.rand(DataType.FLOAT, total * 5 / 2);
    to = Nd4j.create(DataType.FLOAT, total * 5 / 2);
  }

  private void add(String name, long length) {
    parameters.put(name, Nd4j.rand(DataType.FLOAT, length).subi(0.5));
    gradients.put(name, Nd4j.rand(DataType.FLOAT, length).subi(0.5));
    momentum.put(name, Nd4j.zeros(DataType.FLOAT, length));
  }

  /** The product's update. */
  @Benchmark
  public void update() {
    lars.step(parameters, gradients, 1e-3);
  }

  /** The same formula op by op. */
  @Benchmark
  public void nd4jOps() {
    for (Map.Entry<String, INDArray> entry : parameters.entrySet()) {
      INDArray w = entry.getValue();
      INDArray g = gradients.get(entry.getKey());
      INDArray m = momentum.get(entry.getKey());
      double wNorm = w.norm2Number().doubleValue();
      double r = 1e-3 * wNorm / (g.norm2Number().doubleValue() + 1e-6 * wNorm + 1e-8);
      var blas = Nd4j.getBlasWrapper().level1();
      m.muli(0.9);
      blas.axpy(w.length(), r, g, m);
      blas.axpy(w.length(), r * 1e-6, w, m);
      blas.axpy(w.length(), -1e-3, m, w);
    }
  }

  /** As many bytes as the update moves. */
  @Benchmark
  public void copy() {
    to.assign(from);
  }
}
