package org.swav4j.spark;

import java.io.IOException;
import java.util.Iterator;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.ml.Model;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWriter;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWritable;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;
import org.swav4j.model.SwavWeights;

/**
 * Embeds images: a column of their content or of their paths becomes a vector of features, the
 * number of the nearest prototype, and a reason where an image can't be read.
 *
 * <pre>{@code
 * SwavModel model = SwavModel.ofWeights("hdfs:///runs/photos/weights.safetensors", spark);
 * Dataset<Row> images = spark.read().format("binaryFile").load("hdfs:///photos/*.jpg");
 * model.transform(images).select("path", "features", "cluster").write().parquet("features");
 * }</pre>
 *
 * <p>Features are those of {@link org.swav4j.model.SwavEncoder#features(java.nio.file.Path)}. Each
 * executor has one encoder, whichever and however many of its tasks embed, and holds two batches of
 * 64 images or 64 MiB for each of them.
 */
public final class SwavModel extends Model<SwavModel>
    implements ImageParams<SwavModel>, MLWritable {
  private static final long serialVersionUID = 1L;
  private static final String WEIGHTS = "weights.safetensors";

  private final String uid;
  private final transient StoredWeights weights;
  private transient Broadcast<byte[]> broadcast;

  private final Columns columns;

  /** For Spark, which reads the parameters of a stored model into it. */
  public SwavModel(String uid) {
    this(uid, null);
  }

  SwavModel(String uid, StoredWeights weights) {
    this.uid = uid; // parameters look at it
    this.weights = weights;
    this.columns = new Columns(this);
  }

  /**
   * A model of trained weights.
   *
   * @throws IllegalArgumentException if they don't say how images were normalised
   */
  public static SwavModel of(SwavWeights weights) {
    return new SwavModel(Identifiable$.MODULE$.randomUID("swav"), StoredWeights.of(weights));
  }

  /**
   * A model of the weights in a file, as {@code swav train} writes it.
   *
   * @param uri on any file system of Hadoop's
   * @throws java.io.UncheckedIOException if it can't be read
   * @throws IllegalArgumentException if it holds no weights, or none that say how images were
   *     normalised
   */
  public static SwavModel ofWeights(String uri, org.apache.spark.sql.SparkSession spark) {
    return new SwavModel(
        Identifiable$.MODULE$.randomUID("swav"),
        StoredWeights.read(uri, spark.sparkContext().hadoopConfiguration()));
  }

  @Override
  public String uid() {
    return uid;
  }

  @Override
  public Columns columns() {
    return columns;
  }

  private String value(Param<String> param) {
    return getOrDefault(param);
  }

  /** A copy of the trained weights, for use without Spark. */
  public SwavWeights weights() {
    return StoredWeights.open(weights.bytes());
  }

  /**
   * @throws IllegalArgumentException if the column of the images is missing or neither binary nor
   *     string, or one of the new columns is there already
   */
  @Override
  public StructType transformSchema(StructType schema) {
    ImageColumns.requireImages(schema, value(inputCol()));
    StructType out = added(schema, outputCol(), SQLDataTypes.VectorType());
    out = added(out, clusterCol(), DataTypes.IntegerType);
    return added(out, reasonCol(), DataTypes.StringType);
  }

  private StructType added(
      StructType schema, Param<String> column, org.apache.spark.sql.types.DataType type) {
    String name = value(column);
    if (name.isEmpty() && !column.equals(outputCol())) {
      return schema;
    }
    ImageColumns.requireFree(schema, column.name(), name);
    return schema.add(name, type, true);
  }

  @Override
  public Dataset<Row> transform(Dataset<?> dataset) {
    StructType schema = dataset.schema();
    StructType out = transformSchema(schema);
    JavaSparkContext context =
        JavaSparkContext.fromSparkContext(dataset.sparkSession().sparkContext());
    return dataset
        .toDF()
        .mapPartitions(
            new Embedding(
                ImageColumns.requireImages(schema, value(inputCol())),
                ImageColumns.isPath(schema, schema.fieldIndex(value(inputCol()))),
                !value(clusterCol()).isEmpty(),
                !value(reasonCol()).isEmpty(),
                weights.digest(),
                broadcast(context),
                context.broadcast(new SerializableConfiguration(context.hadoopConfiguration()))),
            Encoders.row(out));
  }

  private synchronized Broadcast<byte[]> broadcast(JavaSparkContext context) {
    // One for all datasets, until the application that it was sent to has ended.
    if (broadcast == null || !broadcast.isValid()) {
      broadcast = context.broadcast(weights.bytes());
    }
    return broadcast;
  }

  /** What a task does. */
  private record Embedding(
      int column,
      boolean paths,
      boolean clusters,
      boolean reasons,
      String digest,
      Broadcast<byte[]> weights,
      Broadcast<SerializableConfiguration> hadoop)
      implements MapPartitionsFunction<Row, Row> {
    @Override
    public Iterator<Row> call(Iterator<Row> rows) {
      if (!rows.hasNext()) {
        return rows;
      }
      Configuration configuration = hadoop.value().value();
      return new EncodedRows(
          rows,
          column,
          paths,
          clusters,
          reasons,
          configuration,
          ExecutorEncoder.acquire(digest, weights::value));
    }
  }

  @Override
  public SwavModel copy(ParamMap extra) {
    SwavModel copy = new SwavModel(uid, weights);
    copyValues(copy, extra);
    copy.setParent(parent());
    return copy;
  }

  @Override
  public MLWriter write() {
    return new Writer();
  }

  private final class Writer extends MLWriter {
    @Override
    public void saveImpl(String path) {
      try {
        new DefaultParamsWriter(SwavModel.this).session(sparkSession()).save(path);
        Path file = new Path(path, WEIGHTS);
        try (FSDataOutputStream out =
            file.getFileSystem(sparkSession().sparkContext().hadoopConfiguration()).create(file)) {
          out.write(weights.bytes());
        }
      } catch (IOException e) {
        throw new java.io.UncheckedIOException(
            "the model can't be written to " + path + ": " + e.getMessage(), e);
      }
    }
  }

  /** Reads what {@link #write} wrote. */
  public static MLReader<SwavModel> read() {
    return new Reader();
  }

  /**
   * Reads a stored model.
   *
   * @param path on any file system of Hadoop's
   */
  public static SwavModel load(String path) {
    return read().load(path);
  }

  private static final class Reader extends MLReader<SwavModel> {
    @Override
    public SwavModel load(String path) {
      DefaultParamsReader<SwavModel> parameters = new DefaultParamsReader<>();
      parameters.session(sparkSession());
      SwavModel stored = parameters.load(path);
      SwavModel model =
          new SwavModel(
              stored.uid,
              StoredWeights.read(
                  new Path(path, WEIGHTS).toString(),
                  sparkSession().sparkContext().hadoopConfiguration()));
      stored.copyValues(model, new ParamMap());
      return model;
    }
  }

  @Override
  public String toString() {
    return "SwavModel: uid=" + uid + ", weights=" + weights.digest().substring(0, 8);
  }
}
