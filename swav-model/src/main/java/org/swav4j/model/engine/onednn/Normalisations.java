package org.swav4j.model.engine.onednn;

import static org.bytedeco.dnnl.global.dnnl.*;

import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.dnnl.dnnl_batch_normalization_desc_t;
import org.swav4j.model.engine.SharedMoments;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.Value;

/** Batch norm in training, with its rectifier, and the normalisation of rows. */
final class Normalisations {
  /** Smaller norms count as this; PyTorch's value. */
  private static final double SMALLEST_NORM = 1e-12;

  private static final String ALL_REDUCE = "all-reduce";

  private final Lowering lowering;

  /** What a forward pass left for its backward one. */
  private record Done(Description description, Layout layout, Tensor workspace) {}

  /** By the value of the mean, which one forward op alone computes. */
  private final Map<Value, Done> batches = new HashMap<>();

  Normalisations(Lowering lowering) {
    this.lowering = lowering;
  }

  void forward(Op op) {
    Value x = op.input(0);
    boolean relu = op.arguments().relu();
    boolean synchronised = op.arguments().synchronised();
    Layout layout = layout(op, x, relu);
    Description d = describe(op, layout, dnnl_forward_training, flags(relu) | given(synchronised));
    Tensor src = lowering.read(x, fromImages(x, layout));
    Value y = op.output(0);
    Tensor dst = synchronised ? lowering.allocate(y, src.layout()) : lowering.overwrite(x, src, y);
    Layout dense = Layout.dense(dnnl_f32, x.size(1));
    Tensor mean = lowering.allocate(op.output(1), dense);
    Tensor variance = lowering.allocate(op.output(2), dense);
    if (op.arguments().isExact()) {
      exactMoments(op, src, dst, mean, variance);
    } else if (synchronised) {
      moments(op, layout, src, dst, mean, variance);
    }
    PrimitiveStep step =
        lowering
            .step("batch norm", d)
            .with(DNNL_ARG_SRC, src.as(layout))
            .with(DNNL_ARG_DST, dst.as(layout))
            .with(DNNL_ARG_SCALE, lowering.readDense(op.input(1)))
            .with(DNNL_ARG_SHIFT, lowering.readDense(op.input(2)))
            .with(DNNL_ARG_MEAN, mean)
            .with(DNNL_ARG_VARIANCE, variance);
    Tensor workspace = d.workspace() == null ? null : lowering.scratch(d.workspace());
    if (workspace != null) {
      step.with(DNNL_ARG_WORKSPACE, workspace);
    }
    lowering.emit(step);
    lowering.put(y, dst);
    lowering.put(op.output(1), mean);
    lowering.put(op.output(2), variance);
    batches.put(op.output(1), new Done(d, layout, workspace));
  }

  /**
   * Mean and variance over the rows of all workers. No primitive gives the moments alone: a norm
   * does that writes where the result by the moments of all comes next.
   */
  private void moments(Op op, Layout layout, Tensor src, Tensor dst, Tensor mean, Tensor variance) {
    lowering.emit(
        lowering
            .step("batch norm moments", describe(op, layout, dnnl_forward_training, 0))
            .with(DNNL_ARG_SRC, src.as(layout))
            .with(DNNL_ARG_DST, dst.as(layout))
            .with(DNNL_ARG_MEAN, mean)
            .with(DNNL_ARG_VARIANCE, variance));
    int channels = Math.toIntExact(op.input(0).size(1));
    SharedMoments shared = new SharedMoments(op.arguments().workers(), channels);
    lowering.java(
        ALL_REDUCE,
        t -> {
          for (int c = 0; c < channels; c++) {
            shared.put(c, t[0].get(c), t[1].get(c));
          }
          combine(shared, t[0], t[1]);
        },
        mean,
        variance);
  }

