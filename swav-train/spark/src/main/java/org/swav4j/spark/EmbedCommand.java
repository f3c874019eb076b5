package org.swav4j.spark;

import static org.apache.spark.ml.functions.vector_to_array;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.when;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;
import org.swav4j.spark.job.StoredImages;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Features of any number of images, in a Parquet table. */
@Command(
    name = "embed",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Writes the features of every image to a Parquet table: path, vector (array of floats),"
          + " cluster, the reason why an image has none, and the part it came with.",
      "Goes part by part. The same command again goes on behind the last part that is whole."
    })
final class EmbedCommand implements Callable<Integer> {
  /** Where what was asked for is kept, so that no other command goes on with it. */
  private static final String MARK = "_swav";

  private static final String DONE = "_SUCCESS";

  @Option(names = "--debug", description = "Shows the stack trace of an error.")
  boolean debug;

  /** One of the two. */
  static final class Where {
    @Option(
        names = "--run",
        paramLabel = "URI",
        description = "A run folder, whose weights are used.")
    String run;

    @Option(
        names = "--weights",
        paramLabel = "URI",
        description = "Weights in safetensors, as train writes them.")
    String weights;
  }

  @ArgGroup(multiplicity = "1")
  Where where;

  @Option(
      names = "--data",
      required = true,
      paramLabel = "URI",
      description =
          "A folder of image files, or parquet:URI, a table with a column of images and one of"
              + " paths or names.")
  String data;

  @Option(
      names = "--input-col",
      paramLabel = "NAME",
      defaultValue = "content",
      description = "Column of a table that holds the images (default content).")
  String inputCol;

