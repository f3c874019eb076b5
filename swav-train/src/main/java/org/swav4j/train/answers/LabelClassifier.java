package org.swav4j.train.answers;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.SafeTensors;
import org.swav4j.train.evaluation.FeatureSet;
import org.swav4j.train.evaluation.LinearClassifier;
import org.swav4j.train.evaluation.LogisticRegression;

/**
 * A classifier of images from a few labels: a network's vectors and a {@link LinearClassifier} on
 * them, with the names of the classes. Kept in a safetensors file: {@code weight} {@code [C, D]}
 * and {@code bias} {@code [C]}, as PyTorch's {@code Linear} has them, for vectors of unit length;
 * the names, and which network by its SHA-256, are in the metadata. Immutable; thread-safe.
 */
public final class LabelClassifier {
  private static final String FORMAT = "format";
  private static final String VERSION = "swav4j classifier 1";
  private static final String NETWORK = "weights";
  private static final String CLASS = "class.";
  private static final String WEIGHT = "weight";
  private static final String BIAS = "bias";

  private final LinearClassifier linear;
  private final List<String> classes;
  private final Encoding encoding;

  private LabelClassifier(LinearClassifier linear, List<String> classes, Encoding encoding) {
    this.linear = linear;
    this.classes = List.copyOf(classes);
    this.encoding = encoding;
  }

  /**
   * Fits a classifier. Classes without an image are left out of it.
   *
   * @param train vectors and labels; rows without a label are passed over
   * @param classes their names by label
   * @param encoding that made the vectors
   * @throws IllegalArgumentException if the rows are of fewer than two classes, or not finite
   */
  public static LabelClassifier fit(FeatureSet train, List<String> classes, Encoding encoding) {
    int[] labelled =
        IntStream.range(0, train.size()).filter(row -> train.labels()[row] >= 0).toArray();
    Map<Integer, Integer> numbers = new TreeMap<>();
    Arrays.stream(labelled).forEach(row -> numbers.put(train.labels()[row], 0));
    if (numbers.size() < 2) {
      throw new IllegalArgumentException(
          labelled.length
              + " images with a label, of "
              + (numbers.isEmpty()
                  ? "no class"
                  : "one class (" + classes.get(numbers.keySet().iterator().next()) + ")")
              + ", expected two classes or more: a folder for each");
    }
    List<String> names = new ArrayList<>();
    numbers.replaceAll(
        (label, none) -> {
          names.add(classes.get(label));
          return names.size() - 1;
        });
    FeatureSet known = train.rows(labelled);
    FeatureSet renumbered =
        new FeatureSet(known.features(), Arrays.stream(known.labels()).map(numbers::get).toArray());
    LinearClassifier linear = new LogisticRegression().fit(renumbered, names.size());
    return new LabelClassifier(linear, names, encoding);
  }

  /** Names of the classes, in the order of the probabilities. */
  public List<String> classes() {
    return classes;
  }

  /** What makes the vectors; its file of weights is where it was when the classifier was fitted. */
  public Encoding encoding() {
    return encoding;
  }

  /**
   * How probable each class is.
   *
   * @param vectors {@code [N, D]}, of {@link #encoding}
   * @return a new array {@code [N, C]} whose rows sum to 1
   * @throws IllegalArgumentException if the width is another or a number is not finite
   */
  public INDArray probabilities(INDArray vectors) {
    return linear.probabilities(vectors);
  }

  /**
   * Writes the classifier, whole or not at all.
   *
   * @throws IOException if it can't be written
   */
  public void save(Path file) throws IOException {
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    tensors.put(WEIGHT, linear.weight());
    tensors.put(BIAS, linear.bias());
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put(FORMAT, VERSION);
    metadata.put(NETWORK, encoding.weights().toAbsolutePath().normalize().toString());
    metadata.putAll(encoding.notes());
    for (int c = 0; c < classes.size(); c++) {
      metadata.put(CLASS + c, classes.get(c));
    }
    SafeTensors.write(file, tensors, metadata);
  }

  /**
   * Reads a classifier.
   *
   * @throws IOException if it can't be read or is no file of {@link #save}
   */
  public static LabelClassifier load(Path file) throws IOException {
    SafeTensors read = SafeTensors.read(file);
    Map<String, String> metadata = read.metadata();
    if (!VERSION.equals(metadata.get(FORMAT))) {
      throw new IOException(
          file
              + " is no classifier, expected a file that `LabelClassifier.save` wrote"
              + (metadata.containsKey(FORMAT) ? ", of this release" : ""));
    }
    try {
      LinearClassifier linear =
          new LinearClassifier(read.tensors().get(WEIGHT), read.tensors().get(BIAS));
      List<String> classes = new ArrayList<>();
      for (int c = 0; c < linear.classes(); c++) {
        classes.add(metadata.get(CLASS + c));
      }
      Encoding encoding = Encoding.of(metadata, Path.of(metadata.get(NETWORK)));
      return new LabelClassifier(linear, classes, encoding);
    } catch (IllegalArgumentException | NullPointerException e) {
      throw new IOException(file + " is damaged: " + e.getMessage() + "; fit it again", e);
    }
  }
}
