package org.swav4j.model.engine.onednn;

import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import org.bytedeco.dnnl.dnnl_stream;
import org.swav4j.model.engine.Execution.Work;
import org.swav4j.model.plan.Op;

/** A few lines of Java over dense float tensors, for what oneDNN has no primitive for. */
final class JavaStep extends Step {
  /** The lines. */
  interface Kernel {
    /** The tensors' elements, in the order they were given. */
    void run(FloatBuffer[] tensors);
  }

  private final String name;
  private final Kernel kernel;
  private FloatBuffer[] bound;

  JavaStep(Op op, String name, Kernel kernel, List<Tensor> tensors) {
    super(op);
    this.name = name;
    this.kernel = kernel;
    tensors.forEach(this::touches);
  }

  @Override
  String kernel() {
    return "java " + name;
  }

  @Override
  Work work() {
    return Work.ARITHMETIC;
  }

  @Override
  void bind(long arena, dnnl_stream stream, Resources resources) {
    bound =
        tensors().stream()
            .map(
                t ->
                    Dnnl.at(t.buffer().address(arena) + t.offset())
                        .capacity(t.layout().bytes())
                        .asByteBuffer()
                        .order(ByteOrder.nativeOrder())
                        .asFloatBuffer())
            .toArray(FloatBuffer[]::new);
  }

  @Override
  void run() {
    kernel.run(bound);
  }
}