  @Option(
      names = "--path-col",
      paramLabel = "NAME",
      defaultValue = "path",
      description = "Column of a table that tells which image it is (default path).")
  String pathCol;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "URI",
      description = "The table, new, empty or begun by this command.")
  String out;

  @Option(
      names = "--part",
      paramLabel = "N",
      defaultValue = "20000",
      description =
          "Images in a part (default 20000), which is done again if it is interrupted. Of a table,"
              + " a part is as many of its files as are some 2 GiB.")
  int part;

  @Spec CommandSpec command;

  /** What a part is made of: paths of images, or of files of a table. */
  private record Part(List<String> paths) {}

  @Override
  public Integer call() {
    if (part < 1) {
      throw new IllegalArgumentException("--part is " + part + ", expected at least 1");
    }
    // A session that was there before belongs to whoever made it.
    boolean own = SparkSession.getDefaultSession().isEmpty();
    SparkSession spark = SparkSession.builder().appName("swav embed").getOrCreate();
    try {
      String weights = where.run != null ? where.run + "/weights.safetensors" : where.weights;
      SwavModel model = SwavModel.ofWeights(weights, spark);
      List<Part> parts = parts(spark.sparkContext().hadoopConfiguration());
      embed(spark, model, parts);
      Row counts =
          spark
              .read()
              .parquet(out)
              .selectExpr("count(*)", "count(vector)", "min(concat(path, ': ', reason))")
              .first();
      long broken = counts.getLong(0) - counts.getLong(1);
      command
          .commandLine()
          .getOut()
          .println(
              counts.getLong(1)
                  + " images of "
                  + model.weights().features()
                  + " numbers in "
                  + out
                  + (broken == 0
                      ? ""
                      : "; " + broken + " can't be read, for example: " + counts.getString(2)));
      return 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    } finally {
      if (own) {
        spark.stop();
      }
    }
  }

  private boolean isTable() {
    return data.startsWith("parquet:");
  }

  private List<Part> parts(Configuration hadoop) throws IOException {
    List<Part> parts = new ArrayList<>();
    if (isTable()) {
      return tableParts(hadoop);
    }
    List<String> paths =
        StoredImages.list(data, hadoop).entries().stream().map(StoredImages.Entry::file).toList();
    for (int from = 0; from < paths.size(); from += part) {
      parts.add(new Part(paths.subList(from, Math.min(paths.size(), from + part))));
    }
    return parts;
  }

  private List<Part> tableParts(Configuration hadoop) throws IOException {
    Path table = new Path(data.substring("parquet:".length()));
    FileSystem files = table.getFileSystem(hadoop);
    if (!files.exists(table)) {
      throw new IllegalArgumentException("there is no table " + table + ": check the path");
    }
    List<FileStatus> found = new ArrayList<>();
    for (FileStatus file : StoredImages.below(table, files)) {
      if (file.getPath().getName().endsWith(".parquet")) {
        found.add(file);
      }
    }
    if (found.isEmpty()) {
      throw new IllegalArgumentException(table + " holds no .parquet file: is it a table?");
    }
    found.sort(Comparator.comparing(f -> f.getPath().toString()));
    List<Part> parts = new ArrayList<>();
    List<String> paths = new ArrayList<>();
    long bytes = 0;
    for (FileStatus file : found) {
      paths.add(file.getPath().toString());
      bytes += file.getLen();
      if (bytes >= 2L << 30) {
        parts.add(new Part(paths));
        paths = new ArrayList<>();
        bytes = 0;
      }
    }
    if (!paths.isEmpty()) {
      parts.add(new Part(paths));
    }
    return parts;
  }

  private void embed(SparkSession spark, SwavModel model, List<Part> parts) throws IOException {
    Path folder = new Path(out);
    FileSystem files = folder.getFileSystem(spark.sparkContext().hadoopConfiguration());
    if (isTable()) {
      requireColumns(spark.read().parquet(parts.get(0).paths().get(0)).schema());
    }
    mark(files, folder, fingerprint(model, parts));
    int slots = spark.sparkContext().defaultParallelism();
    for (int i = 0; i < parts.size(); i++) {
      Path target = new Path(folder, String.format(Locale.ROOT, "part=%05d", i));
      if (!files.exists(new Path(target, DONE))) {
        write(rows(spark, model, parts.get(i), slots), target);
      }
      command
          .commandLine()
          .getErr()
          .println("part " + (i + 1) + " of " + parts.size() + " is done");
    }
  }

  /** Refused before anything is written. */
  private void requireColumns(StructType schema) {
    ImageColumns.requireImages(schema, inputCol, "--input-col");
    if (!Arrays.asList(schema.fieldNames()).contains(pathCol)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "there is no column '%s' among %s: set --path-col to the one that tells which image it"
                  + " is",
              pathCol,
              Arrays.toString(schema.fieldNames())));
    }
  }

  private static void write(Dataset<Row> rows, Path target) throws IOException {
    try {
      rows.write().mode(SaveMode.Overwrite).parquet(target.toString());
    } catch (Exception e) {
      // Spark's own exception is a checked one that Scala throws unannounced.
      if (!(e instanceof SparkException)) {
        throw e;
      }
      throw new IOException(target + " can't be written: " + cause(e), e);
    }
  }

  /** Spark's message holds the traces of its tasks, of which the last cause is what happened. */
  private static String cause(Exception e) {
    String mark = "Caused by: ";
    List<String> lines = String.valueOf(e.getMessage()).lines().toList();
    return lines.stream()
        .filter(line -> line.startsWith(mark))
        .reduce((first, second) -> second)
        .map(line -> line.substring(mark.length()))
        .orElse(lines.get(0));
  }

  private Dataset<Row> rows(SparkSession spark, SwavModel model, Part of, int slots) {
    Dataset<Row> images;
    if (isTable()) {
      // The table's own names may be those of the columns that come.
      images =
          spark
              .read()
              .parquet(of.paths().toArray(String[]::new))
              .select(col(pathCol).as("swav_path"), col(inputCol).as("swav_image"));
      model.setInputCol("swav_image");
    } else {
      images =
          spark
              .createDataset(of.paths(), Encoders.STRING())
              .toDF("path")
              .repartition(Math.max(slots, Math.min(4 * slots, of.paths().size() / 256)));
      model.setInputCol("path");
    }
    return model
        .setOutputCol("swav_features")
        .transform(images)
        .select(
            col(isTable() ? "swav_path" : "path").as("path"),
            when(col("swav_features").isNotNull(), vector_to_array(col("swav_features"), "float32"))
                .as("vector"),
            col("cluster"),
            col("reason"));
  }

  private static String fingerprint(SwavModel model, List<Part> parts) {
    var digest = StoredImages.sha256();
    digest.update(model.toString().replaceFirst(".*weights=", "").getBytes(StandardCharsets.UTF_8));
    for (Part part : parts) {
      digest.update((byte) '\n');
      part.paths().forEach(p -> digest.update((p + "\t").getBytes(StandardCharsets.UTF_8)));
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** Notes in the table's folder what it is of, or finds that it is of the same. */
  private void mark(FileSystem files, Path folder, String fingerprint) throws IOException {
    Path mark = new Path(folder, MARK);
    if (files.exists(mark)) {
      try (var in = files.open(mark)) {
        if (!new String(in.readAllBytes(), StandardCharsets.UTF_8).equals(fingerprint)) {
          throw new IllegalArgumentException(
              folder
                  + " holds features of other images, of other weights or in other parts: choose"
                  + " another --out, or remove it");
        }
      }
      return;
    }
    if (files.exists(folder) && files.listStatus(folder).length > 0) {
      throw new IllegalArgumentException(
          folder
              + " is not empty (it holds "
              + files.listStatus(folder)[0].getPath().getName()
              + "): choose another --out");
    }
    files.mkdirs(folder);
    try (var out = files.create(mark, false)) {
      out.write(fingerprint.getBytes(StandardCharsets.UTF_8));
    }
  }
}
