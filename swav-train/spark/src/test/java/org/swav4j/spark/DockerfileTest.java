package org.swav4j.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The image for Kubernetes: built where there is docker, read line by line everywhere. */
@DisabledOnOs(OS.WINDOWS)
class DockerfileTest {
  private static final Path FILE = Path.of("Dockerfile");
  private static final Set<String> INSTRUCTIONS =
      Set.of("ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "FROM", "LABEL", "RUN", "USER", "WORKDIR");

  private static List<String> lines;

  /** Comments and continuations resolved: an instruction a line. */
  @BeforeAll
  static void read() throws IOException {
    String text =
        Files.readString(FILE).replaceAll("(?m)^\\s*#.*\\n", "").replaceAll("\\\\\\n\\s*", "");
    lines = text.lines().filter(line -> !line.isBlank()).toList();
  }

  /** With stand-ins, as jars are made after tests: what is asked is where they come to lie. */
  @Test
  void isBuiltWhereThereIsDocker(@TempDir Path sources) throws Exception {
    assumeTrue(run(60, "docker", "version").startsWith("0 "), "no docker that answers");
    Path lib = Files.createDirectories(sources.resolve("swav-train/target/lib"));
    Path jars = Files.createDirectories(sources.resolve("swav-train/spark/target"));
    Files.createFile(sources.resolve("swav-train/target/swav.jar"));
    for (String jar : List.of("nd4j-api-1.jar", "logback-core-1.jar", "slf4j-api-2.jar")) {
      Files.createFile(lib.resolve(jar));
    }
    Files.createFile(jars.resolve("swav-spark.jar"));
    Path file = Files.copy(FILE, sources.resolve("swav-train/spark/Dockerfile"));
    assertThat(run(900, "docker", "build", "-f", "" + file, "-t", "swav-spark-test", "" + sources))
        .startsWith("0 ");
    assertThat(
            run(
                120,
                "docker",
                "run",
                "--rm",
                "--entrypoint",
                "sh",
                "swav-spark-test",
                "-c",
                "id -un && ls /opt/swav /opt/swav/lib /usr/lib/*/libgomp.so.1 && java -version"))
        .startsWith("0 spark\n")
        .contains("swav-spark.jar\n", "swav.jar\n", "nd4j-api-1.jar\n", "libgomp.so.1")
        .contains("version \"17")
        .doesNotContain("logback", "slf4j");
  }

  @Test
  void isSoundToHadolintWhereThereIsOne() throws Exception {
    assumeTrue(run(60, "hadolint", "--version").startsWith("0 "), "no hadolint");
    assertThat(run(60, "hadolint", "--ignore", "DL3008", FILE.toString())).isEqualTo("0 ");
  }

  @Test
  void beginsWithTheSparkThatItIsBuiltAgainstAndEndsWithoutRoot() throws IOException {
    String pom = Files.readString(Path.of("pom.xml"));
    assertThat(lines)
        .allSatisfy(line -> assertThat(INSTRUCTIONS).contains(line.substring(0, line.indexOf(' '))))
        .first()
        .isEqualTo(
            "FROM apache/spark:"
                + property(pom, "spark.version")
                + "-scala"
                + property(pom, "scala.binary.version")
                + "-java17-ubuntu");
    assertThat(lines.stream().filter(line -> line.startsWith("FROM "))).hasSize(1);
    assertThat(lines.stream().filter(line -> line.startsWith("USER ")).reduce((a, b) -> b))
        .get()
        .isNotEqualTo("USER root");
  }

  /** What is copied is what {@code package} writes, and it is where the class path looks. */
  @Test
  void copiesWhatTheBuildMakes() throws IOException {
    assertThat(property(Files.readString(Path.of("pom.xml")), "finalName")).isEqualTo("swav-spark");
    assertThat(property(Files.readString(Path.of("../pom.xml")), "finalName")).isEqualTo("swav");
    assertThat(lines)
        .contains(
            "COPY swav-train/target/swav.jar swav-train/target/lib/ /opt/swav/lib/",
            "COPY swav-train/spark/target/swav-spark.jar /opt/swav/",
            "ENV SPARK_EXTRA_CLASSPATH=/opt/swav/swav-spark.jar:/opt/swav/lib/*")
        .filteredOn(line -> line.startsWith("COPY "))
        .hasSize(2);
  }

  /** Lists of packages don't stay in a layer, nothing waits for an answer, shells can read it. */
  @Test
  void commandsAreShellAndLeaveNothingBehind() throws Exception {
    List<String> commands =
        lines.stream()
            .filter(line -> line.startsWith("RUN "))
            .map(line -> line.substring("RUN ".length()))
            .toList();
    assertThat(commands).isNotEmpty();
    for (String command : commands) {
      assertThat(run(10, "sh", "-n", "-c", command)).as(command).isEqualTo("0 ");
      if (command.contains("apt-get")) {
        assertThat(command)
            .containsSubsequence(
                "apt-get update",
                "apt-get install --no-install-recommends -y",
                "rm -rf /var/lib/apt/lists/*");
      }
    }
  }

  private static String property(String pom, String name) {
    Matcher found = Pattern.compile("<" + name + ">([^<]+)</").matcher(pom);
    assertThat(found.find()).as(name).isTrue();
    return found.group(1);
  }

  /** Exit status, then all that was printed; 127 if there is no such program. */
  private static String run(int seconds, String... line) throws Exception {
    Process process;
    try {
      process = new ProcessBuilder(line).redirectErrorStream(true).start();
    } catch (IOException e) {
      return "127 " + e.getMessage();
    }
    process.getOutputStream().close();
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(seconds, TimeUnit.SECONDS)).as(Arrays.toString(line)).isTrue();
    return process.exitValue() + " " + text;
  }
}
