package org.swav4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void anOlderFile() throws IOException {
    file = Files.writeString(folder.resolve("weights"), "old");
  }

  private static AtomicFile.Content of(String text) {
    return out -> out.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void theFileIsReplacedWholeAndNoPartStays() throws IOException {
    // longer than what follows: what an earlier process left behind must not show through
    Files.writeString(folder.resolve("weights.part"), "cut off, and longer than the new content");
    AtomicFile.write(file, of("new"));
    assertThat(file).hasContent("new");
    assertThat(folder.toFile().list()).containsExactly("weights");
  }

  @Test
  void readersSeeTheOldFileUntilItIsCommitted() throws IOException {
    try (AtomicFile atomic = AtomicFile.open(file)) {
      of("new").writeTo(atomic.channel());
      assertThat(file).hasContent("old");
      atomic.commit();
      assertThat(file).hasContent("new");
    }
  }

  @Test
  void aWriteThatFailsMidwayLeavesTheOldFileAndNoPart() {
    assertThatThrownBy(
            () ->
                AtomicFile.write(
                    file,
                    out -> {
                      of("half").writeTo(out);
                      throw new IOException("No space left on device");
                    }))
        .hasMessage("No space left on device");
    assertThat(file).hasContent("old");
    assertThat(folder.toFile().list()).containsExactly("weights");
  }

  @Test
  void aFileThatCantBeReplacedLeavesNoPart() throws IOException {
    // a folder of that name appeared while the part was written
    Path taken = folder.resolve("taken");
    try (AtomicFile atomic = AtomicFile.open(taken)) {
      Files.createDirectories(taken.resolve("x"));
      assertThatThrownBy(atomic::commit).isInstanceOf(IOException.class);
    }
    assertThat(folder.toFile().list()).containsExactlyInAnyOrder("weights", "taken");
  }

  @Test
  void aFolderThatCantBeWrittenLeavesTheOldFile() {
    assertThat(folder.toFile().setWritable(false)).isTrue();
    try {
      assumeFalse(Files.isWritable(folder), "the superuser may write everywhere");
      assertThatThrownBy(() -> AtomicFile.write(file, of("new"))).isInstanceOf(IOException.class);
      assertThat(file).hasContent("old");
    } finally {
      assertThat(folder.toFile().setWritable(true)).isTrue();
    }
  }
}
