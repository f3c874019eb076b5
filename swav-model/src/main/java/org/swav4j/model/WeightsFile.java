package org.swav4j.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Weights as a safetensors file. Convolution weights are {@code [out, in, kH, kW]} there; the
 * metadata hold the configuration and the normalisation, each value as text.
 */
final class WeightsFile {
  /** Raised when an older reader would misunderstand a newer file. */
  private static final int VERSION = 1;

  private static final String VERSION_KEY = "swav4j_version";

  /** Its name in the folder of a run. */
  static final String NAME = "weights.safetensors";

  /** What a run's checkpoint says of itself in its metadata. */
  private static final Map.Entry<String, String> CHECKPOINT =
      Map.entry("kind", "swav4j checkpoint");

  private WeightsFile() {}

  static void save(Path file, SwavWeights weights) throws IOException {
    LinkedHashMap<String, INDArray> tensors = new LinkedHashMap<>();
    // as in PyTorch, a layer's statistics follow its parameters
    weights
        .parameters()
        .forEach(
            (name, array) -> {
              tensors.put(name, array.rank() == 4 ? array.permute(3, 2, 0, 1) : array);
              if (name.endsWith(".bias")) {
                String layer = name.substring(0, name.length() - ".bias".length());
                for (String statistic : List.of(".running_mean", ".running_var")) {
                  INDArray running = weights.statistics().get(layer + statistic);
                  if (running != null) {
                    tensors.put(layer + statistic, running);
                  }
                }
              }
            });
    SafeTensors.notFinite(tensors)
        .or(() -> SwavWeights.negativeVariance(weights.statistics()))
        .ifPresent(
            which -> {
              throw new ArithmeticException(
                  file
                      + " was not written: "
                      + which
                      + ", expected finite numbers and no negative variance: training has diverged,"
                      + " go back to weights of before");
            });
    SafeTensors.write(file, tensors, metadata(weights));
  }

  static SwavWeights load(Path file) throws IOException {
    SafeTensors read = SafeTensors.read(file);
    SwavConfig config = config(file, read.metadata());
    if (config.architecture() == null) {
      throw new IOException(
          file
              + " holds a network with the backbone '"
              + read.metadata().get("architecture")
              + "', which is not built in: hand it in with SwavWeights.load(file, backbone)");
    }
    return load(file, read, ResNet.of(config), config);
  }

  static SwavWeights load(Path file, Backbone backbone) throws IOException {
    SafeTensors read = SafeTensors.read(file);
    SwavConfig config = config(file, read.metadata());
    compare(file, "backbone", read.metadata().get("architecture"), backbone.name());
    return load(file, read, backbone, config);
  }

  private static SwavWeights load(Path file, SafeTensors read, Backbone backbone, SwavConfig config)
      throws IOException {
    Map<String, String> metadata = read.metadata();
    INDArray first = read.tensors().get(ParameterShapes.PROTOTYPES);
    SwavWeights weights =
        SwavWeights.zeros(
            backbone,
            config,
            first != null && first.dataType() == DataType.DOUBLE
                ? DataType.DOUBLE
                : DataType.FLOAT);
    fill(file, read, weights);
    List<Double> mean = numbers(file, metadata, "mean");
    try {
      if (!mean.isEmpty()) {
        weights = weights.withNormalisation(mean, numbers(file, metadata, "deviation"));
      }
      if (metadata.containsKey("size")) {
        int resize = value(file, metadata, "resize", Integer::parseInt);
        int size = value(file, metadata, "size", Integer::parseInt);
        weights = weights.withInputSize(new InputSize(resize, size));
      }
      return weights;
    } catch (IllegalArgumentException e) {
      throw new IOException(file + " has unusable metadata: " + e.getMessage(), e);
    }
  }

  static SwavWeights load(Path file, SwavConfig expected) throws IOException {
    SwavWeights weights = load(file);
    SwavConfig stored = weights.config();
    compareTrunk(file, stored, expected);
    compare(file, "hidden", stored.hidden(), expected.hidden());
    compare(file, "dim", stored.dim(), expected.dim());
    compare(file, "prototypes", stored.prototypes(), expected.prototypes());
    compare(file, "temperature", stored.temperature(), expected.temperature());
    return weights;
  }

