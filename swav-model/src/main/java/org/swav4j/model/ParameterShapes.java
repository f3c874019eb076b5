package org.swav4j.model;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Names and shapes of everything a network holds, in torchvision's names and order. Convolution
 * weights have the shape they have in memory, {@code [kH, kW, in, out]}; files hold {@code [out,
 * in, kH, kW]}.
 *
 * @param parameters what is trained
 * @param statistics running mean and variance of every batch norm
 */
record ParameterShapes(Map<String, long[]> parameters, Map<String, long[]> statistics) {
  /**
   * First linear layer of the projection head: {@code .weight [hidden, features]}, {@code .bias}.
   */
  static final String HEAD_FIRST = "projection_head.0";

  /** Batch norm of the projection head. */
  static final String HEAD_NORM = "projection_head.1";

  /** Second linear layer of the projection head: {@code .weight [D, hidden]}, {@code .bias}. */
  static final String HEAD_SECOND = "projection_head.3";

  /** The prototypes, {@code [K, D]}. */
  static final String PROTOTYPES = "prototypes.weight";

  /** What plans and exports call something else. */
  private static final Set<String> RESERVED = Set.of("images", "features", "embeddings", "scores");

  /** Added to a variance by every batch norm. */
  static final double EPSILON = 1e-5;

  /**
   * Of a network with that trunk.
   *
   * @throws IllegalArgumentException if the backbone's layers don't fit each other
   */
  static ParameterShapes of(Backbone backbone, SwavConfig config) {
    ParameterShapes shapes = new ParameterShapes(new LinkedHashMap<>(), new LinkedHashMap<>());
    long features = shapes.trunk(backbone, config.channels());
    shapes.linear(HEAD_FIRST, features, config.hidden());
    shapes.batchNorm(HEAD_NORM, config.hidden());
    shapes.linear(HEAD_SECOND, config.hidden(), config.dim());
    shapes.parameters.put(PROTOTYPES, new long[] {config.prototypes(), config.dim()});
    return shapes;
  }

  /** Length of a feature vector: what the head's first layer takes. */
  int features() {
    return (int) parameters.get(HEAD_FIRST + ".weight")[1];
  }

  private long trunk(Backbone backbone, int channels) {
    Maps features =
        backbone.features(new Maps("images", channels, false), new TrunkShapes(backbone.name()));
    if (!features.pooled) {
      throw new IllegalArgumentException(
          "backbone " + backbone.name() + " ends with " + features + ", expected a mean over it");
    }
    return features.channels;
  }

  /** What a layer makes: feature maps, or after the mean a row of as many numbers. */
  private record Maps(String of, int channels, boolean pooled) {
    @Override
    public String toString() {
      return channels + " channels of " + of;
    }
  }

  /** Lists the parameters of a trunk and checks that its layers fit each other. */
  private final class TrunkShapes implements Backbone.Layers<Maps> {
    private final String backbone;

    TrunkShapes(String backbone) {
      this.backbone = backbone;
    }

    @Override
    public Maps convolution(Maps x, Backbone.Convolution c) {
      require(!x.pooled && x.channels == c.in(), c.name(), x, c.in() + " channels of maps");
      require(!c.window().same(), c.name(), x, "a padding in pixels: SAME is for pooling");
      requireNew(c.name());
      long side = c.window().kernel();
      parameters.put(c.name() + ".weight", new long[] {side, side, c.in(), c.out()});
      if (c.bias()) {
        parameters.put(c.name() + ".bias", new long[] {c.out()});
      }
      return new Maps(c.name(), c.out(), false);
    }

    @Override
    public Maps norm(Maps x, String name) {
      requireMaps(name, x);
      requireNew(name);
      batchNorm(name, x.channels);
      return new Maps(name, x.channels, false);
    }

    @Override
    public Maps relu(Maps x) {
      requireMaps("relu", x);
      return x;
    }

    @Override
    public Maps leakyRelu(Maps x, double slope) {
      requireMaps("leakyRelu", x);
      return x;
    }

    @Override
    public Maps add(Maps a, Maps b) {
      requireMaps("add", a);
      require(a.channels == b.channels && !b.pooled, "add", b, "as many as " + a + " has");
      return a;
    }

    @Override
    public Maps concat(Maps a, Maps b) {
      requireMaps("concat", a);
      requireMaps("concat", b);
      return new Maps(a.of + " and " + b.of, a.channels + b.channels, false);
    }

    @Override
    public Maps maxPool(Maps x, Backbone.Window window) {
      requireMaps("maxPool", x);
      return x;
    }

    @Override
    public Maps averagePool(Maps x, Backbone.Window window) {
      boolean fits = !x.pooled && (window.padding() == 0 || window.same());
      require(fits, "averagePool", x, "maps, and no padding or SAME");
      return x;
    }

    @Override
    public Maps mean(Maps x) {
      requireMaps("mean", x);
      return new Maps("mean", x.channels, true);
    }

    private void requireMaps(String layer, Maps x) {
      require(!x.pooled, layer, x, "maps: nothing follows the mean");
    }

    private void require(boolean fits, String layer, Maps x, String expected) {
      if (!fits) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "backbone %s: layer %s is given %s, expected %s",
                backbone,
                layer,
                x,
                expected));
      }
    }

    private void requireNew(String name) {
      if (parameters.containsKey(name + ".weight")
          || !ofTrunk(name + ".weight")
          || RESERVED.contains(name)) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "backbone %s: the name %s is taken, expected one of its own for each layer",
                backbone,
                name));
      }
    }
  }

  /** Whether a name belongs to the trunk, and not to the head or the prototypes. */
  static boolean ofTrunk(String name) {
    return !name.startsWith("projection_head.") && !name.equals(PROTOTYPES);
  }

  private void linear(String name, long in, long out) {
    parameters.put(name + ".weight", new long[] {out, in});
    parameters.put(name + ".bias", new long[] {out});
  }

  private void batchNorm(String name, long channels) {
    parameters.put(name + ".weight", new long[] {channels});
    parameters.put(name + ".bias", new long[] {channels});
    statistics.put(name + ".running_mean", new long[] {channels});
    statistics.put(name + ".running_var", new long[] {channels});
  }
}
