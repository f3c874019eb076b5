package org.swav4j.model.engine.onednn;

import static org.bytedeco.dnnl.global.dnnl.*;

import java.util.List;
import org.bytedeco.dnnl.dnnl_convolution_desc_t;
import org.bytedeco.dnnl.dnnl_matmul_desc_t;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.OpType;
import org.swav4j.model.plan.Value;

/** Products of matrices, and matrices as rows of others. */
final class Matrices {
  private final Lowering lowering;

  Matrices(Lowering lowering) {
    this.lowering = lowering;
  }

  /** What its op could not write straight into the whole is copied. */
  void concat(Op op) {
    Tensor whole = lowering.whole(op.output());
    long row = 0;
    for (Value v : op.inputs()) {
      if (!lowering.liesIn(v, op.output(), row)) {
        Layout rows = Layout.dense(dnnl_f32, v.shape());
        lowering.copy(lowering.read(v), whole.at(row * op.output().size(1) * Float.BYTES, rows));
      }
      row += v.size(0);
    }
    lowering.put(op.output(), whole);
  }

  /** A view. */
  void rows(Op op) {
    Tensor x = lowering.readDense(op.input(0));
    x.buffer().share();
    lowering.put(
        op.output(),
        x.at(
            op.arguments().start() * op.input(0).size(1) * Float.BYTES,
            Layout.dense(dnnl_f32, op.output().shape())));
  }

  /** With a bias row and a rectifier if nothing else reads the product. */
  void multiply(Op op) {
    Value out = op.output();
    Value bias = null;
    boolean relu = false;
    List<Op> readers = lowering.readers(out);
    if (readers.size() == 1 && !lowering.isOutput(out)) {
      Op next = readers.get(0);
      if (next.type() == OpType.ADD
          && next.input(0) == out
          && next.input(1).rank() == 1
          && next.input(1).array() != null) {
        bias = next.input(1);
        relu = next.arguments().relu();
        out = next.output();
        lowering.absorb(next);
      }
    }
    Tensor a = factor(op.input(0), op.arguments().transposeA());
    Tensor b = factor(op.input(1), op.arguments().transposeB());
    Tensor c = lowering.allocate(out, Layout.dense(dnnl_f32, out.shape()));
    Tensor row = bias == null ? null : lowering.readDense(bias);
    if (!op.arguments().transposeA() && lowering.productsGoByRows(op)) {
      convolve(a, weights(b, op.arguments().transposeB()), row, c, relu);
    } else {
      multiply(a, b, row, c, relu);
    }
    lowering.put(out, c);
  }

  /** A factor [I, O] as convolution weights of one tap; transposed, it lies as [O, I]. */
  private static Tensor weights(Tensor b, boolean transposed) {
    long inner = b.layout().dim(0);
    long columns = b.layout().dim(1);
    return b.as(
        transposed
            ? Layout.dense(dnnl_f32, columns, inner, 1, 1)
            : Layout.yxio(dnnl_f32, columns, inner, 1, 1));
  }

  /**
   * A product, plus a row, as a convolution of one tap: the rows are the pixels of an image, whose
   * results don't depend on how many there are.
   */
  private void convolve(Tensor a, Tensor weights, Tensor row, Tensor c, boolean relu) {
    long rows = a.layout().dim(0);
    long columns = weights.layout().dim(0);
    long inner = weights.layout().dim(1);
    Layout src = Layout.channelsLast(dnnl_f32, 1, inner, 1, rows);
    Layout dst = Layout.channelsLast(dnnl_f32, 1, columns, 1, rows);
    long[] stride = {1, 1};
    long[] padding = {0, 0};
    dnnl_convolution_desc_t desc = new dnnl_convolution_desc_t();
    Dnnl.check(
        dnnl_convolution_forward_desc_init(
            desc,
            dnnl_forward_inference,
            dnnl_convolution_direct,
            src.md(),
            Layout.any(dnnl_f32, columns, inner, 1, 1).md(),
            row == null ? null : row.layout().md(),
            dst.md(),
            stride,
            padding,
            padding),
        "describing a product of " + a.layout() + " and " + weights.layout());
    Description d =
        Description.create(desc, new Attributes().relu(relu), null, lowering.resources());
    Tensor blocked = lowering.scratch(d.weights());
    lowering.copy(weights, blocked);
    PrimitiveStep step =
        lowering
            .step("product row by row", d)
            .with(DNNL_ARG_SRC, a.as(src))
            .with(DNNL_ARG_WEIGHTS, blocked)
            .with(DNNL_ARG_DST, c.as(dst));
    if (row != null) {
      step.with(DNNL_ARG_BIAS, row);
    }
    lowering.emit(step);
  }

  private Tensor factor(Value v, boolean transposed) {
    Tensor t = lowering.read(v, Layout.dense(lowering.hiddenType(), v.shape()));
    return transposed ? t.as(t.layout().permuted(1, 0)) : t;
  }

  /** c = a·b, plus a row. */
  void multiply(Tensor a, Tensor b, Tensor row, Tensor c, boolean relu) {
    dnnl_matmul_desc_t desc = new dnnl_matmul_desc_t();
    Layout bias = row == null ? null : Layout.dense(dnnl_f32, 1, row.layout().dim(0));
    Dnnl.check(
        dnnl_matmul_desc_init(
            desc,
            a.layout().md(),
            b.layout().md(),
            bias == null ? null : bias.md(),
            c.layout().md()),
        "describing a product of " + a.layout() + " and " + b.layout());
    PrimitiveStep step =
        lowering
            .step(
                "product",
                Description.create(desc, new Attributes().relu(relu), null, lowering.resources()))
            .with(DNNL_ARG_SRC, a)
            .with(DNNL_ARG_WEIGHTS, b)
            .with(DNNL_ARG_DST, c);
    if (row != null) {
      step.with(DNNL_ARG_BIAS, row.as(bias));
    }
    lowering.emit(step);
  }

  /** A product with a row of ones. */
  void columnSum(Op op) {
    Value x = op.input(0);
    Tensor ones =
        lowering.constant(
            Layout.dense(dnnl_f32, 1, x.size(0)),
            t -> {
              for (int i = 0; i < t[0].limit(); i++) {
                t[0].put(i, 1);
              }
            });
    Tensor sum = lowering.allocate(op.output(), Layout.dense(dnnl_f32, op.output().shape()));
    multiply(
        ones, lowering.readDense(x), null, sum.as(Layout.dense(dnnl_f32, 1, x.size(1))), false);
    lowering.put(op.output(), sum);
  }
}
