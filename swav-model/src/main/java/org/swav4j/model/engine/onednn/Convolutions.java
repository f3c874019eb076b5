package org.swav4j.model.engine.onednn;

import static org.bytedeco.dnnl.global.dnnl.*;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.bytedeco.dnnl.dnnl_convolution_desc_t;
import org.swav4j.model.engine.onednn.Lowering.Axes;
import org.swav4j.model.plan.Arguments;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.Value;

/**
 * Convolution forward, and backward as two primitives. The fastest implementation on offer picks
 * the layouts; one that the tensors already have is taken instead if the same implementation takes
 * it.
 */
final class Convolutions {
  /** Output pixels of a layer's images below which Winograd's algorithm doesn't pay: 16 tiles. */
  private static final long FEWEST_PIXELS = 16 * 16;

  private final Lowering lowering;
  private final PixelProducts products;
  private final Map<List<Value>, Description> forwards = new HashMap<>();

  Convolutions(Lowering lowering) {
    this.lowering = lowering;
    this.products = new PixelProducts(lowering);
  }

  void forward(Op op) {
    Geometry g = Geometry.of(op);
    if (!lowering.productsGoByRows(op) && (productsPay(op, g) || tilesAreSlow(op, g, 0, 2 * 2))) {
      products.forward(op);
      return;
    }
    Value x = op.input(0);
    Value w = op.input(1);
    Value y = op.output();
    Arguments a = op.arguments();
    Value bias = a.bias() ? op.input(2) : null;
    Value residual = a.residual() ? op.input(a.bias() ? 3 : 2) : null;
    Description plain = describeForward(op);
    Description d = residual == null && !a.relu() ? plain : describeFused(op, plain);
    forwards.put(List.of(x, w), plain);
    Tensor src = lowering.read(x, d.src());
    Tensor weights = lowering.read(w, Axes.WEIGHTS, d.weights());
    Tensor biasTensor = bias == null ? null : lowering.readDense(bias);
    Tensor dst;
    if (residual == null) {
      dst = lowering.allocate(y, d.dst());
    } else {
      Tensor added = lowering.read(residual, d.dst());
      // Where the convolution reads the residual itself, its place can't take the result.
      dst = residual == x ? lowering.allocate(y, d.dst()) : lowering.overwrite(residual, added, y);
      if (!dst.samePlace(added)) {
        lowering.copy(added, dst);
      }
    }
    PrimitiveStep step =
        lowering
            .step("convolution", d)
            .with(DNNL_ARG_SRC, src)
            .with(DNNL_ARG_WEIGHTS, weights)
            .with(DNNL_ARG_DST, dst);
    if (bias != null) {
      step.with(DNNL_ARG_BIAS, biasTensor);
    }
    lowering.emit(step);
    lowering.put(y, dst);
  }

  void backward(Op op) {
    Geometry g = Geometry.of(op);
    if (lowering.isWanted(op.output(1))) {
      if (productsPay(op, g) || tilesAreSlow(op, g, 8 * 8, Long.MAX_VALUE)) {
        products.weightsGradient(op);
      } else {
        weightsGradient(op);
      }
    }
    if (lowering.isWanted(op.output(0))) {
      // A product has its sums in floats first, twice the result's room.
      if (productsPay(op, g) || tilesAreSlow(op, g, g.weights()[2] == 1 ? 8 * 8 : 0, 16 * 16)) {
        products.dataGradient(op);
      } else {
        dataGradient(op);
      }
    }
  }

  private void weightsGradient(Op op) {
    Value dw = op.output(1);
    Description d = describeBackwardWeights(op, hint(op));
    Tensor dst = lowering.allocate(dw, d.diffWeights());
    lowering.emit(
        lowering
            .step("convolution weights' gradient", d)
            .with(DNNL_ARG_SRC, lowering.read(op.input(0), d.src()))
            .with(DNNL_ARG_DIFF_DST, lowering.read(op.input(2), d.diffDst()))
            .with(DNNL_ARG_DIFF_WEIGHTS, dst));
    lowering.put(dw, dst, Axes.WEIGHTS);
  }

  private void dataGradient(Op op) {
    Value dx = op.output(0);
    Description d = describeBackwardData(op, hint(op));
    Tensor dst = lowering.allocate(dx, d.diffSrc());
    lowering.emit(
        lowering
            .step("convolution data's gradient", d)
            .with(DNNL_ARG_DIFF_DST, lowering.read(op.input(2), d.diffDst()))
            .with(DNNL_ARG_WEIGHTS, lowering.read(op.input(1), Axes.WEIGHTS, d.weights()))
            .with(DNNL_ARG_DIFF_SRC, dst));
    lowering.put(dx, dst);
  }

