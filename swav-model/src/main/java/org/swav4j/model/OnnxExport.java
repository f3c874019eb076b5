package org.swav4j.model;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import onnx.Onnx;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.nd4j.shade.protobuf.ByteString;

/**
 * The trained network as an ONNX file, for ONNX Runtime and what else reads the format: operator
 * set {@value #OPERATORS}, file version {@value #VERSION}, so any runtime of 2020 or later.
 *
 * <p>It takes {@code images}, float {@code [n, C, height, width]} of any number and size, red,
 * green, blue, <em>pixels in [0, 1]</em>: they are normalised in the file. It gives
 *
 * <ul>
 *   <li>{@code features [n, F]}, the trunk's output, as {@link SwavEncoder#features};
 *   <li>{@code embeddings [n, D]}, of unit length;
 *   <li>{@code scores [n, K]}, cosines with the prototypes, the largest of which is the cluster.
 * </ul>
 *
 * <p>Its metadata hold the side to which pictures are resized ({@code resize}) and the side of the
 * middle that is cut from them ({@code size}), where the weights know them. Operators: <a
 * href="https://github.com/onnx/onnx/blob/main/docs/Operators.md">ONNX</a>.
 */
public final class OnnxExport {
  /** Version of the operator set. */
  static final int OPERATORS = 13;

  /** Version of the file format. */
  static final int VERSION = 7;

  private static final String IMAGES = "images";
  private static final String FEATURES = "features";
  private static final String EMBEDDINGS = "embeddings";
  private static final String SCORES = "scores";

  private OnnxExport() {}

  /**
   * Writes the file, whole or not at all.
   *
   * @param file such as {@code encoder.onnx}, replaced if it is there
   * @param weights with their normalisation; numbers of other types are written as floats
   * @throws IllegalArgumentException if the weights have no normalisation
   * @throws IOException if the file can't be written, or would have more than the 2 GB that the
   *     format allows
   */
  public static void write(Path file, SwavWeights weights) throws IOException {
    if (weights.mean().isEmpty()) {
      throw new IllegalArgumentException(
          "the weights don't say how images were normalised in training, expected a"
              + " withNormalisation(mean, deviation): the ONNX file takes plain pixels");
    }
    Onnx.ModelProto model = model(weights);
    AtomicFile.write(file, out -> model.writeTo(Channels.newOutputStream(out)));
  }

  private static Onnx.ModelProto model(SwavWeights weights) throws IOException {
    long bytes = weights.parameters().values().stream().mapToLong(a -> 4 * a.length()).sum();
    if (bytes > Integer.MAX_VALUE - (1 << 20)) {
      throw new IOException(
          "the network has " + (bytes >> 20) + " MiB, expected less than 2 GiB in an ONNX file");
    }
    GraphWriter graph = new GraphWriter(weights);
    graph.write();
    Onnx.ModelProto.Builder model =
        Onnx.ModelProto.newBuilder()
            .setIrVersion(VERSION)
            .setProducerName("swav4j")
            .setDocString("Image features learned without labels by SwAV")
            .addOpsetImport(Onnx.OperatorSetIdProto.newBuilder().setVersion(OPERATORS))
            .setGraph(graph.graph);
    metadata(model, "architecture", weights.backbone().name());
    Optional<InputSize> size = weights.inputSize();
    if (size.isPresent()) {
      metadata(model, "resize", String.valueOf(size.get().resize()));
      metadata(model, "size", String.valueOf(size.get().size()));
    }
    return model.build();
  }

  private static void metadata(Onnx.ModelProto.Builder model, String key, String value) {
    model.addMetadataProps(
        Onnx.StringStringEntryProto.newBuilder().setKey(key).setValue(value).build());
  }

  /** A backbone's layers, and the head behind them, as nodes; a layer stands for its output. */
  private static final class GraphWriter implements Backbone.Layers<String> {
    private final SwavWeights weights;
    private final Onnx.GraphProto.Builder graph = Onnx.GraphProto.newBuilder().setName("swav");
    private int results;

    GraphWriter(SwavWeights weights) {
      this.weights = weights;
    }

    void write() {
      SwavConfig config = weights.config();
      graph.addInput(value(IMAGES, "n", config.channels(), "height", "width"));
      graph.addOutput(value(FEATURES, "n", weights.features()));
      graph.addOutput(value(EMBEDDINGS, "n", config.dim()));
      graph.addOutput(value(SCORES, "n", config.prototypes()));
      String features = weights.backbone().features(normalised(), this);
      emit("Identity", FEATURES, List.of(features));
      String hidden = linear(ParameterShapes.HEAD_FIRST, FEATURES);
      hidden = relu(norm(hidden, ParameterShapes.HEAD_NORM));
      String projection = linear(ParameterShapes.HEAD_SECOND, hidden);
      String length =
          emit(
              "ReduceL2",
              result(),
              List.of(projection),
              integers("axes", 1),
              integer("keepdims", 1));
      String least = constant("shortest", Nd4j.createFromArray(1e-12f));
      emit("Div", EMBEDDINGS, List.of(projection, emit("Max", result(), List.of(length, least))));
      INDArray prototypes = weights.array(ParameterShapes.PROTOTYPES).dup('c');
      INDArray norms = Transforms.max(prototypes.norm2(1), 1e-12);
      emit(
          "Gemm",
          SCORES,
          List.of(
              EMBEDDINGS, constant(ParameterShapes.PROTOTYPES, prototypes.diviColumnVector(norms))),
          integer("transB", 1));
    }

    private String normalised() {
      String mean = constant("mean", channels(weights.mean()));
      String deviation = constant("deviation", channels(weights.deviation()));
      String centred = emit("Sub", result(), List.of(IMAGES, mean));
      return emit("Div", result(), List.of(centred, deviation));
    }