  static SwavWeights loadTrunk(Path file, SwavConfig config, long seed) throws IOException {
    SwavWeights weights = SwavWeights.initialise(config, seed);
    WeightsImport.trunk(file, weights);
    return weights;
  }

  /** Where one of our own files holds another trunk: the first difference in its description. */
  static Optional<String> otherTrunk(Map<String, String> metadata, SwavConfig expected) {
    if (metadata.containsKey(VERSION_KEY) && expected.architecture() != null) {
      try {
        compareTrunk(Path.of("It"), config(Path.of("It"), metadata), expected);
      } catch (IOException e) {
        return Optional.of(e.getMessage());
      }
    }
    return Optional.empty();
  }

  private static void compareTrunk(Path file, SwavConfig stored, SwavConfig expected)
      throws IOException {
    if (stored.architecture() == null) {
      compare(file, "architecture", "not built in", expected.architecture().label());
    }
    compare(file, "architecture", stored.architecture().label(), expected.architecture().label());
    compare(file, "width", stored.width(), expected.width());
    compare(file, "stem", stored.stem().label(), expected.stem().label());
    compare(file, "channels", stored.channels(), expected.channels());
  }

  private static void compare(Path file, String what, Object stored, Object expected)
      throws IOException {
    if (!stored.equals(expected)) {
      throw new IOException(
          file + " holds a network of " + what + " " + stored + ", expected " + expected);
    }
  }

  private static Map<String, String> metadata(SwavWeights weights) {
    SwavConfig config = weights.config();
    LinkedHashMap<String, String> metadata = new LinkedHashMap<>();
    metadata.put("format", "pt");
    metadata.put(VERSION_KEY, "" + VERSION);
    metadata.put("architecture", weights.backbone().name());
    if (config.architecture() != null) {
      metadata.put("width", "" + config.width());
      metadata.put("stem", config.stem().label());
    }
    metadata.put("channels", "" + config.channels());
    metadata.put("hidden", "" + config.hidden());
    metadata.put("dim", "" + config.dim());
    metadata.put("prototypes", "" + config.prototypes());
    metadata.put("temperature", "" + config.temperature());
    if (!weights.mean().isEmpty()) {
      metadata.put("mean", joined(weights.mean()));
      metadata.put("deviation", joined(weights.deviation()));
    }
    weights
        .inputSize()
        .ifPresent(
            view -> {
              metadata.put("resize", "" + view.resize());
              metadata.put("size", "" + view.size());
            });
    return metadata;
  }

  /**
   * Refuses weights that give no features, or worse, features that look like some.
   *
   * @throws IOException naming the first tensor with NaN, infinity or a negative variance
   */
  static void requireUsable(Path file, SwavWeights weights) throws IOException {
    Map<String, INDArray> arrays = new LinkedHashMap<>(weights.parameters());
    arrays.replaceAll((n, array) -> array.rank() == 4 ? array.permute(3, 2, 0, 1) : array);
    arrays.putAll(weights.statistics());
    Optional<String> fault =
        SafeTensors.notFinite(arrays).or(() -> SwavWeights.negativeVariance(weights.statistics()));
    if (fault.isPresent()) {
      throw new IOException(
          file
              + " can't be used: "
              + fault.get()
              + ", expected finite numbers and no negative variance: its training diverged or the"
              + " file is damaged, use weights of before");
    }
  }

  /** Says of a checkpoint what it is, and where the weights are. */
  static void refuseCheckpoint(Path file, Map<String, String> metadata) throws IOException {
    if (CHECKPOINT.getValue().equals(metadata.get(CHECKPOINT.getKey()))) {
      Path weights = file.resolveSibling(NAME);
      throw new IOException(
          file
              + " is a checkpoint, from which training is resumed, expected weights: "
              + (Files.exists(weights)
                  ? weights + " beside it holds them"
                  : NAME + " of its run folder holds them"));
    }
  }

