package org.swav4j.model.engine.onednn;

import static org.bytedeco.dnnl.global.dnnl.*;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.engine.Precision;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.OpType;
import org.swav4j.model.plan.Plan;
import org.swav4j.model.plan.Value;

/**
 * Turns a plan into steps. This class knows where each value lies and in which layouts, adds
 * reorders, and decides what may be overwritten; the classes it hands ops to know the primitives.
 */
final class Lowering {
  /** The order of a rank-4 value's dimensions in its layouts. */
  enum Axes {
    /** As in the plan. */
    PLAN,
    /** O, I, kH, kW, where the plan has [kH, kW, I, O]. */
    WEIGHTS
  }

  /** Where a value lies, and the order of dimensions its layout is told in. */
  private record Copy(Axes axes, Tensor tensor) {
    /** Null if only the primitives that made the layout know it. */
    Layout layout(Axes wanted) {
      Layout layout = tensor.layout();
      if (axes == wanted) {
        return layout;
      }
      return layout.isOpaque() ? null : turned(layout, wanted);
    }
  }

  /** The rows of a concatenated matrix that a value is. */
  private record Slot(Value whole, long row) {}

  private final Plan plan;
  private final Precision precision;
  private final boolean tiles;
  private final Resources resources;
  private final Set<Value> outputs;
  private final Map<Value, Integer> lastUse = new IdentityHashMap<>();
  private final Map<Value, List<Op>> readers = new IdentityHashMap<>();
  private final Map<Value, Slot> slots = new IdentityHashMap<>();
  private final Map<Value, Tensor> wholes = new IdentityHashMap<>();

  /** What an op wrote, then copies of it in other layouts. */
  private final Map<Value, List<Copy>> copies = new IdentityHashMap<>();

  private final Map<Value, INDArray> arrays = new LinkedHashMap<>();
  private final Set<Buffer> buffers = new LinkedHashSet<>();
  private final List<Step> setup = new ArrayList<>();
  private final List<Step> forward = new ArrayList<>();
  private final List<Step> backward = new ArrayList<>();
  private final Set<Op> absorbed = new HashSet<>();
  private final Map<List<Long>, Layout> imageLayouts = new HashMap<>();
  private Op current;
  private int opIndex;
  private boolean goingBack;

  private final Convolutions convolutions = new Convolutions(this);
  private final Normalisations normalisations = new Normalisations(this);
  private final Pools pools = new Pools(this);
  private final Elementwise elementwise = new Elementwise(this);
  private final Matrices matrices = new Matrices(this);
  private final Predictions predictions = new Predictions(this);
  private final NativeOps nativeOps = new NativeOps(this);

  Lowering(Plan plan, Precision precision, boolean tiles, Resources resources) {
    this.plan = plan;
    this.precision = precision;
    this.tiles = tiles;
    this.resources = resources;
    this.outputs = new HashSet<>(plan.outputs());
  }

  /** What comes out. */
  record Program(
      List<Step> setup,
      List<Step> forward,
      List<Step> backward,
      Map<Value, INDArray> arrays,
      Set<Buffer> buffers) {}

  Program lower() {
    survey();
    for (Value v : plan.inputs()) {
      INDArray array = Nd4j.create(v.type(), v.shape());
      arrays.put(v, array);
      copies.put(v, external(v, array));
    }
    for (Value v : plan.outputs()) {
      arrays.computeIfAbsent(v, o -> Nd4j.create(o.type(), o.shape()));
      if (v.kind() == Value.Kind.CONSTANT) {
        arrays.get(v).assign(v.array());
      }
    }
    for (Op op : plan.forward()) {
      lower(op);
    }
    goingBack = true;
    forgetCopiesOfParameters();
    for (Op op : plan.backward()) {
      lower(op);
    }
    for (Value v : plan.outputs()) {
      if (v.kind() == Value.Kind.PARAMETER) {
        export(v, read(v));
      }
    }
    return new Program(setup, forward, backward, arrays, buffers);
  }

