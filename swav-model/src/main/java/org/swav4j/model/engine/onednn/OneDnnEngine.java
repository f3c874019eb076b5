package org.swav4j.model.engine.onednn;

import java.util.Locale;
import java.util.Optional;
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
  static final String NAME = "onednn";

  private final Precision precision;
  private final boolean tiles;

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
    this(precision, precision == Precision.BF16 && Dnnl.isa() == Dnnl.Isa.AMX);
  }

  /** {@code tiles}: see {@link Lowering#hasTiles}; it decides what is fast, not what comes out. */
  OneDnnEngine(Precision precision, boolean tiles) {
    this.precision = precision;
    this.tiles = tiles;
    Dnnl.engine();
    obstacle(precision)
        .ifPresent(
            why -> {
              throw new IllegalArgumentException("engine " + NAME + " can't run here: " + why);
            });
  }

  /** Why the processor can't compute in that precision; the library must be there. */
  static Optional<String> obstacle(Precision precision) {
    Dnnl.Isa isa = Dnnl.isa();
    return precision == Precision.FLOAT || isa.hasBf16()
        ? Optional.empty()
        : Optional.of(
            String.format(
                    Locale.ROOT,
                    "precision bf16 needs a processor with AVX512-BF16 or AMX, this one has %s (or",
                    isa)
                + " DNNL_MAX_CPU_ISA caps it): choose precision float");
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public OneDnnEngine withPrecision(Precision other) {
    return other == precision ? this : new OneDnnEngine(other);
  }

  /** The precision plans run in. */
  public Precision precision() {
    return precision;
  }

  /** The library's version and the instruction set it uses, for people. */
  public static String describe() {
    return String.format(Locale.ROOT, "oneDNN %s, %s", Dnnl.version(), Dnnl.isa());
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
    return new OneDnnExecution(plan, precision, tiles);
  }

  private static void requireFloat(Value v) {
    if (v.type() != DataType.FLOAT) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s is %s, but oneDNN computes in FLOAT only: make the weights FLOAT, or choose engine nd4j",
              v,
              v.type()));
    }
  }
}
