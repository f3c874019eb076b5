package org.swav4j.benchmarks.study;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.StreamSupport;

/**
 * What is run and compared, read from a JSON file. Every arm runs with every seed, as {@code swav
 * train --data DATA COMMON ARM --seed SEED}.
 *
 * @param name the file's, without its ending
 * @param question in one sentence
 * @param data as {@code --data} takes it; {@code $NAME} is the value of that environment variable
 * @param common flags of every arm
 * @param arms flags by name, in the order in which they are run and shown
 * @param seeds of all arms, paired: what isn't an arm's own is the same in all arms
 * @param comparisons of arms, each with its claim
 */
record Experiment(
    String name,
    String question,
    String data,
    List<String> common,
    Map<String, List<String>> arms,
    List<Long> seeds,
    List<Comparison> comparisons) {

  private static final Set<String> KEYS =
      Set.of("question", "data", "common", "arms", "seeds", "comparisons");
  private static final Set<String> COMPARISON_KEYS = Set.of("claim", "measure", "greater", "less");

  /**
   * A claim about two sets of arms.
   *
   * @param claim in words
   * @param measure that is compared
   * @param greater arms of which the measure is claimed to be greater
   * @param less than that of these
   */
  record Comparison(String claim, Measure measure, List<String> greater, List<String> less) {}

  /**
   * Reads a description.
   *
   * @throws IllegalArgumentException naming the file and what is wrong in it
   * @throws IOException if it can't be read
   */
  static Experiment read(Path file) throws IOException {
    String name = file.getFileName().toString().replaceFirst("\\.json$", "");
    try {
      return parse(name, Files.readString(file));
    } catch (JsonParseException
        | IllegalStateException
        | UnsupportedOperationException
        | IllegalArgumentException e) {
      throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
    }
  }

  static Experiment parse(String name, String json) {
    JsonObject o = JsonParser.parseString(json).getAsJsonObject();
    requireKeys(o, KEYS);
    Map<String, List<String>> arms = new LinkedHashMap<>();
    o.getAsJsonObject("arms").asMap().forEach((arm, flags) -> arms.put(arm, words(flags)));
    List<Comparison> comparisons = new ArrayList<>();
    for (JsonElement element : o.getAsJsonArray("comparisons")) {
      JsonObject c = element.getAsJsonObject();
      requireKeys(c, COMPARISON_KEYS);
      comparisons.add(
          new Comparison(
              c.get("claim").getAsString(),
              Measure.of(c.get("measure").getAsString()),
              known(strings(c.getAsJsonArray("greater")), arms.keySet()),
              known(strings(c.getAsJsonArray("less")), arms.keySet())));
    }
    return new Experiment(
        name,
        o.get("question").getAsString(),
        o.get("data").getAsString(),
        words(o.get("common")),
        arms,
        strings(o.getAsJsonArray("seeds")).stream().map(Long::parseLong).toList(),
        List.copyOf(comparisons));
  }

  private static void requireKeys(JsonObject o, Set<String> expected) {
    if (!o.keySet().equals(expected)) {
      throw new IllegalArgumentException(
          "keys are " + new TreeSet<>(o.keySet()) + ", expected " + new TreeSet<>(expected));
    }
  }

  private static List<String> known(List<String> names, Set<String> arms) {
    for (String name : names) {
      if (!arms.contains(name)) {
        throw new IllegalArgumentException("arm '" + name + "' is unknown, expected of " + arms);
      }
    }
    return names;
  }

  private static List<String> words(JsonElement text) {
    return Arrays.stream(text.getAsString().trim().split("\\s+"))
        .filter(w -> !w.isEmpty())
        .toList();
  }

  private static List<String> strings(JsonArray array) {
    return StreamSupport.stream(array.spliterator(), false).map(JsonElement::getAsString).toList();
  }

  /** Arguments of {@code swav train}, as they are told: data by its name here. */
  List<String> flags(String arm, long seed) {
    List<String> flags = new ArrayList<>(List.of("--data", data));
    flags.addAll(common);
    flags.addAll(arms.get(arm));
    flags.addAll(List.of("--seed", Long.toString(seed)));
    return flags;
  }
}