  /**
   * Weights in the layouts of their convolutions are as large as the weights: better reordered
   * again on the way back, in half a percent of a step, than kept through its largest moment.
   */
  private void forgetCopiesOfParameters() {
    copies.forEach(
        (v, list) -> {
          if (v.kind() == Value.Kind.PARAMETER) {
            list.subList(1, list.size()).clear();
          }
        });
  }

  /** Who reads what last, and which matrices can be written where they will be concatenated. */
  private void survey() {
    List<Op> ops = plan.ops();
    Map<Value, Op> makers = new IdentityHashMap<>();
    for (int i = 0; i < ops.size(); i++) {
      Op op = ops.get(i);
      op.outputs().forEach(v -> makers.put(v, op));
      for (Value v : op.inputs()) {
        lastUse.put(v, i);
        readers.computeIfAbsent(v, k -> new ArrayList<>()).add(op);
      }
    }
    for (Op op : ops) {
      if (op.type() != OpType.CONCAT_ROWS) {
        continue;
      }
      long row = 0;
      for (Value v : op.inputs()) {
        Op maker = makers.get(v);
        if (maker != null
            && maker.type() != OpType.ROWS
            && maker.type() != OpType.CONCAT_ROWS
            && !outputs.contains(v)) {
          slots.putIfAbsent(v, new Slot(op.output(), row));
        }
        row += v.size(0);
      }
    }
  }

  private void lower(Op op) {
    current = op;
    if (!absorbed.contains(op)) {
      switch (op.type()) {
        case CONV2D -> convolutions.forward(op);
        case CONV2D_BP -> convolutions.backward(op);
        case BATCH_NORM -> normalisations.forward(op);
        case BATCH_NORM_BP -> normalisations.backward(op);
        case BATCH_NORM_RECOMPUTED -> normalisations.recompute(op);
        case RELU -> elementwise.relu(op);
        case RELU_BP -> elementwise.reluBackward(op);
        case ADD -> elementwise.add(op);
        case MAX_POOL -> pools.max(op);
        case MAX_POOL_BP -> pools.maxBackward(op);
        case GLOBAL_MEAN -> pools.mean(op);
        case GLOBAL_MEAN_BP -> pools.meanBackward(op);
        case CONCAT_ROWS -> matrices.concat(op);
        case ROWS -> matrices.rows(op);
        case MATMUL -> matrices.multiply(op);
        case COLUMN_SUM -> matrices.columnSum(op);
        case NORMALIZE_ROWS -> normalisations.rows(op);
        case NORMALIZE_ROWS_BP -> normalisations.rowsBackward(op);
        case SWAPPED_PREDICTION -> predictions.lower(op);
        case FINAL -> emit(new CallStep(op));
        case ND4J -> nativeOps.lower(op);
      }
    }
    opIndex++;
  }

  // What the op classes ask

  Resources resources() {
    return resources;
  }

  boolean isInference() {
    return plan.backward().isEmpty();
  }

  /** The type of hidden images and of weights' working copies. */
  int hiddenType() {
    return precision == Precision.BF16 ? dnnl_bf16 : dnnl_f32;
  }

  /** Whether hidden images are multiplied in tiles, by AMX. */
  boolean hasTiles() {
    return tiles;
  }

  /**
   * Whether a product of matrices would give the op's rows bits that go by how many there are, and
   * must not: without AVX-512 oneDNN splits a product's sums by the number of rows and of threads.
   */
  boolean productsGoByRows(Op op) {
    return op.arguments().isExact() && !Dnnl.isa().hasAvx512();
  }

  /** Whether anyone wants the value. */
  boolean isWanted(Value v) {
    return outputs.contains(v) || lastUse.containsKey(v);
  }

  boolean isOutput(Value v) {
    return outputs.contains(v);
  }

  List<Op> readers(Value v) {
    return readers.getOrDefault(v, List.of());
  }