  private static SwavConfig config(Path file, Map<String, String> metadata) throws IOException {
    refuseCheckpoint(file, metadata);
    if (!metadata.containsKey(VERSION_KEY)) {
      throw new IOException(
          file
              + " doesn't say which SwAV network it holds: it wasn't written by swav4j. A trunk"
              + " alone, such as torchvision's, is read with SwavWeights.loadTrunk");
    }
    int version = value(file, metadata, VERSION_KEY, Integer::parseInt);
    if (version > VERSION) {
      throw new IOException(
          file
              + " is of format "
              + version
              + ", this release reads up to "
              + VERSION
              + ": use a newer release");
    }
    // Of a backbone of one's own there is only the name.
    boolean own =
        !metadata.containsKey("stem")
            && !metadata.containsKey("width")
            && !Architecture.isLabel(value(file, metadata, "architecture", name -> name));
    Architecture architecture =
        own ? null : value(file, metadata, "architecture", Architecture::of);
    double width = own ? 1 : value(file, metadata, "width", Double::parseDouble);
    Stem stem = own ? null : value(file, metadata, "stem", Stem::of);
    int channels = value(file, metadata, "channels", Integer::parseInt);
    int hidden = value(file, metadata, "hidden", Integer::parseInt);
    int dim = value(file, metadata, "dim", Integer::parseInt);
    int prototypes = value(file, metadata, "prototypes", Integer::parseInt);
    double temperature = value(file, metadata, "temperature", Double::parseDouble);
    try {
      return new SwavConfig(
          architecture, width, stem, channels, hidden, dim, prototypes, temperature);
    } catch (IllegalArgumentException e) {
      throw new IOException(file + " has unusable metadata: " + e.getMessage(), e);
    }
  }

  private static <T> T value(
      Path file, Map<String, String> metadata, String key, Function<String, T> parser)
      throws IOException {
    String text = metadata.get(key);
    if (text == null) {
      throw new IOException(file + " has no '" + key + "' in its metadata: it is damaged");
    }
    try {
      return parser.apply(text);
    } catch (IllegalArgumentException e) {
      throw new IOException(
          file + " has '" + text + "' as '" + key + "' in its metadata: " + e.getMessage(), e);
    }
  }

  private static List<Double> numbers(Path file, Map<String, String> metadata, String key)
      throws IOException {
    if (!metadata.containsKey("mean")) {
      return List.of();
    }
    return value(
        file,
        metadata,
        key,
        text -> Arrays.stream(text.split(",")).map(Double::valueOf).collect(Collectors.toList()));
  }

  private static String joined(List<Double> values) {
    return values.stream().map(String::valueOf).collect(Collectors.joining(","));
  }

  /** Copies the tensors into the weights; every one of them must be there, and usable. */
  private static void fill(Path file, SafeTensors read, SwavWeights weights) throws IOException {
    List<String> problems = new ArrayList<>();
    Stream.of(weights.parameters(), weights.statistics())
        .flatMap(arrays -> arrays.entrySet().stream())
        .forEach(
            e -> {
              INDArray source = read.tensors().get(e.getKey());
              INDArray target = e.getValue();
              INDArray view = target.rank() == 4 ? target.permute(3, 2, 0, 1) : target;
              if (source == null) {
                String type = read.unread().get(e.getKey());
                problems.add(e.getKey() + (type == null ? " is missing" : " is of type " + type));
              } else if (!Arrays.equals(source.shape(), view.shape())) {
                problems.add(
                    e.getKey()
                        + " is "
                        + Arrays.toString(source.shape())
                        + ", expected "
                        + Arrays.toString(view.shape()));
              } else {
                view.assign(source);
              }
            });
    // not left to the garbage collector, which doesn't feel their weight
    read.tensors().values().forEach(INDArray::close);
    if (!problems.isEmpty()) {
      int shown = Math.min(5, problems.size());
      throw new IOException(
          file
              + " doesn't fit "
              + described(weights)
              + ": "
              + String.join("; ", problems.subList(0, shown))
              + (problems.size() > shown ? "; and " + (problems.size() - shown) + " more" : "")
              + ". Is it another architecture, or are its names not torchvision's?");
    }
    requireUsable(file, weights);
  }

  static String described(SwavWeights weights) {
    SwavConfig config = weights.config();
    return config.architecture() == null
        ? "backbone " + weights.backbone().name()
        : config.architecture().label()
            + " of width "
            + config.width()
            + " with "
            + config.channels()
            + " channels and the "
            + config.stem().label()
            + " stem";
  }
}