    private static INDArray channels(List<Double> values) {
      return Nd4j.createFromArray(values.toArray(Double[]::new)).reshape(values.size(), 1, 1);
    }

    @Override
    public String convolution(String x, Backbone.Convolution c) {
      Backbone.Window w = c.window();
      INDArray kernel = weights.array(c.name() + ".weight").permute(3, 2, 0, 1);
      List<String> inputs = new ArrayList<>(List.of(x, constant(c.name() + ".weight", kernel)));
      if (c.bias()) {
        inputs.add(parameter(c.name() + ".bias"));
      }
      return emit("Conv", result(), inputs, window(w));
    }

    @Override
    public String norm(String x, String name) {
      return emit(
          "BatchNormalization",
          result(),
          List.of(
              x,
              parameter(name + ".weight"),
              parameter(name + ".bias"),
              parameter(name + ".running_mean"),
              parameter(name + ".running_var")),
          number("epsilon", ParameterShapes.EPSILON));
    }

    @Override
    public String relu(String x) {
      return emit("Relu", result(), List.of(x));
    }

    @Override
    public String leakyRelu(String x, double slope) {
      return emit("LeakyRelu", result(), List.of(x), number("alpha", slope));
    }

    @Override
    public String add(String a, String b) {
      return emit("Add", result(), List.of(a, b));
    }

    @Override
    public String concat(String a, String b) {
      return emit("Concat", result(), List.of(a, b), integer("axis", 1));
    }

    @Override
    public String maxPool(String x, Backbone.Window w) {
      return emit("MaxPool", result(), List.of(x), window(w));
    }

    @Override
    public String averagePool(String x, Backbone.Window w) {
      return emit("AveragePool", result(), List.of(x), window(w));
    }

    @Override
    public String mean(String x) {
      return emit("Flatten", result(), List.of(emit("GlobalAveragePool", result(), List.of(x))));
    }

    private String linear(String name, String x) {
      return emit(
          "Gemm",
          result(),
          List.of(x, parameter(name + ".weight"), parameter(name + ".bias")),
          integer("transB", 1));
    }

    private static Onnx.AttributeProto[] window(Backbone.Window w) {
      return new Onnx.AttributeProto[] {
        integers("kernel_shape", w.kernel(), w.kernel()),
        integers("strides", w.stride(), w.stride()),
        w.same()
            ? Onnx.AttributeProto.newBuilder()
                .setName("auto_pad")
                .setType(Onnx.AttributeProto.AttributeType.STRING)
                .setS(ByteString.copyFromUtf8("SAME_UPPER"))
                .build()
            : integers("pads", w.padding(), w.padding(), w.padding(), w.padding())
      };
    }

    private static Onnx.AttributeProto number(String name, double value) {
      return Onnx.AttributeProto.newBuilder()
          .setName(name)
          .setType(Onnx.AttributeProto.AttributeType.FLOAT)
          .setF((float) value)
          .build();
    }

    private static Onnx.AttributeProto integer(String name, long value) {
      return Onnx.AttributeProto.newBuilder()
          .setName(name)
          .setType(Onnx.AttributeProto.AttributeType.INT)
          .setI(value)
          .build();
    }

    private static Onnx.AttributeProto integers(String name, long... values) {
      Onnx.AttributeProto.Builder attribute =
          Onnx.AttributeProto.newBuilder()
              .setName(name)
              .setType(Onnx.AttributeProto.AttributeType.INTS);
      for (long v : values) {
        attribute.addInts(v);
      }
      return attribute.build();
    }

    private String result() {
      return "result." + results++;
    }

    private String emit(
        String operator, String output, List<String> inputs, Onnx.AttributeProto... attributes) {
      graph.addNode(
          Onnx.NodeProto.newBuilder()
              .setOpType(operator)
              .setName(output + "/" + operator)
              .addAllInput(inputs)
              .addOutput(output)
              .addAllAttribute(List.of(attributes)));
      return output;
    }

    private String parameter(String name) {
      return constant(name, weights.array(name));
    }

    private String constant(String name, INDArray array) {
      INDArray floats = array.castTo(DataType.FLOAT).dup('c');
      ByteBuffer bytes =
          ByteBuffer.allocate(Math.toIntExact(4 * floats.length())).order(ByteOrder.LITTLE_ENDIAN);
      bytes.asFloatBuffer().put(floats.data().asNioFloat());
      Onnx.TensorProto.Builder tensor =
          Onnx.TensorProto.newBuilder()
              .setName(name)
              .setDataType(Onnx.TensorProto.DataType.FLOAT_VALUE)
              .setRawData(ByteString.copyFrom(bytes));
      for (long side : floats.shape()) {
        tensor.addDims(side);
      }
      floats.close();
      graph.addInitializer(tensor);
      return name;
    }

    /**
     * @param sides each a number, or the name of one that is known only when it runs
     */
    private static Onnx.ValueInfoProto value(String name, Object... sides) {
      Onnx.TensorShapeProto.Builder shape = Onnx.TensorShapeProto.newBuilder();
      for (Object side : sides) {
        Onnx.TensorShapeProto.Dimension.Builder dimension = shape.addDimBuilder();
        if (side instanceof Integer number) {
          dimension.setDimValue(number);
        } else {
          dimension.setDimParam((String) side);
        }
      }
      return Onnx.ValueInfoProto.newBuilder()
          .setName(name)
          .setType(
              Onnx.TypeProto.newBuilder()
                  .setTensorType(
                      Onnx.TypeProto.Tensor.newBuilder()
                          .setElemType(Onnx.TensorProto.DataType.FLOAT_VALUE)
                          .setShape(shape)))
          .build();
    }
  }
}
