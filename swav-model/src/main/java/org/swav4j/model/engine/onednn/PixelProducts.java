package org.swav4j.model.engine.onednn;

import static org.bytedeco.dnnl.global.dnnl.*;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.bytedeco.dnnl.dnnl_matmul_desc_t;
import org.swav4j.model.engine.onednn.Lowering.Axes;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.Value;

/**
 * Convolutions of maps of a few pixels, and those of one tap, as products of matrices. On small
 * maps most taps of most windows lie in the margin; oneDNN's convolutions multiply those zeros, or
 * spend their time on rows too short for their loops. With the channels innermost, the pixels that
 * an output pixel sees through one row of the kernel are a block of columns of the images, and the
 * taps between them a block of rows of the weights:
 *
 * <pre>
 *   for each output pixel p, for each row of the kernel that lies on the map:
 *     X [N, taps·C]  the pixels under the row,   W [taps·C, O]  its taps,   Y [N, O]  pixel p
 *     forward            Y += X · W
 *     data's gradient    X += Y · Wᵀ
 *     weights' gradient  W += Xᵀ · Y
 * </pre>
 *
 * A convolution of one tap sees each pixel by itself: one product, as of so many images of a pixel.
 */
final class PixelProducts {
  private final Lowering lowering;

  PixelProducts(Lowering lowering) {
    this.lowering = lowering;
  }

  /** One product: where its blocks begin, in elements, and how many taps they hold. */
  private record Block(long x, long w, long y, long taps) {}

  void forward(Op op) {
    Blocks blocks = Blocks.of(Geometry.of(op));
    Tensor x = lowering.read(op.input(0), blocks.images(lowering.hiddenType()));
    Tensor w = weights(op.input(1));
    Tensor y = accumulator(op.output(), blocks.results(dnnl_f32));
    Product product = new Product("convolution", true);
    blocks.each(b -> product.of(b, blocks.x(x, b), blocks.w(w, b), blocks.y(y, b)));
    put(op.output(), y, blocks.results(lowering.hiddenType()));
  }

  void dataGradient(Op op) {
    Blocks blocks = Blocks.of(Geometry.of(op));
    Tensor dy = lowering.read(op.input(2), blocks.results(lowering.hiddenType()));
    Tensor w = weights(op.input(1));
    Layout images = blocks.images(lowering.hiddenType());
    boolean single = blocks.images.isPointwise();
    Product product = new Product("convolution data's gradient", !single);
    Tensor dx =
        single
            ? lowering.allocate(op.output(0), images)
            : accumulator(op.output(0), blocks.images(dnnl_f32));
    blocks.each(b -> product.of(b, blocks.y(dy, b), transposed(blocks.w(w, b)), blocks.x(dx, b)));
    put(op.output(0), dx, images);
  }

  void weightsGradient(Op op) {
    Blocks blocks = Blocks.of(Geometry.of(op));
    Tensor x = lowering.read(op.input(0), blocks.images(lowering.hiddenType()));
    Tensor dy = lowering.read(op.input(2), blocks.results(lowering.hiddenType()));
    Tensor dw = accumulator(op.output(1), Layout.dense(dnnl_f32, op.output(1).shape()));
    Product product = new Product("convolution weights' gradient", true);
    blocks.each(b -> product.of(b, transposed(blocks.x(x, b)), blocks.y(dy, b), blocks.w(dw, b)));
    lowering.put(op.output(1), dw);
  }

  private Tensor weights(Value w) {
    return lowering.read(w, Axes.PLAN, Layout.dense(lowering.hiddenType(), w.shape()));
  }

  /** Floats, all zero. */
  private Tensor accumulator(Value v, Layout layout) {
    Tensor t = lowering.allocate(v, layout);
    lowering.zero(t);
    return t;
  }

  private void put(Value v, Tensor sum, Layout wanted) {
    if (sum.layout().same(wanted)) {
      lowering.put(v, sum);
      return;
    }
    Tensor t = lowering.allocate(v, wanted);
    lowering.copy(sum, t);
    lowering.put(v, t);
  }

