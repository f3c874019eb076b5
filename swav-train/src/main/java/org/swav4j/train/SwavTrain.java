package org.swav4j.train;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import org.swav4j.train.cli.SwavCommand;

/** The main class: {@code ./swav COMMAND} or {@code java -jar swav.jar COMMAND}. */
public final class SwavTrain {
  private SwavTrain() {}

  /** Runs one command and ends the process with its exit status, see {@link SwavCommand}. */
  public static void main(String[] args) {
    PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
    System.exit(SwavCommand.run(out, err, args));
  }
}
