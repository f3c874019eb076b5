package org.swav4j.model.engine.onednn;

import static org.bytedeco.dnnl.global.dnnl.*;

import org.bytedeco.dnnl.dnnl_binary_desc_t;
import org.bytedeco.dnnl.dnnl_eltwise_desc_t;
import org.bytedeco.dnnl.dnnl_matmul_desc_t;
import org.bytedeco.dnnl.dnnl_softmax_desc_t;
import org.swav4j.model.plan.Arguments;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.Value;

/**
 * The swapped prediction and its gradient (Caron et al., 2020, equation 2, as a mean). With l =
 * logsoftmax(s/τ), Q the sum of all codes of a sample, and c = 1 / (A (V−1) B):
 *
 * <pre>
 *   loss = −c (Σ_v Σ_n Q[n]·l_v[n] − Σ_{i&lt;A} Σ_n q_i[n]·l_i[n])
 *   dloss/ds_v[n] = c/τ (m_v[n] exp(l_v[n]) − Q_v[n]),   Q_v = Q − q_v and Q
 * </pre>
 *
 * where the mass m_v[n] is the sum of Q_v[n] over the prototypes: the number of codes, if codes sum
 * to 1 as they should.
 */
final class Predictions {
  /** Masses this near to whole are taken as whole. */
  private static final float MASS_TOLERANCE = 1e-5f;

  private final Lowering lowering;

  Predictions(Lowering lowering) {
    this.lowering = lowering;
  }

  void lower(Op op) {
    Arguments a = op.arguments();
    Value scores = op.input(0);
    int views = a.views();
    int assigning = a.assigning();
    long k = scores.size(1);
    long b = scores.size(0) / views;
    long slab = b * k * Float.BYTES;
    Layout one = Layout.dense(dnnl_f32, b, k);
    Layout all = Layout.dense(dnnl_f32, scores.shape());
    Tensor s = lowering.readDense(scores);
    Tensor q = lowering.readDense(op.input(1));
    Elementwise elementwise = new Elementwise(lowering);

    Tensor gradient = lowering.allocate(op.output(1), all);
    scale(s, gradient, (float) (1 / a.temperature()));
    logSoftmax(gradient);

    Tensor codes = q.as(one);
    if (assigning > 1) {
      codes = lowering.scratch(one);
      elementwise.binary(dnnl_binary_add, q.as(one), q.at(slab, one), codes, new Attributes());
      for (int i = 2; i < assigning; i++) {
        elementwise.binary(dnnl_binary_add, codes, q.at(i * slab, one), codes, new Attributes());
      }
    }

    Tensor dots = lowering.scratch(Layout.dense(dnnl_f32, views + assigning, b));
    for (int v = 0; v < views; v++) {
      dot(codes, gradient.at(v * slab, one), dots.at(v * b * Float.BYTES, one));
    }
    for (int i = 0; i < assigning; i++) {
      dot(
          q.at(i * slab, one),
          gradient.at(i * slab, one),
          dots.at((views + i) * b * Float.BYTES, one));
    }
    double c = 1.0 / ((double) assigning * (views - 1) * b);
    Tensor loss = lowering.allocate(op.output(0), Layout.dense(dnnl_f32));
    int predictions = Math.toIntExact(views * b);
    lowering.java(
        "loss",
        t -> {
          double sum = 0;
          for (int i = 0; i < t[0].limit(); i++) {
            sum += i < predictions ? -t[0].get(i) : t[0].get(i);
          }
          t[1].put(0, (float) (c * sum));
        },
        dots,
        loss);
    lowering.put(op.output(0), loss);
    if (!lowering.isWanted(op.output(1))) {
      return;
    }

    Tensor masses = lowering.scratch(Layout.dense(dnnl_f32, (long) assigning * b, 1));
    Tensor ones =
        lowering.constant(
            Layout.dense(dnnl_f32, k, 1),
            t -> {
              for (int i = 0; i < t[0].limit(); i++) {
                t[0].put(i, 1);
              }
            });
    new Matrices(lowering).multiply(q, ones, null, masses, false);
    int rows = Math.toIntExact(b);
    int columns = Math.toIntExact(k);
    float factor = (float) (c / a.temperature());
    for (int v = 0; v < views; v++) {
      int others = v < assigning ? assigning - 1 : assigning;
      Tensor at = gradient.at(v * slab, one);
      Tensor wanted = codes;
      if (v < assigning && assigning == 2) {
        wanted = q.at((1 - v) * slab, one);
      } else if (v < assigning && assigning > 2) {
        wanted = lowering.scratch(one);
        elementwise.binary(dnnl_binary_sub, codes, q.at(v * slab, one), wanted, new Attributes());
      }
      int view = v;
      Tensor before = at;
      correctMasses(masses, before, rows, columns, assigning, view);
      difference(at, wanted, others, factor);
    }
    lowering.put(op.output(1), gradient);
  }