  /**
   * The same from the moments of each image, which are the same bits whoever computes them: a norm
   * has them of all images as one with N·C channels.
   */
  private void exactMoments(Op op, Tensor src, Tensor dst, Tensor mean, Tensor variance) {
    Value x = op.input(0);
    int images = Math.toIntExact(x.size(0));
    int channels = Math.toIntExact(x.size(1));
    SharedMoments shared = new SharedMoments(op.arguments().workers(), channels);
    if (x.rank() == 2) {
      lowering.java(
          ALL_REDUCE,
          t -> {
            shared.putImages(images, t[2], null);
            combine(shared, t[0], t[1]);
          },
          mean,
          variance,
          lowering.readDense(x));
      return;
    }
    Tensor from = src;
    Tensor unread = dst;
    Layout one = src.layout().asOneImage();
    if (one == null) {
      from = lowering.readDense(x);
      one = from.layout().asOneImage();
      unread = lowering.scratch(one);
    }
    Layout ofImages = Layout.dense(dnnl_f32, (long) images * channels);
    Tensor means = lowering.scratch(ofImages);
    Tensor variances = lowering.scratch(ofImages);
    lowering.emit(
        lowering
            .step("batch norm moments", describe(op, one, dnnl_forward_training, 0))
            .with(DNNL_ARG_SRC, from.as(one))
            .with(DNNL_ARG_DST, unread.as(one))
            .with(DNNL_ARG_MEAN, means)
            .with(DNNL_ARG_VARIANCE, variances));
    lowering.java(
        ALL_REDUCE,
        t -> {
          shared.putImages(images, t[2], t[3]);
          combine(shared, t[0], t[1]);
        },
        mean,
        variance,
        means,
        variances);
  }

  private static void combine(SharedMoments shared, FloatBuffer mean, FloatBuffer variance) {
    shared.combine();
    for (int c = 0; c < mean.limit(); c++) {
      mean.put(c, (float) shared.first(c));
      variance.put(c, (float) shared.second(c));
    }
  }

  void backward(Op op) {
    Value x = op.input(0);
    Value dy = op.input(5);
    boolean relu = op.arguments().relu();
    Done done = batches.get(op.input(3));
    boolean fused = relu && done != null && done.workspace != null;
    Layout layout = done == null ? layout(op, x, false) : done.layout;
    int given = given(op.arguments().synchronised());
    Description hint =
        fused
            ? done.description
            : describe(op, layout, dnnl_forward_training, flags(false) | given);
    dnnl_batch_normalization_desc_t desc = new dnnl_batch_normalization_desc_t();
    Dnnl.check(
        dnnl_batch_normalization_backward_desc_init(
            desc,
            dnnl_backward,
            layout.md(),
            layout.md(),
            (float) op.arguments().epsilon(),
            flags(fused) | given),
        "describing " + op);
    Description d = Description.create(desc, new Attributes(), hint, lowering.resources());
    Layout plan = fromImages(x, layout);
    Tensor from = lowering.read(dy, plan);
    Tensor to = lowering.overwrite(dy, from, op.output(0));
    if (relu && !fused) {
      new Elementwise(lowering).maskByOutput(lowering.read(op.input(6), plan), from, to);
      from = to;
    }
    Layout dense = Layout.dense(dnnl_f32, x.size(1));
    Tensor dgamma = lowering.allocate(op.output(1), dense);
    Tensor dbeta = lowering.allocate(op.output(2), dense);
    PrimitiveStep step =
        lowering
            .step("batch norm gradient", d)
            .with(DNNL_ARG_SRC, lowering.read(x, plan).as(layout))
            .with(DNNL_ARG_MEAN, lowering.readDense(op.input(3)))
            .with(DNNL_ARG_VARIANCE, lowering.readDense(op.input(4)))
            .with(DNNL_ARG_SCALE, lowering.readDense(op.input(1)))
            // Without the shift oneDNN reads through a null pointer.
            .with(DNNL_ARG_SHIFT, lowering.readDense(op.input(2)))
            .with(DNNL_ARG_DIFF_DST, from.as(layout))
            .with(DNNL_ARG_DIFF_SRC, to.as(layout))
            .with(DNNL_ARG_DIFF_SCALE, dgamma)
            .with(DNNL_ARG_DIFF_SHIFT, dbeta);
    if (fused) {
      step.with(DNNL_ARG_WORKSPACE, done.workspace);
    }
    lowering.emit(step);
    if (op.arguments().synchronised()) {
      throughMoments(op, layout, to, dgamma, dbeta);
    }
    lowering.put(op.output(0), to);
    lowering.put(op.output(1), dgamma);
    lowering.put(op.output(2), dbeta);
  }

