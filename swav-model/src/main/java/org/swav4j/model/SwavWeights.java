package org.swav4j.model;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.DoubleSupplier;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Everything a SwAV network has learned: the trainable parameters, batch norm's running statistics,
 * the configuration they belong to, how the images were normalised, and how large they were.
 *
 * <p>Names are torchvision's, with {@code projection_head.0} (linear), {@code .1} (batch norm),
 * {@code .3} (linear) and {@code prototypes} after the trunk. In memory convolution weights are
 * {@code [kH, kW, in, out]}, linear weights {@code [out, in]}, all else {@code [channels]}; every
 * array is dense, in c order. Training changes the arrays in place, so an instance is as safe to
 * share between threads as arrays that are written to: only while nobody trains it.
 */
public final class SwavWeights {
  private final Backbone backbone;
  private final SwavConfig config;
  private final DataType type;
  private final Map<String, INDArray> parameters;
  private final Map<String, INDArray> statistics;
  private final List<Double> mean;
  private final List<Double> deviation;
  private final InputSize inputSize;

  private SwavWeights(
      Backbone backbone,
      SwavConfig config,
      DataType type,
      Map<String, INDArray> parameters,
      Map<String, INDArray> statistics,
      List<Double> mean,
      List<Double> deviation,
      InputSize inputSize) {
    this.backbone = backbone;
    this.config = config;
    this.type = type;
    this.parameters = Collections.unmodifiableMap(parameters);
    this.statistics = Collections.unmodifiableMap(statistics);
    this.mean = List.copyOf(mean);
    this.deviation = List.copyOf(deviation);
    this.inputSize = inputSize;
  }

  /**
   * An untrained network in float, see {@link #initialise(SwavConfig, long, DataType)}.
   *
   * @param seed the same seed gives the same weights on every back end
   */
  public static SwavWeights initialise(SwavConfig config, long seed) {
    return initialise(config, seed, DataType.FLOAT);
  }

  /**
   * An untrained network: convolutions normal with variance 2 / (kH·kW·out) (He et al. 2015, fan
   * out), batch norms 1 and 0, linear layers and all biases uniform within ±1/√in (of a
   * convolution, in = kH·kW·in), prototypes likewise and then scaled to unit rows. Each tensor has
   * its own random stream, keyed by its name.
   *
   * @param seed the same seed gives the same weights on every back end, to the rounding of the type
   * @param type FLOAT or DOUBLE
   * @throws IllegalArgumentException if the type is another
   */
  public static SwavWeights initialise(SwavConfig config, long seed, DataType type) {
    return initialise(ResNet.of(config), config, seed, type);
  }

  /**
   * An untrained network with a trunk of one's own in float, see {@link #initialise(SwavConfig,
   * long, DataType)}.
   *
   * @param config of what stands around it, see {@link SwavConfig#aroundBackbone}
   * @param seed the same seed gives the same weights on every back end
   * @throws IllegalArgumentException if the backbone's layers don't fit each other, or it has the
   *     name of a built-in {@link Architecture} without being one
   */
  public static SwavWeights initialise(Backbone backbone, SwavConfig config, long seed) {
    return initialise(backbone, config, seed, DataType.FLOAT);
  }

  /**
   * The same in a type of one's choice.
   *
   * @param type FLOAT or DOUBLE
   * @throws IllegalArgumentException as above, or if the type is another
   */
  public static SwavWeights initialise(
      Backbone backbone, SwavConfig config, long seed, DataType type) {
    if (type != DataType.FLOAT && type != DataType.DOUBLE) {
      throw new IllegalArgumentException(
          "weights of type " + type + ", expected FLOAT or DOUBLE: other types are for files only");
    }
    requireName(backbone, config);
    ParameterShapes shapes = ParameterShapes.of(backbone, config);
    LinkedHashMap<String, INDArray> parameters = new LinkedHashMap<>();
    shapes
        .parameters()
        .forEach(
            (name, shape) -> {
              double[] values = initial(name, shape, shapes, seed);
              parameters.put(name, array(values, shape, type));
            });
    LinkedHashMap<String, INDArray> statistics = zeros(shapes.statistics(), type);
    statistics.forEach((name, array) -> array.assign(name.endsWith(".running_var") ? 1 : 0));
    return new SwavWeights(
        backbone, config, type, parameters, statistics, List.of(), List.of(), null);
  }

  /** Files tell backbones apart by name. */
  private static void requireName(Backbone backbone, SwavConfig config) {
    boolean builtIn = Architecture.isLabel(backbone.name());
    if (builtIn != (config.architecture() != null)) {
      throw new IllegalArgumentException(
          builtIn
              ? "the backbone is named " + backbone.name() + ", which is a built-in architecture's"
              : "backbone "
                  + backbone.name()
                  + " comes with a configuration for "
                  + config.architecture().label()
                  + ", expected one of SwavConfig.aroundBackbone");
    }
  }

