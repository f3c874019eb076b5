package org.swav4j.data;

import java.nio.FloatBuffer;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The crops of B images. Its arrays belong to the loader: {@link #close} gives them back to be
 * filled again, after which their content must not be used. The object itself is reused too.
 */
public final class MultiCropBatch implements AutoCloseable {
  /** Whose turn it is with the buffers; guarded by the loader's lock. */
  enum State {
    FREE,
    FILLING,
    READY,
    HANDED_OUT
  }

  private final MultiCropLoader loader;
  private final INDArray[] crops;
  private final FloatBuffer[] views;
  private final int[] indices;

  // Guarded by the loader's lock.
  State state = State.FREE;
  long generation;
  int epoch;
  int number;
  int[] order;
  int nextRow;
  int rowsDone;
  Throwable failure;

  MultiCropBatch(MultiCropLoader loader, List<CropSpec> specs, int batch, int channels) {
    this.loader = loader;
    this.indices = new int[batch];
    this.crops = new INDArray[specs.size()];
    this.views = new FloatBuffer[specs.size()];
    for (int g = 0; g < crops.length; g++) {
      CropSpec spec = specs.get(g);
      crops[g] =
          CropBuffers.allocate((long) spec.count() * batch, channels, spec.size(), spec.size());
      views[g] = CropBuffers.view(crops[g]);
    }
  }

  /** Number of images, B. */
  public int size() {
    return indices.length;
  }

  /** Number of crop groups. */
  public int groups() {
    return crops.length;
  }

  /**
   * The crops of one group, float {@code [count * B, C, size, size]}, crop-major: crop 0 of all B
   * images, then crop 1 of all, and so on.
   */
  public INDArray crops(int group) {
    return crops[group];
  }

  /**
   * Which images these are, by their index in the source: B numbers, not a copy. Where an image
   * can't be read this is its replacement's.
   */
  public int[] indices() {
    return indices;
  }

  /** Gives the buffers back. Closing twice does no harm as long as the loader hasn't moved on. */
  @Override
  public void close() {
    loader.giveBack(this);
  }

  FloatBuffer view(int group) {
    return views[group];
  }

  void written() {
    for (INDArray array : crops) {
      CropBuffers.written(array);
    }
  }

  void free() {
    for (INDArray array : crops) {
      array.close();
    }
  }
}
