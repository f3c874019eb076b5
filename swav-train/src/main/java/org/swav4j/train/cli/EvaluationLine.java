package org.swav4j.train.cli;

import java.util.LinkedHashMap;
import java.util.Map;

/** What {@code evaluate} found out, as fields for programs and as a line for people. */
final class EvaluationLine {
  private final Map<String, Object> fields = new LinkedHashMap<>();
  private final StringBuilder text;

  /**
   * @param begin of the line
   */
  EvaluationLine(String begin) {
    text = new StringBuilder(begin);
    fields.put("command", "evaluate");
  }

  /** Adds a field. */
  void add(String name, Object value) {
    fields.put(name, value);
  }

  /** Adds to the line. */
  void say(String figure) {
    text.append("  ").append(figure);
  }

  void print(OutputOptions output) {
    output.result(fields, text.toString());
  }
}
