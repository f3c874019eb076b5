package org.swav4j.model;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Residual trunks: He et al. 2016, version 1.5 of the bottleneck (its stride sits in the 3×3
 * convolution), as in torchvision. {@link #RESNET20} is the three-stage network of the paper's
 * CIFAR section, for small images on CPUs.
 */
public enum Architecture {
  RESNET18(List.of(2, 2, 2, 2), 64, false),
  RESNET34(List.of(3, 4, 6, 3), 64, false),
  RESNET50(List.of(3, 4, 6, 3), 64, true),
  RESNET20(List.of(3, 3, 3), 16, false);

  private final List<Integer> blocks;
  private final int planes;
  private final boolean bottleneck;

  Architecture(List<Integer> blocks, int planes, boolean bottleneck) {
    this.blocks = blocks;
    this.planes = planes;
    this.bottleneck = bottleneck;
  }

  /** Residual blocks in each stage. */
  public List<Integer> blocks() {
    return blocks;
  }

  /** Planes of the stem and of the first stage at width 1; every further stage doubles them. */
  public int planes() {
    return planes;
  }

  /** Whether a block is 1×1, 3×3, 1×1 with four times its planes coming out, or 3×3, 3×3. */
  public boolean bottleneck() {
    return bottleneck;
  }

  /** Output channels of a block per plane: 4 for bottlenecks, else 1. */
  public int expansion() {
    return bottleneck ? 4 : 1;
  }

  /** The name used on the command line and in files: {@code resnet18}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Whether an architecture has that label. */
  static boolean isLabel(String label) {
    return Arrays.stream(values()).anyMatch(a -> a.label().equals(label));
  }

  /**
   * The architecture of that label.
   *
   * @throws IllegalArgumentException if there is none, naming those there are
   */
  public static Architecture of(String label) {
    for (Architecture a : values()) {
      if (a.label().equals(label)) {
        return a;
      }
    }
    throw new IllegalArgumentException(
        "architecture '"
            + label
            + "' is unknown, expected one of "
            + Arrays.stream(values()).map(Architecture::label).collect(Collectors.joining(", ")));
  }
}
