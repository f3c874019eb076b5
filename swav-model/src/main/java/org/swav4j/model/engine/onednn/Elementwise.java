package org.swav4j.model.engine.onednn;

import static org.bytedeco.dnnl.global.dnnl.*;

import org.bytedeco.dnnl.dnnl_binary_desc_t;
import org.bytedeco.dnnl.dnnl_eltwise_desc_t;
import org.swav4j.model.engine.onednn.Lowering.Axes;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.Value;

/** Rectifiers and sums, in the layout the first operand has, in place where it dies. */
final class Elementwise {
  private final Lowering lowering;

  Elementwise(Lowering lowering) {
    this.lowering = lowering;
  }

  void relu(Op op) {
    Tensor x = lowering.read(op.input(0));
    Tensor y = lowering.overwrite(op.input(0), x, op.output());
    rectify(x, y);
    lowering.put(op.output(), y);
  }

  private void rectify(Tensor x, Tensor y) {
    lowering.emit(
        lowering
            .step("relu", reluForward(x.layout(), dnnl_eltwise_relu))
            .with(DNNL_ARG_SRC, x)
            .with(DNNL_ARG_DST, y));
  }

  void reluBackward(Op op) {
    Value dy = op.input(1);
    Tensor y = lowering.read(op.input(0));
    Tensor from = lowering.read(dy, y.layout());
    Tensor to = lowering.overwrite(dy, from, op.output());
    maskByOutput(y, from, to);
    lowering.put(op.output(), to);
  }

  /** to = from where y &gt; 0, else 0; all in one layout. */
  void maskByOutput(Tensor y, Tensor from, Tensor to) {
    dnnl_eltwise_desc_t desc = new dnnl_eltwise_desc_t();
    Dnnl.check(
        dnnl_eltwise_backward_desc_init(
            desc, dnnl_eltwise_relu_use_dst_for_bwd, from.layout().md(), y.layout().md(), 0, 0),
        "describing a rectifier's gradient");
    Description hint = reluForward(y.layout(), dnnl_eltwise_relu_use_dst_for_bwd);
    lowering.emit(
        lowering
            .step(
                "relu gradient",
                Description.create(desc, new Attributes(), hint, lowering.resources()))
            .with(DNNL_ARG_DST, y)
            .with(DNNL_ARG_DIFF_DST, from)
            .with(DNNL_ARG_DIFF_SRC, to));
  }

  private Description reluForward(Layout layout, int algorithm) {
    dnnl_eltwise_desc_t desc = new dnnl_eltwise_desc_t();
    Dnnl.check(
        dnnl_eltwise_forward_desc_init(desc, dnnl_forward_training, algorithm, layout.md(), 0, 0),
        "describing a rectifier");
    return Description.create(desc, new Attributes(), null, lowering.resources());
  }

  void add(Op op) {
    Value a = op.input(0);
    Value b = op.input(1);
    Axes axes = lowering.axes(a);
    Tensor left = lowering.read(a, axes);
    Tensor to;
    Tensor right;
    if (b.sameShape(a)) {
      Tensor other = lowering.read(b, axes);
      if (left.layout().padded() || (left.buffer().isExternal() && !other.layout().padded())) {
        // The other operand's layout is the one the network's convolutions chose.
        left = lowering.read(a, axes, other.layout());
      }
      right = lowering.read(b, axes, left.layout());
      to = lowering.overwrite(a, left, op.output());
      if (!to.samePlace(left)) {
        to = lowering.overwrite(b, right, op.output());
      }
    } else {
      right = lowering.readDense(b).as(Layout.dense(dnnl_f32, 1, b.length()));
      to = lowering.overwrite(a, left, op.output());
    }
    // With channels filled up to a block's size, the fused form leaves b out (oneDNN 2.5.2).
    boolean apart = op.arguments().relu() && to.layout().padded();
    binary(
        dnnl_binary_add, left, right, to, new Attributes().relu(op.arguments().relu() && !apart));
    if (apart) {
      rectify(to, to);
    }
    lowering.put(op.output(), to, axes);
  }

  /** to = a (algorithm) b; b may have dimensions of size 1. */
  void binary(int algorithm, Tensor a, Tensor b, Tensor to, Attributes attributes) {
    dnnl_binary_desc_t desc = new dnnl_binary_desc_t();
    Dnnl.check(
        dnnl_binary_desc_init(desc, algorithm, a.layout().md(), b.layout().md(), to.layout().md()),
        "describing a sum");
    lowering.emit(
        lowering
            .step("binary", Description.create(desc, attributes, null, lowering.resources()))
            .with(DNNL_ARG_SRC_0, a)
            .with(DNNL_ARG_SRC_1, b)
            .with(DNNL_ARG_DST, to));
  }
}
