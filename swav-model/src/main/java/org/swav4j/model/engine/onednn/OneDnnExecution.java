package org.swav4j.model.engine.onednn;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.engine.ArenaLayout;
import org.swav4j.model.engine.Execution;
import org.swav4j.model.engine.PlanMemoryError;
import org.swav4j.model.engine.Precision;
import org.swav4j.model.plan.Plan;
import org.swav4j.model.plan.Value;

/** Steps over one arena. */
final class OneDnnExecution implements Execution {
  private final Resources resources = new Resources();
  private final Map<Value, INDArray> arrays;
  private final Step[] forward;
  private final Step[] backward;
  private final long bytes;
  private boolean closed;

  OneDnnExecution(Plan plan, Precision precision, boolean tiles) {
    try {
      Lowering.Program program = new Lowering(plan, precision, tiles, resources).lower();
      arrays = program.arrays();
      ArenaLayout layout = new ArenaLayout();
      program.buffers().forEach(b -> layout.add(b, b.bytes, b.first(), b.last()));
      layout.place();
      program.buffers().forEach(b -> b.place(layout.offset(b)));
      long arena = allocate(layout.bytes());
      bytes =
          layout.bytes()
              + arrays.values().stream().mapToLong(a -> a.length() * a.dataType().width()).sum();
      dnnl_stream stream = Dnnl.stream(resources);
      program.forward().forEach(s -> s.bind(arena, stream, resources));
      program.backward().forEach(s -> s.bind(arena, stream, resources));
      try (Resources once = new Resources()) {
        for (Step s : program.setup()) {
          s.bind(arena, stream, once);
          s.run();
        }
      }
      forward = program.forward().toArray(Step[]::new);
      backward = program.backward().toArray(Step[]::new);
    } catch (RuntimeException | Error e) {
      resources.close();
      throw e;
    }
  }

  /**
   * The arena, released with the other resources. Not a JavaCPP array: those count against the Java
   * heap's limit, which says nothing about a plan's size.
   */
  private long allocate(long size) {
    Pointer allocation = Pointer.malloc(size + ArenaLayout.ALIGNMENT);
    if (allocation == null || allocation.isNull()) {
      throw new PlanMemoryError(size);
    }
    resources.add(() -> Pointer.free(allocation));
    return (allocation.address() + ArenaLayout.ALIGNMENT - 1) & -ArenaLayout.ALIGNMENT;
  }

  @Override
  public INDArray array(Value value) {
    INDArray array = arrays.get(value);
    if (array == null) {
      throw new IllegalArgumentException(
          value + " is neither an input nor an output of the plan: only those have an array");
    }
    return array;
  }

  @Override
  public void forward() {
    run(forward);
  }

  @Override
  public void backward() {
    run(backward);
  }

  private void run(Step[] steps) {
    if (closed) {
      throw new IllegalStateException("this execution was closed and its memory is gone");
    }
    for (Step s : steps) {
      s.run();
    }
  }

  @Override
  public long bytes() {
    return bytes;
  }

  @Override
  public List<Timing> profile() {
    if (closed) {
      throw new IllegalStateException("this execution was closed and its memory is gone");
    }
    List<Timing> timings = new ArrayList<>();
    for (Step[] steps : List.of(forward, backward)) {
      for (Step s : steps) {
        long start = System.nanoTime();
        s.run();
        long time = System.nanoTime() - start;
        timings.add(
            new Timing(
                s.op(),
                steps == backward,
                s.kernel(),
                s.work(),
                s.implementation(),
                s.layouts(),
                time));
      }
    }
    return timings;
  }

  /** The steps in order, for tests. */
  List<Step> steps() {
    List<Step> all = new ArrayList<>(List.of(forward));
    all.addAll(List.of(backward));
    return all;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      resources.close();
    }
  }
}
