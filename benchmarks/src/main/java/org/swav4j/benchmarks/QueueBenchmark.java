package org.swav4j.benchmarks;

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
import org.swav4j.model.engine.Engines;
import org.swav4j.train.method.EmbeddingQueue;

/**
 * Question: what does a queue cost per step and crop, beside the codes over its rows?
 *
 * <p>Control: {@link #productAlone}, the bare matrix product of queue and prototypes into memory
 * made beforehand. {@link #push} is the renewal alone: B·D numbers copied, nothing shifted.
 *
 * <p>Run: {@code java -jar benchmarks/target/benchmarks.jar QueueBenchmark -prof gc}. Expected:
 * scores level with the product, the push in microseconds.
 *
 * <p>Seen (2026-11-27, 2 cores of an AMD EPYC with AVX-512, JDK 17.0.15, 2 native threads, {@code
 * -f 1 -wi 4 -i 3 -w 1 -r 1}): 3840x256x3000: scores 15.7 ms, product 14.2 ms, push 3.0 µs;
 * 512x64x300: 0.22 ms, 0.25 ms, 0.7 µs. Bytes per call: push 0.004, scores 1.3 (0.2 ms) and 92 (16
 * ms), which is the harness's own 0.006 MB/s; the product by an ND4J call 4,600 to 5,200.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class QueueBenchmark {
  private static final int DIM = 128;

  /** Queue, batch, prototypes: a small run and the official recipe for batches of 256. */
  @Param({"512x64x300", "3840x256x3000"})
  String size;

  private EmbeddingQueue queue;
  private INDArray prototypes;
  private INDArray batchScores;
  private INDArray embeddings;
  private INDArray rows;
  private INDArray product;

  /** A full queue. */
  @Setup
  public void setUp() {
    String[] numbers = size.split("x");
    int length = Integer.parseInt(numbers[0]);
    int batch = Integer.parseInt(numbers[1]);
    int k = Integer.parseInt(numbers[2]);
    queue = new EmbeddingQueue(1, length, batch, DIM, DataType.FLOAT, Engines.best());
    embeddings = Nd4j.rand(DataType.FLOAT, batch, DIM);
    prototypes = Nd4j.rand(DataType.FLOAT, k, DIM);
    batchScores = Nd4j.rand(DataType.FLOAT, batch, k);
    rows = Nd4j.rand(DataType.FLOAT, length, DIM);
    product = Nd4j.create(DataType.FLOAT, length, k);
    while (!queue.full(0)) {
      queue.push(0, embeddings);
    }
  }

  /** Scores of queue and batch. */
  @Benchmark
  public INDArray scores() {
    return queue.scores(0, batchScores, prototypes);
  }

  /** A batch takes the place of the oldest. */
  @Benchmark
  public void push() {
    queue.push(0, embeddings);
  }

  /** The matrix product alone. */
  @Benchmark
  public INDArray productAlone() {
    return Nd4j.matmul(rows, prototypes, product, false, true, false);
  }
}