  private static Tensor transposed(Tensor t) {
    return t.as(t.layout().permuted(1, 0));
  }

  /**
   * c = a·b or c += a·b, of the blocks of one convolution; those of as many taps are described
   * once.
   */
  private final class Product {
    private final String what;
    private final boolean added;
    private final Map<Long, Description> byTaps = new HashMap<>();

    Product(String what, boolean added) {
      this.what = what + " as products";
      this.added = added;
    }

    void of(Block block, Tensor a, Tensor b, Tensor c) {
      Description d = byTaps.computeIfAbsent(block.taps, taps -> describe(a, b, c));
      lowering.emit(
          lowering
              .step(what, d)
              .with(DNNL_ARG_SRC, a)
              .with(DNNL_ARG_WEIGHTS, b)
              .with(DNNL_ARG_DST, c));
    }

    private Description describe(Tensor a, Tensor b, Tensor c) {
      Attributes attributes = new Attributes();
      if (added) {
        attributes.sum();
      }
      dnnl_matmul_desc_t desc = new dnnl_matmul_desc_t();
      Dnnl.check(
          dnnl_matmul_desc_init(desc, a.layout().md(), b.layout().md(), null, c.layout().md()),
          "describing a product of " + a.layout() + " and " + b.layout());
      return Description.create(desc, attributes, null, lowering.resources());
    }
  }

  /**
   * The blocks of one convolution.
   *
   * @param images what it is of
   * @param g the same, or so many images of one pixel
   */
  private record Blocks(Geometry images, Geometry g) {
    static Blocks of(Geometry g) {
      return new Blocks(g, g.isPointwise() ? g.ofPixels() : g);
    }

    private long n() {
      return g.src()[0];
    }

    private long channels() {
      return g.src()[1];
    }

    private long out() {
      return g.dst()[1];
    }

    Layout images(int type) {
      return channelsLast(type, images.src());
    }

    Layout results(int type) {
      return channelsLast(type, images.dst());
    }

    private static Layout channelsLast(int type, long[] dims) {
      return Layout.channelsLast(type, dims[0], dims[1], dims[2], dims[3]);
    }

    void each(Consumer<Block> product) {
      long height = g.src()[2];
      long width = g.src()[3];
      long kernel = g.weights()[3];
      for (long i = 0; i < g.dst()[2]; i++) {
        for (long j = 0; j < g.dst()[3]; j++) {
          long top = i * g.strides()[0] - g.padding()[0];
          long left = j * g.strides()[1] - g.padding()[1];
          long first = Math.max(0, -left);
          long taps = Math.min(kernel, width - left) - first;
          if (taps <= 0) {
            continue; // The whole window lies in the margin.
          }
          for (long r = Math.max(0, -top); r < Math.min(g.weights()[2], height - top); r++) {
            product.accept(
                new Block(
                    ((top + r) * width + left + first) * channels(),
                    (r * kernel + first) * channels() * out(),
                    (i * g.dst()[3] + j) * out(),
                    taps));
          }
        }
      }
    }

    Tensor x(Tensor images, Block b) {
      long stride = channels() * g.src()[2] * g.src()[3];
      return matrix(images, b.x, n(), b.taps * channels(), stride);
    }

    Tensor w(Tensor weights, Block b) {
      return matrix(weights, b.w, b.taps * channels(), out(), out());
    }

    Tensor y(Tensor results, Block b) {
      return matrix(results, b.y, n(), out(), out() * g.dst()[2] * g.dst()[3]);
    }

    private static Tensor matrix(Tensor t, long at, long rows, long columns, long stride) {
      int type = t.layout().type();
      return t.at(
          at * (type == dnnl_bf16 ? Short.BYTES : Float.BYTES),
          Layout.strided(type, new long[] {rows, columns}, new long[] {stride, 1}));
    }
  }
}
