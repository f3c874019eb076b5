package org.swav4j.model;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * A file that is replaced whole or not at all. The new content goes to {@code NAME.part} in the
 * same folder. {@link #commit} forces it to the disk and moves it over the file, so that readers,
 * and a computer that loses power, find either the old content or the new. {@link #close} without
 * {@code commit} removes the part and leaves the file as it was.
 *
 * <pre>{@code
 * try (AtomicFile file = AtomicFile.open(path)) {
 *   file.channel().write(bytes);
 *   file.commit();
 * }
 * }</pre>
 *
 * <p>A process that is ended by Ctrl-C or SIGTERM removes its parts. One that an earlier process
 * left behind is overwritten. Two writers of one file at the same time are not supported. Not
 * thread-safe.
 */
public final class AtomicFile implements Closeable {
  /** What is written: all of it, from the channel's start. */
  @FunctionalInterface
  public interface Content {
    /**
     * Writes.
     *
     * @throws IOException if the disk is full or fails
     */
    void writeTo(FileChannel out) throws IOException;
  }

  private final Path target;
  private final Path part;
  private final FileChannel channel;
  private boolean committed;

  private AtomicFile(Path target) throws IOException {
    this.target = target;
    this.part = target.resolveSibling(target.getFileName() + ".part");
    // Before there is anything to delete: Ctrl-C may come at any time. It is deleted after the
    // hooks of applications, which may still be writing to complete it.
    if (part.getFileSystem() == FileSystems.getDefault()) {
      part.toFile().deleteOnExit();
    }
    this.channel =
        FileChannel.open(
            part,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING);
  }

  /**
   * Starts the part; the file itself is not touched.
   *
   * @param file to be made or replaced, in a folder that exists
   * @throws IOException if no file can be made there
   */
  public static AtomicFile open(Path file) throws IOException {
    return new AtomicFile(file.toAbsolutePath());
  }

  /**
   * Replaces a file in one call.
   *
   * @throws IOException if it can't be written; an older file is then as it was
   */
  public static void write(Path file, Content content) throws IOException {
    try (AtomicFile atomic = open(file)) {
      content.writeTo(atomic.channel);
      atomic.commit();
    }
  }

  /** Where the content is written; at its start, and open until {@link #commit}. */
  public FileChannel channel() {
    return channel;
  }

  /**
   * Puts the content in the file's place. Nothing can be written afterwards.
   *
   * @throws IOException if the disk is full or fails; the file is then as it was
   */
  public void commit() throws IOException {
    channel.force(true);
    channel.close();
    try {
      Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (AtomicMoveNotSupportedException e) {
      // Some network file systems: between removal and renaming there is a moment without a file.
      Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
    }
    committed = true;
    force(target.getParent());
  }

  /**
   * Forces a file's content to the disk, or the names of a folder's entries, which POSIX forces
   * separately.
   *
   * @throws IOException if the disk is full or fails
   */
  public static void force(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      forceFolder(path);
    } else {
      try (FileChannel file = FileChannel.open(path, StandardOpenOption.WRITE)) {
        file.force(true);
      }
    }
  }

  private static void forceFolder(Path path) {
    try (FileChannel folder = FileChannel.open(path, StandardOpenOption.READ)) {
      folder.force(true);
    } catch (IOException e) {
      // Windows opens no folders and needs no such call; the content itself is on the disk.
    }
  }

  /** Removes the part unless {@link #commit} has succeeded. */
  @Override
  public void close() throws IOException {
    channel.close();
    if (!committed) {
      Files.deleteIfExists(part);
    }
  }
}
