package org.swav4j.train.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code docs/from-zero.md}, command by command, as a reader would type them. */
class FromZeroTest {
  private static final Path DOCUMENT = Path.of("..", "docs", "from-zero.md");

  /** Training that takes seconds. */
  private static final String SMALL =
      "--preset quick --epochs 1 --batch 8 --width 0.25 --hidden 16 --dim 8 --prototypes 6"
          + " --crops 2x16 --eval-every 0";

  @TempDir private Path folder;

  @Test
  void everyCommandOfTheDocumentWorksInItsTurn() throws IOException {
    for (int i = 0; i < 24; i++) {
      FolderCommandsTest.image(folder.resolve("PICTURES/" + (char) ('a' + i) + ".png"), i);
    }
    for (int i = 0; i < 8; i++) {
      String kind = i % 2 == 0 ? "even" : "odd";
      FolderCommandsTest.image(folder.resolve("LABELLED/" + kind + "/" + i + ".png"), i);
    }
    List<String> ran = new ArrayList<>();
    for (String line : Files.readAllLines(DOCUMENT)) {
      if (line.startsWith("./swav ")) {
        CommandLineTest.Outcome outcome = CommandLineTest.swav(arguments(line));
        assertThat(outcome.status()).as("%s: %s", line, outcome.err()).isZero();
        ran.add(line.split(" ")[1]);
      }
    }
    assertThat(ran)
        .containsExactly(
            "train",
            "cluster",
            "duplicates",
            "index",
            "search",
            "classify",
            "classify",
            "embed",
            "export");
    for (String made :
        List.of(
            "mine/report.html",
            "clusters.csv",
            "duplicates.csv",
            "kinds.csv",
            "features.npy",
            "features.index.csv",
            "encoder.onnx")) {
      assertThat(folder.resolve(made)).isNotEmptyFile();
    }
    assertThat(Files.readString(folder.resolve("kinds.csv"))).contains("even", "odd");
  }

  /** The words of a line, with files and folders in the test's. */
  private String[] arguments(String line) {
    List<String> words = new ArrayList<>();
    String before = "";
    for (String word : line.substring("./swav ".length()).split(" ")) {
      boolean file =
          word.startsWith("PICTURES/")
              || List.of("--out", "--run", "--index", "--onnx", "--apply").contains(before);
      words.add(
          file
              ? folder.resolve(word).toString()
              : word.replace("folder:", "folder:" + folder + "/"));
      before = word;
    }
    if (words.get(0).equals("train")) {
      words.addAll(List.of(SMALL.split(" ")));
    }
    return words.toArray(String[]::new);
  }
}
