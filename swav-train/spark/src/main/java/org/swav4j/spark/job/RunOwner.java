package org.swav4j.spark.job;

import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.spark.SparkContext;
import org.swav4j.train.config.Settings;
import org.swav4j.train.config.TrainingConfig;

/**
 * The application that keeps a run, as its folder tells: a driver that the cluster manager starts
 * again knows by it that the run is its own, and goes on with it.
 *
 * @param application Spark's id of it
 * @param attempt which start of that application this is, as YARN counts; empty where the cluster
 *     manager doesn't count
 * @param supervised whether a standalone cluster starts the driver again, each time as another
 *     application
 * @param asked digest of the settings that a new run was asked for with; empty for one that was
 *     resumed
 * @param ended whether the run was trained to its end
 */
record RunOwner(
    String application, String attempt, boolean supervised, String asked, boolean ended) {

  /** This driver's application, which has not asked for anything yet. */
  static RunOwner of(SparkContext context) {
    return new RunOwner(
        context.applicationId(),
        context.applicationAttemptId().isDefined() ? context.applicationAttemptId().get() : "",
        context.conf().getBoolean("spark.driver.supervise", false),
        "",
        false);
  }

  /** Asks for a run with these settings. */
  RunOwner asking(TrainingConfig base, Map<String, String> settings) {
    Map<String, String> all = new LinkedHashMap<>(settings);
    // Not given, it follows the driver's machine, which may be another one the next time.
    all.putIfAbsent("workers", "1");
    byte[] text = ConfigText.of(Settings.change(base, all)).getBytes(StandardCharsets.UTF_8);
    return new RunOwner(
        application,
        attempt,
        supervised,
        HexFormat.of().formatHex(StoredImages.sha256().digest(text)),
        ended);
  }

  /** The same with its run trained to the end. */
  RunOwner atEnd() {
    return new RunOwner(application, attempt, supervised, asked, true);
  }

  /**
   * Whether a driver is this one, started again by the cluster manager with the same settings. By
   * number if attempts are counted; otherwise both are supervised, and this one has not come to its
   * end.
   */
  boolean isStartedAgainAs(RunOwner now) {
    if (asked.isEmpty() || !asked.equals(now.asked)) {
      return false;
    }
    if (application.equals(now.application)) {
      return !now.attempt.isEmpty() && !attempt.equals(now.attempt);
    }
    return supervised && now.supervised && !ended;
  }

  String text() {
    return "application=%s%nattempt=%s%nsupervised=%s%nasked=%s%nended=%s%n"
        .formatted(application, attempt, supervised, asked, ended);
  }

  /** Reads {@link #text}; what is missing is empty. */
  static RunOwner read(String text) {
    Properties all = new Properties();
    try {
      all.load(new StringReader(text));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new RunOwner(
        all.getProperty("application", ""),
        all.getProperty("attempt", ""),
        Boolean.parseBoolean(all.getProperty("supervised")),
        all.getProperty("asked", ""),
        Boolean.parseBoolean(all.getProperty("ended")));
  }
}
