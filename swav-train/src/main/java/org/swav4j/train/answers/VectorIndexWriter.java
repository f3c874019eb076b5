package org.swav4j.train.answers;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.KnnVectorsReader;
import org.apache.lucene.codecs.KnnVectorsWriter;
import org.apache.lucene.codecs.lucene912.Lucene912Codec;
import org.apache.lucene.codecs.lucene99.Lucene99HnswVectorsFormat;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.SegmentReadState;
import org.apache.lucene.index.SegmentWriteState;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.store.NoLockFactory;

/**
 * Writes a {@link VectorIndex}: vectors go in one by one, and memory stays bounded however many
 * there are. The index appears in its folder only when {@link #finish} has succeeded; until then,
 * and after {@link #close} without it, what was there before stays.
 *
 * <pre>{@code
 * try (VectorIndexWriter writer = VectorIndexWriter.create(folder, 512)) {
 *   writer.add("a/1.png", "cat", vector);
 *   writer.finish(Map.of());
 * }
 * }</pre>
 *
 * <p>The graph is Lucene's: hierarchical navigable small worlds (Malkov and Yashunin 2018, <a
 * href="https://arxiv.org/abs/1603.09320">arXiv 1603.09320</a>). Not thread-safe.
 */
public final class VectorIndexWriter implements Closeable {
  /** The widest vectors: a trunk of twice ResNet-50's features. */
  static final int MAX_DIM = 4096;

  /** Links of a node; twice as many in the lowest layer. */
  private static final int LINKS = 16;

  /** Nodes that are candidates for the links of a new one. */
  private static final int CANDIDATES = 100;

  /** Vectors that wait in memory, in MB; of a small heap a quarter. */
  private static final double BUFFER_MB = 512;

  private final AtomicFolder folder;
  private final FSDirectory directory;
  private final IndexWriter writer;
  private final int dim;
  private long size;

  private VectorIndexWriter(AtomicFolder folder, int dim) throws IOException {
    this.folder = folder;
    this.dim = dim;
    // The part is this writer's own.
    this.directory = FSDirectory.open(folder.part(), NoLockFactory.INSTANCE);
    this.writer =
        new IndexWriter(
            directory,
            new IndexWriterConfig()
                .setCodec(new Codec())
                .setRAMBufferSizeMB(
                    Math.min(BUFFER_MB, (Runtime.getRuntime().maxMemory() >> 20) / 4.0))
                .setUseCompoundFile(false));
  }

  /**
   * Starts an index.
   *
   * @param folder that is new, empty, or holds an index, which is replaced
   * @param dim numbers of a vector, 1 to 4096
   * @throws IllegalArgumentException if the folder holds anything else, or the number is out of
   *     range
   * @throws IOException if the place cannot be written
   */
  public static VectorIndexWriter create(Path folder, int dim) throws IOException {
    if (dim < 1 || dim > MAX_DIM) {
      throw new IllegalArgumentException(
          "vectors of " + dim + " numbers can't be indexed, expected 1 to " + MAX_DIM);
    }
    requireFree(folder);
    AtomicFolder atomic = AtomicFolder.open(folder);
    try {
      return new VectorIndexWriter(atomic, dim);
    } catch (IOException | RuntimeException e) {
      atomic.close();
      throw e;
    }
  }

  /**
   * Refuses a folder that no index can be put in; makes nothing.
   *
   * @throws IllegalArgumentException if it is a file or holds anything but an index
   * @throws IOException if it can't be looked into
   */
  public static void requireFree(Path folder) throws IOException {
    if (Files.exists(folder) && !Files.isDirectory(folder)) {
      throw new IllegalArgumentException(
          folder + " is a file, expected a folder for the index: choose another");
    }
    if (!Files.exists(folder)) {
      return;
    }
    boolean empty;
    try (Stream<Path> entries = Files.list(folder)) {
      empty = entries.findFirst().isEmpty();
    }
    try (FSDirectory directory = FSDirectory.open(folder)) {
      if (!empty && !DirectoryReader.indexExists(directory)) {
        throw new IllegalArgumentException(
            folder
                + " is not empty and holds no index, expected a new or an empty folder, or an index"
                + " to replace: choose another");
      }
    }
  }

  /** Where files that belong to the index are put, before {@link #finish}. */
  Path part() {
    return folder.part();
  }

  /** Vectors so far. */
  public long size() {
    return size;
  }

  /**
   * Adds a vector.
   *
   * @param id what it is called in results, such as a path
   * @param label its class; empty if it has none
   * @param vector of length 1, for similarities that are cosines; not kept
   * @throws IllegalArgumentException if it has another number of numbers, or one is not finite
   * @throws IOException if the disk is full or fails
   */
  public void add(String id, String label, float[] vector) throws IOException {
    VectorIndex.requireVector(vector, dim);
    Document document = new Document();
    document.add(new StoredField(VectorIndex.ID, id));
    document.add(new StoredField(VectorIndex.LABEL, label));
    document.add(
        new KnnFloatVectorField(VectorIndex.VECTOR, vector, VectorSimilarityFunction.DOT_PRODUCT));
    writer.addDocument(document);
    size++;
  }

  /**
   * Completes the index and puts it in its place.
   *
   * @param notes text that is kept with it, see {@link VectorIndex#notes}
   * @throws IOException if the disk is full or fails; what was there before is then as it was
   */
  public void finish(Map<String, String> notes) throws IOException {
    Map<String, String> all = new HashMap<>(notes);
    all.put(VectorIndex.DIM, Integer.toString(dim));
    writer.setLiveCommitData(all.entrySet());
    writer.commit();
    writer.close();
    directory.close();
    folder.commit();
  }

  /** Drops what was written unless {@link #finish} has succeeded. */
  @Override
  public void close() throws IOException {
    try {
      writer.rollback();
      directory.close();
    } finally {
      folder.close();
    }
  }

  /** Lucene's, with this class's links and candidates. */
  private static final class Codec extends Lucene912Codec {
    private final KnnVectorsFormat vectors = new WideVectors();

    @Override
    public KnnVectorsFormat getKnnVectorsFormatForField(String field) {
      return vectors;
    }
  }

  /**
   * Lucene's graph for wider vectors than the 1024 numbers that it accepts by default. Its name is
   * that of the format it writes, which is how readers find it.
   */
  private static final class WideVectors extends KnnVectorsFormat {
    private final Lucene99HnswVectorsFormat format =
        new Lucene99HnswVectorsFormat(LINKS, CANDIDATES);

    WideVectors() {
      super("Lucene99HnswVectorsFormat");
    }

    @Override
    public KnnVectorsWriter fieldsWriter(SegmentWriteState state) throws IOException {
      return format.fieldsWriter(state);
    }

    @Override
    public KnnVectorsReader fieldsReader(SegmentReadState state) throws IOException {
      return format.fieldsReader(state);
    }

    @Override
    public int getMaxDimensions(String field) {
      return MAX_DIM;
    }
  }
}
