package org.swav4j.train.loop;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.SafeTensors;
import org.swav4j.train.config.ConfigJson;
import org.swav4j.train.config.TrainingConfig;

/**
 * Everything a run needs to go on as if it had not been interrupted: a safetensors file with the
 * arrays exactly as they lie in memory, the configuration and the number of steps done. Crops and
 * the order of images are functions of (seed, epoch), so no random state is kept.
 *
 * @param config as run
 * @param images in the training data
 * @param channels of the images
 * @param step steps completed
 * @param lossSum of the steps of the unfinished epoch, so that its mean comes out right
 * @param rawPixels k-NN accuracy on raw pixels as measured at the start; NaN if not measured
 * @param parameters trainable arrays by name
 * @param statistics running statistics by name
 * @param momentum of the optimiser by parameter
 * @param queue state of the queue; empty if there is none yet
 */
public record Checkpoint(
    TrainingConfig config,
    int images,
    int channels,
    long step,
    double lossSum,
    double rawPixels,
    Map<String, INDArray> parameters,
    Map<String, INDArray> statistics,
    Map<String, INDArray> momentum,
    Map<String, INDArray> queue) {
  private static final String KIND = "swav4j checkpoint";
  private static final String VERSION = "1";

  /**
   * Writes the file: whole, or not at all, leaving an older one as it was.
   *
   * @throws TrainingException if an array holds NaN or infinity, from which no run can go on
   * @throws UncheckedIOException if it can't be written
   */
  public void write(Path file) {
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    parameters.forEach((name, a) -> tensors.put("parameter/" + name, a));
    statistics.forEach((name, a) -> tensors.put("statistic/" + name, a));
    momentum.forEach((name, a) -> tensors.put("momentum/" + name, a));
    queue.forEach((name, a) -> tensors.put("queue/" + name, a));
    SafeTensors.notFinite(tensors)
        .ifPresent(
            which -> {
              throw new TrainingException(
                  "the checkpoint was not written: "
                      + which
                      + ", expected finite numbers: training has diverged"
                      + (Files.exists(file)
                          ? "; the one before it is as it was, but its run is likely to diverge"
                              + " again"
                          : "")
                      + "; start again with a lower --lr or a longer --warmup");
            });
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("kind", KIND);
    metadata.put("version", VERSION);
    metadata.put("config", ConfigJson.toJson(config));
    metadata.put("images", Integer.toString(images));
    metadata.put("channels", Integer.toString(channels));
    metadata.put("step", Long.toString(step));
    metadata.put("loss_sum", Double.toString(lossSum));
    metadata.put("raw_pixels", Double.toString(rawPixels));
    try {
      SafeTensors.write(file, tensors, metadata);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "the checkpoint was not written: "
              + e.getMessage()
              + (Files.exists(file) ? "; the one before it is as it was" : ""),
          e);
    }
  }

  /**
   * Reads a file.
   *
   * @throws UncheckedIOException if it can't be read or was cut off
   * @throws TrainingException if it is no checkpoint, or one of another version
   */
  public static Checkpoint read(Path file) {
    if (!Files.exists(file)) {
      throw new TrainingException(
          "there is no checkpoint "
              + file
              + ": one is written after the first epoch, and when training is stopped");
    }
    SafeTensors content;
    try {
      content = SafeTensors.read(file);
    } catch (IOException e) {
      throw new UncheckedIOException("the checkpoint can't be used: " + e.getMessage(), e);
    }
    Map<String, String> m = content.metadata();
    if (!KIND.equals(m.get("kind"))) {
      throw new TrainingException(
          file + " is no checkpoint; weights alone can be judged with 'swav evaluate --weights'");
    }
    if (!VERSION.equals(m.get("version"))) {
      throw new TrainingException(
          String.format(
              "%s is a checkpoint of format %s, expected %s: continue it with the release of swav4j"
                  + " that wrote it",
              file, m.get("version"), VERSION));
    }
    try {
      return new Checkpoint(
          ConfigJson.fromJson(m.get("config")),
          Integer.parseInt(m.get("images")),
          Integer.parseInt(m.get("channels")),
          Long.parseLong(m.get("step")),
          Double.parseDouble(m.get("loss_sum")),
          Double.parseDouble(m.get("raw_pixels")),
          part(content, "parameter/"),
          part(content, "statistic/"),
          part(content, "momentum/"),
          part(content, "queue/"));
    } catch (IllegalArgumentException | NullPointerException e) {
      throw new TrainingException(
          file + " is damaged: its description can't be read (" + e.getMessage() + ")", e);
    }
  }

  private static Map<String, INDArray> part(SafeTensors content, String prefix) {
    Map<String, INDArray> part = new LinkedHashMap<>();
    content
        .tensors()
        .forEach(
            (name, a) -> {
              if (name.startsWith(prefix)) {
                part.put(name.substring(prefix.length()), a);
              }
            });
    return part;
  }
}
