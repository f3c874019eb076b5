package org.swav4j.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The line that {@code ./swav spark-submit} makes, from a copy of the script without sources. */
@DisabledOnOs(OS.WINDOWS)
class LauncherTest {
  @TempDir Path folder;

  @BeforeEach
  void built() throws IOException {
    Files.copy(Path.of("../../swav"), folder.resolve("swav"));
    Path lib = Files.createDirectories(folder.resolve("swav-train/target/lib"));
    Files.createFile(folder.resolve("swav-train/target/swav.jar"));
    for (String jar : List.of("logback-classic-1.5.jar", "slf4j-api-2.jar", "nd4j-api.jar")) {
      Files.createFile(lib.resolve(jar));
    }
    Files.createFile(
        Files.createDirectories(folder.resolve("swav-train/spark/target"))
            .resolve("swav-spark.jar"));
  }

  /** Exit status, then all that was printed. */
  private String swav(String... arguments) throws Exception {
    List<String> line = new ArrayList<>(List.of("bash", folder.resolve("swav").toString()));
    line.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(line).redirectErrorStream(true);
    builder.environment().remove("SPARK_HOME");
    builder.environment().put("OMP_NUM_THREADS", "1");
    Process process = builder.start();
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return process.exitValue() + " " + text;
  }

  @Test
  void theLineHasOneTaskAnExecutorMemoryForNativesAndNoLoggingOfOurs() throws Exception {
    assertThat(
            swav(
                "spark-submit",
                "--dry-run",
                "--executor-cores",
                "8",
                "--executor-memory=3g",
                "--conf",
                "spark.executor.memoryOverhead=5g",
                "train",
                "--data",
                "hdfs:///a b"))
        .startsWith("0 spark-submit ")
        .contains("spark.executor.cores=8 ")
        .contains("spark.task.cpus=8 ")
        .contains("spark.executor.memory=3072m ")
        .contains("OMP_NUM_THREADS=8 ")
        .contains("maxphysicalbytes=8192m")
        .contains("--add-modules=jdk.incubator.vector")
        .contains("nd4j-api.jar")
        .doesNotContain("logback", "slf4j")
        .contains("spark-submit ")
        .endsWith("swav-spark.jar train --data hdfs:///a\\ b\n");
  }

  /** Spark's own defaults are 1 GiB, and outside YARN all cores. */
  @Test
  void whatIsNotGivenIsSaidAllTheSame() throws Exception {
    assertThat(swav("spark-submit", "--dry-run", "train", "--data", "hdfs:///photos"))
        .contains("spark.executor.cores=1 ")
        .contains("spark.task.cpus=1 ")
        .contains("spark.executor.memory=4096m ")
        .contains("spark.executor.memoryOverhead=6144m ")
        .contains("maxphysicalbytes=10240m");
  }

  @Test
  void whatIsNoLineIsRefusedInOne() throws Exception {
    assertThat(swav("spark-submit", "--master", "yarn"))
        .startsWith("1 swav: spark-submit lacks a command");
    assertThat(swav("spark-submit", "--executor-memory", "3x", "train"))
        .startsWith("1 swav: '3x' is no size of memory");
    assertThat(swav("spark", "elsewhere")).startsWith("1 swav: expected: ./swav spark local");
  }
}
