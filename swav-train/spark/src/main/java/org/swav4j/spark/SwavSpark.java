package org.swav4j.spark;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import org.swav4j.train.cli.SwavCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/**
 * The main class for {@code spark-submit}: {@code train} and {@code embed}. {@code ./swav
 * spark-submit} writes the line that starts it.
 */
@Command(
    name = "swav spark-submit",
    mixinStandardHelpOptions = true,
    description = "Trains and embeds on Apache Spark.",
    subcommands = {TrainCommand.class, EmbedCommand.class},
    synopsisSubcommandLabel = "COMMAND")
public final class SwavSpark {
  private SwavSpark() {}

  /** Runs one command; where it fails, ends the process with exit status 1 or 2. */
  public static void main(String[] args) {
    int status =
        run(
            new PrintWriter(System.out, true, StandardCharsets.UTF_8),
            new PrintWriter(System.err, true, StandardCharsets.UTF_8),
            args);
    // On YARN, an application that ends its process by itself counts as failed.
    if (status != 0) {
      System.exit(status);
    }
  }

  /** Runs one command in this process and returns its exit status, as {@code swav} has it. */
  static int run(PrintWriter out, PrintWriter err, String... args) {
    return SwavCommand.run(new CommandLine(new SwavSpark()), out, err, args);
  }
}
