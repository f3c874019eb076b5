package org.swav4j.model;

import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A network whose projection head gives the rows it is told, so that a whole step of training can
 * be held against numbers that begin there: those that are recorded for the loss do.
 *
 * <p>Of V crops of B images there are R = V·B rows. In the image of row r only pixel r is lit; the
 * trunk is one convolution over all pixels, by which feature r of row r is 1 and all others are 0;
 * the head's first layer is the identity, its batch norm gives 1 and less than 0, the rectifier 1
 * and 0. So what the head projects is column r of its last weights, and the gradient of that column
 * is the gradient of what it projects. Not thread-safe.
 */
public final class GivenFeatures {
  private static final String LAST = ParameterShapes.HEAD_SECOND + ".weight";

  private final Views views;
  private final SwavWeights weights;
  private final INDArray images;

  /**
   * The trunk.
   *
   * @param side of an image in pixels
   * @param rows R, at most side²
   */
  private record Pixels(int side, int rows) implements Backbone {
    private static final String LAYER = "pixels";

    @Override
    public String name() {
      return LAYER;
    }

    @Override
    public <T> T features(T images, Layers<T> layers) {
      Window all = new Window(side, 1, 0);
      return layers.mean(layers.convolution(images, new Convolution(LAYER, 1, rows, all, false)));
    }
  }

  /**
   * A network; it gives no features yet.
   *
   * @param crops V, crops of an image
   * @param batch B, images
   * @param prototypes {@code [K, D]}, float or double; copied
   * @param temperature τ of the swapped prediction
   * @throws IllegalArgumentException if a number is out of range
   */
  public GivenFeatures(int crops, int batch, INDArray prototypes, double temperature) {
    int rows = Math.multiplyExact(crops, batch);
    int side = Math.max(4, (int) Math.ceil(Math.sqrt(rows)));
    views = new Views(List.of(new CropGroup(crops, side)), batch);
    DataType type = prototypes.dataType();
    SwavConfig config =
        SwavConfig.aroundBackbone(
            1, rows, (int) prototypes.size(1), (int) prototypes.size(0), temperature);
    weights = SwavWeights.initialise(new Pixels(side, rows), config, 0, type);
    images = Nd4j.zeros(type, rows, 1, side, side);
    INDArray pixels = weights.parameters().get(Pixels.LAYER + ".weight").assign(0);
    for (int r = 0; r < rows; r++) {
      images.putScalar(new int[] {r, 0, r / side, r % side}, 1);
      pixels.putScalar(new int[] {r / side, r % side, 0, r}, 1);
    }
    weights.parameters().get(ParameterShapes.HEAD_FIRST + ".weight").assign(Nd4j.eye(rows));
    weights.parameters().get(ParameterShapes.HEAD_FIRST + ".bias").assign(0);
    double mean = 1.0 / rows;
    double lit = (1 - mean) / Math.sqrt(mean * (1 - mean) + ParameterShapes.EPSILON);
    weights.parameters().get(ParameterShapes.HEAD_NORM + ".weight").assign(1 / lit);
    weights.parameters().get(ParameterShapes.HEAD_NORM + ".bias").assign(0);
    weights.parameters().get(LAST).assign(0);
    weights.parameters().get(ParameterShapes.HEAD_SECOND + ".bias").assign(0);
    weights.parameters().get(ParameterShapes.PROTOTYPES).assign(prototypes);
  }

  /** The network, to make a step of; it stays as it is while nothing trains it. */
  public SwavWeights weights() {
    return weights;
  }

  /** One group of V crops of B images. */
  public Views views() {
    return views;
  }

  /** What goes into the crops of group 0, {@code [V·B, 1, side, side]}. */
  public INDArray images() {
    return images;
  }

  /**
   * From now on the head projects these.
   *
   * @param features {@code [V·B, D]}, of any length, crop by crop
   */
  public void give(INDArray features) {
    weights.parameters().get(LAST).assign(features.transpose());
  }

  /**
   * The gradient of what was given.
   *
   * @param gradients of a step's parameters, by name
   * @return {@code [V·B, D]}
   */
  public INDArray gradient(Map<String, INDArray> gradients) {
    return gradients.get(LAST).transpose().dup('c');
  }
}
