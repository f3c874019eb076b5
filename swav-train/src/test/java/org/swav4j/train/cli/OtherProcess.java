package org.swav4j.train.cli;

import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.swav4j.train.SwavTrain;

/** The command line in a JVM of its own, with this JVM's class path and flags. */
final class OtherProcess {
  private OtherProcess() {}

  /** The command that runs the command line with these arguments. */
  static List<String> command(String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(flag -> !flag.startsWith("-agent") && !flag.startsWith("-javaagent"))
        .forEach(command::add);
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(SwavTrain.class.getName());
    command.addAll(List.of(arguments));
    return command;
  }

  /** Starts it; what it prints goes to {@code NAME.out} and {@code NAME.err} in that folder. */
  static Process start(Path folder, String name, List<String> command) throws IOException {
    File out = folder.resolve(name + ".out").toFile();
    File err = folder.resolve(name + ".err").toFile();
    return new ProcessBuilder(command).redirectOutput(out).redirectError(err).start();
  }

  /** Whether a command of the system can be run here and ends with status 0. */
  static boolean succeeds(String... command) {
    try {
      return new ProcessBuilder(command).start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Whether SIGINT is ignored here, and so in every process started from here; Linux tells. */
  static boolean ignoresInterrupts() throws IOException {
    Path status = Path.of("/proc/self/status");
    return Files.exists(status)
        && Files.readAllLines(status).stream()
            .filter(line -> line.startsWith("SigIgn:"))
            .anyMatch(line -> (Long.parseUnsignedLong(line.substring(7).strip(), 16) & 2) != 0);
  }

  /** A command run by bash under a limit on the size of files, in KiB. */
  static List<String> withFileLimit(int kib, List<String> command) {
    return Stream.concat(
            Stream.of("bash", "-c", "ulimit -f " + kib + "; exec \"$@\"", "bash"), command.stream())
        .toList();
  }
}
