package org.swav4j.train.cli;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.swav4j.train.auto.Choice;
import org.swav4j.train.config.Settings;

/**
 * Messages of the library as the command line says them: flags and commands where the library has
 * names in backticks. Those of settings come from {@link Settings#withFlags}; what else commands
 * take stands here.
 */
final class Flags {
  private static final Map<String, String> NAMES =
      Map.of(
          "outputFolder", "--out",
          "resume", "--resume",
          "budget", "--budget",
          "warmup", "--warmup",
          "repeats", "--repeats",
          "limit", "--limit",
          "size", "--size",
          "ImageIndex.create", "'swav index --out'",
          "LabelClassifier.save", "'swav classify --fit'");

  private static final Pattern NAME = Pattern.compile("`([A-Za-z.]+)`");

  private Flags() {}

  /** {@code --batch 64: 1300 images make 20 steps an epoch}. */
  static String of(Choice choice) {
    return "--" + choice.flag() + " " + choice.value() + ": " + in(choice.reason());
  }

  /** The message with flags and commands; names that are neither stay as they are. */
  static String in(String message) {
    return NAME.matcher(Settings.withFlags(message))
        .replaceAll(
            found -> Matcher.quoteReplacement(NAMES.getOrDefault(found.group(1), found.group())));
  }
}
