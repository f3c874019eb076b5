package org.swav4j.spark;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.spark.collective.SparkCollective;
import org.swav4j.train.collective.GradientSums;
import org.swav4j.train.loop.BucketSums;
import scala.collection.AbstractIterator;
import scala.collection.Iterator;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction1;

/**
 * How long sums between two executors on this machine take: of the gradients of a ResNet-18 (11.2
 * million floats) at once and in buckets, and of a few numbers; and of the gradients as training
 * takes their mean, which packs, sums and unpacks them, sent as floats and as half floats ({@code
 * --gradients fp16}). A program, no test: {@code main} prints medians, with the argument {@code
 * encrypted} of sums that are encrypted. The control is the same sum within one process, which is
 * what the memory alone costs.
 */
public final class SumBench {
  private static final int FLOATS = 11_200_000;
  private static final int BUCKET = 1 << 18;
  private static final int LARGE = 15;
  private static final int SMALL = 500;

  private SumBench() {}

  /**
   * Prints a line for each worker.
   *
   * @param args {@code encrypted} or nothing
   */
  public static void main(String[] args) {
    JavaSparkContext context =
        JavaSparkContext.fromSparkContext(
            LocalCluster.start("", List.of(args).contains("encrypted")).sparkContext());
    try {
      Object[] lines =
          (Object[])
              context
                  .parallelize(IntStream.range(0, 2).boxed().toList(), 2)
                  .rdd()
                  .barrier()
                  .mapPartitions(new Task(), false, ClassTag$.MODULE$.apply(String.class))
                  .collect();
      Arrays.stream(lines).forEach(System.out::println);
    } finally {
      context.stop();
    }
  }

  private static final class Task extends AbstractFunction1<Iterator<Integer>, Iterator<String>>
      implements java.io.Serializable {
    private static final long serialVersionUID = 1L;

    @Override
    public Iterator<String> apply(Iterator<Integer> rows) {
      BarrierTaskContext context = BarrierTaskContext.get();
      SparkEnv env = SparkEnv.get();
      try (SparkCollective collective =
          SparkCollective.open(
              context.partitionId(),
              context.numPartitions(),
              env.blockManager().blockManagerId().host(),
              env.conf(),
              env.securityManager(),
              address -> String.join(" ", context.allGather(address)),
              Duration.ofSeconds(60))) {
        String line = measure(collective);
        collective.finish();
        return new One(line);
      }
    }

    private static String measure(SparkCollective collective) {
      INDArray array = Nd4j.ones(DataType.FLOAT, FLOATS);
      INDArray other = Nd4j.ones(DataType.FLOAT, FLOATS);
      double[] numbers = new double[64];
      List<INDArray> parts = new ArrayList<>();
      for (int at = 0; at < FLOATS; at += BUCKET) {
        parts.add(array.get(NDArrayIndex.interval(at, Math.min(FLOATS, at + BUCKET))));
      }
      double large = median(LARGE, () -> collective.sum(array));
      double small = median(SMALL, () -> collective.sum(numbers));
      double buckets =
          median(
              LARGE,
              () -> {
                for (INDArray bucket : parts) {
                  collective.lane().orElseThrow().sum(bucket);
                }
              });
      double asFloats = mean(collective, array, GradientSums.FLOAT);
      double asHalves = mean(collective, array, GradientSums.FP16);
      double control = median(LARGE, () -> array.addi(other));
      return String.format(
          Locale.ROOT,
          "worker %d: sum of %d floats %.1f ms, in buckets %.1f ms; means as in training, sent as"
              + " floats %.1f ms, as half floats %.1f ms; sum of 64 numbers %.3f ms; within the"
              + " process %.1f ms",
          collective.rank(),
          FLOATS,
          large,
          buckets,
          asFloats,
          asHalves,
          small,
          control);
    }

    private static double mean(SparkCollective collective, INDArray gradients, GradientSums sums) {
      try (BucketSums buckets =
          new BucketSums(collective.lane().orElseThrow(), gradients, BUCKET, sums)) {
        return median(LARGE, buckets::sum);
      }
    }

    private static double median(int count, Runnable work) {
      double[] times = new double[count];
      for (int i = -count / 3; i < count; i++) {
        long start = System.nanoTime();
        work.run();
        if (i >= 0) {
          times[i] = (System.nanoTime() - start) / 1e6;
        }
      }
      Arrays.sort(times);
      return times[count / 2];
    }
  }

  private static final class One extends AbstractIterator<String> {
    private String line;

    One(String line) {
      this.line = line;
    }

    @Override
    public boolean hasNext() {
      return line != null;
    }

    @Override
    public String next() {
      String next = line;
      line = null;
      return next;
    }
  }
}
