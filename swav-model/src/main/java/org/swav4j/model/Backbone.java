package org.swav4j.model;

/**
 * The trunk of a network: how features come from images. It is described once, over layers that
 * whoever reads the description provides: the training graph, the network in use, exports, and the
 * list of parameters are four readers of one description.
 *
 * <pre>{@code
 * public <T> T features(T images, Layers<T> layers) {
 *   T x = layers.convolution(images, Convolution.of("conv1", 3, 32, 3, 1));
 *   x = layers.relu(layers.norm(x, "norm1"));
 *   x = layers.maxPool(x, new Window(2, 2, 0));
 *   return layers.mean(x);
 * }
 * }</pre>
 *
 * <p>Implementations don't change and give the same description at every call. {@link ResNet} is
 * one, {@link ComputationGraphBackbone} reads one from a network of Deeplearning4j; with {@link
 * SwavWeights#initialise(Backbone, SwavConfig, long)} any other is trained, saved and used.
 */
public interface Backbone {
  /**
   * What files call it, such as {@code vgg8}; the names of {@link Architecture} belong to residual
   * networks.
   */
  String name();

  /**
   * Describes the way from images to features.
   *
   * @param images {@code [n, C, H, W]}, normalised
   * @param layers applied to them
   * @return features {@code [n, F]}, as {@link Layers#mean} gives them
   */
  <T> T features(T images, Layers<T> layers);

  /**
   * A square window that moves over images. The output's side is {@code (side + 2 · padding -
   * kernel) / stride + 1}, rounded down; with {@link #SAME} it is {@code side / stride}, rounded
   * up.
   *
   * @param kernel its side, in pixels
   * @param stride by how many pixels it moves
   * @param padding pixels added on each side: zeros for sums, nothing for maxima and means; or
   *     {@link #SAME}
   */
  record Window(int kernel, int stride, int padding) {
    /**
     * In the place of a padding: as many pixels as the output's side asks for, half of them before,
     * an odd one after. For pooling only.
     */
    public static final int SAME = -1;

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException naming the one that is out of range
     */
    public Window {
      if (kernel < 1 || stride < 1 || padding < SAME || padding >= kernel) {
        throw new IllegalArgumentException(
            "a window of side "
                + kernel
                + ", stride "
                + stride
                + " and padding "
                + padding
                + ", expected side and stride of at least 1 and a padding from 0 to side - 1, or"
                + " SAME");
      }
    }

    /** Whether it is padded by {@link #SAME}. */
    public boolean same() {
      return padding == SAME;
    }
  }

  /**
   * A convolution.
   *
   * @param name of the layer, unique in the backbone: its weights are {@code name.weight [kernel,
   *     kernel, in, out]} and {@code name.bias [out]}
   * @param in channels coming in
   * @param out channels going out
   * @param window what it sums over
   * @param bias whether a number per channel is added; useless before a {@link Layers#norm}
   */
  record Convolution(String name, int in, int out, Window window, boolean bias) {
    /** Without bias, padded so that the output is as large as the input, but for the stride. */
    public static Convolution of(String name, int in, int out, int kernel, int stride) {
      return new Convolution(name, in, out, new Window(kernel, stride, kernel / 2), false);
    }
  }

  /**
   * Layers over something that stands for {@code [n, C, H, W]}.
   *
   * @param <T> what it is: a SameDiff variable, a name in a graph, a number of channels
   */
  interface Layers<T> {
    /** Sums over a window and all channels. */
    T convolution(T x, Convolution convolution);

    /**
     * Batch norm over each channel, epsilon 1e-5; in use by running means and variances.
     *
     * @param name of the layer, unique in the backbone: it has {@code name.weight}, {@code
     *     name.bias}, {@code name.running_mean} and {@code name.running_var}, each {@code [C]}
     */
    T norm(T x, String name);

    /** max(x, 0). */
    T relu(T x);

    /** x where x &gt; 0, elsewhere slope · x. */
    T leakyRelu(T x, double slope);

    /** a + b, of one shape. */
    T add(T a, T b);

    /** The channels of a, then those of b, over maps of one size. */
    T concat(T a, T b);

    /** The largest in each window. */
    T maxPool(T x, Window window);

    /** The mean over each window, which has no padding or {@link Window#SAME}. */
    T averagePool(T x, Window window);

    /** The mean over all pixels: {@code [n, C]}. The last layer, and only that. */
    T mean(T x);
  }
}
