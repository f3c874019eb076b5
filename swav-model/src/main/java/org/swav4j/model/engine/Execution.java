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

  /** What a kernel does for its op. */
  enum Work {
    /** The op's arithmetic, or a part of it. */
    ARITHMETIC,
    /** Brings memory into the layout or state that the arithmetic needs. */
    MEMORY
  }

  /**
   * One kernel's run. An op takes one or several kernels.
   *
   * @param op whose kernel it is
   * @param backward whether it ran in {@link #backward}
   * @param kernel what the engine calls it: {@code batch norm gradient}
   * @param work what it does for the op
   * @param implementation which of the library's it is: {@code jit:avx512_core}; empty if the
   *     library doesn't tell
   * @param layouts of its operands in memory, in the library's words; empty if they are plain
   * @param nanoseconds of wall-clock time
   */
  record Timing(
      Op op,
      boolean backward,
      String kernel,
      Work work,
      String implementation,
      List<String> layouts,
      long nanoseconds) {
    public Timing {
      layouts = List.copyOf(layouts);
    }
  }

  /**
   * Runs the whole plan once with a clock on each kernel, slower than a plain run.
   *
   * @return one entry per kernel, in the order they ran
   */
  List<Timing> profile();

  @Override
  void close();
}