  /**
   * Adds ln(m/n) to the rows whose codes don't sum to their number n, so that exp gives m/n times
   * the prediction. Does nothing for proper codes.
   */
  private void correctMasses(
      Tensor masses, Tensor logs, int rows, int columns, int assigning, int view) {
    int others = view < assigning ? assigning - 1 : assigning;
    lowering.java(
        "check codes",
        t -> {
          for (int n = 0; n < rows && others > 0; n++) {
            float mass = 0;
            for (int i = 0; i < assigning; i++) {
              mass += i == view ? 0 : t[0].get(i * rows + n);
            }
            if (Math.abs(mass - others) > MASS_TOLERANCE * others) {
              float shift = (float) Math.log(mass / others);
              for (int at = n * columns; at < (n + 1) * columns; at++) {
                t[1].put(at, t[1].get(at) + shift);
              }
            }
          }
        },
        masses,
        logs);
  }

  private void scale(Tensor from, Tensor to, float factor) {
    dnnl_eltwise_desc_t desc = new dnnl_eltwise_desc_t();
    Dnnl.check(
        dnnl_eltwise_forward_desc_init(
            desc, dnnl_forward_inference, dnnl_eltwise_linear, from.layout().md(), factor, 0),
        "describing a scaling");
    lowering.emit(
        lowering
            .step("scale", create(desc, new Attributes()))
            .with(DNNL_ARG_SRC, from)
            .with(DNNL_ARG_DST, to));
  }

  private void logSoftmax(Tensor t) {
    dnnl_softmax_desc_t desc = new dnnl_softmax_desc_t();
    Dnnl.check(
        dnnl_logsoftmax_forward_desc_init(desc, dnnl_forward_inference, t.layout().md(), 1),
        "describing a logarithmic softmax");
    lowering.emit(
        lowering
            .step("log softmax", create(desc, new Attributes()))
            .with(DNNL_ARG_SRC, t)
            .with(DNNL_ARG_DST, t));
  }

  /** Row by row products of two matrices into a vector. */
  private void dot(Tensor a, Tensor b, Tensor to) {
    long n = a.layout().dim(0);
    long k = a.layout().dim(1);
    Tensor left = a.as(Layout.dense(dnnl_f32, n, 1, k));
    Tensor right = b.as(Layout.dense(dnnl_f32, n, k, 1));
    Tensor out = to.as(Layout.dense(dnnl_f32, n, 1, 1));
    dnnl_matmul_desc_t desc = new dnnl_matmul_desc_t();
    Dnnl.check(
        dnnl_matmul_desc_init(
            desc, left.layout().md(), right.layout().md(), null, out.layout().md()),
        "describing dot products");
    lowering.emit(
        lowering
            .step("dot products", create(desc, new Attributes()))
            .with(DNNL_ARG_SRC, left)
            .with(DNNL_ARG_WEIGHTS, right)
            .with(DNNL_ARG_DST, out));
  }

  /** logs ← factor (mass exp(logs) − codes), in one pass. */
  private void difference(Tensor logs, Tensor codes, int mass, float factor) {
    if (mass == 0) {
      // The only code is the view's own: nothing to predict.
      scale(logs, logs, 0);
      return;
    }
    dnnl_binary_desc_t desc = new dnnl_binary_desc_t();
    Dnnl.check(
        dnnl_binary_desc_init(
            desc, dnnl_binary_max, logs.layout().md(), logs.layout().md(), logs.layout().md()),
        "describing the gradient of the scores");
    Attributes attributes =
        new Attributes()
            .eltwise(mass, dnnl_eltwise_exp, 0, 0)
            .binary(dnnl_binary_sub, codes.layout())
            .eltwise(1, dnnl_eltwise_linear, factor, 0);
    lowering.emit(
        lowering
            .step("scores' gradient", create(desc, attributes))
            .with(DNNL_ARG_SRC_0, logs)
            .with(DNNL_ARG_SRC_1, logs)
            .with(DNNL_ARG_DST, logs)
            .with(Attributes.postOp(1), codes));
  }

  private Description create(org.bytedeco.javacpp.Pointer desc, Attributes attributes) {
    return Description.create(desc, attributes, null, lowering.resources());
  }
}