  private Description hint(Op op) {
    List<Value> key = List.of(op.input(0), op.input(1));
    Description known = forwards.get(key);
    if (known == null) { // recomputed images are values of their own
      known = describeForward(op);
      forwards.put(key, known); // each description takes memory of its own
    }
    return known;
  }

  /**
   * Whether Winograd's F(4×4, 3×3) is the better algorithm: a quarter of the multiplications, two
   * and a half times the speed from 64 channels on. Not with fewer than 32, where its transforms
   * cost as much as they save; not on maps of which its 4×4 tiles cover mostly margin; and not for
   * a few tiles, which have to read weights that became four times as large. In inference the
   * weights are transformed once, and for one or two images oneDNN may take F(2×2, 3×3). Rounding
   * grows to some 1e-6 of the result. Lavin and Gray 2016.
   */
  private boolean winogradPays(Op op, Geometry g) {
    long tiled = tiled(g.dst()[2]) * tiled(g.dst()[3]);
    return lowering.hiddenType() == dnnl_f32
        && g.weights()[2] == 3
        && g.strides()[0] == 1
        && Math.min(g.weights()[0], g.weights()[1]) >= 32
        && tiled < 2 * g.dst()[2] * g.dst()[3]
        && g.dst()[0] * op.arguments().workers().size() * tiled >= FEWEST_PIXELS;
  }

  /**
   * Whether products of pixels are the better way: on maps of 2×2 pixels, where at most 16 of 36
   * taps don't lie in the margin, once the matrices are large enough to fill the product's blocks.
   */
  private boolean productsPay(Op op, Geometry g) {
    return g.weights()[2] > 1 && pixels(g) <= 2 * 2 && fillsBlocks(op, g);
  }

  /**
   * Whether products are also faster than oneDNN's own way of multiplying tiles (AMX), which goes
   * along rows, here of at most so many pixels, and reaches a tenth to a half of the speed from 128
   * channels on. With kernels of one tap it does so on larger maps and with fewer channels.
   */
  private boolean tilesAreSlow(Op op, Geometry g, long most, long mostOfOneTap) {
    return lowering.hasTiles()
        && pixels(g) <= (g.isPointwise() ? mostOfOneTap : most)
        && (g.isPointwise() || Math.max(g.weights()[0], g.weights()[1]) >= 128)
        && fillsBlocks(op, g.isPointwise() ? g.ofPixels() : g);
  }

  private boolean fillsBlocks(Op op, Geometry g) {
    return !lowering.isInference()
        && g.src()[0] * op.arguments().workers().size() >= 32
        && Math.min(g.weights()[0], g.weights()[1]) >= 64;
  }

  private static long pixels(Geometry g) {
    return g.dst()[2] * g.dst()[3];
  }

  private static long tiled(long side) {
    return (side + 3) / 4 * 4;
  }

  private Description describeForward(Op op) {
    Geometry g = Geometry.of(op);
    int type = lowering.hiddenType();
    Layout anySrc = Layout.any(type, g.src());
    Layout anyDst = Layout.any(type, g.dst());
    Description free = required(forward(op, g, anySrc, anyDst, false), op);
    Layout src = lowering.read(op.input(0)).layout();
    Description best = free;
    if (src.type() == type && !src.padded()) {
      best = better(best, forward(op, g, src, anyDst, false));
    }
    if (best.dst().padded()) {
      Layout last = Layout.channelsLast(type, g.dst()[0], g.dst()[1], g.dst()[2], g.dst()[3]);
      best = better(best, forward(op, g, best.src(), last, false));
    }
    return best;
  }

  /** With the residual added and rectified in the same pass, in the layouts of the plain one. */
  private Description describeFused(Op op, Description plain) {
    return required(forward(op, Geometry.of(op), plain.src(), plain.dst(), true), op);
  }

  private Description forward(Op op, Geometry g, Layout src, Layout dst, boolean fused) {
    Description winograd =
        winogradPays(op, g) ? forward(dnnl_convolution_winograd, op, g, src, dst, fused) : null;
    return winograd != null ? winograd : forward(dnnl_convolution_direct, op, g, src, dst, fused);
  }

