package org.swav4j.model.engine.onednn;

import org.nd4j.linalg.api.buffer.DataType;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Execution;
import org.swav4j.model.engine.Precision;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.OpType;
import org.swav4j.model.plan.Plan;
import org.swav4j.model.plan.Value;

/**
 * Runs plans of float values by oneDNN primitives made once: the fastest engine on x86-64
 * processors. Needs {@code org.bytedeco:dnnl} and {@code org.bytedeco:opencl} with their natives on
 * the class path. Threads are those of {@code OMP_NUM_THREADS}.
 */
public final class OneDnnEngine implements Engine {
  private final Precision precision;

  /** Everything in 32-bit floats. */
  public OneDnnEngine() {
    this(Precision.FLOAT);
  }

  /**
   * An engine of that precision.
   *
   * @throws IllegalArgumentException if the processor has no instructions for it
   * @throws LinkageError if oneDNN's library can't be loaded
   */
  public OneDnnEngine(Precision precision) {
    this.precision = precision;
    Dnnl.Isa isa = Dnnl.isa();
    Dnnl.engine();
    if (precision == Precision.BF16 && !isa.hasBf16()) {
      throw new IllegalArgumentException(
          "precision bf16 needs a processor with AVX512-BF16 or AMX, this one has %s (or"
                  .formatted(isa)
              + " DNNL_MAX_CPU_ISA caps it): use --precision float");
    }
  }

  @Override
  public String name() {
    return "onednn";
  }

  /** The precision plans run in. */
  public Precision precision() {
    return precision;
  }

  /** The library's version and the instruction set it uses, for people. */
  public static String describe() {
    return "oneDNN %s, %s".formatted(Dnnl.version(), Dnnl.isa());
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException if a value of an op that oneDNN computes isn't a float, or a
   *     parameter isn't dense in c order
   */
  @Override
  public Execution prepare(Plan plan) {
    for (Op op : plan.ops()) {
      if (op.type() != OpType.ND4J) {
        op.inputs().forEach(OneDnnEngine::requireFloat);
        op.outputs().forEach(OneDnnEngine::requireFloat);
      }
    }
    return new OneDnnExecution(plan, precision);
  }

  private static void requireFloat(Value v) {
    if (v.type() != DataType.FLOAT) {
      throw new IllegalArgumentException(
          "%s is %s, but oneDNN computes in FLOAT only: make the weights FLOAT, or use --engine nd4j"
              .formatted(v, v.type()));
    }
  }
}
