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
 * train --data DATA COMMON ARM --seed SEED}, and is then evaluated as often as asked, as {@code
 * swav evaluate --run RUN EVALUATION --seed SEED}.
 *
 * @param name the file's, without its ending
 * @param question in one sentence
 * @param data as {@code --data} takes it; {@code $NAME} is the value of that environment variable
 * @param common flags of every arm
 * @param arms flags by name, in the order in which they are run and shown
 * @param peers those of them that PyTorch trains, as {@code torch_swav.py train --data DATA ARM
 *     --seed SEED}: {@code peers} in the file
 * @param evaluations flags by name, {@code ARM/WORD}: what is measured of a finished run of that
 *     arm; empty if the file has no {@code evaluate}
 * @param seeds of all arms, paired: what isn't an arm's own is the same in all arms
 * @param comparisons of arms, each with its claim
 */
record Experiment(
    String name,
    String question,
    String data,
    List<String> common,
    Map<String, List<String>> arms,
    Set<String> peers,
    Map<String, List<String>> evaluations,
    List<Long> seeds,
    List<Comparison> comparisons) {

  private static final Set<String> KEYS =
      Set.of("question", "data", "common", "arms", "seeds", "comparisons");
  private static final String EVALUATE = "evaluate";
  private static final String PEERS = "peers";
  private static final Set<String> COMPARISON_KEYS = Set.of("claim", "measure", "greater", "less");

  /**
   * A claim about two sets of arms, or of evaluations where the measure is theirs.
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
    Map<String, List<String>> evaluations = flags(optional(o, EVALUATE));
    Map<String, List<String>> peers = flags(optional(o, PEERS));
    requireKeys(o, KEYS);
    Map<String, List<String>> arms = flags(o.getAsJsonObject("arms"));
    evaluations.keySet().forEach(e -> requireArm(e, arms.keySet()));
    arms.putAll(peers);
    List<Comparison> comparisons = new ArrayList<>();
    for (JsonElement element : o.getAsJsonArray("comparisons")) {
      JsonObject c = element.getAsJsonObject();
      requireKeys(c, COMPARISON_KEYS);
      Measure measure = Measure.of(c.get("measure").getAsString());
      Set<String> compared = measure.isOfEvaluation() ? evaluations.keySet() : arms.keySet();
      comparisons.add(
          new Comparison(
              c.get("claim").getAsString(),
              measure,
              known(strings(c.getAsJsonArray("greater")), compared),
              known(strings(c.getAsJsonArray("less")), compared)));
    }
    return new Experiment(
        name,
        o.get("question").getAsString(),
        o.get("data").getAsString(),
        words(o.get("common")),
        arms,
        peers.keySet(),
        evaluations,
        strings(o.getAsJsonArray("seeds")).stream().map(Long::parseLong).toList(),
        List.copyOf(comparisons));
  }

  private static JsonObject optional(JsonObject o, String key) {
    JsonElement value = o.remove(key);
    return value == null ? new JsonObject() : value.getAsJsonObject();
  }

  private static Map<String, List<String>> flags(JsonObject byName) {
    Map<String, List<String>> flags = new LinkedHashMap<>();
    byName.asMap().forEach((name, text) -> flags.put(name, words(text)));
    return flags;
  }

  private static void requireArm(String evaluation, Set<String> arms) {
    if (!evaluation.matches("[^/]+/[^/]+") || !arms.contains(armOf(evaluation))) {
      throw new IllegalArgumentException(
          "evaluation '" + evaluation + "' has no arm, expected ARM/WORD with an arm of " + arms);
    }
  }

  private static void requireKeys(JsonObject o, Set<String> expected) {
    if (!o.keySet().equals(expected)) {
      throw new IllegalArgumentException(
          "keys are " + new TreeSet<>(o.keySet()) + ", expected " + new TreeSet<>(expected));
    }
  }

  private static List<String> known(List<String> names, Set<String> all) {
    for (String name : names) {
      if (!all.contains(name)) {
        throw new IllegalArgumentException(
            "'" + name + "' is nothing that has this measure, expected of " + all);
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

  /**
   * Arguments of {@code swav train}, or of the peer, which knows no common ones, as they are told:
   * data by its name here.
   */
  List<String> flags(String arm, long seed) {
    List<String> flags = new ArrayList<>(List.of("--data", data));
    if (!peers.contains(arm)) {
      flags.addAll(common);
    }
    flags.addAll(arms.get(arm));
    flags.addAll(List.of("--seed", Long.toString(seed)));
    return flags;
  }

  /** Names of the evaluations of an arm. */
  List<String> evaluationsOf(String arm) {
    return evaluations.keySet().stream().filter(e -> armOf(e).equals(arm)).toList();
  }

  /** Arguments of {@code swav evaluate} but for the run: another seed draws other labels. */
  List<String> evaluationFlags(String evaluation, long seed) {
    List<String> flags = new ArrayList<>(evaluations.get(evaluation));
    flags.addAll(List.of("--seed", Long.toString(seed)));
    return flags;
  }

  /** The arm of which an evaluation is. */
  static String armOf(String evaluation) {
    return evaluation.substring(0, evaluation.indexOf('/'));
  }

  /** The evaluation's own word. */
  static String wordOf(String evaluation) {
    return evaluation.substring(evaluation.indexOf('/') + 1);
  }
}
