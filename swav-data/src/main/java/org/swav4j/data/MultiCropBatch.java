package org.swav4j.data;

import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * The crops of B images, as an ND4J {@link MultiDataSet}: one features array per crop group, float
 * {@code [count * B, C, size, size]}, and no labels, for none are needed.
 *
 * <p>Rows are crop-major: crop 0 of all B images, then crop 1 of all, and so on.
 *
 * <p>The arrays belong to the {@link MultiCropLoader} that made the batch, and so does the object.
 * {@link #close} gives them back to be filled again, after which their content must not be used;
 * {@link #copy} makes a data set that is the caller's own. Of one thread at a time.
 */
public final class MultiCropBatch extends MultiDataSet implements AutoCloseable {
  private static final long serialVersionUID = 1L;

  /** Empty rather than null, with which {@code copy} and {@code merge} of the superclass fail. */
  private static final INDArray[] NO_LABELS = new INDArray[0];

  private final transient MultiCropLoader loader;
  private final transient INDArray[] crops;
  private final transient FloatBuffer[] views;
  private final transient int[] indices;
  private transient boolean freed;

  MultiCropBatch(MultiCropLoader loader, List<CropPipeline> groups, int batch, int channels) {
    this.loader = loader;
    this.indices = new int[batch];
    this.crops = new INDArray[groups.size()];
    this.views = new FloatBuffer[groups.size()];
    for (int g = 0; g < crops.length; g++) {
      CropPipeline group = groups.get(g);
      crops[g] =
          CropBuffers.allocate((long) group.count() * batch, channels, group.size(), group.size());
      views[g] = CropBuffers.view(crops[g]);
    }
    super.setFeatures(crops.clone());
    super.setLabels(NO_LABELS);
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
   * The crops of one group, float {@code [count * B, C, size, size]}, crop-major. The same as
   * {@link #getFeatures(int)}.
   */
  public INDArray crops(int group) {
    return getFeatures(group);
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

  /**
   * One data set per image: arrays {@code [count, C, size, size]} of its crops, copied, so that
   * they outlive the batch.
   */
  @Override
  public List<org.nd4j.linalg.dataset.api.MultiDataSet> asList() {
    List<org.nd4j.linalg.dataset.api.MultiDataSet> images = new ArrayList<>();
    for (int row = 0; row < size(); row++) {
      INDArray[] features = new INDArray[groups()];
      for (int g = 0; g < features.length; g++) {
        INDArray all = crops(g);
        long rows = all.size(0);
        features[g] = all.get(NDArrayIndex.interval(row, size(), rows)).dup();
      }
      images.add(new MultiDataSet(features, NO_LABELS));
    }
    return images;
  }

  /**
   * Not supported: rows of all groups belong together by image, and the loader has shuffled the
   * images already.
   */
  @Override
  public void shuffle() {
    throw new UnsupportedOperationException(
        "a batch of crops can't be shuffled: its rows belong together by image, and the loader has"
            + " put the images in random order already");
  }

  /**
   * The shapes, such as {@code MultiCropBatch of 64 images: [128, 3, 32, 32], [256, 3, 16, 16]}.
   */
  @Override
  public String toString() {
    return "MultiCropBatch of "
        + size()
        + " images: "
        + Arrays.stream(getFeatures())
            .map(f -> Arrays.toString(f.shape()))
            .collect(Collectors.joining(", "));
  }

  private void writeObject(ObjectOutputStream out) throws NotSerializableException {
    throw new NotSerializableException(
        "a batch of crops belongs to its loader: write a copy(), or save(file)");
  }

  FloatBuffer view(int group) {
    return views[group];
  }

  /** The state in which a batch is handed out, whatever a preprocessor put in place last time. */
  void written() {
    INDArray[] features = getFeatures();
    if (features.length != crops.length) {
      features = crops.clone();
      super.setFeatures(features);
    }
    System.arraycopy(crops, 0, features, 0, crops.length);
    setLabels(NO_LABELS);
    setFeaturesMaskArrays(null);
    setLabelsMaskArray(null);
    for (INDArray array : crops) {
      CropBuffers.written(array);
    }
  }

  void free() {
    if (!freed) {
      freed = true;
      for (INDArray array : crops) {
        array.close();
      }
    }
  }
}
