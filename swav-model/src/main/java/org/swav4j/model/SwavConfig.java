package org.swav4j.model;

/**
 * The shape of a SwAV network: trunk, projection head, prototypes.
 *
 * @param architecture the residual trunk; null if the trunk is a {@link Backbone} of one's own
 * @param width multiplies the trunk's planes; 1 is the published network
 * @param stem what stands before the first stage; null without an architecture
 * @param channels of an image: 1 (grey) or 3 (RGB)
 * @param hidden width of the projection head's hidden layer
 * @param dim D, the length of an embedding
 * @param prototypes K
 * @param temperature tau of the swapped prediction, about 0.1
 */
public record SwavConfig(
    Architecture architecture,
    double width,
    Stem stem,
    int channels,
    int hidden,
    int dim,
    int prototypes,
    double temperature) {

  public SwavConfig {
    if ((architecture == null) != (stem == null)) {
      throw new IllegalArgumentException(
          "architecture is "
              + architecture
              + " and stem is "
              + stem
              + ", expected both, or neither for a backbone of one's own");
    }
    require(width > 0 && width <= 16, "width", width, "a multiplier above 0 and up to 16");
    require(
        architecture == null || Math.round(architecture.planes() * width) >= 1,
        "width",
        width,
        "at least one plane");
    require(channels == 1 || channels == 3, "channels", channels, "1 (grey) or 3 (RGB)");
    require(hidden >= 1, "hidden", hidden, "at least 1");
    require(dim >= 2, "dim", dim, "at least 2: on a line there is no direction to learn");
    require(prototypes >= 2, "prototypes", prototypes, "at least 2: with one every code is 1");
    require(
        temperature > 0 && temperature < 1e6, "temperature", temperature, "above 0, usually 0.1");
  }

  /** What stands around a backbone of one's own, which is handed in beside this. */
  public static SwavConfig aroundBackbone(
      int channels, int hidden, int dim, int prototypes, double temperature) {
    return new SwavConfig(null, 1, null, channels, hidden, dim, prototypes, temperature);
  }

  private static void require(boolean ok, String name, Object value, String expected) {
    if (!ok) {
      throw new IllegalArgumentException(name + " is " + value + ", expected " + expected);
    }
  }

  /** Planes of a stage, counted from 0. */
  public int planes(int stage) {
    return (int) Math.round(architecture.planes() * width) << stage;
  }

  /**
   * Length of a residual trunk's feature vector: the channels of its last stage. {@link
   * SwavWeights#features} knows it of any trunk.
   */
  public int features() {
    return planes(architecture.blocks().size() - 1) * architecture.expansion();
  }
}