  /** A network to be filled. */
  static SwavWeights zeros(Backbone backbone, SwavConfig config, DataType type) {
    requireName(backbone, config);
    ParameterShapes shapes = ParameterShapes.of(backbone, config);
    return new SwavWeights(
        backbone,
        config,
        type,
        zeros(shapes.parameters(), type),
        zeros(shapes.statistics(), type),
        List.of(),
        List.of(),
        null);
  }

  private static LinkedHashMap<String, INDArray> zeros(Map<String, long[]> shapes, DataType type) {
    LinkedHashMap<String, INDArray> arrays = new LinkedHashMap<>();
    shapes.forEach((name, shape) -> arrays.put(name, Nd4j.zeros(type, shape)));
    return arrays;
  }

  /**
   * Reads a file that {@link #save} wrote.
   *
   * @throws IOException if it can't be read, is cut off or damaged, lacks a tensor, or one holds
   *     NaN, infinity or a negative variance
   */
  public static SwavWeights load(Path file) throws IOException {
    return WeightsFile.load(file);
  }

  /**
   * Reads a file that {@link #save} wrote, of the network expected.
   *
   * @throws IOException if it can't be read, or holds another network; the message names the first
   *     difference
   */
  public static SwavWeights load(Path file, SwavConfig expected) throws IOException {
    return WeightsFile.load(file, expected);
  }

  /**
   * Reads a file that {@link #save} wrote of a network with a trunk of one's own.
   *
   * @param backbone the trunk that was trained, of the same name and layers
   * @throws IOException if it can't be read, or holds another network; the message names the first
   *     difference
   */
  public static SwavWeights load(Path file, Backbone backbone) throws IOException {
    return WeightsFile.load(file, backbone);
  }

  /**
   * A network whose trunk comes from a file with torchvision's names, safetensors or PyTorch's, and
   * whose head and prototypes are untrained. What belongs to no trunk, such as {@code fc.weight},
   * is ignored; {@link WeightsImport} also takes a head and tells what became of every tensor.
   *
   * @param config the network wanted
   * @param seed of the head and the prototypes
   * @throws IOException if the file can't be read, or a tensor of the trunk is missing or has
   *     another shape; the message lists them
   */
  public static SwavWeights loadTrunk(Path file, SwavConfig config, long seed) throws IOException {
    return WeightsFile.loadTrunk(file, config, seed);
  }

  /**
   * Writes everything to a safetensors file that PyTorch's {@code load_state_dict} can read: whole
   * or not at all, an older file of that name is replaced only at the end.
   *
   * @throws ArithmeticException if an array holds NaN, infinity or a negative variance, naming it
   * @throws IOException if the file can't be written
   */
  public void save(Path file) throws IOException {
    WeightsFile.save(file, this);
  }

  /** The trunk that the weights belong to. */
  public Backbone backbone() {
    return backbone;
  }

  /** Length of a feature vector: what the trunk gives and the projection head takes. */
  public int features() {
    return (int) parameters.get(ParameterShapes.HEAD_FIRST + ".weight").size(1);
  }

  /** The parameter or running statistic of that name, null if there is none. */
  INDArray array(String name) {
    INDArray parameter = parameters.get(name);
    return parameter != null ? parameter : statistics.get(name);
  }

  /** The configuration that the weights belong to. */
  public SwavConfig config() {
    return config;
  }

  /** FLOAT or DOUBLE. */
  public DataType type() {
    return type;
  }

  /** The live trainable arrays by name, in torchvision's order. The map can't be changed. */
  public Map<String, INDArray> parameters() {
    return parameters;
  }

  /** The live running means and variances of the batch norms by name. */
  public Map<String, INDArray> statistics() {
    return statistics;
  }

  /** Per channel, what was subtracted from pixels in [0, 1]; empty if that isn't known. */
  public List<Double> mean() {
    return mean;
  }

  /** Per channel, what pixels less the mean were divided by; empty if that isn't known. */
  public List<Double> deviation() {
    return deviation;
  }

  /**
   * The same live arrays, with the normalisation (pixel − mean) / deviation of the images.
   *
   * @param mean per channel, for pixels in [0, 1]
   * @param deviation per channel, above 0
   * @throws IllegalArgumentException if there is not one value per channel, or one is unusable
   */
  public SwavWeights withNormalisation(List<Double> mean, List<Double> deviation) {
    if (mean.size() != config.channels() || deviation.size() != config.channels()) {
      throw new IllegalArgumentException(
          "normalisation with mean "
              + mean
              + " and deviation "
              + deviation
              + ", expected one value for each of "
              + config.channels()
              + " channels");
    }
    if (!mean.stream().allMatch(m -> Math.abs(m) < 1e6)
        || !deviation.stream().allMatch(d -> d > 0 && d < 1e6)) {
      throw new IllegalArgumentException(
          "normalisation with mean "
              + mean
              + " and deviation "
              + deviation
              + ", expected finite numbers and deviations above 0, for pixels in [0, 1]");
    }
    return new SwavWeights(
        backbone, config, type, parameters, statistics, mean, deviation, inputSize);
  }

