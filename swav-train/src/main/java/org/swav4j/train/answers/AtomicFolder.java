package org.swav4j.train.answers;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.swav4j.model.AtomicFile;

/**
 * A folder of files that is replaced whole or not at all, as {@link AtomicFile} is for one file.
 * The new content goes to {@code NAME.part} beside it, and {@link #commit} forces that to the disk
 * and puts it in its place. {@link #close} without {@code commit}, and Ctrl-C, remove the part and
 * leave the folder as it was. Not thread-safe.
 */
final class AtomicFolder implements Closeable {
  /** How often, and how far apart, an interrupted part is removed. */
  private static final int ROUNDS = 4;

  private static final long ROUND_NANOS = 50_000_000;

  private final Path target;
  private final Path part;
  private final Thread interrupted;
  private boolean committed;

  private AtomicFolder(Path target, Path part) {
    this.target = target;
    this.part = part;
    this.interrupted = new Thread(this::removeInterrupted, "swav-remove-part");
  }

  /** Starts the part; one that an earlier process left behind is removed first. */
  static AtomicFolder open(Path folder) throws IOException {
    Path target = folder.toAbsolutePath().normalize();
    Path part = target.resolveSibling(target.getFileName() + ".part");
    remove(part);
    AtomicFolder atomic = new AtomicFolder(target, part);
    // Before there is anything to remove: Ctrl-C may come at any time.
    Runtime.getRuntime().addShutdownHook(atomic.interrupted);
    Files.createDirectories(part);
    return atomic;
  }

  /** Where the content is written. */
  Path part() {
    return part;
  }

  /** Puts the content in the folder's place; between two renamings there is a moment without. */
  void commit() throws IOException {
    for (Path each : content(part)) {
      AtomicFile.force(each);
    }
    Path old = target.resolveSibling(target.getFileName() + ".old");
    remove(old);
    if (Files.exists(target)) {
      Files.move(target, old);
    }
    Files.move(part, target);
    committed = true;
    // Before the old content goes.
    AtomicFile.force(target.getParent());
    remove(old);
  }

  /** Removes the part unless {@link #commit} has succeeded. */
  @Override
  public void close() throws IOException {
    try {
      Runtime.getRuntime().removeShutdownHook(interrupted);
    } catch (IllegalStateException e) {
      // It is running, and removes the part.
      return;
    }
    if (!committed) {
      remove(part);
    }
  }

  private void removeInterrupted() {
    Path away = part.resolveSibling(part.getFileName() + ".removed");
    // Whoever is writing goes on until the process ends, and may make the folder anew.
    for (int round = 0; round < ROUNDS; round++) {
      try {
        if (Files.exists(part)) {
          // Elsewhere first: no new files come into it then.
          Files.move(part, away);
        }
        remove(away);
      } catch (IOException e) {
        // The next round tries again; after the last, nothing can be done and nobody told.
      }
      LockSupport.parkNanos(ROUND_NANOS);
    }
  }

  private static void remove(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    for (Path each : content(folder)) {
      Files.deleteIfExists(each);
    }
  }

  /** A folder and all that is in it, what is inside first. */
  private static List<Path> content(Path folder) throws IOException {
    try (Stream<Path> walk = Files.walk(folder)) {
      return walk.sorted(Comparator.reverseOrder()).toList();
    }
  }
}
