package org.swav4j.train.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The CUDA back end where there is no device for it: the command ends with one line. In a JVM of
 * its own, whose class path has a stand-in for CUDA's classes before all else.
 */
@Timeout(120)
class NoDeviceTest {
  private static final String CUDART =
      """
      package org.bytedeco.cuda.global;
      public class cudart {
        public static final int cudaDevAttrComputeCapabilityMajor = 75;
        public static final int cudaDevAttrComputeCapabilityMinor = 76;
        public static int cudaGetDeviceCount(int[] count) {
          count[0] = %d;
          return 0;
        }
        public static int cudaDeviceGetAttribute(int[] value, int attribute, int device) {
          value[0] = attribute == cudaDevAttrComputeCapabilityMajor ? 9 : 0;
          return 0;
        }
      }
      """;

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "0, the CUDA back end found no usable device:",
    "1, the first CUDA device is of compute capability 9.0: the CUDA back end found"
  })
  void withoutAUsableDeviceACommandEndsWithOneLine(int devices, String begins)
      throws IOException, InterruptedException {
    Path classes = folder.resolve("classes");
    Path backend = classes.resolve("org/nd4j/linalg/jcublas/JCublasBackend.class");
    Files.createDirectories(backend.getParent());
    Files.createFile(backend); // only looked for
    Path source = Files.writeString(folder.resolve("cudart.java"), CUDART.formatted(devices));
    assertThat(
            ToolProvider.getSystemJavaCompiler()
                .run(null, null, null, "-d", classes.toString(), source.toString()))
        .isZero();
    List<String> command =
        new ArrayList<>(
            OtherProcess.command("train", "--data", "shapes:40", "--out", folder + "/run"));
    int path = command.indexOf("-cp") + 1;
    command.set(path, classes + File.pathSeparator + command.get(path));
    Process process = OtherProcess.start(folder, "train", command);
    assertThat(process.waitFor(100, TimeUnit.SECONDS)).isTrue();
    assertThat(Files.readAllLines(folder.resolve("train.err")))
        .singleElement()
        .satisfies(
            line -> assertThat(line).startsWith("swav: " + begins).contains("SWAV_BACKEND=cpu"));
    assertThat(process.exitValue()).isEqualTo(SwavCommand.FAILURE);
    assertThat(folder.resolve("run")).doesNotExist();
  }
}