  /** How large the network sees pictures; empty if that isn't known. */
  public Optional<InputSize> inputSize() {
    return Optional.ofNullable(inputSize);
  }

  /** The same live arrays, for pictures of that size: about the one they are trained on. */
  public SwavWeights withInputSize(InputSize size) {
    return new SwavWeights(
        backbone,
        config,
        type,
        parameters,
        statistics,
        mean,
        deviation,
        Objects.requireNonNull(size));
  }

  /** An independent copy. */
  public SwavWeights copy() {
    return new SwavWeights(
        backbone, config, type, dup(parameters), dup(statistics), mean, deviation, inputSize);
  }

  /**
   * The first running variance that holds a number below 0, and where: {@code tensor
   * 'bn1.running_var' holds -0.25 at index 3}; empty if none does.
   *
   * @param statistics by name; those that end in {@code .running_var} are looked at
   */
  public static Optional<String> negativeVariance(Map<String, INDArray> statistics) {
    for (Map.Entry<String, INDArray> e : statistics.entrySet()) {
      INDArray array = e.getValue();
      if (e.getKey().endsWith(".running_var") && array.minNumber().doubleValue() < 0) {
        long at = 0;
        while (!(array.getDouble(at) < 0)) {
          at++;
        }
        return Optional.of(
            "tensor '" + e.getKey() + "' holds " + array.getDouble(at) + " at index " + at);
      }
    }
    return Optional.empty();
  }

  private static LinkedHashMap<String, INDArray> dup(Map<String, INDArray> arrays) {
    LinkedHashMap<String, INDArray> copy = new LinkedHashMap<>();
    arrays.forEach((name, array) -> copy.put(name, array.dup('c')));
    return copy;
  }

  private static double[] initial(String name, long[] shape, ParameterShapes shapes, long seed) {
    double[] values = new double[Math.toIntExact(length(shape))];
    SplittableRandom random =
        new SplittableRandom(seed ^ new SplittableRandom(name.hashCode()).nextLong());
    if (shape.length == 4) {
      double deviation = Math.sqrt(2.0 / (shape[0] * shape[1] * shape[3]));
      DoubleSupplier normal = normal(random);
      fill(values, () -> deviation * normal.getAsDouble());
    } else if (shape.length == 2) {
      uniform(values, random, shape[1]);
      if (name.equals(ParameterShapes.PROTOTYPES)) {
        normaliseRows(values, (int) shape[1]);
      }
    } else {
      String layer = name.substring(0, name.lastIndexOf('.'));
      if (shapes.statistics().containsKey(layer + ".running_mean")) {
        fill(values, () -> name.endsWith(".weight") ? 1 : 0);
      } else {
        long[] weight = shapes.parameters().get(layer + ".weight");
        uniform(values, random, weight.length == 4 ? weight[0] * weight[1] * weight[2] : weight[1]);
      }
    }
    return values;
  }

  private static void uniform(double[] values, SplittableRandom random, long fanIn) {
    double bound = 1 / Math.sqrt(fanIn);
    fill(values, () -> bound * (2 * random.nextDouble() - 1));
  }

  /** Marsaglia's polar method: StrictMath gives the same bits on every machine. */
  private static DoubleSupplier normal(SplittableRandom random) {
    return new DoubleSupplier() {
      private double second = Double.NaN;

      @Override
      public double getAsDouble() {
        if (!Double.isNaN(second)) {
          double value = second;
          second = Double.NaN;
          return value;
        }
        double u;
        double v;
        double s;
        do {
          u = 2 * random.nextDouble() - 1;
          v = 2 * random.nextDouble() - 1;
          s = u * u + v * v;
        } while (s >= 1 || s == 0);
        double scale = Math.sqrt(-2 * StrictMath.log(s) / s);
        second = v * scale;
        return u * scale;
      }
    };
  }

  private static void normaliseRows(double[] values, int columns) {
    for (int row = 0; row < values.length; row += columns) {
      double square = 0;
      for (int i = row; i < row + columns; i++) {
        square += values[i] * values[i];
      }
      double norm = Math.max(Math.sqrt(square), 1e-12);
      for (int i = row; i < row + columns; i++) {
        values[i] /= norm;
      }
    }
  }

  private static void fill(double[] values, DoubleSupplier source) {
    for (int i = 0; i < values.length; i++) {
      values[i] = source.getAsDouble();
    }
  }

  private static long length(long[] shape) {
    long n = 1;
    for (long s : shape) {
      n *= s;
    }
    return n;
  }

  private static INDArray array(double[] values, long[] shape, DataType type) {
    if (type == DataType.DOUBLE) {
      return Nd4j.createFromArray(values).reshape(shape);
    }
    float[] floats = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      floats[i] = (float) values[i];
    }
    return Nd4j.createFromArray(floats).reshape(shape);
  }
}
