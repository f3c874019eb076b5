package org.swav4j.benchmarks;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.pointers.PagedPointer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
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
import org.swav4j.sinkhorn.Form;
import org.swav4j.sinkhorn.NDSinkhorn;
import org.swav4j.sinkhorn.Reduction;
import org.swav4j.sinkhorn.SwavCodes;

/**
 * How long do SwAV's codes take (3 iterations, epsilon 0.05, float), and what share of the memory's
 * speed is that?
 *
 * <p>Control: {@code copy}, one copy of the scores into the codes by the same number of threads: 2
 * reads-or-writes of the matrix (3 with the read that a write begins with). Divide by it.
 *
 * <ul>
 *   <li>{@code kernelForm}: what training calls, {@code SwavCodes.assign}
 *   <li>{@code logDomain}: the same held to the log domain, as at small epsilon
 *   <li>{@code sharded}: two halves of the batch in two threads, joined by {@code Reduction.shards}
 *   <li>{@code eager}: what an application calls, {@code NDSinkhorn.codes}: the fused kernel into a
 *       new array
 *   <li>{@code operations}: the same as ND4J operations, as on a back end without host memory; to
 *       be at most 10 times {@code kernelForm} at 256x3000 and 512x3000
 * </ul>
 *
 * <p>Run: {@code java -jar benchmarks/target/benchmarks.jar SinkhornBenchmark}; without the Vector
 * API: {@code -jvmArgs -Xmx2g}; allocation: {@code -prof gc}. Peer: {@code
 * benchmarks/peer/torch_swav.py sinkhorn --threads 2}.
 *
 * <p>Seen (2026-11-27, 2 cores of an AMD EPYC with AVX-512, JDK 17.0.15, {@code -f 1 -wi 2 -i 3 -w
 * 1 -r 1}; the median and, where others used the machine, the fastest call behind a stroke):
 *
 * <pre>
 *   milliseconds             64x300   256x3000      512x3000      4096x3000
 *   kernelForm               0.015    0.37 / 0.35   0.92 / 0.69   16.6
 *   logDomain                0.024    0.53          1.19 / 1.04   22.9
 *   kernelForm, no flags     0.043    1.71 / 1.25   1.97 / 1.78   33.3
 *   logDomain, no flags      0.046    0.98 / 0.88   3.41 / 2.14   32.6
 *   sharded                  0.32     0.80 / 0.50   1.67 / 1.10   13.3
 *   copy                     0.037    0.09          0.12          3.2
 *   PyTorch, in between      0.086    0.96 to 1.22  7.9 to 9.4    84 to 90
 * </pre>
 *
 * <p>The table is of before each thread kept its rows from pass to pass. With that {@code ./swav
 * bench sinkhorn} gave, for {@code kernelForm}, 0.016, 0.43, 0.73 and 15.5 ms; log domain 0.023,
 * 0.57, 1.08, 21.7; without flags 0.043, 0.81 to 0.98, 1.7 to 2.0, 32 to 41. {@code sharded} at
 * {@code -f 2 -wi 4}: 0.72, 1.17, 11.9.
 *
 * <p>{@code operations} on 2 cores without AVX-512 (2026-11-28): 3.97 and 7.32 ms at 256x3000 and
 * 512x3000, 6.0 and 3.6 times {@code kernelForm} in the same run.
 *
 * <p>At 64x300 {@code copy} (3 µs at best) and {@code sharded} (84 µs) mostly wait for threads of a
 * pool to wake.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(
    value = 1,
    jvmArgs = {"-Xmx2g", "--add-modules=jdk.incubator.vector"})
public class SinkhornBenchmark {
  /** Samples B by prototypes K. */
  @Param({"64x300", "256x3000", "512x3000", "4096x3000"})
  String shape;

  /** Threads of the fused kernel, and of the copy. */
  @Param("2")
  int threads;

  private INDArray scores;
  private INDArray codes;
  private SwavCodes kernelForm;
  private SwavCodes logDomain;
  private NDSinkhorn eager;
  private NDSinkhorn operations;
  private final List<Callable<Void>> shards = new ArrayList<>();
  private final List<Callable<Void>> copies = new ArrayList<>();
  private ExecutorService pool;

  /** Cosines of random unit vectors of length 128. */
  @Setup
  public void setUp() {
    String[] sizes = shape.split("x");
    int b = Integer.parseInt(sizes[0]);
    int k = Integer.parseInt(sizes[1]);
    scores = units(b).mmul(units(k).transpose()).dup('c');
    codes = Nd4j.create(DataType.FLOAT, b, k);
    SwavCodes solver = new SwavCodes(0.05, 3).withThreads(threads);
    kernelForm = solver.withForm(Form.KERNEL);
    logDomain = solver.withForm(Form.LOG_DOMAIN);
    eager = new NDSinkhorn();
    operations = eager.withOperations();
    pool = Executors.newFixedThreadPool(Math.max(2, threads));
    List<Reduction> reductions = Reduction.shards(2);
    for (int i = 0; i < 2; i++) {
      INDArray part = rows(scores, i * b / 2, b / 2);
      INDArray target = rows(codes, i * b / 2, b / 2);
      SwavCodes shard = new SwavCodes(0.05, 3).withThreads(1).withReduction(reductions.get(i));
      shards.add(
          () -> {
            shard.assign(part, target);
            return null;
          });
    }
    for (int i = 0; i < threads; i++) {
      FloatBuffer from = buffer(rows(scores, i * b / threads, b / threads));
      FloatBuffer to = buffer(rows(codes, i * b / threads, b / threads));
      copies.add(
          () -> {
            to.put(0, from, 0, from.capacity());
            return null;
          });
    }
  }

  private static INDArray units(int n) {
    INDArray x = Nd4j.randn(DataType.FLOAT, n, 128);
    return x.diviColumnVector(x.norm2(1).reshape(n, 1));
  }

  private static INDArray rows(INDArray all, int from, int count) {
    return all.get(NDArrayIndex.interval(from, from + count), NDArrayIndex.all());
  }

  private static FloatBuffer buffer(INDArray rows) {
    long start = rows.data().pointer().address() + rows.offset() * Float.BYTES;
    FloatPointer pointer = new FloatPointer(new PagedPointer(start));
    return pointer.capacity(rows.length()).asBuffer();
  }

  /** Ends the threads of the control and of the shards. */
  @TearDown
  public void tearDown() {
    pool.shutdown();
  }

  /** Question: the fused kernel, kernel form. */
  @Benchmark
  public INDArray kernelForm() {
    kernelForm.assign(scores, codes);
    return codes;
  }

  /** Question: the fused kernel, log domain. */
  @Benchmark
  public INDArray logDomain() {
    logDomain.assign(scores, codes);
    return codes;
  }

  /** Question: two shards, each single-threaded. */
  @Benchmark
  public INDArray sharded() throws InterruptedException, ExecutionException {
    together(shards);
    return codes;
  }

  /** Question: the eager operation, as the back end allows. */
  @Benchmark
  public void eager() {
    eager.codes(scores, 0.05, 3).close();
  }

  /** Question: the eager operation by ND4J alone. */
  @Benchmark
  public void operations() {
    operations.codes(scores, 0.05, 3).close();
  }

  /** Control: one copy of the matrix. */
  @Benchmark
  public INDArray copy() throws InterruptedException, ExecutionException {
    together(copies);
    return codes;
  }

  private void together(List<Callable<Void>> tasks)
      throws InterruptedException, ExecutionException {
    for (Future<Void> task : pool.invokeAll(tasks)) {
      task.get();
    }
  }
}
