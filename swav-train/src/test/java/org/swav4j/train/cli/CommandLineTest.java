package org.swav4j.train.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import org.junit.jupiter.api.Test;

class CommandLineTest {
  /** What a command printed and how it ended. */
  record Outcome(int status, String out, String err) {}

  /** Runs a command in this process. */
  static Outcome swav(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int status = SwavCommand.run(new PrintWriter(out, true), new PrintWriter(err, true), args);
    return new Outcome(status, out.toString(), err.toString());
  }

  @Test
  void withoutArgumentsShowsHowToStartAndSucceeds() {
    Outcome outcome = swav();
    assertThat(outcome.status()).isZero();
    assertThat(outcome.out()).contains("Usage: swav", "doctor", "swav train");
  }

  @Test
  void doctorNamesTheBackEndAndSaysThatTrainingWorks() {
    Outcome outcome = swav("doctor");
    assertThat(outcome.status()).isZero();
    assertThat(outcome.out()).containsPattern("back end +CPU").contains("training works");
  }

  @Test
  void doctorsJsonIsOneObjectOnOneLine() {
    Outcome outcome = swav("doctor", "--json");
    assertThat(outcome.out().lines().toList()).hasSize(1);
    var json = com.google.gson.JsonParser.parseString(outcome.out()).getAsJsonObject();
    assertThat(json.get("back_end").getAsString()).isEqualTo("CPU");
    assertThat(json.get("works").getAsBoolean()).isTrue();
    assertThat(json.get("idle_threads").getAsString()).as("as the tests set it").isEqualTo("sleep");
    assertThat(json.get("advice").getAsJsonArray())
        .as("tests run without the launcher, which is worth a line")
        .anyMatch(line -> line.getAsString().contains("./swav"));
  }

  @Test
  void namesInBackticksBecomeFlagsAndCommandsAndOthersStay() {
    assertThat(Flags.in("continue it with `resume` runs/x, or choose another `outputFolder`"))
        .isEqualTo("continue it with --resume runs/x, or choose another --out");
    assertThat(Flags.in("`learningRate`, a longer `budget`")).isEqualTo("--lr, a longer --budget");
    assertThat(Flags.in("`ImageIndex.create` makes one, not `Other.create` or `other`"))
        .isEqualTo("'swav index --out' makes one, not `Other.create` or `other`");
  }

  @Test
  void errorsAreDescribedInOneLineByWhatWentWrong() {
    assertThat(SwavCommand.describe(new IllegalArgumentException("batch is 1,\n expected 2")))
        .isEqualTo("batch is 1, expected 2");
    assertThat(SwavCommand.describe(new UncheckedIOException(new NoSuchFileException("a.png"))))
        .isEqualTo("a.png: there is no such file or folder");
    assertThat(SwavCommand.describe(new AccessDeniedException("private/x")))
        .contains("access denied");
    assertThat(SwavCommand.describe(new UncheckedIOException("disk full", new IOException("x"))))
        .isEqualTo("disk full");
    assertThat(SwavCommand.describe(new OutOfMemoryError("heap"))).contains("--batch");
    assertThat(SwavCommand.describe(new IllegalStateException("odd")))
        .contains("IllegalStateException: odd", "--debug");
  }

  @Test
  void aLibraryThatDoesNotStartIsExplainedWithItsRootCause() {
    Throwable failure =
        new ExceptionInInitializerError(
            new IOException("unpacking", new IOException("No space left on device")));
    assertThat(Backend.explain(failure)).contains("no space", "cachedir");
    assertThat(
            Backend.explain(
                new UnsatisfiedLinkError(
                    "/mnt/c/libx.so: /mnt/c/libx.so: failed to map segment from shared object")))
        .contains("noexec (/mnt/c/libx.so)", "SWAV_JAVA_FLAGS", "cachedir");
    assertThat(
            Backend.explain(
                new NoClassDefFoundError(
                    "Could not create the cache: Set the \"org.bytedeco.javacpp.cachedir\"")))
        .contains("neither", "can be written", "cachedir");
    assertThat(Backend.explain(new UnsatisfiedLinkError("no jnind4jcpu in java.library.path")))
        .contains("no jnind4jcpu", "natives");
  }
}
