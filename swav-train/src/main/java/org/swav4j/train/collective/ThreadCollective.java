package org.swav4j.train.collective;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleBinaryOperator;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Workers that share memory. They meet twice per call: when all values are there, and when worker 0
 * has combined them. Whoever leaves, or fails while waiting, fails all others, on both lanes.
 */
final class ThreadCollective implements Collective {
  private final Meeting meeting;
  private final int rank;
  private final ThreadCollective lane;

  private ThreadCollective(Meeting meeting, int rank, ThreadCollective lane) {
    this.meeting = meeting;
    this.rank = rank;
    this.lane = lane;
  }

  static List<Collective> of(int count) {
    if (count < 1) {
      throw new IllegalArgumentException("workers: " + count + ", expected at least 1");
    }
    Trouble trouble = new Trouble();
    Meeting meeting = new Meeting(count, trouble);
    Meeting second = new Meeting(count, trouble);
    List<Collective> workers = new ArrayList<>();
    for (int rank = 0; rank < count; rank++) {
      workers.add(new ThreadCollective(meeting, rank, new ThreadCollective(second, rank, null)));
    }
    return List.copyOf(workers);
  }

  @Override
  public int rank() {
    return rank;
  }

  @Override
  public int size() {
    return meeting.arrays.length;
  }

  @Override
  public Optional<Collective> lane() {
    return Optional.ofNullable(lane);
  }

  @Override
  public void sum(INDArray array) {
    meeting.sum(rank, array);
  }

  @Override
  public INDArray gather(INDArray rows) {
    return meeting.gather(rank, rows);
  }

  @Override
  public void sum(double[] values) {
    meeting.combine(rank, values, Double::sum);
  }

  @Override
  public void max(double[] values) {
    meeting.combine(rank, values, Math::max);
  }

  @Override
  public void close() {
    meeting.trouble.begin();
  }

  /** Whether a worker has failed or left; the lock of both lanes. */
  private static final class Trouble {
    private boolean here;

    synchronized void begin() {
      here = true;
      notifyAll();
    }
  }

  /** Where workers meet, on one lane. */
  private static final class Meeting {
    /** Far longer than any step: a worker that takes more has failed or left its loop. */
    private static final long PATIENCE_SECONDS = 600;

    private final INDArray[] arrays;
    private final double[][] given;
    private final Trouble trouble;
    private int arrived;
    private long round;

    Meeting(int count, Trouble trouble) {
      arrays = new INDArray[count];
      given = new double[count][];
      this.trouble = trouble;
    }

    void sum(int rank, INDArray array) {
      arrays[rank] = array;
      await();
      if (rank == 0) {
        if (array.dataType() == DataType.HALF) {
          sumHalves(array);
        } else {
          for (int i = 1; i < arrays.length; i++) {
            array.addi(arrays[i]);
          }
        }
        for (int i = 1; i < arrays.length; i++) {
          arrays[i].assign(array);
        }
      }
      await();
    }

    private void sumHalves(INDArray into) {
      try (INDArray total = into.castTo(DataType.FLOAT)) {
        for (int i = 1; i < arrays.length; i++) {
          total.addi(arrays[i].castTo(DataType.FLOAT));
        }
        into.assign(total);
      }
    }

    INDArray gather(int rank, INDArray rows) {
      arrays[rank] = rows;
      await();
      INDArray all = Nd4j.concat(0, arrays);
      await();
      return all;
    }

    void combine(int rank, double[] values, DoubleBinaryOperator operator) {
      given[rank] = values;
      await();
      if (rank == 0) {
        for (int j = 0; j < values.length; j++) {
          double total = values[j];
          for (int i = 1; i < given.length; i++) {
            total = operator.applyAsDouble(total, given[i][j]);
          }
          for (double[] each : given) {
            each[j] = total;
          }
        }
      }
      await();
    }

    private void await() {
      synchronized (trouble) {
        long own = round;
        arrived++;
        if (arrived == arrays.length) {
          arrived = 0;
          round++;
          trouble.notifyAll();
        }
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (round == own) {
          if (trouble.here) {
            throw new IllegalStateException("another worker failed: its own error says why");
          }
          long left = end - System.nanoTime();
          if (left <= 0) {
            trouble.begin();
            throw new IllegalStateException(
                "waited " + PATIENCE_SECONDS + " s for the other workers: has one of them failed?");
          }
          try {
            TimeUnit.NANOSECONDS.timedWait(trouble, left);
          } catch (InterruptedException e) {
            trouble.begin();
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for the other workers", e);
          }
        }
      }
    }
  }
}
