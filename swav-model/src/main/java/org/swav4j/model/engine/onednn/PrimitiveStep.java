package org.swav4j.model.engine.onednn;

import static org.bytedeco.dnnl.global.dnnl.*;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_stream;
import org.swav4j.model.engine.Execution.Work;
import org.swav4j.model.plan.Op;

/** A primitive of oneDNN with its arguments. */
final class PrimitiveStep extends Step {
  /** The kernel that copies a tensor into another layout. */
  static final String REORDER = "reorder";

  private record Argument(int number, Tensor tensor) {}

  private final String kernel;
  private final Description description;
  private final List<Argument> arguments = new ArrayList<>();
  private dnnl_primitive primitive;
  private dnnl_exec_arg_t bound;
  private dnnl_stream stream;

  PrimitiveStep(Op op, String kernel, Description description) {
    super(op);
    this.kernel = kernel;
    this.description = description;
    Layout scratchpad = description.scratchpad();
    if (scratchpad != null) {
      with(DNNL_ARG_SCRATCHPAD, Tensor.in(scratchpad));
    }
  }

  PrimitiveStep with(int number, Tensor tensor) {
    arguments.add(new Argument(number, tensor));
    touches(tensor);
    return this;
  }

  Description description() {
    return description;
  }

  @Override
  String kernel() {
    return kernel;
  }

  @Override
  Work work() {
    return kernel.equals(REORDER) ? Work.MEMORY : Work.ARITHMETIC;
  }

  @Override
  String implementation() {
    return description.implementation();
  }

  @Override
  List<String> layouts() {
    return arguments.stream()
        .filter(a -> a.number != DNNL_ARG_SCRATCHPAD && a.number != DNNL_ARG_WORKSPACE)
        .map(a -> a.tensor.layout().toString())
        .toList();
  }

  @Override
  void bind(long arena, dnnl_stream stream, Resources resources) {
    this.stream = stream;
    primitive = description.primitive(resources);
    bound = new dnnl_exec_arg_t(arguments.size());
    resources.add(bound::close);
    for (int i = 0; i < arguments.size(); i++) {
      Tensor t = arguments.get(i).tensor;
      dnnl_memory memory = new dnnl_memory();
      Dnnl.check(
          dnnl_memory_create(
              memory,
              t.layout().md(),
              Dnnl.engine(),
              Dnnl.at(t.buffer().address(arena) + t.offset())),
          "wrapping memory");
      resources.add(() -> dnnl_memory_destroy(memory));
      bound.position(i).arg(arguments.get(i).number).memory(memory);
    }
    bound.position(0);
  }

  @Override
  void run() {
    int status = dnnl_primitive_execute(primitive, stream, arguments.size(), bound);
    if (status != dnnl_success) {
      Dnnl.check(
          status,
          String.join(
              " ",
              "running",
              kernel,
              implementation(),
              layouts().toString(),
              "of",
              op().toString()));
    }
  }
}
