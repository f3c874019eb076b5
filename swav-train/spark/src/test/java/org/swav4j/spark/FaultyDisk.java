package org.swav4j.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;

/**
 * The local file system, which pauses or fails once when a file is read beside which a fault lies.
 * The fault is gone then, whichever process met it.
 */
public final class FaultyDisk extends LocalFileSystem {
  static final Duration PAUSE = Duration.ofSeconds(5);

  private static final String SLOW = ".slow";
  private static final String BROKEN = ".broken";

  /** Files of addresses that begin with {@code file:} are read through this class, or no more. */
  static void use(Configuration configuration, boolean use) {
    if (use) {
      configuration.setClass("fs.file.impl", FaultyDisk.class, LocalFileSystem.class);
    } else {
      configuration.unset("fs.file.impl");
    }
    configuration.setBoolean("fs.file.impl.disable.cache", use);
  }

  /** The next read in a folder takes {@link #PAUSE} longer. */
  static void pauseOnce(java.nio.file.Path folder) throws IOException {
    Files.createFile(folder.resolve(SLOW));
  }

  /** The next read in a folder fails as no reader expects it to. */
  static void failOnce(java.nio.file.Path folder) throws IOException {
    Files.createFile(folder.resolve(BROKEN));
  }

  private boolean meets(Path file, String fault) throws IOException {
    return Files.deleteIfExists(pathToFile(new Path(file.getParent(), fault)).toPath());
  }

  @Override
  public FSDataInputStream open(Path file, int bufferSize) throws IOException {
    if (meets(file, SLOW)) {
      try {
        Thread.sleep(PAUSE.toMillis());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    if (meets(file, BROKEN)) {
      throw new IllegalStateException("the disk was reset");
    }
    return super.open(file, bufferSize);
  }
}
