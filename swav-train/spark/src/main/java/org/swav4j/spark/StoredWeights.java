package org.swav4j.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.swav4j.model.SwavWeights;

/**
 * Trained weights as the bytes of their safetensors file, which is how they travel to executors.
 * Not changed after it is made.
 */
final class StoredWeights {
  private final byte[] bytes;
  private final String digest;

  private StoredWeights(byte[] bytes) {
    this.bytes = bytes;
    try {
      this.digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /**
   * Reads a file from anywhere that Hadoop can read.
   *
   * @throws UncheckedIOException if it can't be read
   * @throws IllegalArgumentException if it holds no weights, or none that say how images were
   *     normalised
   */
  static StoredWeights read(String uri, Configuration hadoop) {
    try {
      org.apache.hadoop.fs.Path path = new org.apache.hadoop.fs.Path(uri);
      FileSystem files = path.getFileSystem(hadoop);
      try (FSDataInputStream in = files.open(path)) {
        StoredWeights weights = new StoredWeights(in.readAllBytes());
        weights.requireUsable(uri);
        return weights;
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the weights " + uri + " can't be read: " + e.getMessage(), e);
    }
  }

  /**
   * What a network holds now.
   *
   * @throws IllegalArgumentException if it doesn't say how images were normalised
   */
  static StoredWeights of(SwavWeights weights) {
    try {
      Path file = Files.createTempFile("swav", ".safetensors");
      try {
        weights.save(file);
        StoredWeights stored = new StoredWeights(Files.readAllBytes(file));
        stored.requireUsable("these weights");
        return stored;
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the weights can't be written: " + e.getMessage(), e);
    }
  }

  private void requireUsable(String name) {
    SwavWeights weights;
    try {
      weights = open(bytes);
    } catch (UncheckedIOException e) {
      throw new IllegalArgumentException(
          name + " can't be used, expected weights.safetensors of a run: " + e.getMessage(), e);
    }
    if (weights.mean().isEmpty()) {
      throw new IllegalArgumentException(
          name
              + " don't say how images were normalised in training: give them a"
              + " withNormalisation(mean, deviation) and save them again");
    }
  }

  /** The network that such bytes describe, in arrays of its own. */
  static SwavWeights open(byte[] bytes) {
    try {
      Path file = Files.createTempFile("swav", ".safetensors");
      try {
        Files.write(file, bytes);
        return SwavWeights.load(file);
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  /** The file's content; not to be changed. */
  byte[] bytes() {
    return bytes;
  }

  /** SHA-256 of the content in hexadecimal digits. */
  String digest() {
    return digest;
  }
}
