package org.swav4j.train.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import org.swav4j.train.loop.TrainingException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.MaxValuesExceededException;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The command line: {@code ./swav COMMAND} or {@code java -jar swav.jar COMMAND}.
 *
 * <p>Exit status 0 only on success, 2 for bad arguments, 1 for anything that failed, 130 after
 * Ctrl-C. An error is one line on standard error; its stack trace is shown with {@code --debug}.
 */
@Command(
    name = "swav",
    description = "Learns image features without labels (SwAV), and uses them.",
    mixinStandardHelpOptions = true,
    versionProvider = SwavCommand.Version.class,
    subcommands = {
      TrainCommand.class,
      EvaluateCommand.class,
      EmbedCommand.class,
      ClusterCommand.class,
      DuplicatesCommand.class,
      IndexCommand.class,
      SearchCommand.class,
      ClassifyCommand.class,
      ReportCommand.class,
      ExportCommand.class,
      ConformanceCommand.class,
      BenchCommand.class,
      DoctorCommand.class
    },
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "Start with:  swav train        (built-in images, some minutes on 2 cores)",
      "Then:        swav COMMAND --help"
    })
public final class SwavCommand {
  /** Exit status for bad arguments. */
  static final int BAD_ARGUMENTS = 2;

  /** Exit status for everything else that went wrong. */
  static final int FAILURE = 1;

  /** Exit status after Ctrl-C, as shells have it. */
  static final int INTERRUPTED = 130;

  /** Kept, or its level would be forgotten. */
  private static final Logger LUCENE = Logger.getLogger("org.apache.lucene");

  static {
    // It warns of Java 17 being too old for faster vector products.
    LUCENE.setLevel(Level.SEVERE);
  }

  SwavCommand() {}

  /** Runs one command in this process and returns its exit status. */
  public static int run(PrintWriter out, PrintWriter err, String... args) {
    return run(new CommandLine(new SwavCommand()), out, err, args);
  }

  /**
   * The same for a command line of another module: with the same exit status, and errors in one
   * line.
   */
  public static int run(CommandLine line, PrintWriter out, PrintWriter err, String... args) {
    line.setOut(out)
        .setErr(err)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setUsageHelpAutoWidth(true)
        .setParameterExceptionHandler(SwavCommand::badArguments)
        .setExecutionExceptionHandler((e, command, result) -> failed(e, command));
    try {
      return line.execute(args.length == 0 ? new String[] {"--help"} : args);
    } catch (OutOfMemoryError | StackOverflowError | LinkageError e) {
      // picocli hands exceptions to its handler, but not errors.
      return failed(e, line);
    }
  }

  private static int badArguments(ParameterException e, String[] args) {
    String refusal = refusal(e, args);
    e.getCommandLine()
        .getErr()
        .printf(
            Locale.ROOT,
            "swav: %s%s '%s --help' says more%n",
            refusal,
            refusal.endsWith("?") ? "" : ";",
            e.getCommandLine().getCommandSpec().qualifiedName());
    return BAD_ARGUMENTS;
  }

  /** What is wrong with the arguments, in one line. */
  private static String refusal(ParameterException e, String[] args) {
    if (e instanceof MaxValuesExceededException) {
      Set<String> seen = new HashSet<>();
      for (String arg : args) {
        String name = arg.split("=", 2)[0];
        if (name.startsWith("--") && !seen.add(name)) {
          return name + " is given twice, expected once";
        }
      }
    }
    if (e instanceof UnmatchedArgumentException unmatched) {
      String meant =
          unmatched.getSuggestions().stream().limit(3).collect(Collectors.joining(" or "));
      if (meant.isEmpty()) {
        meant = String.join(" or ", e.getCommandLine().getSubcommands().keySet());
      }
      return (unmatched.isUnknownOption() ? "there is no option '" : "there is no use for '")
          + unmatched.getUnmatched().get(0)
          + (meant.isEmpty() ? "'" : "': did you mean " + meant + "?");
    }
    if (e.getArgSpec() instanceof OptionSpec option && e.getValue() != null) {
      Class<?> type = option.type();
      if (type == Integer.class || type == int.class || type == long.class) {
        return option.longestName() + " is '" + e.getValue() + "', expected a whole number";
      }
      if (type == Double.class || type == double.class) {
        return option.longestName() + " is '" + e.getValue() + "', expected a number such as 0.1";
      }
      if (type.isEnum()) {
        String values =
            Arrays.stream(type.getEnumConstants())
                .map(value -> value.toString().toLowerCase(Locale.ROOT))
                .collect(Collectors.joining(" or "));
        return option.longestName() + " is '" + e.getValue() + "', expected " + values;
      }
    }
    return oneLine(e.getMessage()).replaceFirst("^Error: ", "");
  }

  private static int failed(Throwable e, CommandLine command) {
    if (isEnding()) {
      // The parts that it was writing have been removed under it: not the user's affair.
      return INTERRUPTED;
    }
    PrintWriter err = command.getErr();
    err.println("swav: " + describe(e));
    if (wantsTrace(command)) {
      e.printStackTrace(err);
      err.flush();
    }
    return e instanceof IllegalArgumentException ? BAD_ARGUMENTS : FAILURE;
  }

  /** Whether Ctrl-C or SIGTERM came, after which no hooks are taken. */
  private static boolean isEnding() {
    Thread hook = new Thread();
    try {
      Runtime.getRuntime().addShutdownHook(hook);
      Runtime.getRuntime().removeShutdownHook(hook);
      return false;
    } catch (IllegalStateException e) {
      return true;
    }
  }

  private static boolean wantsTrace(CommandLine command) {
    return command.getMixins().get("output") instanceof OutputOptions options && options.debug;
  }

  /** What went wrong, in one line. */
  public static String describe(Throwable e) {
    if (e instanceof IllegalArgumentException || e instanceof TrainingException) {
      return oneLine(e.getMessage());
    }
    if (e instanceof UncheckedIOException && e.getCause() != null) {
      String message = e.getMessage();
      // A wrapper made without words of its own only repeats its cause's class name.
      if (message != null && !message.startsWith(e.getCause().getClass().getName())) {
        return oneLine(message);
      }
      return describe(e.getCause());
    }
    if (e instanceof NoSuchFileException) {
      return e.getMessage() + ": there is no such file or folder";
    }
    if (e instanceof AccessDeniedException) {
      return e.getMessage() + ": access denied; check its owner and permissions";
    }
    if (e instanceof FileSystemException && e.getMessage() != null) {
      return oneLine(e.getMessage());
    }
    if (e.getClass() == IOException.class && e.getMessage() != null) {
      return oneLine(e.getMessage());
    }
    if (e instanceof OutOfMemoryError) {
      return "out of memory ("
          + oneLine(String.valueOf(e.getMessage()))
          + "): take a smaller --batch, with as many times the --accumulate for the same steps, or"
          + " smaller --crops; 'swav doctor' shows the limits";
    }
    String message = e.getMessage() == null ? "" : ": " + oneLine(e.getMessage());
    return e.getClass().getSimpleName() + message + " (--debug shows where)";
  }

  private static String oneLine(String text) {
    // The library names fields, which are flags here.
    return text == null ? "no message" : Flags.in(text.strip().replaceAll("\\s*\\R\\s*", " "));
  }

  /** The version as the jar's manifest has it. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"swav4j " + version()};
    }
  }

  /** {@code 0.1.0}, or {@code unpackaged} when run from class files. */
  static String version() {
    String version = SwavCommand.class.getPackage().getImplementationVersion();
    return version == null ? "unpackaged" : version;
  }
}
