package org.swav4j.spark.job;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.CreateFlag;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Options;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.StreamCapabilities;
import org.apache.hadoop.fs.permission.FsPermission;
import org.swav4j.model.AtomicFile;

/**
 * The run folder on a file system of Hadoop's, where every executor reaches it. A file is written
 * beside under the name {@code NAME.part}, forced to the disks where the file system can, and then
 * renamed, so that there is always a whole one where files are renamed at once: locally and on
 * HDFS, not in an object store.
 */
final class RunStore {
  static final String CHECKPOINT = "checkpoint.safetensors";
  static final String WEIGHTS = "weights.safetensors";
  private static final String WORD = ".job";
  private static final String OWNER = ".application";

  private final Path folder;
  private final Configuration hadoop;

  /** A folder; a relative one is meant from where this process works. */
  RunStore(String folder, Configuration hadoop) {
    this.hadoop = hadoop;
    try {
      Path path = new Path(folder);
      this.folder = path.getFileSystem(hadoop).makeQualified(path);
    } catch (IOException | IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "the run folder '" + folder + "' can't be reached: " + e.getMessage(), e);
    }
  }

  private FileSystem files() throws IOException {
    FileSystem files = folder.getFileSystem(hadoop);
    // Beside a local file Hadoop keeps its checksum, and the two can't be replaced together: a
    // worker that is killed in between would leave a file that can't be read any more.
    return files instanceof LocalFileSystem local ? local.getRaw() : files;
  }

  /**
   * Refuses a folder in which no new run can be kept; makes nothing.
   *
   * @throws IllegalArgumentException if it holds anything but hidden files
   * @throws UncheckedIOException if it can't be looked into
   */
  void requireFree() {
    try {
      if (files().exists(folder)) {
        requireEmpty();
      }
    } catch (IOException e) {
      throw unusable(e);
    }
  }

  private UncheckedIOException unusable(IOException e) {
    return new UncheckedIOException(
        "the run can't be kept in " + folder + ": " + e.getMessage() + "; choose another folder",
        e);
  }

  /**
   * Makes the folder of a new run.
   *
   * @throws UncheckedIOException if it can't be made or written to
   */
  void create() {
    try {
      files().mkdirs(folder);
      // Found out now rather than after the first epoch.
      Path probe = new Path(folder, ".writable");
      files().create(probe, true).close();
      files().delete(probe, false);
    } catch (IOException e) {
      throw unusable(e);
    }
  }

  private void requireEmpty() throws IOException {
    for (FileStatus entry : files().listStatus(folder)) {
      String name = entry.getPath().getName();
      if (!name.startsWith(".")) {
        throw new IllegalArgumentException(
            folder
                + (name.equals(CHECKPOINT) || files().exists(new Path(folder, CHECKPOINT))
                    ? " already holds a run: resume it, or choose another folder"
                    : " is not empty (it holds " + name + "): choose another folder"));
      }
    }
  }

  /** Copies a file from here; empty if there is none. */
  Optional<java.nio.file.Path> download(String name, java.nio.file.Path to) {
    try {
      java.nio.file.Path local = to.resolve(name);
      try (var in = files().open(new Path(folder, name))) {
        java.nio.file.Files.copy(in, local, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
      }
      return Optional.of(local);
    } catch (FileNotFoundException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(
          new Path(folder, name) + " can't be read: " + e.getMessage(), e);
    }
  }

  /**
   * Renames a file to one that may exist. Of local files Hadoop deletes the old one first, and a
   * process that is killed in between leaves none.
   */
  private void replace(Path part, Path whole) throws IOException {
    if (files() instanceof RawLocalFileSystem local) {
      java.nio.file.Path to = local.pathToFile(whole).toPath();
      java.nio.file.Files.move(
          local.pathToFile(part).toPath(), to, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
      AtomicFile.force(to.getParent());
      return;
    }
    FileContext.getFileContext(files().getUri(), hadoop)
        .rename(
            files().makeQualified(part), files().makeQualified(whole), Options.Rename.OVERWRITE);
  }

  private interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  private void write(String name, Content content) throws IOException {
    Path part = new Path(folder, name + ".part");
    try (FSDataOutputStream out = createSynced(part)) {
      content.writeTo(out);
      // Object stores, for one, can't: what is closed is there.
      if (out.hasCapability(StreamCapabilities.HSYNC)) {
        out.hsync();
      }
    }
    replace(part, new Path(folder, name));
  }

  /** HDFS forces with {@code hsync} the last block only, unless it was asked to force each. */
  private FSDataOutputStream createSynced(Path path) throws IOException {
    FileSystem files = files();
    return files.create(
        path,
        FsPermission.getFileDefault().applyUMask(FsPermission.getUMask(hadoop)),
        EnumSet.of(CreateFlag.CREATE, CreateFlag.OVERWRITE, CreateFlag.SYNC_BLOCK),
        hadoop.getInt("io.file.buffer.size", 4096),
        files.getDefaultReplication(path),
        files.getDefaultBlockSize(path),
        null);
  }

  /** Copies a file to here, if there is such a file. */
  void upload(java.nio.file.Path local) {
    upload(local, local.getFileName().toString());
  }

  /**
   * Copies a file to here, if there is such a file.
   *
   * @param name that it gets, with the sub-folder if it is to be in one: {@code a/b}
   */
  void upload(java.nio.file.Path local, String name) {
    if (!java.nio.file.Files.exists(local)) {
      return;
    }
    try {
      write(name, out -> java.nio.file.Files.copy(local, out));
    } catch (IOException e) {
      throw new UncheckedIOException(
          new Path(folder, name) + " can't be written: " + e.getMessage(), e);
    }
  }

  private void write(String name, String text) {
    try {
      write(name, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    } catch (IOException e) {
      throw unusable(e);
    }
  }

  private String text(String name) throws IOException {
    try (var in = files().open(new Path(folder, name))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /** Notes who keeps the run. It stays when the driver ends, however it ends. */
  void keepFor(RunOwner owner) {
    write(OWNER, owner.text());
  }

  /** Who keeps the run; empty if that was never noted. */
  Optional<RunOwner> owner() {
    try {
      return Optional.of(RunOwner.read(text(OWNER)));
    } catch (FileNotFoundException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw unusable(e);
    }
  }

  /** Leaves a word in the folder, in place of any that another driver has left. */
  void leave(String word) {
    write(WORD, word);
  }

  /**
   * Whether this is the folder in which a word was left, not another of that name on this machine,
   * and no other driver has left its own since.
   *
   * @throws UncheckedIOException if it can't be looked into
   */
  boolean holds(String word) {
    try {
      return text(WORD).equals(word);
    } catch (FileNotFoundException e) {
      return false;
    } catch (IOException e) {
      throw new UncheckedIOException(
          new Path(folder, WORD) + " can't be read: " + e.getMessage(), e);
    }
  }

  /** Takes the word away, unless it is another driver's. */
  void forget(String word) {
    try {
      if (holds(word)) {
        files().delete(new Path(folder, WORD), false);
      }
    } catch (IOException | UncheckedIOException e) {
      // It is hidden and in nobody's way.
    }
  }

  /** The last part of the folder's address. */
  String name() {
    return folder.getName().isEmpty() ? "run" : folder.getName();
  }

  /** The address of a file of the run. */
  String uri(String name) {
    return new Path(folder, name).toString();
  }

  @Override
  public String toString() {
    return folder.toString();
  }
}
