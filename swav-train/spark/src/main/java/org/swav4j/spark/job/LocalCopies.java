package org.swav4j.spark.job;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Copies of remote images on this machine's disk, until a budget is used up. Nothing is evicted:
 * training meets every image once an epoch, in random order, and then no policy does better than
 * keeping what is there. Nothing is forced to the disk, since no other process reads it.
 * Thread-safe.
 */
public final class LocalCopies implements AutoCloseable {
  private final Path folder;
  private final AtomicLong left;

  /**
   * An empty store below the temporary folder.
   *
   * @param budget bytes that may be kept
   */
  public LocalCopies(long budget) throws IOException {
    this.folder = Files.createTempDirectory("swav-images");
    this.left = new AtomicLong(budget);
  }

  /** The copy of an image; null if there is none. */
  byte[] get(int index) throws IOException {
    Path file = file(index);
    return Files.exists(file) ? Files.readAllBytes(file) : null;
  }

  /** Keeps an image, if there is room. */
  void put(int index, byte[] bytes) throws IOException {
    if (left.addAndGet(-bytes.length) < 0) {
      left.addAndGet(bytes.length);
      return;
    }
    Path part = Files.createTempFile(folder, "part", null);
    Files.write(part, bytes);
    Files.move(part, file(index), StandardCopyOption.ATOMIC_MOVE);
  }

  /** At most 4096 files in a folder. */
  private Path file(int index) throws IOException {
    Path below = folder.resolve(Integer.toString(index >> 12));
    Files.createDirectories(below);
    return below.resolve(Integer.toString(index));
  }

  /** Removes all copies. */
  @Override
  public void close() {
    try {
      ConfigText.delete(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }
}
