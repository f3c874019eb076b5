package org.swav4j.train.loop;

import java.util.Locale;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.data.ImageSource;
import org.swav4j.train.config.TrainingConfig;

/**
 * Everything a run needs to go on as if it had not been interrupted: the arrays exactly as they lie
 * in memory, the configuration and the number of steps done. Crops and the order of images are
 * functions of (seed, epoch), so no random state is kept.
 *
 * @param config as run
 * @param images in the training data
 * @param channels of the images
 * @param data the training data's {@link ImageSource#digest}; empty if it is not known, as with
 *     batches of an iterator and in files of version 1
 * @param step steps completed
 * @param lossSum of the steps of the unfinished epoch, so that its mean comes out right
 * @param rawPixels k-NN accuracy on raw pixels as measured at the start; NaN if not measured
 * @param parameters trainable arrays by name
 * @param statistics running statistics by name
 * @param momentum of the optimiser by parameter
 * @param method state of the method, for SwAV that of its queue; empty if there is none
 * @param average the average of parameters and statistics by name; empty if none is kept
 */
public record Checkpoint(
    TrainingConfig config,
    int images,
    int channels,
    String data,
    long step,
    double lossSum,
    double rawPixels,
    Map<String, INDArray> parameters,
    Map<String, INDArray> statistics,
    Map<String, INDArray> momentum,
    Map<String, INDArray> method,
    Map<String, INDArray> average) {

  private static final String WAY_OUT =
      "point `spec` to the images as they were, wherever they lie now, or start a new run";

  /**
   * Refuses data other than those that the run was made on, wherever they lie now.
   *
   * @param found images in the data, their channels and digest; empty if not known
   * @param spec what the data are called, for the message
   * @throws TrainingException if they differ
   */
  void requireSameData(int found, int foundChannels, String digest, String spec) {
    if (images != found || channels != foundChannels) {
      throw new TrainingException(
          String.format(
              Locale.ROOT,
              "the checkpoint was made on %d images of %d channels, and %s has %d of %d: %s",
              images,
              channels,
              spec,
              found,
              foundChannels,
              WAY_OUT));
    }
    if (!data.isEmpty() && !digest.isEmpty() && !data.equals(digest)) {
      throw new TrainingException(
          String.format(
              Locale.ROOT,
              "the images of %s are %d as when the checkpoint was made, but not the same: names,"
                  + " labels or sizes of some have changed (digest %.8s then, %.8s now): %s",
              spec,
              found,
              data,
              digest,
              WAY_OUT));
    }
  }

  /**
   * Refuses data other than those that the run was made on, wherever they lie now.
   *
   * @param source the training images
   * @param spec what they are called, for the message
   * @throws TrainingException if number, channels or {@link ImageSource#digest} differ
   */
  public void requireSameData(ImageSource source, String spec) {
    requireSameData(source.size(), source.channels(), source.digest(), spec);
  }
}
