package org.swav4j.model;

import java.util.LinkedHashMap;
import java.util.Map;

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

  /** Added to a variance by every batch norm. */
  static final double EPSILON = 1e-5;

  static ParameterShapes of(SwavConfig config) {
    ParameterShapes shapes = new ParameterShapes(new LinkedHashMap<>(), new LinkedHashMap<>());
    for (Trunk.Conv conv : Trunk.of(config).convolutions()) {
      shapes.parameters.put(
          conv.name() + ".weight",
          new long[] {conv.kernel(), conv.kernel(), conv.in(), conv.out()});
      shapes.batchNorm(conv.norm(), conv.out());
    }
    shapes.linear(HEAD_FIRST, config.features(), config.hidden());
    shapes.batchNorm(HEAD_NORM, config.hidden());
    shapes.linear(HEAD_SECOND, config.hidden(), config.dim());
    shapes.parameters.put(PROTOTYPES, new long[] {config.prototypes(), config.dim()});
    return shapes;
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
