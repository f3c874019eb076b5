package org.swav4j.benchmarks.study;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.swav4j.model.AtomicFile;

/**
 * What is kept of an evaluation: what was asked, and the object that {@code swav evaluate --json}
 * printed.
 *
 * @param flags of {@code swav evaluate}
 * @param version of the program
 * @param result as it was printed
 */
record EvaluationLog(List<String> flags, String version, JsonObject result) {
  private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();

  static EvaluationLog of(List<String> flags, String version, String printed) {
    return new EvaluationLog(flags, version, JsonParser.parseString(printed).getAsJsonObject());
  }

  /**
   * Reads what {@link #write} wrote.
   *
   * @param expected flags
   * @throws IllegalArgumentException if it is of other flags
   */
  static EvaluationLog read(Path file, List<String> expected) throws IOException {
    JsonObject o = JsonParser.parseString(Files.readString(file)).getAsJsonObject();
    List<String> flags = List.of(o.get("flags").getAsString().split(" "));
    if (!flags.equals(expected)) {
      throw new IllegalArgumentException(
          file
              + " was evaluated with '"
              + String.join(" ", flags)
              + "', the experiment now says '"
              + String.join(" ", expected)
              + "': give the evaluation another name, or delete the log");
    }
    return new EvaluationLog(flags, o.get("version").getAsString(), o.getAsJsonObject("result"));
  }

  /** Writes the file whole or not at all. */
  void write(Path file) throws IOException {
    JsonObject o = new JsonObject();
    o.addProperty("flags", String.join(" ", flags));
    o.addProperty("version", version);
    o.add("result", result);
    byte[] text = (GSON.toJson(o) + "\n").getBytes(StandardCharsets.UTF_8);
    Files.createDirectories(file.toAbsolutePath().getParent());
    AtomicFile.write(file, out -> Channels.newOutputStream(out).write(text));
  }

  /** Accuracy on test images after fine-tuning, a share; NaN if that wasn't asked for. */
  double fineTune() {
    JsonElement accuracy = result.get("fine_tune");
    return accuracy == null || accuracy.isJsonNull() ? Double.NaN : accuracy.getAsDouble();
  }
}
