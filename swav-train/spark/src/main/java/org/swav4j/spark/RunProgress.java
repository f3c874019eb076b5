package org.swav4j.spark;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Shows the driver's user each epoch that workers have written into the run folder. */
final class RunProgress implements AutoCloseable {
  private static final long EVERY_MILLIS = 2000;

  private final Path metrics;
  private final Configuration hadoop;
  private final PrintWriter out;
  private final Thread thread;
  private int shown;

  private RunProgress(String folder, Configuration hadoop, PrintWriter out) {
    this.metrics = new Path(folder, "metrics.jsonl");
    this.hadoop = hadoop;
    this.out = out;
    this.shown = -1;
    this.thread = new Thread(this::watch, "swav-progress");
    thread.setDaemon(true);
  }

  /** Begins to watch; what is there already is not shown. */
  static RunProgress of(String folder, Configuration hadoop, PrintWriter out) {
    RunProgress progress = new RunProgress(folder, hadoop, out);
    progress.look(false);
    progress.thread.start();
    return progress;
  }

  private void watch() {
    while (!Thread.currentThread().isInterrupted()) {
      try {
        Thread.sleep(EVERY_MILLIS);
      } catch (InterruptedException e) {
        return;
      }
      look(true);
    }
  }

  private synchronized void look(boolean show) {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(
                metrics.getFileSystem(hadoop).open(metrics), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        JsonObject entry = JsonParser.parseString(line).getAsJsonObject();
        if (entry.get("kind").getAsString().equals("epoch")
            && entry.get("epoch").getAsInt() > shown) {
          shown = entry.get("epoch").getAsInt();
          if (show && shown > 0) {
            out.println(text(entry));
          }
        }
      }
    } catch (IOException | JsonParseException | IllegalStateException | NullPointerException e) {
      // There is none yet, or it is being replaced: the next look will tell.
    }
  }

  private static String text(JsonObject epoch) {
    StringBuilder text = new StringBuilder("epoch " + epoch.get("epoch").getAsInt());
    add(text, epoch, "loss", ": loss %.4f");
    add(text, epoch, "images_per_s", ", %.0f images/s");
    add(text, epoch, "wait_share", ", %.1f %% waiting for images", 100);
    add(text, epoch, "knn", ", k-NN %.1f %%", 100);
    if (epoch.has("health")) {
      text.append(", ").append(epoch.get("health").getAsString());
    }
    return text.toString();
  }

  private static void add(StringBuilder text, JsonObject epoch, String name, String format) {
    add(text, epoch, name, format, 1);
  }

  private static void add(
      StringBuilder text, JsonObject epoch, String name, String format, double factor) {
    if (epoch.has(name)) {
      text.append(String.format(Locale.ROOT, format, factor * epoch.get(name).getAsDouble()));
    }
  }

  @Override
  public void close() {
    thread.interrupt();
    look(true);
  }
}
