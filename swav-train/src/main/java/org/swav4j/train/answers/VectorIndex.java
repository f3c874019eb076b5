package org.swav4j.train.answers;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.lucene.document.Document;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexNotFoundException;
import org.apache.lucene.index.StoredFields;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.store.FSDirectory;

/**
 * Named vectors on disk, of which the most similar ones to a query are found in milliseconds, most
 * of them rightly: a graph is searched, not every vector. {@link VectorIndexWriter} makes it.
 *
 * <p>Vectors are read from the files as they are needed, through the system's cache, so the heap
 * stays small. Thread-safe.
 */
public final class VectorIndex implements Closeable {
  static final String ID = "id";
  static final String LABEL = "label";
  static final String VECTOR = "vector";
  static final String DIM = "dim";

  /**
   * Vectors that the search keeps in view, at least. The more, the slower and the surer that the
   * nearest are among them.
   */
  private static final int IN_VIEW = 300;

  private final FSDirectory directory;
  private final DirectoryReader reader;
  private final IndexSearcher searcher;
  private final Map<String, String> notes;
  private final int dim;

  private VectorIndex(FSDirectory directory, DirectoryReader reader) throws IOException {
    this.directory = directory;
    this.reader = reader;
    this.searcher = new IndexSearcher(reader);
    this.notes = Map.copyOf(reader.getIndexCommit().getUserData());
    this.dim = Integer.parseInt(notes.getOrDefault(DIM, "0"));
  }

  /**
   * A vector that was found.
   *
   * @param id what it was added as
   * @param label its class; empty if it has none
   * @param similarity its inner product with the query: of unit vectors the cosine
   */
  public record Hit(String id, String label, float similarity) {}

  /**
   * Opens an index.
   *
   * @throws IllegalArgumentException if there is none
   * @throws IOException if it can't be read
   */
  public static VectorIndex open(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new IllegalArgumentException(
          "there is no index " + folder + ": `ImageIndex.create` makes one");
    }
    FSDirectory directory = FSDirectory.open(folder);
    DirectoryReader reader = null;
    try {
      reader = DirectoryReader.open(directory);
      return new VectorIndex(directory, reader);
    } catch (IndexNotFoundException e) {
      directory.close();
      throw new IllegalArgumentException(
          folder + " holds no index, expected a folder that `ImageIndex.create` has made", e);
    } catch (IOException | RuntimeException e) {
      if (reader != null) {
        reader.close();
      }
      directory.close();
      throw new IOException(
          "the index in "
              + folder
              + " can't be read ("
              + e.getMessage()
              + "): is a file missing or cut off? `ImageIndex.create` makes it anew",
          e);
    }
  }

  /** Numbers of a vector. */
  public int dim() {
    return dim;
  }

  /** Vectors. */
  public int size() {
    return reader.numDocs();
  }

  /** Parts that are searched one after the other. */
  public int segments() {
    return reader.leaves().size();
  }

  /**
   * What the vectors, their graph and their names take on the disk.
   *
   * @throws IOException if the folder can't be looked into
   */
  public long bytes() throws IOException {
    long bytes = 0;
    for (String file : reader.getIndexCommit().getFileNames()) {
      bytes += directory.fileLength(file);
    }
    return bytes;
  }

  /** What was kept with the index, by name. */
  public Map<String, String> notes() {
    return notes;
  }

  /**
   * The vectors with the largest inner product with a query, the largest first.
   *
   * @param query {@link #dim} numbers
   * @param top how many, at least 1; of a smaller index all
   * @throws IllegalArgumentException if the query has another number of numbers or one is not
   *     finite, or {@code top} is below 1
   * @throws IOException if a file fails
   */
  public List<Hit> search(float[] query, int top) throws IOException {
    requireVector(query, dim);
    if (top < 1) {
      throw new IllegalArgumentException("the " + top + " nearest, expected at least 1");
    }
    KnnFloatVectorQuery nearest =
        new KnnFloatVectorQuery(VECTOR, query, Math.max(top, Math.min(IN_VIEW, size())));
    ScoreDoc[] found = searcher.search(nearest, top).scoreDocs;
    StoredFields stored = searcher.storedFields();
    List<Hit> hits = new ArrayList<>();
    for (ScoreDoc one : found) {
      Document document = stored.document(one.doc);
      // Lucene's scores of inner products are (1 + product) / 2.
      hits.add(new Hit(document.get(ID), document.get(LABEL), 2 * one.score - 1));
    }
    return hits;
  }

  static void requireVector(float[] vector, int dim) {
    if (vector.length != dim) {
      throw new IllegalArgumentException(
          "a vector of " + vector.length + " numbers, expected " + dim + ": of another network?");
    }
    for (float x : vector) {
      if (!Float.isFinite(x)) {
        throw new IllegalArgumentException(
            "a vector holds " + x + ", expected finite numbers: have the weights diverged?");
      }
    }
  }

  @Override
  public void close() throws IOException {
    reader.close();
    directory.close();
  }
}
