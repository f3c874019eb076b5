package org.swav4j.model.engine;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.Value;

/**
 * A plan with its memory. Fill {@link #array} of the inputs, run {@link #forward}, look at outputs,
 * fill late inputs, run {@link #backward}. One thread at a time.
 */
public interface Execution extends AutoCloseable {
  /**
   * The array of an input or output of the plan: dense, in c order, the same object for the life of
   * the execution.
   *
   * @throws IllegalArgumentException if the value is neither an input nor an output
   */
  INDArray array(Value value);

  /** Runs the ops before the late inputs. */
  void forward();

  /** Runs the ops after them. */
  void backward();

  /** Bytes held, parameters and the caller's arrays not counted. */
  long bytes();

  /** One entry per kernel run, in order, from the last {@link #profile} run. */
  record Timing(Op op, boolean backward, long nanoseconds, String layout) {}

  /** Runs the whole plan once, timing each op apart. Slower than a plain run. */
  List<Timing> profile();

  @Override
  void close();
}
