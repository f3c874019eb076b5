package org.swav4j.benchmarks;

import java.util.Random;
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
import org.swav4j.train.evaluation.FeatureSet;
import org.swav4j.train.evaluation.KNearestNeighbours;

/**
 * Question: how long does a k-NN evaluation of 10,000 training and 2,000 test images take, and how
 * much of it is the matrix product it cannot do without?
 *
 * <p>Control: {@link #productAlone}, all similarities in one product into memory made beforehand
 * (80 MB; the evaluation needs 4 MB). D = 512 is ResNet-18's trunk, 784 raw pixels of 28×28.
 *
 * <p>Run: {@code java -jar benchmarks/target/benchmarks.jar KnnBenchmark}.
 *
 * <p>Seen (2026-11-27, 2 cores of an AMD EPYC with AVX-512, JDK 17.0.15, 2 native threads, {@code
 * -f 1 -wi 2 -i 3 -w 1 -r 1}): D = 64: 354 ms, product 48 ms; 512: 568 and 211 ms; 784: 660 and 353
 * ms. So the rest takes some 300 ms at any D, and only D = 784 is within twice the product.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class KnnBenchmark {
  private static final int TRAIN = 10_000;
  private static final int TEST = 2_000;

  @Param({"64", "512", "784"})
  int dim;

  private final KNearestNeighbours knn = new KNearestNeighbours();
  private FeatureSet train;
  private FeatureSet test;
  private INDArray product;

  /** Random features: the top-k heaps see as many changes as they can. */
  @Setup
  public void setUp() {
    train = random(TRAIN);
    test = random(TEST);
    product = Nd4j.create(DataType.FLOAT, TEST, TRAIN);
  }

  private FeatureSet random(int n) {
    return new FeatureSet(
        Nd4j.randn(DataType.FLOAT, n, dim), new Random(n).ints(n, 0, 10).toArray());
  }

  /** The evaluation. */
  @Benchmark
  public double accuracy() {
    return knn.accuracy(train, test);
  }

  /** Its matrix product. */
  @Benchmark
  public INDArray productAlone() {
    return Nd4j.matmul(test.features(), train.features(), product, false, true, false);
  }
}
