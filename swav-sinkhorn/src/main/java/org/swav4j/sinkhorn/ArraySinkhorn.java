package org.swav4j.sinkhorn;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Sinkhorn's iterations as ND4J operations: any back end, any floating type, the matrix and the
 * scalings stay where the back end keeps its arrays.
 *
 * <p>What comes to Java: once before the iterations the range of the scores, which decides on the
 * form, and whether they are finite; once per iteration its error, if a tolerance is asked for; and
 * [K] column sums per iteration, if the rows are spread over shards.
 *
 * <pre>
 * range in nats    computed in          by
 * up to 60         the scores' type     {@link KernelArrays}
 * up to 500        double               {@link KernelArrays}
 * above            double               {@link LogArrays}
 * </pre>
 *
 * <p>Keeps its arrays for the next call of the same shape. Not thread-safe; masses must be
 * positive.
 */
final class ArraySinkhorn {
  /** A form of the iteration on arrays of one shape and type, once it has begun. */
  interface ArrayForm extends IterationLoop.Scalings {
    /** Writes the last rows of the plan. */
    void write(INDArray plan);

    /** Row potentials, in the unit of the scores. */
    double[] f();

    /** Column potentials, in the unit of the scores. */
    double[] g();
  }

  private final IterationLoop loop = new IterationLoop();
  private final double[] bounds = new double[4];
  private KernelArrays kernel;
  private LogArrays log;
  private ArrayForm taken;
  private Iterations stop;

  /**
   * Iterates.
   *
   * @param a masses of the rows, or null for 1 each
   * @param b masses of the columns
   * @return false, with nothing done, if a score (of any shard) is not finite
   */
  boolean run(
      INDArray scores,
      double[] a,
      double[] b,
      double epsilon,
      Iterations stop,
      Form form,
      Reduction reduction) {
    this.stop = stop;
    double masses = spread(a, b, reduction);
    DataType type = scores.dataType() == DataType.DOUBLE ? DataType.DOUBLE : DataType.FLOAT;
    double centre = 0;
    double range = 2 * largest(scores, reduction) / epsilon + masses;
    if (!(range <= Safety.limit(type))) {
      if (!finite(scores, reduction)) {
        return false;
      }
      type = DataType.DOUBLE;
      range = (bounds[0] + bounds[1]) / epsilon + masses;
      centre = bounds[0];
    }
    boolean safe = range <= Safety.limit(type);
    if (form == Form.KERNEL && !safe) {
      throw Safety.kernelRefused(range, Safety.limit(type));
    }
    if (safe && form != Form.LOG_DOMAIN) {
      if (kernel == null || !kernel.fits(scores, type)) {
        kernel = new KernelArrays(scores.rows(), scores.columns(), type);
      }
      taken = kernel;
      if (!kernel.begin(scores, centre, a, b, epsilon, reduction)) {
        return false;
      }
    } else {
      if (log == null || !log.fits(scores)) {
        log = new LogArrays(scores.rows(), scores.columns());
      }
      taken = log;
      if (!log.begin(scores, a, b, epsilon, reduction)) {
        return false;
      }
    }
    return loop.run(stop, taken);
  }

  private double spread(double[] a, double[] b, Reduction reduction) {
    Arrays.fill(bounds, 0);
    bounds[0] = a == null ? 0 : Safety.spread(a);
    reduction.max(bounds);
    return bounds[0] + Safety.spread(b);
  }

  /** The largest |s|: half a bound of the range, in one pass. Not a number, perhaps, if an s is. */
  private double largest(INDArray scores, Reduction reduction) {
    Arrays.fill(bounds, 0);
    double largest = scores.amaxNumber().doubleValue();
    bounds[0] = Double.isNaN(largest) ? Double.POSITIVE_INFINITY : largest;
    reduction.max(bounds);
    return bounds[0];
  }

  /** Whether all scores are finite; if so, bounds begin with max s and max -s. */
  private boolean finite(INDArray scores, Reduction reduction) {
    bounds[0] = scores.maxNumber().doubleValue();
    bounds[1] = -scores.minNumber().doubleValue();
    bounds[2] = Checks.countNotFinite(scores);
    reduction.max(bounds);
    return bounds[2] == 0;
  }

  /** Writes the last rows of the plan. */
  void write(INDArray plan) {
    taken.write(plan);
  }

  Potentials potentials() {
    return new Potentials(taken.f(), taken.g(), loop.ending(stop), taken == log);
  }
}