  /**
   * Adds to dx what it has through mean and variance, which the primitive took as constants: with N
   * rows of all workers in a channel and sums over all of them, −gamma/σ · (dbeta/N + x̂·dgamma/N).
   * That is a norm of x with another scale and shift.
   */
  private void throughMoments(Op op, Layout layout, Tensor dx, Tensor dgamma, Tensor dbeta) {
    Value x = op.input(0);
    int channels = Math.toIntExact(x.size(1));
    double epsilon = op.arguments().epsilon();
    double rows = (double) x.length() / channels * op.arguments().workers().size();
    Layout dense = Layout.dense(dnnl_f32, channels);
    Tensor scale = lowering.scratch(dense);
    Tensor shift = lowering.scratch(dense);
    SharedMoments shared = new SharedMoments(op.arguments().workers(), channels);
    lowering.java(
        ALL_REDUCE,
        t -> {
          for (int c = 0; c < channels; c++) {
            shared.put(c, t[2].get(c), t[3].get(c));
          }
          shared.sum();
          for (int c = 0; c < channels; c++) {
            double factor = -t[0].get(c) / (Math.sqrt(t[1].get(c) + epsilon) * rows);
            t[4].put(c, (float) (factor * shared.first(c)));
            t[5].put(c, (float) (factor * shared.second(c)));
          }
        },
        lowering.readDense(op.input(1)),
        lowering.readDense(op.input(4)),
        dgamma,
        dbeta,
        scale,
        shift);
    Tensor through = lowering.scratch(layout);
    lowering.emit(
        lowering
            .step(
                "batch norm gradient through moments",
                describe(op, layout, dnnl_forward_inference, flags(false) | dnnl_use_global_stats))
            .with(DNNL_ARG_SRC, lowering.read(x, fromImages(x, layout)).as(layout))
            .with(DNNL_ARG_DST, through)
            .with(DNNL_ARG_SCALE, scale)
            .with(DNNL_ARG_SHIFT, shift)
            .with(DNNL_ARG_MEAN, lowering.readDense(op.input(3)))
            .with(DNNL_ARG_VARIANCE, lowering.readDense(op.input(4))));
    Tensor target = dx.as(layout);
    new Elementwise(lowering).binary(dnnl_binary_add, target, through, target, new Attributes());
  }

  /** From the statistics of the first time, in the layout of the first time. */
  void recompute(Op op) {
    Value x = op.input(0);
    Done done = batches.get(op.input(3));
    Layout layout = done == null ? layout(op, x, false) : done.layout;
    Description d =
        describe(
            op,
            layout,
            dnnl_forward_inference,
            flags(op.arguments().relu()) | dnnl_use_global_stats);
    Layout plan = fromImages(x, layout);
    Tensor y = lowering.allocate(op.output(), plan);
    lowering.emit(
        lowering
            .step("batch norm recomputed", d)
            .with(DNNL_ARG_SRC, lowering.read(x, plan).as(layout))
            .with(DNNL_ARG_DST, y.as(layout))
            .with(DNNL_ARG_SCALE, lowering.readDense(op.input(1)))
            .with(DNNL_ARG_SHIFT, lowering.readDense(op.input(2)))
            .with(DNNL_ARG_MEAN, lowering.readDense(op.input(3)))
            .with(DNNL_ARG_VARIANCE, lowering.readDense(op.input(4))));
    lowering.put(op.output(), y);
  }

