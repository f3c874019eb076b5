package org.swav4j.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;
import org.swav4j.spark.job.StoredImages;

/**
 * The images of a table in an order that does not depend on its partitions: of files by their
 * paths, of mere content by its SHA-256. Training reads them in an order of its own, again in every
 * epoch: files are read where they are, and content is put into the run folder once.
 */
final class DatasetImages {
  private static final List<String> BINARY_FILE =
      List.of("path", "modificationTime", "length", "content");

  private DatasetImages() {}

  /**
   * @param column that holds them
   * @param staging folder for content that has no file
   * @throws IllegalArgumentException if the column is missing, of another type, or has no image
   */
  static StoredImages.Listing list(Dataset<?> dataset, String column, String staging) {
    StructType schema = dataset.schema();
    int index = ImageColumns.requireImages(schema, column);
    if (ImageColumns.isPath(schema, index)) {
      return files(dataset.select(column).toDF(), "column " + column);
    }
    if (column.equals("content")
        && Arrays.asList(schema.fieldNames()).containsAll(BINARY_FILE)
        && ImageColumns.isPath(schema, schema.fieldIndex("path"))) {
      return files(dataset.select("path", "length").toDF(), "binaryFile rows");
    }
    return stage(dataset.select(column).toDF(), column, staging);
  }

  private static StoredImages.Listing files(Dataset<Row> rows, String name) {
    List<StoredImages.Entry> entries = new ArrayList<>();
    for (Row row : rows.na().drop().collectAsList()) {
      String path = row.getString(0);
      entries.add(
          new StoredImages.Entry(path, 0, row.length() > 1 ? row.getLong(1) : -1, path, -1));
    }
    return StoredImages.Listing.sorted(name, entries, List.of());
  }

  private static StoredImages.Listing stage(Dataset<Row> rows, String column, String folder) {
    JavaSparkContext context =
        JavaSparkContext.fromSparkContext(rows.sparkSession().sparkContext());
    Broadcast<SerializableConfiguration> hadoop =
        context.broadcast(new SerializableConfiguration(context.hadoopConfiguration()));
    List<String> entries =
        rows.na().drop().javaRDD().mapPartitions(new Staging(folder, hadoop)).collect();
    return StoredImages.Listing.sorted(
        "column " + column, entries.stream().map(StoredImages.Entry::read).toList(), List.of());
  }

  /** Writes the images of a partition into a file and tells where each is. */
  private record Staging(String folder, Broadcast<SerializableConfiguration> hadoop)
      implements FlatMapFunction<Iterator<Row>, String> {
    @Override
    public Iterator<String> call(Iterator<Row> rows) {
      if (!rows.hasNext()) {
        return List.<String>of().iterator();
      }
      TaskContext task = TaskContext.get();
      // Of a task that is tried again, each try has a file of its own.
      Path file = new Path(folder, task.partitionId() + "-" + task.taskAttemptId() + ".bin");
      List<String> entries = new ArrayList<>();
      try (FSDataOutputStream out = file.getFileSystem(hadoop.value().value()).create(file, true)) {
        while (rows.hasNext()) {
          byte[] content = rows.next().getAs(0);
          String name = HexFormat.of().formatHex(StoredImages.sha256().digest(content));
          entries.add(
              new StoredImages.Entry(file.toString(), out.getPos(), content.length, name, -1)
                  .text());
          out.write(content);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(file + " can't be written: " + e.getMessage(), e);
      }
      return entries.iterator();
    }
  }
}
