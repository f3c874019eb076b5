package org.swav4j.train.run;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.swav4j.train.config.Settings;
import org.swav4j.train.config.TrainingConfig;

/**
 * The configuration as JSON, as it stands in run folders and checkpoints: {@code {"version": 1,
 * "data": {...}, ...}}. Reading is strict: a key that is missing, unknown or of the wrong type is
 * refused by name. A file without a version is of version 1, which the first release wrote.
 */
final class ConfigFile {
  private static final Gson GSON =
      new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().serializeNulls().create();

  private static final String VERSION = "version";

  private ConfigFile() {}

  /** As text, one value a line. */
  static String toJson(TrainingConfig config) {
    Map<String, Object> content = new LinkedHashMap<>();
    content.put(VERSION, Settings.version());
    content.putAll(Settings.tree(config));
    return GSON.toJson(content);
  }

  /**
   * Reads what {@link #toJson} wrote, in this or in an earlier release.
   *
   * @throws IllegalArgumentException if it is no configuration, or one of a newer release; naming
   *     the key that is missing, unknown or out of range
   */
  static TrainingConfig fromJson(String json) {
    JsonElement root;
    try {
      root = JsonParser.parseString(json);
    } catch (JsonParseException e) {
      throw new IllegalArgumentException("it is not JSON: " + e.getMessage(), e);
    }
    if (!root.isJsonObject()) {
      throw new IllegalArgumentException("it is no JSON object {...}");
    }
    JsonObject content = root.getAsJsonObject();
    int version = version(content.remove(VERSION));
    if (version > Settings.version()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "it is of version %d, and this release reads up to %d: use the release of swav4j that"
                  + " wrote it, or a newer one",
              version,
              Settings.version()));
    }
    return Settings.read((Map<?, ?>) plain(content), version);
  }

  private static int version(JsonElement version) {
    if (version == null) {
      return 1;
    }
    if (!version.toString().matches("[1-9][0-9]{0,8}")) {
      throw new IllegalArgumentException(
          VERSION + " is " + version + ", expected a whole number from 1");
    }
    return version.getAsInt();
  }

  /** Objects as maps, arrays as lists. */
  private static Object plain(JsonElement element) {
    if (element.isJsonObject()) {
      Map<String, Object> map = new LinkedHashMap<>();
      element.getAsJsonObject().entrySet().forEach(e -> map.put(e.getKey(), plain(e.getValue())));
      return map;
    }
    if (element instanceof JsonArray array) {
      List<Object> list = new ArrayList<>();
      array.forEach(e -> list.add(plain(e)));
      return list;
    }
    if (element.isJsonNull()) {
      return null;
    }
    var primitive = element.getAsJsonPrimitive();
    if (primitive.isNumber()) {
      return primitive.getAsNumber();
    }
    return primitive.isBoolean() ? (Object) primitive.getAsBoolean() : primitive.getAsString();
  }
}