  /** As images the way they lie, unless padded or slow so: then with the channels innermost. */
  private Layout layout(Op op, Value x, boolean relu) {
    long n = x.size(0);
    long c = x.size(1);
    if (x.rank() == 2) {
      return Layout.channelsLast(dnnl_f32, n, c, 1, 1);
    }
    Layout now = lowering.read(x).layout();
    // Statistics of padded blocks come out wrong.
    if (!now.padded()) {
      Description d = describe(op, now, relu);
      if (d != null && !d.isReference()) {
        return now;
      }
    }
    return Layout.channelsLast(now.type(), n, c, x.size(2), x.size(3));
  }

  private static Layout fromImages(Value x, Layout layout) {
    return x.rank() == 2 ? Layout.dense(layout.type(), x.shape()) : layout;
  }

  private Description describe(Op op, Layout layout, boolean relu) {
    return describe(op, layout, dnnl_forward_training, flags(relu));
  }

  private Description describe(Op op, Layout layout, int kind, int flags) {
    dnnl_batch_normalization_desc_t desc = new dnnl_batch_normalization_desc_t();
    Dnnl.check(
        dnnl_batch_normalization_forward_desc_init(
            desc, kind, layout.md(), (float) op.arguments().epsilon(), flags),
        "describing " + op);
    return Description.create(desc, new Attributes(), null, lowering.resources());
  }

  /** The flag by which the moments are an input. */
  private static int given(boolean moments) {
    return moments ? dnnl_use_global_stats : 0;
  }

  private static int flags(boolean relu) {
    return dnnl_use_scale | dnnl_use_shift | (relu ? dnnl_fuse_norm_relu : 0);
  }

  void rows(Op op) {
    int d = Math.toIntExact(op.input(0).size(1));
    Tensor y = lowering.allocate(op.output(), Layout.dense(dnnl_f32, op.output().shape()));
    float[] row = new float[d];
    lowering.java(
        "normalise rows",
        t -> {
          for (int at = 0; at < t[0].limit(); at += d) {
            t[0].get(at, row);
            float scale = (float) (1 / norm(row));
            for (int i = 0; i < d; i++) {
              row[i] *= scale;
            }
            t[1].put(at, row);
          }
        },
        lowering.readDense(op.input(0)),
        y);
    lowering.put(op.output(), y);
  }

  /** dx = (dy − y (y·dy)) / ‖x‖; where the norm was raised, dx = dy / the smallest norm. */
  void rowsBackward(Op op) {
    int d = Math.toIntExact(op.input(0).size(1));
    Tensor dx = lowering.allocate(op.output(), Layout.dense(dnnl_f32, op.output().shape()));
    float[] x = new float[d];
    float[] y = new float[d];
    float[] dy = new float[d];
    lowering.java(
        "normalise rows gradient",
        t -> {
          for (int at = 0; at < t[0].limit(); at += d) {
            t[0].get(at, x);
            t[1].get(at, y);
            t[2].get(at, dy);
            double norm = norm(x);
            double dot = 0;
            for (int i = 0; i < d; i++) {
              dot += (double) y[i] * dy[i];
            }
            if (norm <= SMALLEST_NORM) {
              dot = 0;
            }
            for (int i = 0; i < d; i++) {
              dy[i] = (float) ((dy[i] - y[i] * dot) / norm);
            }
            t[3].put(at, dy);
          }
        },
        lowering.readDense(op.input(0)),
        lowering.readDense(op.input(1)),
        lowering.readDense(op.input(2)),
        dx);
    lowering.put(op.output(), dx);
  }

  private static double norm(float[] row) {
    double squares = 0;
    for (float v : row) {
      squares += (double) v * v;
    }
    return Math.max(Math.sqrt(squares), SMALLEST_NORM);
  }
}
