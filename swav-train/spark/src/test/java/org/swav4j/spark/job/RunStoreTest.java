package org.swav4j.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** On the local file system, and on one of Hadoop's that isn't, as HDFS: a mount of a folder. */
class RunStoreTest {
  @TempDir Path folder;

  private RunStore store(boolean mounted, String name) {
    Configuration hadoop = new Configuration();
    hadoop.set("fs.viewfs.mounttable.runs.link./all", folder.toUri().toString());
    hadoop.setBoolean("fs.viewfs.impl.disable.cache", true); // each test has a mount of its own
    return new RunStore(mounted ? "viewfs://runs/all/" + name : folder.toUri() + name, hadoop);
  }

  private Path file(String text) throws IOException {
    return Files.writeString(
        Files.createTempDirectory(folder, "here").resolve("config.json"), text);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aFileIsReplacedByAnotherOfItsNameAndNoPartIsLeft(boolean mounted) throws IOException {
    RunStore store = store(mounted, "run");
    store.create();
    store.upload(file("first"));
    store.upload(file("second, which is longer"));
    store.upload(file("below"), "sub/config.json");
    Path run = folder.resolve("run");
    assertThat(run.resolve("config.json")).hasContent("second, which is longer");
    assertThat(run.resolve("sub/config.json")).hasContent("below");
    assertThat(run.toFile().list()).noneMatch(name -> name.contains(".part"));
    Path here = Files.createDirectory(folder.resolve("here"));
    assertThat(store.download("config.json", here).orElseThrow())
        .hasContent("second, which is longer");
    assertThat(store.download("none", here)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aFolderWithARunIsRefusedAndOneWithHiddenFilesIsNot(boolean mounted) throws IOException {
    RunStore store = store(mounted, "run");
    store.requireFree();
    assertThat(folder.resolve("run")).doesNotExist();
    store.create();
    store.leave("word");
    store.requireFree();
    store.upload(file("{}"));
    assertThatThrownBy(store::requireFree)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("config.json");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aWordIsTheLastDriversAndStaysWhenAnEarlierOneForgetsItsOwn(boolean mounted) {
    RunStore store = store(mounted, "run");
    store.create();
    assertThat(store.holds("first")).isFalse();
    store.leave("first");
    assertThat(store.holds("first")).isTrue();
    store.leave("second");
    assertThat(store.holds("first")).isFalse();
    store.forget("first");
    assertThat(store.holds("second")).isTrue();
    store.forget("second");
    assertThat(store.holds("second")).isFalse();
  }

  @Test
  void whoKeepsTheRunIsReadBack() {
    RunStore store = store(true, "run");
    store.create();
    assertThat(store.owner()).isEmpty();
    RunOwner owner = new RunOwner("application_1", "1", false, "abc", false);
    store.keepFor(owner);
    store.keepFor(owner.atEnd());
    assertThat(store.owner()).contains(owner.atEnd());
  }

  /** The local file system under another name, which notes what is forced to the disk. */
  public static final class Noting extends RawLocalFileSystem {
    static final List<String> FORCED = new ArrayList<>();

    @Override
    public URI getUri() {
      return URI.create("noting:///");
    }

    @Override
    public FSDataOutputStream create(
        org.apache.hadoop.fs.Path file,
        FsPermission permission,
        boolean overwrite,
        int bufferSize,
        short replication,
        long blockSize,
        Progressable progress)
        throws IOException {
      return new FSDataOutputStream(
          super.create(file, permission, overwrite, bufferSize, replication, blockSize, progress),
          null) {
        @Override
        public void hsync() throws IOException {
          super.hsync();
          FORCED.add(file.getName() + " of " + Files.size(pathToFile(file).toPath()));
        }
      };
    }
  }

  @Test
  void whatIsWrittenIsForcedToTheDiskBeforeItIsRenamed() throws IOException {
    Configuration hadoop = new Configuration();
    hadoop.setClass("fs.noting.impl", Noting.class, FileSystem.class);
    RunStore store = new RunStore("noting://" + folder + "/run", hadoop);
    store.create();
    store.upload(file("12345"));
    assertThat(Noting.FORCED).containsExactly("config.json.part of 5");
    assertThat(folder.resolve("run/config.json")).hasContent("12345");
  }
}
