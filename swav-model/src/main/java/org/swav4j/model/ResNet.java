package org.swav4j.model;

import java.util.ArrayList;
import java.util.List;

/**
 * A residual network (He et al. 2016), its layers under torchvision's names. Every convolution is
 * followed by a batch norm; a block is {@code relu(layers(x) + shortcut(x))}.
 */
public final class ResNet implements Backbone {
  private final String name;
  private final Conv stem;
  private final boolean pooled;
  private final List<Block> blocks;

  private ResNet(String name, Conv stem, boolean pooled, List<Block> blocks) {
    this.name = name;
    this.stem = stem;
    this.pooled = pooled;
    this.blocks = List.copyOf(blocks);
  }

  /** A convolution, and the name of the batch norm after it. */
  private record Conv(Convolution convolution, String norm) {
    static Conv of(String name, String norm, int in, int out, int kernel, int stride) {
      return new Conv(Convolution.of(name, in, out, kernel, stride), norm);
    }

    <T> T over(T x, Layers<T> layers) {
      return layers.norm(layers.convolution(x, convolution), norm);
    }
  }

  /**
   * A residual block.
   *
   * @param layers two of 3×3, or 1×1, 3×3, 1×1, with a rectifier after each but the last
   * @param shortcut the 1×1 convolution where the shape changes, else null for the identity
   */
  private record Block(List<Conv> layers, Conv shortcut) {
    <T> T over(T x, Layers<T> on) {
      T y = layers.get(0).over(x, on);
      for (Conv layer : layers.subList(1, layers.size())) {
        y = layer.over(on.relu(y), on);
      }
      return on.relu(on.add(y, shortcut == null ? x : shortcut.over(x, on)));
    }
  }

  /** The label of its architecture: {@code resnet18}. */
  @Override
  public String name() {
    return name;
  }

  @Override
  public <T> T features(T images, Layers<T> layers) {
    T x = layers.relu(stem.over(images, layers));
    if (pooled) {
      x = layers.maxPool(x, new Window(3, 2, 1));
    }
    for (Block block : blocks) {
      x = block.over(x, layers);
    }
    return layers.mean(x);
  }

  /**
   * The network of that configuration.
   *
   * @throws IllegalArgumentException if the configuration names no architecture
   */
  public static ResNet of(SwavConfig config) {
    if (config.architecture() == null) {
      throw new IllegalArgumentException(
          "the configuration names no architecture: it is for a backbone of one's own, which must"
              + " be handed in with it");
    }
    boolean small = config.stem() == Stem.SMALL;
    Architecture architecture = config.architecture();
    Conv stem =
        Conv.of("conv1", "bn1", config.channels(), config.planes(0), small ? 3 : 7, small ? 1 : 2);
    List<Block> blocks = new ArrayList<>();
    int in = config.planes(0);
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
    return new ResNet(architecture.label(), stem, !small, blocks);
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
            : Conv.of(prefix + "downsample.0", prefix + "downsample.1", in, out, 1, stride));
  }

  private static Conv layer(String prefix, int number, int in, int out, int kernel, int stride) {
    return Conv.of(prefix + "conv" + number, prefix + "bn" + number, in, out, kernel, stride);
  }
}
