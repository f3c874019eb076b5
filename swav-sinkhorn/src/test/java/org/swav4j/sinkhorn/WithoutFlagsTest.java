package org.swav4j.sinkhorn;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** An application that embeds the solver and knows nothing of Java's incubator modules. */
class WithoutFlagsTest {

  /** What runs in a Java of its own: prints the kernels taken and the codes' error. */
  public static final class Application {
    private Application() {}

    public static void main(String[] args) {
      INDArray scores = Problems.cosines(64, 300, 1).castTo(DataType.FLOAT);
      INDArray codes = Nd4j.create(DataType.FLOAT, 64, 300);
      new SwavCodes(0.05, 3).assign(scores, codes);
      INDArray exact = Nd4j.create(DataType.DOUBLE, 64, 300);
      new SwavCodes(0.05, 3).assign(scores.castTo(DataType.DOUBLE), exact);
      boolean close = Problems.distance(codes, exact) < 2e-5;
      System.out.println(FloatKernels.best().getClass().getSimpleName() + " close: " + close);
    }
  }

  @Test
  void theSameCodesComeOutOfPlainJava() throws Exception {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    String path =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    File log = File.createTempFile("without-flags", ".log");
    Process process =
        new ProcessBuilder(java.toString(), "-Xmx512m", "-cp", path, Application.class.getName())
            .redirectErrorStream(true)
            .redirectOutput(log)
            .start();
    assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
    String printed = Files.readString(log.toPath(), StandardCharsets.UTF_8);
    assertThat(log.delete()).isTrue();
    assertThat(printed).contains("PlainKernels close: true");
    assertThat(process.exitValue()).isZero();
  }
}
