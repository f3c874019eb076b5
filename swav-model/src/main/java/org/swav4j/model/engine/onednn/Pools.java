package org.swav4j.model.engine.onednn;

import static org.bytedeco.dnnl.global.dnnl.*;

import java.util.HashMap;
import java.util.Map;
import org.bytedeco.dnnl.dnnl_pooling_desc_t;
import org.swav4j.model.plan.Arguments;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.OpType;
import org.swav4j.model.plan.Value;

/** Pooling by the maximum of a window or the mean of everything. */
final class Pools {
  private final Lowering lowering;

  /** What a forward pass left for its backward one. */
  private record Done(Description description, Tensor workspace) {}

  private record Key(Value x, Arguments window) {}

  private final Map<Key, Done> maxima = new HashMap<>();

  Pools(Lowering lowering) {
    this.lowering = lowering;
  }

  void max(Op op) {
    Tensor x = lowering.read(op.input(0));
    boolean trains =
        lowering.readers(op.input(0)).stream().anyMatch(r -> r.type() == OpType.MAX_POOL_BP);
    Description d = describe(op, x.layout(), op.output().shape(), trains);
    Tensor y = lowering.allocate(op.output(), d.dst());
    Tensor workspace = max(d, x, y);
    if (trains) {
      maxima.put(new Key(op.input(0), op.arguments()), new Done(d, workspace));
    }
    lowering.put(op.output(), y);
  }

  private Tensor max(Description d, Tensor x, Tensor y) {
    PrimitiveStep step = lowering.step("max pool", d).with(DNNL_ARG_SRC, x).with(DNNL_ARG_DST, y);
    Tensor workspace = d.workspace() == null ? null : lowering.scratch(d.workspace());
    if (workspace != null) {
      step.with(DNNL_ARG_WORKSPACE, workspace);
    }
    lowering.emit(step);
    return workspace;
  }

  void maxBackward(Op op) {
    Value x = op.input(0);
    Value dy = op.input(1);
    Done done = maxima.get(new Key(x, op.arguments()));
    if (done == null) {
      Tensor src = lowering.read(x);
      Description d = describe(op, src.layout(), dy.shape(), true);
      done = new Done(d, max(d, src, lowering.scratch(d.dst())));
    }
    Description forward = done.description;
    dnnl_pooling_desc_t desc = new dnnl_pooling_desc_t();
    Arguments a = op.arguments();
    Dnnl.check(
        dnnl_pooling_backward_desc_init(
            desc,
            dnnl_pooling_max,
            forward.src().md(),
            forward.dst().md(),
            pair(a.stride()),
            pair(a.kernel()),
            pair(a.padding()),
            pair(a.padding())),
        "describing " + op);
    Description d = Description.create(desc, new Attributes(), forward, lowering.resources());
    Tensor dx = lowering.allocate(op.output(), d.diffSrc());
    PrimitiveStep step =
        lowering
            .step("max pool gradient", d)
            .with(DNNL_ARG_DIFF_DST, lowering.read(dy, d.diffDst()))
            .with(DNNL_ARG_DIFF_SRC, dx);
    if (done.workspace != null) {
      step.with(DNNL_ARG_WORKSPACE, done.workspace);
    }
    lowering.emit(step);
    lowering.put(op.output(), dx);
  }

  private Description describe(Op op, Layout src, long[] dst, boolean trains) {
    Arguments a = op.arguments();
    dnnl_pooling_desc_t desc = new dnnl_pooling_desc_t();
    Dnnl.check(
        dnnl_pooling_forward_desc_init(
            desc,
            trains ? dnnl_forward_training : dnnl_forward_inference,
            dnnl_pooling_max,
            src.md(),
            Layout.any(src.type(), dst).md(),
            pair(a.stride()),
            pair(a.kernel()),
            pair(a.padding()),
            pair(a.padding())),
        "describing " + op);
    return Description.create(desc, new Attributes(), null, lowering.resources());
  }

  void mean(Op op) {
    Tensor x = lowering.read(op.input(0));
    Description d = describeMean(x.layout());
    Value y = op.output();
    Tensor to = rows(y, d.dst());
    lowering.emit(
        lowering.step("mean", d).with(DNNL_ARG_SRC, x).with(DNNL_ARG_DST, to.as(d.dst())));
    lowering.put(y, asFloatRows(y, to, d.dst()));
  }

  void meanBackward(Op op) {
    Value dy = op.input(0);
    Value dx = op.output();
    Layout src = lowering.usualLayout(dx);
    if (src == null) {
      src =
          Layout.channelsLast(
              lowering.hiddenType(), dx.size(0), dx.size(1), dx.size(2), dx.size(3));
    }
    Description forward = describeMean(src);
    long[] window = {dx.size(2), dx.size(3)};
    dnnl_pooling_desc_t desc = new dnnl_pooling_desc_t();
    Dnnl.check(
        dnnl_pooling_backward_desc_init(
            desc,
            dnnl_pooling_avg_include_padding,
            src.md(),
            forward.dst().md(),
            window,
            window,
            pair(0),
            pair(0)),
        "describing " + op);
    Description d = Description.create(desc, new Attributes(), forward, lowering.resources());
    Layout pixel = d.diffDst();
    Layout rows = pixel.asRows();
    Tensor from;
    if (rows != null) {
      from = lowering.read(dy, rows).as(pixel);
    } else {
      Tensor dense = lowering.readDense(dy);
      from = lowering.scratch(pixel);
      lowering.copy(dense.as(onePixel(dense.layout())), from);
    }
    Tensor to = lowering.allocate(dx, d.diffSrc());
    lowering.emit(
        lowering
            .step("mean gradient", d)
            .with(DNNL_ARG_DIFF_DST, from)
            .with(DNNL_ARG_DIFF_SRC, to));
    lowering.put(dx, to);
  }

  private Description describeMean(Layout src) {
    long[] window = {src.dim(2), src.dim(3)};
    dnnl_pooling_desc_t desc = new dnnl_pooling_desc_t();
    Dnnl.check(
        dnnl_pooling_forward_desc_init(
            desc,
            dnnl_forward_training,
            dnnl_pooling_avg_include_padding,
            src.md(),
            Layout.any(src.type(), src.dim(0), src.dim(1), 1, 1).md(),
            window,
            window,
            pair(0),
            pair(0)),
        "describing a mean over " + src);
    return Description.create(desc, new Attributes(), null, lowering.resources());
  }

  /** A place for images of one pixel: that of the rows they are, if they are. */
  private Tensor rows(Value y, Layout pixel) {
    Layout rows = pixel.asRows();
    return rows == null ? lowering.scratch(pixel) : lowering.allocate(y, rows);
  }

  private Tensor asFloatRows(Value y, Tensor pixels, Layout pixel) {
    Layout rows = pixel.asRows();
    if (rows != null && rows.type() == dnnl_f32) {
      return pixels.as(rows);
    }
    Layout dense = Layout.dense(dnnl_f32, pixel.dim(0), pixel.dim(1));
    Tensor to = lowering.allocate(y, dense);
    lowering.copy(pixels.as(pixel), to.as(onePixel(dense)));
    return to;
  }

  private static Layout onePixel(Layout rows) {
    return Layout.dense(rows.type(), rows.dim(0), rows.dim(1), 1, 1);
  }

  private static long[] pair(long value) {
    return new long[] {value, value};
  }
}