  private Description forward(
      int algorithm, Op op, Geometry g, Layout src, Layout dst, boolean fused) {
    dnnl_convolution_desc_t desc = new dnnl_convolution_desc_t();
    Arguments a = op.arguments();
    Dnnl.check(
        dnnl_convolution_forward_desc_init(
            desc,
            lowering.isInference() ? dnnl_forward_inference : dnnl_forward_training,
            algorithm,
            src.md(),
            Layout.any(lowering.hiddenType(), g.weights()).md(),
            a.bias() ? Layout.dense(dnnl_f32, g.dst()[1]).md() : null,
            dst.md(),
            g.strides(),
            g.padding(),
            g.padding()),
        "describing " + op);
    Attributes attributes = new Attributes();
    if (fused && a.residual()) {
      attributes.sum();
    }
    attributes.relu(fused && a.relu());
    return Description.create(desc, attributes, null, lowering.resources());
  }

  private Description describeBackwardData(Op op, Description hint) {
    Geometry g = Geometry.of(op);
    int type = lowering.hiddenType();
    Layout anySrc = Layout.any(type, g.src());
    Layout anyDst = Layout.any(type, g.dst());
    Description best = required(backwardData(op, g, anySrc, anyDst, hint), op);
    Layout dst = lowering.read(op.input(2)).layout();
    if (dst.type() == type && !dst.padded()) {
      best = better(best, backwardData(op, g, anySrc, dst, hint));
    }
    if (best.diffSrc().padded()) {
      Layout last = Layout.channelsLast(type, g.src()[0], g.src()[1], g.src()[2], g.src()[3]);
      best = better(best, backwardData(op, g, last, best.diffDst(), hint));
    }
    return best;
  }

  private Description backwardData(Op op, Geometry g, Layout src, Layout dst, Description hint) {
    Description winograd =
        winogradPays(op, g) ? backwardData(dnnl_convolution_winograd, op, g, src, dst, hint) : null;
    return winograd != null
        ? winograd
        : backwardData(dnnl_convolution_direct, op, g, src, dst, hint);
  }

  private Description backwardData(
      int algorithm, Op op, Geometry g, Layout src, Layout dst, Description hint) {
    dnnl_convolution_desc_t desc = new dnnl_convolution_desc_t();
    Dnnl.check(
        dnnl_convolution_backward_data_desc_init(
            desc,
            algorithm,
            src.md(),
            Layout.any(lowering.hiddenType(), g.weights()).md(),
            dst.md(),
            g.strides(),
            g.padding(),
            g.padding()),
        "describing " + op);
    return Description.create(desc, new Attributes(), hint, lowering.resources());
  }

  private Description describeBackwardWeights(Op op, Description hint) {
    Geometry g = Geometry.of(op);
    int type = lowering.hiddenType();
    Layout anySrc = Layout.any(type, g.src());
    Layout anyDst = Layout.any(type, g.dst());
    Description best = required(backwardWeights(op, g, anySrc, anyDst, hint), op);
    Layout src = lowering.read(op.input(0)).layout();
    Layout dst = lowering.read(op.input(2)).layout();
    boolean srcFits = src.type() == type && !src.padded();
    boolean dstFits = dst.type() == type && !dst.padded();
    if (srcFits && dstFits) {
      Description both = backwardWeights(op, g, src, dst, hint);
      if (better(best, both) == both) {
        return both;
      }
    }
    if (dstFits) {
      best = better(best, backwardWeights(op, g, anySrc, dst, hint));
    }
    return best;
  }

  private Description backwardWeights(Op op, Geometry g, Layout src, Layout dst, Description hint) {
    Description winograd =
        winogradPays(op, g)
            ? backwardWeights(dnnl_convolution_winograd, op, g, src, dst, hint)
            : null;
    return winograd != null
        ? winograd
        : backwardWeights(dnnl_convolution_direct, op, g, src, dst, hint);
  }

  private Description backwardWeights(
      int algorithm, Op op, Geometry g, Layout src, Layout dst, Description hint) {
    dnnl_convolution_desc_t desc = new dnnl_convolution_desc_t();
    Dnnl.check(
        dnnl_convolution_backward_weights_desc_init(
            desc,
            algorithm,
            src.md(),
            Layout.any(dnnl_f32, g.weights()).md(),
            null,
            dst.md(),
            g.strides(),
            g.padding(),
            g.padding()),
        "describing " + op);
    return Description.create(desc, new Attributes(), hint, lowering.resources());
  }

  /** The one with wanted layouts, if the same implementation takes them. */
  private static Description better(Description free, Description wanted) {
    return wanted != null && wanted.implementation().equals(free.implementation()) ? wanted : free;
  }

  private static Description required(Description description, Op op) {
    if (description == null) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "oneDNN has no implementation of %s on %s: engine nd4j has",
              op,
              Dnnl.isa()));
    }
    return description;
  }
}
