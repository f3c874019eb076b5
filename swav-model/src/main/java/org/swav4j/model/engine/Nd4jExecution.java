package org.swav4j.model.engine;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.OpType;
import org.swav4j.model.plan.Plan;
import org.swav4j.model.plan.Value;

/**
 * A plan over ND4J arrays: one arena per type for what ops hand each other, own arrays for the
 * caller.
 */
final class Nd4jExecution implements Execution {
  private record Kernel(Op op, boolean backward, List<Runnable> steps) {
    void run() {
      for (Runnable step : steps) {
        step.run();
      }
    }
  }

  /** Working memory of one op. */
  private record Scratch(Op op, int number, DataType type, long length) {}

  private final Plan plan;
  private final Map<Value, INDArray> arrays = new IdentityHashMap<>();
  private final Map<Op, List<Scratch>> scratches = new IdentityHashMap<>();
  private final Map<Scratch, INDArray> scratchArrays = new HashMap<>();
  private final List<INDArray> owned = new ArrayList<>();
  private final List<Kernel> forward = new ArrayList<>();
  private final List<Kernel> backward = new ArrayList<>();
  private long bytes;

  Nd4jExecution(Plan plan) {
    this.plan = plan;
    allocate();
    plan.forward().forEach(op -> forward.add(new Kernel(op, false, steps(op))));
    plan.backward().forEach(op -> backward.add(new Kernel(op, true, steps(op))));
  }

  private void allocate() {
    List<Op> ops = plan.ops();
    for (List<Value> ends : List.of(plan.inputs(), plan.outputs())) {
      for (Value v : ends) {
        arrays.computeIfAbsent(
            v, x -> x.array() != null ? x.array() : own(Nd4j.create(x.type(), x.shape())));
      }
    }
    Lifetimes lifetimes = new Lifetimes(plan);
    Map<DataType, ArenaLayout> layouts = new EnumMap<>(DataType.class);
    List<Value> placed = new ArrayList<>();
    Set<Value> whole = touchedByNd4j();
    WholeArrays wholes = new WholeArrays(this::own);
    for (int i = 0; i < ops.size(); i++) {
      Op op = ops.get(i);
      for (Value v : op.inputs()) {
        if (v.array() != null) {
          arrays.put(v, v.array());
        }
      }
      for (Value v : op.outputs()) {
        if (whole.contains(v)) {
          arrays.computeIfAbsent(v, wholes::take);
        } else if (!arrays.containsKey(v)) {
          layout(layouts, v.type()).add(v, v.bytes(), i, lifetimes.last(v));
          placed.add(v);
        }
      }
      List<Scratch> needed = new ArrayList<>();
      for (long length : Nd4jKernels.scratch(op)) {
        DataType type = op.output().type();
        Scratch s = new Scratch(op, needed.size(), type, length);
        layout(layouts, type).add(s, length * type.width(), i, i);
        needed.add(s);
      }
      scratches.put(op, needed);
      int at = i;
      Stream.concat(op.inputs().stream(), op.outputs().stream())
          .distinct()
          .filter(v -> whole.contains(v) && lifetimes.last(v) == at)
          .forEach(v -> wholes.giveBack(arrays.get(v)));
    }
    Map<DataType, INDArray> arenas = new EnumMap<>(DataType.class);
    layouts.forEach(
        (type, layout) -> {
          layout.place();
          arenas.put(type, own(Nd4j.create(type, Math.max(1, layout.bytes() / type.width()))));
        });
    for (Value v : placed) {
      DataType type = v.type();
      arrays.put(v, view(arenas.get(type), layouts.get(type).offset(v), v.length(), v.shape()));
    }
    for (List<Scratch> needed : scratches.values()) {
      for (Scratch s : needed) {
        long offset = layouts.get(s.type).offset(s);
        scratchArrays.put(s, view(arenas.get(s.type), offset, s.length, new long[] {s.length}));
      }
    }
  }

  private Set<Value> touchedByNd4j() {
    Set<Value> touched = Collections.newSetFromMap(new IdentityHashMap<>());
    for (Op op : plan.ops()) {
      if (op.type() == OpType.ND4J) {
        touched.addAll(op.inputs());
        touched.addAll(op.outputs());
      }
    }
    touched.removeIf(v -> v.kind() != Value.Kind.RESULT);
    return touched;
  }

  private static ArenaLayout layout(Map<DataType, ArenaLayout> layouts, DataType type) {
    return layouts.computeIfAbsent(type, t -> new ArenaLayout());
  }

  private static INDArray view(INDArray arena, long offset, long length, long[] shape) {
    long start = offset / arena.dataType().width();
    return arena.get(NDArrayIndex.interval(start, start + length)).reshape('c', shape);
  }

  private INDArray own(INDArray array) {
    owned.add(array);
    bytes += array.length() * array.dataType().width();
    return array;
  }

  private List<Runnable> steps(Op op) {
    List<INDArray> in = op.inputs().stream().map(arrays::get).toList();
    List<INDArray> out = op.outputs().stream().map(arrays::get).toList();
    List<INDArray> scratch = scratches.get(op).stream().map(scratchArrays::get).toList();
    return new Nd4jKernels(op, in, out, scratch).steps();
  }

  @Override
  public INDArray array(Value value) {
    INDArray array = arrays.get(value);
    if (array == null || !(plan.inputs().contains(value) || plan.outputs().contains(value))) {
      throw new IllegalArgumentException(value + " is neither an input nor an output of the plan");
    }
    return array;
  }

  @Override
  public void forward() {
    forward.forEach(Kernel::run);
  }

  @Override
  public void backward() {
    backward.forEach(Kernel::run);
  }

  @Override
  public long bytes() {
    return bytes;
  }

  @Override
  public List<Timing> profile() {
    List<Timing> timings = new ArrayList<>();
    for (List<Kernel> part : List.of(forward, backward)) {
      for (Kernel k : part) {
        long start = System.nanoTime();
        k.run();
        timings.add(
            new Timing(
                k.op,
                k.backward,
                k.op.label(),
                Work.ARITHMETIC,
                "",
                List.of(),
                System.nanoTime() - start));
      }
    }
    return timings;
  }

  @Override
  public void close() {
    owned.forEach(
        array -> {
          if (array.closeable()) {
            array.close();
          }
        });
    owned.clear();
  }
}
