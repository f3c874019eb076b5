package org.swav4j.model;

import java.util.ArrayList;
import java.util.List;

/**
 * The layers of a residual trunk in order of execution, under torchvision's names; what parameter
 * shapes, graphs, plans and exports are all built from.
 *
 * @param stem the first convolution
 * @param pooled whether a 3×3 max-pooling of stride 2, padding 1 follows the stem
 * @param blocks of all stages
 */
record Trunk(Conv stem, boolean pooled, List<Block> blocks) {

  /**
   * A convolution without bias and the batch norm after it.
   *
   * @param name of the convolution: its weight is {@code name.weight}
   * @param norm of the batch norm: {@code norm.weight}, {@code norm.bias}, ...
   * @param in channels coming in
   * @param out channels going out
   * @param kernel side of the window
   * @param stride of the window
   */
  record Conv(String name, String norm, int in, int out, int kernel, int stride) {
    /** Zeros on each side: the output is as large as the input, but for the stride. */
    int padding() {
      return kernel / 2;
    }
  }

  /**
   * A residual block: {@code relu(layers(x) + shortcut(x))}, with a rectifier after each layer but
   * the last.
   *
   * @param layers two of 3×3, or 1×1, 3×3, 1×1
   * @param shortcut the 1×1 convolution where the shape changes, else null for the identity
   */
  record Block(List<Conv> layers, Conv shortcut) {}

  /** All convolutions in torchvision's order: a block's shortcut after its layers. */
  List<Conv> convolutions() {
    List<Conv> all = new ArrayList<>(List.of(stem));
    for (Block block : blocks) {
      all.addAll(block.layers());
      if (block.shortcut() != null) {
        all.add(block.shortcut());
      }
    }
    return all;
  }

  /** The trunk of that configuration. */
  static Trunk of(SwavConfig config) {
    boolean small = config.stem() == Stem.SMALL;
    Architecture architecture = config.architecture();
    Conv stem =
        new Conv("conv1", "bn1", config.channels(), config.planes(0), small ? 3 : 7, small ? 1 : 2);
    List<Block> blocks = new ArrayList<>();
    int in = stem.out();
    for (int stage = 0; stage < architecture.blocks().size(); stage++) {
      for (int i = 0; i < architecture.blocks().get(stage); i++) {
        Block block =
            block(
                "layer" + (stage + 1) + "." + i + ".",
                in,
                config.planes(stage),
                stage > 0 && i == 0 ? 2 : 1,
                architecture);
        blocks.add(block);
        in = config.planes(stage) * architecture.expansion();
      }
    }
    return new Trunk(stem, !small, List.copyOf(blocks));
  }

  private static Block block(
      String prefix, int in, int planes, int stride, Architecture architecture) {
    int out = planes * architecture.expansion();
    List<Conv> layers =
        architecture.bottleneck()
            ? List.of(
                layer(prefix, 1, in, planes, 1, 1),
                layer(prefix, 2, planes, planes, 3, stride),
                layer(prefix, 3, planes, out, 1, 1))
            : List.of(layer(prefix, 1, in, planes, 3, stride), layer(prefix, 2, planes, out, 3, 1));
    boolean identity = stride == 1 && in == out;
    return new Block(
        layers,
        identity
            ? null
            : new Conv(prefix + "downsample.0", prefix + "downsample.1", in, out, 1, stride));
  }

  private static Conv layer(String prefix, int number, int in, int out, int kernel, int stride) {
    return new Conv(prefix + "conv" + number, prefix + "bn" + number, in, out, kernel, stride);
  }
}
