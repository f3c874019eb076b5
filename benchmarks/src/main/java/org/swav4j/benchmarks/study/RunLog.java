package org.swav4j.benchmarks.study;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.swav4j.model.AtomicFile;
import org.swav4j.train.diagnostics.EpochDiagnostics;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.run.MetricsLog;

/**
 * What is kept of a run: a line that says what was run, and a line an epoch, from before training
 * on.
 *
 * @param flags of {@code swav train}
 * @param version of the program
 * @param machine that it was run on
 * @param failure why training ended early; empty if it didn't
 * @param epochs in order
 * @param fineTune accuracy after fine-tuning, of one evaluation of the run, whose log is another;
 *     NaN of the run alone
 */
record RunLog(
    List<String> flags,
    String version,
    String machine,
    Optional<String> failure,
    List<Epoch> epochs,
    double fineTune) {

  /** Embeddings closer together than this have collapsed: unbalanced codes end at 0.05 to 0.07. */
  static final double COLLAPSED_SPREAD = 0.1;

  private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();

  /**
   * State after an epoch; NaN where a number isn't known.
   *
   * @param seconds of training so far, the time of judging left out
   */
  record Epoch(
      int epoch,
      long step,
      double seconds,
      double loss,
      double knn,
      double spread,
      double codeEntropy,
      double rankMe,
      double alphaReq) {}

  /** Takes what a run's folder tells: its metrics, with the seconds of its steps added up. */
  static RunLog of(List<String> flags, String version, Optional<String> failure, Path metrics)
      throws IOException {
    List<Double> seconds = new ArrayList<>(); // by step
    for (String line : Files.readAllLines(metrics)) {
      if (line.startsWith("{\"kind\":\"step\"")) {
        seconds.add(JsonParser.parseString(line).getAsJsonObject().get("seconds").getAsDouble());
      }
    }
    List<Epoch> epochs = new ArrayList<>();
    for (EpochMetrics m : MetricsLog.epochs(metrics)) {
      EpochDiagnostics health = m.health();
      epochs.add(
          new Epoch(
              m.epoch(),
              m.step(),
              seconds.stream().limit(m.step()).mapToDouble(s -> s).sum(),
              m.loss(),
              m.knn(),
              health.spread(),
              health.codeEntropy(),
              m.features().rankMe(),
              m.features().alphaReq()));
    }
    String machine = MetricsLog.machine(metrics).orElse("");
    return new RunLog(flags, version, machine, failure, epochs, Double.NaN);
  }

  /**
   * Takes what the peer printed: an object an epoch. Its embeddings' health isn't known.
   *
   * @throws IllegalArgumentException if it printed none
   */
  static RunLog ofPeer(List<String> flags, List<String> output) {
    List<JsonObject> printed =
        output.stream()
            .filter(line -> line.startsWith("{"))
            .map(line -> JsonParser.parseString(line).getAsJsonObject())
            .toList();
    if (printed.isEmpty()) {
      throw new IllegalArgumentException("the peer printed no epoch: " + output);
    }
    List<Epoch> epochs = new ArrayList<>();
    for (JsonObject e : printed) {
      epochs.add(
          new Epoch(
              e.get("epoch").getAsInt(),
              e.get("step").getAsLong(),
              number(e, "seconds"),
              number(e, "loss"),
              number(e, "knn20"),
              Double.NaN,
              Double.NaN,
              Double.NaN,
              Double.NaN));
    }
    String version = "PyTorch " + printed.get(0).get("torch").getAsString();
    Optional<String> failure =
        epochs.stream()
            .filter(e -> e.epoch() > 0 && !Double.isFinite(e.loss()))
            .map(e -> "the loss was no longer finite in epoch " + e.epoch())
            .findFirst();
    return new RunLog(flags, version, "", failure, epochs, Double.NaN);
  }

  /**
   * Whether there is a log of a run with these flags.
   *
   * @param folder of the run, to be deleted to run it anew
   * @throws IllegalArgumentException if the log is of other flags
   */
  static boolean isThere(Path log, List<String> flags, Path folder) throws IOException {
    if (!Files.exists(log)) {
      return false;
    }
    List<String> logged = read(log).flags();
    if (!logged.equals(flags)) {
      throw new IllegalArgumentException(
          log
              + " was run with '"
              + String.join(" ", logged)
              + "', the experiment now says '"
              + String.join(" ", flags)
              + "': give the arm another name, or delete the log and the run's folder "
              + folder);
    }
    return true;
  }

  /** Reads what {@link #write} wrote. */
  static RunLog read(Path file) throws IOException {
    List<String> lines = Files.readAllLines(file);
    JsonObject head = JsonParser.parseString(lines.get(0)).getAsJsonObject();
    List<Epoch> epochs = new ArrayList<>();
    for (String line : lines.subList(1, lines.size())) {
      JsonObject e = JsonParser.parseString(line).getAsJsonObject();
      epochs.add(
          new Epoch(
              e.get("epoch").getAsInt(),
              e.get("step").getAsLong(),
              number(e, "seconds"),
              number(e, "loss"),
              number(e, "knn"),
              number(e, "spread"),
              number(e, "code_entropy"),
              number(e, "rankme"),
              number(e, "alpha_req")));
    }
    return new RunLog(
        List.of(head.get("flags").getAsString().split(" ")),
        head.get("version").getAsString(),
        head.get("machine").getAsString(),
        Optional.ofNullable(head.get("failure")).map(f -> f.getAsString()),
        epochs,
        Double.NaN);
  }

  /** Writes the file whole or not at all. */
  void write(Path file) throws IOException {
    JsonObject head = new JsonObject();
    head.addProperty("flags", String.join(" ", flags));
    head.addProperty("version", version);
    head.addProperty("machine", machine);
    failure.ifPresent(f -> head.addProperty("failure", f));
    StringBuilder text = new StringBuilder(GSON.toJson(head)).append('\n');
    for (Epoch e : epochs) {
      JsonObject o = new JsonObject();
      o.addProperty("epoch", e.epoch());
      o.addProperty("step", e.step());
      add(o, "seconds", e.seconds(), 10);
      add(o, "loss", e.loss(), 1e5);
      add(o, "knn", e.knn(), 1e5);
      add(o, "spread", e.spread(), 1e5);
      add(o, "code_entropy", e.codeEntropy(), 1e5);
      add(o, "rankme", e.rankMe(), 1e3);
      add(o, "alpha_req", e.alphaReq(), 1e5);
      text.append(GSON.toJson(o)).append('\n');
    }
    Files.createDirectories(file.toAbsolutePath().getParent());
    AtomicFile.write(
        file,
        out ->
            Channels.newOutputStream(out).write(text.toString().getBytes(StandardCharsets.UTF_8)));
  }

  private static void add(JsonObject o, String name, double value, double perUnit) {
    if (Double.isFinite(value)) {
      o.addProperty(name, Math.rint(value * perUnit) / perUnit);
    }
  }

  private static double number(JsonObject o, String name) {
    return o.has(name) && !o.get(name).isJsonNull() ? o.get(name).getAsDouble() : Double.NaN;
  }

  /** The run as an evaluation found it. */
  RunLog withFineTune(double accuracy) {
    return new RunLog(flags, version, machine, failure, epochs, accuracy);
  }

  /** Epochs of which k-NN accuracy is known. */
  List<Epoch> judged() {
    return epochs.stream().filter(e -> !Double.isNaN(e.knn())).toList();
  }

  private Epoch last() {
    return epochs.get(epochs.size() - 1);
  }

  /** k-NN accuracy at the end, or where training failed. */
  double knn() {
    List<Epoch> judged = judged();
    return judged.isEmpty() ? Double.NaN : judged.get(judged.size() - 1).knn();
  }

  /** Mean height of the k-NN curve over the epochs. */
  double area() {
    List<Epoch> judged = judged();
    return judged.size() < 2
        ? Double.NaN
        : Curve.meanHeight(
            judged.stream().mapToDouble(Epoch::epoch).toArray(),
            judged.stream().mapToDouble(Epoch::knn).toArray());
  }

  double spread() {
    return last().spread();
  }

  double codeEntropy() {
    return last().codeEntropy();
  }

  /** Of the features after the last epoch of which it is known. */
  double rankMe() {
    List<Epoch> judged = judged();
    return judged.isEmpty() ? Double.NaN : judged.get(judged.size() - 1).rankMe();
  }

  /** How far alpha-ReQ is from 1, where features are said to serve best. */
  double offAlpha() {
    List<Epoch> judged = judged();
    return judged.isEmpty() ? Double.NaN : Math.abs(judged.get(judged.size() - 1).alphaReq() - 1);
  }

  double seconds() {
    return last().seconds();
  }

  /** Whether training failed, or ended with the embeddings in one point. */
  boolean collapsed() {
    return failure.isPresent() || spread() < COLLAPSED_SPREAD;
  }
}
