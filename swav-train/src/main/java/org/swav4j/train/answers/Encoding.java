package org.swav4j.train.answers;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.swav4j.model.InputSize;
import org.swav4j.model.SwavWeights;

/**
 * How images become vectors: by which network, at what size, and which of its outputs. Kept with
 * whatever is made of the vectors, so that nothing is compared with vectors of another network.
 *
 * @param weights file of the network
 * @param digest SHA-256 of that file, 64 hexadecimal digits
 * @param size at which the network sees images
 * @param vectors which output
 */
public record Encoding(Path weights, String digest, InputSize size, Vectors vectors) {
  private static final String DIGEST = "weights_sha256";
  private static final String RESIZE = "resize";
  private static final String SIZE = "size";
  private static final String VECTORS = "vectors";

  /**
   * By the network in a file as it is now.
   *
   * @throws IOException if it can't be read
   */
  public static Encoding of(Path weights, InputSize size, Vectors vectors) throws IOException {
    return new Encoding(weights, sha256(weights), size, vectors);
  }

  /**
   * The one that was kept, by the network in a file that {@link #load} checks.
   *
   * @throws IllegalArgumentException if something is missing in the notes or is no number
   */
  static Encoding of(Map<String, String> notes, Path weights) {
    for (String name : new String[] {DIGEST, RESIZE, SIZE, VECTORS}) {
      if (!notes.containsKey(name)) {
        throw new IllegalArgumentException("nothing is said of " + name);
      }
    }
    return new Encoding(
        weights,
        notes.get(DIGEST),
        new InputSize(Integer.parseInt(notes.get(RESIZE)), Integer.parseInt(notes.get(SIZE))),
        Vectors.valueOf(notes.get(VECTORS)));
  }

  /** All but where the file is, for {@link #of(Map, Path)}. */
  Map<String, String> notes() {
    Map<String, String> notes = new LinkedHashMap<>();
    notes.put(DIGEST, digest);
    notes.put(RESIZE, Integer.toString(size.resize()));
    notes.put(SIZE, Integer.toString(size.size()));
    notes.put(VECTORS, vectors.name());
    return notes;
  }

  /** The same by a network that lies elsewhere. */
  public Encoding withWeights(Path file) {
    return new Encoding(file, digest, size, vectors);
  }

  /**
   * Reads the network, which sees images at {@link #size}.
   *
   * @throws IllegalArgumentException if the file is another than it was
   * @throws IOException if it can't be read
   */
  public SwavWeights load() throws IOException {
    requireSame();
    return SwavWeights.load(weights).withInputSize(size);
  }

  /**
   * Refuses to go on with another network.
   *
   * @throws IllegalArgumentException if the file is another than it was
   * @throws IOException if it can't be read
   */
  public void requireSame() throws IOException {
    String found = sha256(weights);
    if (!found.equals(digest)) {
      throw new IllegalArgumentException(
          weights
              + " holds other weights (SHA-256 "
              + found.substring(0, 12)
              + "...) than the vectors were made with ("
              + digest.substring(0, Math.min(12, digest.length()))
              + "...): vectors of different networks can't be compared; give the weights of then, or"
              + " make it anew with these");
    }
  }

  static String sha256(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      byte[] buffer = new byte[1 << 16];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        sha.update(buffer, 0, n);
      }
      return HexFormat.of().formatHex(sha.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