  /** Whether the op being lowered is the last to read the value, so that it may be overwritten. */
  private boolean dies(Value v) {
    return v.kind() == Value.Kind.RESULT && !outputs.contains(v) && lastUse.get(v) <= opIndex;
  }

  /** Says that an op was done together with an earlier one. */
  void absorb(Op op) {
    absorbed.add(op);
  }

  /** The value as it lies, dimensions as in the plan. */
  Tensor read(Value v) {
    return read(v, Axes.PLAN);
  }

  Tensor read(Value v, Axes axes) {
    Copy first = copies(v).get(0);
    return first.tensor.as(first.layout(axes));
  }

  /** The order of dimensions the value was written in. */
  Axes axes(Value v) {
    return copies(v).get(0).axes;
  }

  /** The value in a layout: as it lies, or a copy made before, or a reorder added here. */
  Tensor read(Value v, Axes axes, Layout wanted) {
    for (Copy c : copies(v)) {
      Layout seen = c.layout(axes);
      if (seen != null && seen.same(wanted)) {
        return c.tensor.as(wanted);
      }
    }
    Tensor from = read(v, axes);
    Tensor to = Tensor.in(wanted);
    if (v.kind() == Value.Kind.CONSTANT) {
      to.buffer().keep();
      buffers.add(to.buffer());
      setup.add(reorder(from, to));
    } else {
      emit(reorder(from, to));
    }
    copies(v).add(new Copy(axes, to));
    return to;
  }

  Tensor read(Value v, Layout wanted) {
    return read(v, Axes.PLAN, wanted);
  }

  /** The value dense in c order as floats. */
  Tensor readDense(Value v) {
    return read(v, Axes.PLAN, Layout.dense(dnnl_f32, v.shape()));
  }

  /** A place for a result: where it will be wanted, if it is dense, otherwise a new buffer. */
  Tensor allocate(Value v, Layout layout) {
    Tensor target = target(v);
    return target != null && target.layout().same(layout) ? target : Tensor.in(layout);
  }

  /** The place of an input that dies here if the result may take it, otherwise a new one. */
  Tensor overwrite(Value dying, Tensor tensor, Value result) {
    return dies(dying)
            && !tensor.buffer().isExternal()
            && !tensor.buffer().isShared()
            && target(result) == null
        ? tensor
        : allocate(result, tensor.layout());
  }

  /** Says where a result lies. */
  void put(Value v, Tensor tensor) {
    put(v, tensor, Axes.PLAN);
  }

  void put(Value v, Tensor tensor, Axes axes) {
    Copy written = new Copy(axes, tensor);
    copies.put(v, new ArrayList<>(List.of(written)));
    Tensor target = target(v);
    if (target != null && !target.samePlace(tensor)) {
      emit(reorder(tensor.as(written.layout(Axes.PLAN)), target));
      copies(v).add(new Copy(Axes.PLAN, target));
    }
    if (v.rank() == 4 && axes == Axes.PLAN) {
      imageLayouts.put(Arrays.stream(v.shape()).boxed().toList(), tensor.layout());
    }
  }

  /** The layout that images of this shape last had, or null. */
  Layout usualLayout(Value v) {
    return imageLayouts.get(Arrays.stream(v.shape()).boxed().toList());
  }

  /** Bytes that live only during the step that uses them, or between two. */
  Tensor scratch(Layout layout) {
    return Tensor.in(layout);
  }

  /** A tensor filled once, by a step run before the first run. */
  Tensor constant(Layout layout, JavaStep.Kernel fill) {
    Tensor t = Tensor.in(layout);
    t.buffer().keep();
    buffers.add(t.buffer());
    setup.add(new JavaStep(current, "fill", fill, List.of(t)));
    return t;
  }

  PrimitiveStep step(String kind, Description description) {
    return new PrimitiveStep(current, kind, description);
  }

  void java(String name, JavaStep.Kernel kernel, Tensor... tensors) {
    emit(new JavaStep(current, name, kernel, List.of(tensors)));
  }

