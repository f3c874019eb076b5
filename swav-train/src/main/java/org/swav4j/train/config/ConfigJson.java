package org.swav4j.train.config;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;

/** The configuration as JSON, as it stands in run folders and checkpoints. */
public final class ConfigJson {
  private static final Gson GSON = new GsonBuilder().setPrettyPrinting().serializeNulls().create();

  private ConfigJson() {}

  /** As text, one field a line. */
  public static String toJson(TrainingConfig config) {
    return GSON.toJson(config);
  }

  /**
   * Reads what {@link #toJson} wrote.
   *
   * @throws IllegalArgumentException if it is no configuration, or a value is out of range
   */
  public static TrainingConfig fromJson(String json) {
    try {
      TrainingConfig config = GSON.fromJson(json, TrainingConfig.class);
      if (config == null) {
        throw new IllegalArgumentException("the configuration is empty");
      }
      return config;
    } catch (RuntimeException e) {
      // Gson wraps what a record's constructor refuses.
      for (Throwable t = e; t != null; t = t.getCause()) {
        if (t instanceof IllegalArgumentException refused) {
          throw refused;
        }
      }
      throw new IllegalArgumentException("it is not a configuration: " + e.getMessage(), e);
    }
  }
}
