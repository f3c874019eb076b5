package org.swav4j.train.run;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.swav4j.train.diagnostics.EpochDiagnostics;
import org.swav4j.train.evaluation.FeatureQuality;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.loop.StepMetrics;
import org.swav4j.train.loop.TrainingListener;

/**
 * Writes metrics as they come, one JSON object a line: {@code {"kind":"start",...}} where a run
 * begins or goes on, {@code {"kind":"step",...}} and {@code {"kind":"epoch",...}}; numbers that are
 * not known, and advice where there is none, are left out. Every 50 steps {@code stretch} is what
 * these showed, which a resumed run's advice goes on from. Advice names settings by their fields.
 * Losses, {@code code_entropy} and {@code kl} are in nats, shares from 0 to 1; {@code time} is when
 * an epoch ended, in UTC. Forced to the disk after every epoch, so that it can be read while
 * training goes on and holds all that a checkpoint written afterwards goes on from.
 */
public final class MetricsLog implements TrainingListener, AutoCloseable {
  private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();

  private final Path file;
  private final FileChannel channel;
  private final Writer writer;

  /**
   * Continues or begins the file.
   *
   * @param completedSteps what was written of later steps, by a run that was cut off before its
   *     next checkpoint, is taken back
   * @throws UncheckedIOException if it can't be written
   */
  public MetricsLog(Path file, long completedSteps) {
    this.file = file;
    try {
      if (Files.exists(file)) {
        RunFolder.replace(file, upTo(completedSteps));
      }
      channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      writer = new BufferedWriter(Channels.newWriter(channel, StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw failed(e);
    }
  }

  private String upTo(long completedSteps) throws IOException {
    StringBuilder kept = new StringBuilder();
    for (String line : Files.readAllLines(file)) {
      JsonObject entry = parse(line);
      if (entry == null) {
        continue;
      }
      long done = entry.get("step").getAsLong() + (isStep(entry) ? 1 : 0);
      if (done <= completedSteps) {
        kept.append(line).append('\n');
      }
    }
    return kept.toString();
  }

  private static boolean isStep(JsonObject entry) {
    return is("step", entry);
  }

  private static boolean is(String kind, JsonObject entry) {
    return entry.get("kind").getAsString().equals(kind);
  }

  /** Null for a line that was cut off. */
  private static JsonObject parse(String line) {
    try {
      JsonObject entry = JsonParser.parseString(line).getAsJsonObject();
      return entry.has("kind") && entry.has("step") ? entry : null;
    } catch (JsonParseException | IllegalStateException e) {
      return null;
    }
  }

  /**
   * The epochs flushed so far, in order; before training, those of a run that goes on.
   *
   * @throws UncheckedIOException if it can't be read
   */
  public List<EpochMetrics> epochs() {
    try {
      return epochs(file);
    } catch (IOException e) {
      throw failed(e);
    }
  }

  /** The epochs that a file tells of, in order. */
  public static List<EpochMetrics> epochs(Path file) throws IOException {
    List<EpochMetrics> epochs = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      JsonObject e = parse(line);
      if (e != null && is("epoch", e)) {
        epochs.add(
            new EpochMetrics(
                e.get("epoch").getAsInt(),
                e.get("step").getAsLong(),
                number(e, "loss"),
                number(e, "loss_share"),
                number(e, "images_per_s"),
                number(e, "wait_share"),
                new FeatureQuality(number(e, "knn"), number(e, "rankme"), number(e, "alpha_req")),
                new EpochDiagnostics(
                    number(e, "code_entropy"),
                    number(e, "kl"),
                    number(e, "prototypes_used"),
                    number(e, "largest_share"),
                    number(e, "spread"),
                    number(e, "prototypes_distinct")),
                e.has("health") ? e.get("health").getAsString() : "",
                texts(e, "advice")));
      }
    }
    return epochs;
  }

  /**
   * The steps flushed so far that tell how the run is: the first, and those with advice or at the
   * end of a stretch, in order.
   *
   * @throws UncheckedIOException if it can't be read
   */
  public List<StepMetrics> judgedSteps() {
    List<StepMetrics> steps = new ArrayList<>();
    try {
      for (JsonObject e : entries(file)) {
        if (isStep(e) && (steps.isEmpty() || e.has("advice") || e.has("stretch"))) {
          steps.add(
              new StepMetrics(
                  e.get("epoch").getAsInt(),
                  e.get("step").getAsLong(),
                  number(e, "loss"),
                  number(e, "loss_share"),
                  number(e, "lr"),
                  e.has("queue_rows") ? e.get("queue_rows").getAsInt() : 0,
                  number(e, "seconds"),
                  number(e, "waited_s"),
                  texts(e, "advice"),
                  e.has("stretch") ? e.get("stretch").getAsString() : ""));
        }
      }
    } catch (IOException e) {
      throw failed(e);
    }
    return steps;
  }

  /** All advice that a file tells of, of steps and epochs in order. */
  public static List<String> advice(Path file) throws IOException {
    List<String> advice = new ArrayList<>();
    for (JsonObject entry : entries(file)) {
      advice.addAll(texts(entry, "advice"));
    }
    return advice;
  }

  /** The lines of a file as they stand there; without those that were cut off. */
  public static List<JsonObject> entries(Path file) throws IOException {
    return Files.readAllLines(file).stream()
        .map(MetricsLog::parse)
        .filter(Objects::nonNull)
        .toList();
  }

  /**
   * Notes that the run begins, or goes on.
   *
   * @param completedSteps so far
   * @param machine what computes it
   * @param changes what is other than before, one line each; empty for a new run
   */
  public void start(long completedSteps, String machine, List<String> changes) {
    JsonObject o = new JsonObject();
    o.addProperty("kind", "start");
    o.addProperty("step", completedSteps);
    o.addProperty("machine", machine);
    o.addProperty("java", System.getProperty("java.vm.name") + " " + Runtime.version());
    o.addProperty("system", System.getProperty("os.name") + " " + System.getProperty("os.version"));
    o.add("changes", GSON.toJsonTree(changes));
    write(o);
    flush();
  }

  /**
   * What computed the run when it last began or went on; empty if the file doesn't tell.
   *
   * @throws UncheckedIOException if it can't be read
   */
  public static Optional<String> machine(Path file) {
    Optional<String> machine = Optional.empty();
    try {
      for (String line : Files.exists(file) ? Files.readAllLines(file) : List.<String>of()) {
        JsonObject entry = parse(line);
        if (entry != null && is("start", entry)) {
          machine = Optional.of(entry.get("machine").getAsString());
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(file + " can't be read: " + RunFolder.reason(e), e);
    }
    return machine;
  }

  private static double number(JsonObject entry, String name) {
    return entry.has(name) ? entry.get(name).getAsDouble() : Double.NaN;
  }

  private static List<String> texts(JsonObject entry, String name) {
    List<String> texts = new ArrayList<>();
    if (entry.has(name)) {
      entry.getAsJsonArray(name).forEach(t -> texts.add(t.getAsString()));
    }
    return texts;
  }

  @Override
  public void step(StepMetrics m) {
    JsonObject o = new JsonObject();
    o.addProperty("kind", "step");
    o.addProperty("epoch", m.epoch());
    o.addProperty("step", m.step());
    add(o, "loss", m.loss());
    add(o, "loss_share", m.lossShare());
    add(o, "lr", m.learningRate());
    o.addProperty("queue_rows", m.queueRows());
    add(o, "seconds", round(m.seconds()));
    add(o, "waited_s", round(m.waitedSeconds()));
    if (!m.advice().isEmpty()) {
      o.add("advice", GSON.toJsonTree(m.advice()));
    }
    if (!m.stretch().isEmpty()) {
      o.addProperty("stretch", m.stretch());
    }
    write(o);
  }

  @Override
  public void epoch(EpochMetrics m) {
    JsonObject o = json(m);
    o.addProperty("time", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString());
    write(o);
    try {
      writer.flush();
      channel.force(false);
    } catch (IOException e) {
      throw failed(e);
    }
  }

  /** An epoch as it is written, but for the time. */
  public static JsonObject json(EpochMetrics m) {
    JsonObject o = new JsonObject();
    o.addProperty("kind", "epoch");
    o.addProperty("epoch", m.epoch());
    o.addProperty("step", m.step());
    add(o, "loss", m.loss());
    add(o, "loss_share", m.lossShare());
    add(o, "images_per_s", round(m.imagesPerSecond()));
    add(o, "wait_share", round(m.waitShare()));
    add(o, "knn", m.knn());
    add(o, "rankme", m.features().rankMe());
    add(o, "alpha_req", m.features().alphaReq());
    EpochDiagnostics h = m.health();
    add(o, "code_entropy", h.codeEntropy());
    add(o, "kl", h.divergence());
    add(o, "prototypes_used", h.used());
    add(o, "largest_share", h.largest());
    add(o, "spread", h.spread());
    add(o, "prototypes_distinct", h.distinct());
    if (!m.state().isEmpty()) {
      o.addProperty("health", m.state());
    }
    if (!m.advice().isEmpty()) {
      o.add("advice", GSON.toJsonTree(m.advice()));
    }
    return o;
  }

  private static void add(JsonObject o, String name, double value) {
    if (Double.isFinite(value)) {
      o.addProperty(name, value);
    }
  }

  private static double round(double value) {
    return Double.isFinite(value) ? Math.rint(value * 1e6) / 1e6 : value;
  }

  private void write(JsonObject o) {
    try {
      writer.write(GSON.toJson(o));
      writer.write('\n');
    } catch (IOException e) {
      throw failed(e);
    }
  }

  private UncheckedIOException failed(IOException e) {
    return new UncheckedIOException(
        file + " can't be written: " + RunFolder.reason(e) + "; is the disk full?", e);
  }

  @Override
  public void ended() {
    flush();
  }

  private void flush() {
    try {
      writer.flush();
    } catch (IOException e) {
      throw failed(e);
    }
  }

  @Override
  public void close() {
    try {
      writer.close();
    } catch (IOException e) {
      throw failed(e);
    }
  }
}