  void emit(Step step) {
    int at = forward.size() + backward.size();
    (goingBack ? backward : forward).add(step);
    for (Tensor t : step.tensors()) {
      if (!t.buffer().isExternal()) {
        t.buffer().touch(at);
        buffers.add(t.buffer());
      }
    }
  }

  /** Sets all bytes of a tensor to zero. */
  void zero(Tensor tensor) {
    emit(new ZeroStep(current, tensor));
  }

  /** Copies a tensor into another of the same dimensions. */
  void copy(Tensor from, Tensor to) {
    emit(reorder(from, to));
  }

  // The rest

  private PrimitiveStep reorder(Tensor from, Tensor to) {
    dnnl_primitive_desc handle = new dnnl_primitive_desc();
    try (Attributes attributes = new Attributes()) {
      Dnnl.check(
          dnnl_reorder_primitive_desc_create(
              handle,
              from.layout().md(),
              Dnnl.engine(),
              to.layout().md(),
              Dnnl.engine(),
              attributes.handle()),
          "describing a reorder from " + from.layout() + " to " + to.layout());
    }
    return step(PrimitiveStep.REORDER, Description.of(handle, resources))
        .with(DNNL_ARG_FROM, from)
        .with(DNNL_ARG_TO, to);
  }

  private List<Copy> copies(Value v) {
    return copies.computeIfAbsent(
        v,
        k -> {
          if (v.array() == null) {
            throw new IllegalArgumentException(
                String.format(
                    Locale.ROOT,
                    "%s is read by %s before an op has computed it: the plan's ops are out of order",
                    v,
                    current));
          }
          return external(v, v.array());
        });
  }

  private List<Copy> external(Value v, INDArray array) {
    return new ArrayList<>(List.of(new Copy(Axes.PLAN, outside(v, array))));
  }

  private Tensor outside(Value v, INDArray array) {
    long[] dense = Nd4j.getStrides(array.shape(), 'c');
    for (int i = 0; i < dense.length; i++) {
      if (array.size(i) != 1 && array.stride(i) != dense[i]) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "%s has strides %s, expected %s (dense, c order): pass a dup('c') of the array",
                v,
                Arrays.toString(array.stride()),
                Arrays.toString(dense)));
      }
    }
    Layout layout = Layout.plain(v);
    return new Tensor(
        Buffer.at(array.data().addressPointer().address(), layout.bytes()), 0, layout);
  }

  /** Where a value has to be in the end: an output's array, or rows of a concatenated matrix. */
  private Tensor target(Value v) {
    if (outputs.contains(v)) {
      return wholes.computeIfAbsent(v, k -> outside(v, arrays.get(v)));
    }
    Slot slot = slots.get(v);
    if (slot == null) {
      return null;
    }
    return whole(slot.whole)
        .at(
            slot.row * slot.whole.size(1) * Float.BYTES,
            Layout.dense(dnnl_f32, v.size(0), v.size(1)));
  }

  /** The concatenated matrix that a CONCAT_ROWS op will declare. */
  Tensor whole(Value v) {
    if (outputs.contains(v)) {
      return target(v);
    }
    return wholes.computeIfAbsent(
        v,
        k -> {
          Tensor t = Tensor.in(Layout.dense(dnnl_f32, v.shape()));
          t.buffer().share();
          return t;
        });
  }

  /** Whether the value's op wrote it straight to its rows of that matrix. */
  boolean liesIn(Value v, Value whole, long row) {
    Slot slot = slots.get(v);
    return slot != null && slot.whole == whole && slot.row == row;
  }

  private void export(Value v, Tensor tensor) {
    emit(reorder(tensor, target(v)));
  }

  private static Layout turned(Layout layout, Axes to) {
    return to == Axes.WEIGHTS ? layout.permuted(2, 3, 1, 0) : layout.permuted(3, 2, 0, 1);
  }
}
