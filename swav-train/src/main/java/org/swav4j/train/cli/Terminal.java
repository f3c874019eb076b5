package org.swav4j.train.cli;

import java.io.PrintStream;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;

/** The terminal that a command is watched in, if it is. */
final class Terminal {
  /** What any terminal has. */
  private static final int USUAL = 80;

  private static final String INDENT = "  ";

  private Terminal() {}

  /** Whether somebody is watching: neither input nor output is a file or a pipe. */
  static boolean isThere() {
    return System.console() != null;
  }

  /** A line as a terminal shows it best: broken between words where it is longer than a row. */
  static String folded(String line) {
    return line.length() < USUAL || !isThere()
        ? line
        : fold(line, new Row().getMaxRenderedLength());
  }

  /** Rows of at most so many characters, all but the first indented; words stay whole. */
  static String fold(String line, int width) {
    StringBuilder rows = new StringBuilder();
    int used = 0;
    for (String word : line.split("(?<! ) (?! )")) {
      if (used > 0 && used + 1 + word.length() > width) {
        rows.append(System.lineSeparator()).append(INDENT);
        used = INDENT.length();
      } else if (used > 0) {
        rows.append(' ');
        used++;
      }
      rows.append(word);
      used += word.length();
    }
    return rows.toString();
  }

  /** Where a bar is drawn, on standard error, until there is something else to say. */
  static final class Row extends ConsoleProgressBarConsumer {
    private boolean drawn;

    Row() {
      super(standardError());
    }

    private static PrintStream standardError() {
      return System.err;
    }

    @Override
    public synchronized void accept(String bar) {
      super.accept(bar);
      standardError().flush();
      drawn = true;
    }

    /** Prints a line in the bar's place; the bar comes again below it. */
    synchronized void instead(Runnable print) {
      clear();
      print.run();
    }

    @Override
    public synchronized void clear() {
      if (drawn) {
        standardError().print("\r\u001b[K");
        standardError().flush();
        drawn = false;
      }
    }

    /** Leaves an empty row. */
    @Override
    public synchronized void close() {
      clear();
    }
  }
}
