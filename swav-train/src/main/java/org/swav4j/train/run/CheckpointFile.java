package org.swav4j.train.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.SafeTensors;
import org.swav4j.model.SwavWeights;
import org.swav4j.train.loop.Checkpoint;
import org.swav4j.train.loop.TrainingException;

/**
 * A {@link Checkpoint} as a safetensors file. Arrays are named {@code GROUP/NAME}; the metadata
 * hold the configuration and the counters as text. Reading is strict: a key or a group of arrays
 * that is missing or unknown is refused by name.
 */
public final class CheckpointFile {
  private static final String KIND = "swav4j checkpoint";

  /** Raised with every change of keys or groups; {@link #read} still takes the earlier ones. */
  private static final int VERSION = 2;

  private static final List<String> KEYS =
      List.of(
          "kind",
          "version",
          "config",
          "images",
          "channels",
          "data",
          "step",
          "loss_sum",
          "raw_pixels");

  /** What the first version calls the state of any method: then only a queue had one. */
  private static final String METHOD = "queue";

  private static final List<String> GROUPS =
      List.of("parameter", "statistic", "momentum", METHOD, "average");

  private CheckpointFile() {}

  /**
   * Writes the file: whole, or not at all, leaving an older one as it was.
   *
   * @throws TrainingException if an array holds NaN or infinity, from which no run can go on
   * @throws UncheckedIOException if it can't be written
   */
  public static void write(Path file, Checkpoint checkpoint) {
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("kind", KIND);
    metadata.put("version", Integer.toString(VERSION));
    metadata.put("config", ConfigFile.toJson(checkpoint.config()));
    metadata.put("images", Integer.toString(checkpoint.images()));
    metadata.put("channels", Integer.toString(checkpoint.channels()));
    metadata.put("data", checkpoint.data());
    metadata.put("step", Long.toString(checkpoint.step()));
    metadata.put("loss_sum", Double.toString(checkpoint.lossSum()));
    metadata.put("raw_pixels", Double.toString(checkpoint.rawPixels()));
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    put(tensors, "parameter", checkpoint.parameters());
    put(tensors, "statistic", checkpoint.statistics());
    put(tensors, "momentum", checkpoint.momentum());
    put(tensors, METHOD, checkpoint.method());
    put(tensors, "average", checkpoint.average());
    SafeTensors.notFinite(tensors)
        .or(() -> SwavWeights.negativeVariance(checkpoint.statistics()))
        .ifPresent(
            which -> {
              throw new TrainingException(
                  "the checkpoint was not written: "
                      + which
                      + ", expected finite numbers and no negative variance: training has diverged"
                      + (Files.exists(file)
                          ? "; the one before it is as it was, but its run is likely to diverge"
                              + " again"
                          : "")
                      + "; start again with a lower `learningRate` or a longer `warmupEpochs`");
            });
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

  private static void put(
      Map<String, INDArray> tensors, String group, Map<String, INDArray> arrays) {
    arrays.forEach((name, array) -> tensors.put(group + "/" + name, array));
  }

  /**
   * Reads a file that this or an earlier release wrote.
   *
   * @throws UncheckedIOException if it can't be read or was cut off
   * @throws TrainingException if it is no checkpoint, one of a newer release, or one of its parts
   *     is missing or unknown; naming it
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
    Map<String, String> metadata = content.metadata();
    if (!KIND.equals(metadata.get("kind"))) {
      throw new TrainingException(
          file + " is no checkpoint; weights alone can be judged, but no run goes on from them");
    }
    try {
      requireVersion(metadata);
      requireKnown("key", metadata.keySet(), KEYS);
      requireUsable(content);
      Map<String, Map<String, INDArray>> groups = groups(content.tensors());
      return new Checkpoint(
          value(metadata, "config", ConfigFile::fromJson),
          value(metadata, "images", Integer::parseInt),
          value(metadata, "channels", Integer::parseInt),
          metadata.get("version").equals("1") ? "" : value(metadata, "data", text -> text),
          value(metadata, "step", Long::parseLong),
          value(metadata, "loss_sum", Double::parseDouble),
          value(metadata, "raw_pixels", Double::parseDouble),
          groups.get("parameter"),
          groups.get("statistic"),
          groups.get("momentum"),
          groups.get(METHOD),
          groups.get("average"));
    } catch (IllegalArgumentException e) {
      throw new TrainingException(file + " can't be used: " + e.getMessage(), e);
    }
  }

  private static void requireVersion(Map<String, String> metadata) {
    int version = value(metadata, "version", Integer::parseInt);
    if (version < 1 || version > VERSION) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "it is a checkpoint of version %d, and this release reads up to %d: go on with the"
                  + " release of swav4j that wrote it, or a newer one",
              version,
              VERSION));
    }
  }

  private static void requireUsable(SafeTensors content) {
    content.unread().keySet().stream()
        .findFirst()
        .ifPresent(
            name -> {
              throw new IllegalArgumentException(
                  "its tensor '" + name + "' is of type " + content.unread().get(name));
            });
    SafeTensors.notFinite(content.tensors())
        .or(() -> SwavWeights.negativeVariance(content.tensors()))
        .ifPresent(
            which -> {
              throw new IllegalArgumentException(
                  which
                      + ", expected finite numbers and no negative variance: it is damaged, start a"
                      + " new run");
            });
  }

  private static void requireKnown(String what, Iterable<String> names, List<String> known) {
    for (String name : names) {
      if (!known.contains(name)) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "its %s '%s' is unknown, expected one of %s: go on with the release of swav4j that"
                    + " wrote it",
                what,
                name,
                String.join(", ", known)));
      }
    }
  }

  private static <T> T value(Map<String, String> metadata, String key, Function<String, T> parser) {
    String text = metadata.get(key);
    if (text == null) {
      throw new IllegalArgumentException(
          "its key '" + key + "' is missing: it is damaged, or wasn't written by swav4j");
    }
    try {
      return parser.apply(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "its key '" + key + "' is '" + text + "', expected a number", e);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("its key '" + key + "': " + e.getMessage(), e);
    }
  }

  private static Map<String, Map<String, INDArray>> groups(Map<String, INDArray> tensors) {
    Map<String, Map<String, INDArray>> groups = new LinkedHashMap<>();
    GROUPS.forEach(group -> groups.put(group, new LinkedHashMap<>()));
    tensors.forEach(
        (name, array) -> {
          String group = name.substring(0, Math.max(0, name.indexOf('/')));
          requireKnown("group of arrays", List.of(group), GROUPS);
          groups.get(group).put(name.substring(group.length() + 1), array);
        });
    return groups;
  }
}
