package org.swav4j.train.answers;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.data.ImageSource;
import org.swav4j.data.Normalisation;
import org.swav4j.model.SwavEncoder;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.engine.Engine;
import org.swav4j.train.evaluation.UnitRows;
import org.swav4j.train.features.Embedder;
import org.swav4j.train.features.ImageNames;

/**
 * Images that can be searched by image: a {@link VectorIndex} of their features or embeddings, at
 * length 1, and a copy of the weights that made them. The folder holds all that a search needs.
 *
 * <pre>{@code
 * try (ImageIndex index = ImageIndex.open(folder, Engines.best())) {
 *   List<VectorIndex.Hit> nearest = index.search(List.of(Path.of("cat.jpg")), 10).get(0);
 * }
 * }</pre>
 *
 * <p>Thread-safe; the network runs for one query at a time.
 */
public final class ImageIndex implements Closeable {
  private static final String WEIGHTS = "weights.safetensors";
  private static final String DATA = "data";
  private static final String DATA_DIGEST = "data_sha256";

  /** Queries that are read before the network runs on them. */
  private static final int BATCH = 64;

  private final VectorIndex index;
  private final Embedder.Network network;
  private final SwavEncoder encoder;

  private ImageIndex(VectorIndex index, Vectors vectors, SwavEncoder encoder) {
    this.index = index;
    this.network = vectors.of(encoder);
    this.encoder = encoder;
  }

  /**
   * What a new index holds.
   *
   * @param images in the index
   * @param dim numbers of a vector
   * @param remarks what is to be said of the images, and which could not be read, in a line each
   */
  public record Summary(long images, int dim, List<String> remarks) {
    /** Copies the list. */
    public Summary {
      remarks = List.copyOf(remarks);
    }
  }

  /**
   * Makes the index of a source's readable images. Memory stays bounded however many there are. The
   * folder is as it was until all is done.
   *
   * @param folder that is new, empty, or holds an index, which is replaced
   * @param images with the channels of the network
   * @param workers threads that read images
   * @throws IllegalArgumentException if the folder holds anything else, no image can be read, or
   *     the weights are others or don't say how images are normalised
   * @throws IOException if the weights can't be read, or the disk is full or fails
   */
  public static Summary create(
      Path folder, ImageSource images, Encoding encoding, int workers, Engine engine)
      throws IOException {
    SwavWeights weights = encoding.load();
    int dim = encoding.vectors().dim(weights);
    try (VectorIndexWriter writer = VectorIndexWriter.create(folder, dim);
        Embedder embedder =
            new Embedder(
                encoding.size(), new Normalisation(weights.mean(), weights.deviation()), workers);
        SwavEncoder encoder = SwavEncoder.ofNormalised(weights, engine)) {
      Files.copy(encoding.weights(), writer.part().resolve(WEIGHTS));
      Embedder.Network network = encoding.vectors().of(encoder);
      embedder.embed(
          images,
          batch -> UnitRows.inPlace(network.rows(batch)),
          (rows, indices) -> {
            float[][] vectors = rows.toFloatMatrix();
            for (int i = 0; i < indices.length; i++) {
              writer.add(
                  ImageNames.path(images, indices[i]),
                  ImageNames.label(images, indices[i]),
                  vectors[i]);
            }
          });
      if (writer.size() == 0) {
        throw new IllegalArgumentException(
            "no image of " + images.name() + " can be read: " + embedder.skipped());
      }
      Map<String, String> notes = encoding.notes();
      notes.put(DATA, images.name());
      notes.put(DATA_DIGEST, images.digest());
      writer.finish(notes);
      List<String> remarks = new ArrayList<>(embedder.remarks());
      if (!embedder.skipped().isEmpty()) {
        remarks.add(embedder.skipped());
      }
      return new Summary(writer.size(), dim, remarks);
    }
  }

  /**
   * Opens an index that {@link #create} made.
   *
   * @throws IllegalArgumentException if there is none, or its weights are not those that made it
   * @throws IOException if it can't be read
   */
  public static ImageIndex open(Path folder, Engine engine) throws IOException {
    VectorIndex index = VectorIndex.open(folder);
    try {
      Encoding encoding = Encoding.of(index.notes(), folder.resolve(WEIGHTS));
      SwavEncoder encoder = SwavEncoder.ofNormalised(encoding.load(), engine);
      return new ImageIndex(index, encoding.vectors(), encoder);
    } catch (IOException | RuntimeException e) {
      index.close();
      throw e;
    }
  }

  /** Images in the index. */
  public int size() {
    return index.size();
  }

  /** What the images are that were indexed: a folder, for instance. */
  public String data() {
    return index.notes().getOrDefault(DATA, "");
  }

  /**
   * The most similar images to each query, the most similar first. Similarities are cosines; ids
   * are paths relative to the folder that was indexed.
   *
   * @param images files to search with
   * @param top how many for each, at least 1
   * @return a list for each query
   * @throws IOException if a file can't be read or decoded, naming it, or the index fails
   * @throws IllegalArgumentException if {@code top} is below 1
   */
  public List<List<VectorIndex.Hit>> search(List<Path> images, int top) throws IOException {
    List<List<VectorIndex.Hit>> found = new ArrayList<>();
    for (int at = 0; at < images.size(); at += BATCH) {
      List<Path> batch = images.subList(at, Math.min(images.size(), at + BATCH));
      try (INDArray pixels = encoder.pixels(batch);
          INDArray rows = UnitRows.inPlace(network.rows(pixels))) {
        for (float[] query : rows.toFloatMatrix()) {
          found.add(index.search(query, top));
        }
      }
    }
    return found;
  }

  @Override
  public void close() throws IOException {
    encoder.close();
    index.close();
  }
}
