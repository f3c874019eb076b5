package org.swav4j.spark;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.Future;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.data.ImageDecoder;
import org.swav4j.model.SwavEncoder;

/**
 * The rows of a partition, each with features, cluster and reason of failure at its end. While the
 * network runs on a batch, the next is read and decoded; no more than these two are held. For the
 * task's thread.
 */
final class EncodedRows implements Iterator<Row> {
  /** Images the network is given at once. */
  private static final int BATCH = 64;

  /** A batch of large files is cut shorter. */
  private static final long BATCH_BYTES = 64L << 20;

  private record Pending(Row row, Future<ExecutorEncoder.Decoded> image) {}

  private final Iterator<Row> rows;
  private final int column;
  private final boolean paths;
  private final boolean clusters;
  private final boolean reasons;
  private final Configuration hadoop;
  private final ExecutorEncoder encoder;
  private final ArrayDeque<Row> done = new ArrayDeque<>();
  private List<Pending> decoding;

  /**
   * Begins to decode.
   *
   * @param column index of the images
   * @param paths whether it holds paths, not content
   * @param clusters whether a row gets its cluster
   * @param reasons whether a row gets the reason of failure
   * @param hadoop by which paths are read
   * @param encoder given back when the task ends
   */
  EncodedRows(
      Iterator<Row> rows,
      int column,
      boolean paths,
      boolean clusters,
      boolean reasons,
      Configuration hadoop,
      ExecutorEncoder encoder) {
    this.rows = rows;
    this.column = column;
    this.paths = paths;
    this.clusters = clusters;
    this.reasons = reasons;
    this.hadoop = hadoop;
    this.encoder = encoder;
    TaskContext.get()
        .addTaskCompletionListener(
            context -> {
              decoding.forEach(p -> p.image().cancel(false));
              ExecutorEncoder.release(encoder);
            });
    this.decoding = begin();
  }

  private List<Pending> begin() {
    List<Pending> batch = new ArrayList<>();
    long bytes = 0;
    while (batch.size() < BATCH && bytes < BATCH_BYTES && rows.hasNext()) {
      Row row = rows.next();
      if (!paths && !row.isNullAt(column)) {
        bytes += row.<byte[]>getAs(column).length;
      }
      batch.add(new Pending(row, encoder.decode(() -> content(row))));
    }
    return batch;
  }

  private byte[] content(Row row) throws IOException {
    if (row.isNullAt(column)) {
      return null;
    }
    return paths ? read(row.getString(column)) : row.getAs(column);
  }

  private byte[] read(String uri) throws IOException {
    Path path = new Path(uri);
    try (FSDataInputStream in = path.getFileSystem(hadoop).open(path)) {
      // One more than is decoded, so that the decoder says what is wrong with it.
      return in.readNBytes(ImageDecoder.MAX_BYTES + 1);
    }
  }

  @Override
  public boolean hasNext() {
    return !done.isEmpty() || !decoding.isEmpty();
  }

  @Override
  public Row next() {
    if (done.isEmpty()) {
      if (decoding.isEmpty()) {
        throw new NoSuchElementException();
      }
      try {
        encode();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while embedding images", e);
      }
    }
    return done.remove();
  }

  private void encode() throws InterruptedException {
    List<Pending> batch = decoding;
    List<String> reason = new ArrayList<>();
    List<INDArray> images = new ArrayList<>();
    for (Pending pending : batch) {
      ExecutorEncoder.Decoded decoded = ExecutorEncoder.await(pending.image());
      reason.add(decoded.reason());
      if (decoded.pixels() != null) {
        images.add(decoded.pixels());
      }
    }
    decoding = begin();
    double[][] features = new double[images.size()][];
    int[] cluster = {};
    if (!images.isEmpty()) {
      SwavEncoder.Encoding encoding = encoder.encode(images);
      try (INDArray rowsOfImages = encoding.features()) {
        for (int i = 0; i < features.length; i++) {
          features[i] = rowsOfImages.getRow(i).toDoubleVector();
        }
      }
      cluster = encoding.clusters();
    }
    int image = 0;
    for (int i = 0; i < batch.size(); i++) {
      boolean read = reason.get(i) == null;
      Vector vector = read ? Vectors.dense(features[image]) : null;
      Integer nearest = read ? cluster[image++] : null;
      done.add(with(batch.get(i).row(), vector, nearest, reason.get(i)));
    }
  }

  private Row with(Row row, Vector vector, Integer cluster, String reason) {
    int width = row.length();
    Object[] values = new Object[width + 1 + (clusters ? 1 : 0) + (reasons ? 1 : 0)];
    Arrays.setAll(values, i -> i < width ? row.get(i) : null);
    values[width] = vector;
    int at = width + 1;
    if (clusters) {
      values[at++] = cluster;
    }
    if (reasons) {
      values[at] = reason;
    }
    return RowFactory.create(values);
  }
}
