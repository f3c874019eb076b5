package org.swav4j.train.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The script {@code swav}, with a Java that prints what it is started with. */
@DisabledOnOs(OS.WINDOWS)
class LauncherTest {
  private static final Path SCRIPT = Path.of("..", "swav").toAbsolutePath().normalize();

  @TempDir Path folder;
  private Path home;

  @BeforeEach
  void install() throws IOException {
    home = Files.createDirectories(folder.resolve("with a space/swav4j"));
    Files.copy(SCRIPT, home.resolve("swav"));
    executable(home.resolve("swav"));
    Path target = Files.createDirectories(home.resolve("swav-train/target"));
    Files.createFile(target.resolve("swav.jar"));
    Path java = Files.createDirectories(folder.resolve("jdk/bin")).resolve("java");
    Files.writeString(
        java,
        """
        #!/usr/bin/env bash
        case "$*" in
          *-version) echo 'openjdk version "17.0.1" 2021-10-19' >&2 ;;
          *) printf '%s\\n' "threads $OMP_NUM_THREADS" "$@" ;;
        esac
        """);
    executable(java);
  }

  private static void executable(Path file) {
    assertThat(file.toFile().setExecutable(true)).isTrue();
  }

  @Test
  void startsTheJarBesideItThroughLinksAndFromAnyFolder() throws Exception {
    Path elsewhere = Files.createDirectories(folder.resolve("bin"));
    Path relative = elsewhere.resolve("relative");
    Files.createSymbolicLink(relative, Path.of("../with a space/swav4j/swav"));
    Path twice = elsewhere.resolve("twice");
    Files.createSymbolicLink(twice, relative);

    List<String> lines = run(elsewhere, Map.of(), "./twice", "embed", "--out", "a b");

    String jar = home.toRealPath().resolve("swav-train/target/swav.jar").toString();
    assertThat(lines).endsWith("-jar", jar, "embed", "--out", "a b");
  }

  @Test
  void threadsAreThoseAskedFor() throws Exception {
    assertThat(run(home, Map.of("SWAV_THREADS", "3"), "./swav", "doctor")).contains("threads 3");
    assertThat(run(home, Map.of("SWAV_THREADS", "two"), "./swav", "doctor"))
        .singleElement()
        .asString()
        .contains("SWAV_THREADS", "'two'");
  }

  @Test
  void aQuotaOfVersionTwoLimitsThreadsOfThisGroupAndThoseBelowIt() throws Exception {
    write("sys/fs/cgroup/cgroup.controllers", "cpu memory");
    write("proc/self/cgroup", "0::/service/job");
    write("sys/fs/cgroup/service/job/cpu.max", "max 100000");
    write("sys/fs/cgroup/service/job/memory.max", "max");
    assertThat(share(8, 9_000_000)).isEqualTo("8 9000000");
    write("sys/fs/cgroup/service/cpu.max", "350000 100000");
    write("sys/fs/cgroup/service/memory.max", String.valueOf(2L << 30));
    assertThat(share(8, 9_000_000)).isEqualTo("3 2097152");
    write("sys/fs/cgroup/service/job/cpu.max", "50000 100000");
    write("sys/fs/cgroup/service/job/memory.high", String.valueOf(1L << 30));
    assertThat(share(8, 9_000_000)).isEqualTo("1 1048576");
    assertThat(share(1, 500_000)).as("a limit above what is there").isEqualTo("1 500000");
  }

  @Test
  void aQuotaOfVersionOneIsReadBesideAnEmptyHierarchyOfVersionTwo() throws Exception {
    write("proc/self/cgroup", "4:memory:/docker/1f\n2:cpuset:/\n1:cpu,cpuacct:/docker/1f\n0::/");
    write("sys/fs/cgroup/cpu/docker/1f/cpu.cfs_quota_us", "-1");
    write("sys/fs/cgroup/cpu/docker/1f/cpu.cfs_period_us", "100000");
    write("sys/fs/cgroup/memory/docker/1f/memory.limit_in_bytes", "9223372036854771712");
    assertThat(share(8, 9_000_000)).isEqualTo("8 9000000");
    write("sys/fs/cgroup/cpu/docker/1f/cpu.cfs_quota_us", "200000");
    write("sys/fs/cgroup/memory/docker/1f/memory.limit_in_bytes", String.valueOf(3L << 30));
    assertThat(share(8, 9_000_000)).isEqualTo("2 3145728");
  }

  @Test
  void withinAContainerTheGroupSeenIsTheRoot() throws Exception {
    write("proc/self/cgroup", "4:memory:/outside/1f\n1:cpu:/outside/1f");
    write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000");
    write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000");
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", String.valueOf(1L << 30));
    assertThat(share(4, 9_000_000)).isEqualTo("1 1048576");
  }

  @Test
  void coresThatOtherWorkHoldsAreNotFree() throws Exception {
    String before = "cpu  100 0 100 1000 0 0 0 0 0 0";
    assertThat(free(before, "cpu  100 0 100 1200 0 0 0 0 0 0", 2)).isEqualTo("2");
    assertThat(free(before, "cpu  200 0 100 1100 0 0 0 0 0 0", 2)).isEqualTo("1");
    assertThat(free(before, "cpu  290 0 105 1005 0 0 0 0 0 0", 2)).isEqualTo("0");
    assertThat(free(before, "cpu  100 150 100 1050 0 0 0 0 0 0", 2)).as("nice").isEqualTo("2");
    assertThat(free(before, "cpu  200 0 100 1000 100 0 0 0 0 0", 16)).as("of all").isEqualTo("8");
  }

  private String free(String before, String after, int processors) throws Exception {
    return function("free", "'" + before + "' '" + after + "' " + processors);
  }

  /** The script's own function, on a file system of the test's. */
  private String share(int cores, long kib) throws Exception {
    return function("share", "'" + folder.resolve("root") + "' " + cores + " " + kib);
  }

  @Test
  void theAnnouncementOfTheVectorModuleIsTheOnlyLineThatIsKeptBack() throws Exception {
    String notice = "WARNING: Using incubator modules: jdk.incubator.vector";
    Files.writeString(
        home.resolve("said"), "Picked up X\n" + notice + "\nWARNING: other\n" + notice + "\nend");
    assertThat(function("announced", "< said"))
        .isEqualTo("Picked up X\nWARNING: other\n" + notice + "\nend");
    Files.writeString(home.resolve("said"), "Error: no such flag");
    assertThat(function("announced", "< said")).isEqualTo("Error: no such flag");
  }

  private String function(String name, String arguments) throws Exception {
    String source = "source <(sed -n '/^" + name + "() {/,/^}/p' swav); ";
    String command = source + name + " " + arguments;
    return String.join("\n", run(home, Map.of(), "bash", "-euo", "pipefail", "-c", command));
  }

  private void write(String file, String text) throws IOException {
    Path path = folder.resolve("root").resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text + "\n");
  }

  private List<String> run(Path at, Map<String, String> environment, String... command)
      throws Exception {
    ProcessBuilder builder = new ProcessBuilder(new ArrayList<>(List.of(command)));
    builder.directory(at.toFile()).redirectErrorStream(true).redirectInput(new File("/dev/null"));
    builder.environment().keySet().removeIf(n -> n.startsWith("SWAV_") || n.startsWith("OMP_"));
    builder.environment().put("JAVA_HOME", folder.resolve("jdk").toString());
    builder.environment().putAll(environment);
    Process process = builder.start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return out.lines().toList();
  }
}
