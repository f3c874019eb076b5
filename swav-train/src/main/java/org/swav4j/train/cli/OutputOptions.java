package org.swav4j.train.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.swav4j.train.features.Embedder;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What every command takes, and where its results go. */
final class OutputOptions {
  private static final Gson GSON =
      new GsonBuilder()
          .serializeNulls()
          .serializeSpecialFloatingPointValues()
          .disableHtmlEscaping()
          .create();

  @Option(names = "--json", description = "Prints results as JSON, one object per line.")
  boolean json;

  @Option(names = "--debug", description = "Shows the stack trace of an error.")
  boolean debug;

  @Spec(Spec.Target.MIXEE)
  CommandSpec mixee;

  /** Standard output. */
  PrintWriter out() {
    return mixee.commandLine().getOut();
  }

  /** Standard error. */
  PrintWriter err() {
    return mixee.commandLine().getErr();
  }

  /** A line on standard error, for people. */
  void note(String format, Object... values) {
    err().println(Terminal.folded(Flags.in(String.format(Locale.ROOT, format, values))));
  }

  /** A result: as JSON, or as the text that people read. */
  void result(Map<String, ?> fields, String text) {
    out().println(json ? GSON.toJson(fields) : text);
  }

  /** What is to be said of images that were read, and of those that could not be. */
  void remarks(Embedder embedder) {
    embedder.remarks().forEach(err()::println);
    if (!embedder.skipped().isEmpty()) {
      err().println(embedder.skipped());
    }
  }

  /**
   * Refuses a name that says another kind of file than is written, before anything is computed.
   *
   * @throws IllegalArgumentException if the name ends otherwise
   */
  static void requireEnding(String flag, Path file, String ending) {
    if (!file.toString().toLowerCase(Locale.ROOT).endsWith(ending)) {
      throw new IllegalArgumentException(
          flag + " is " + file + ", expected a name that ends in " + ending);
    }
  }
}
