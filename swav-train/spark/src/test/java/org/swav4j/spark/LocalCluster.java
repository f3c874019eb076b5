package org.swav4j.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.spark.sql.SparkSession;
import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.LauncherSessionListener;

/**
 * Two executors in processes of their own on this machine, started once for all tests: with
 * authentication, one core each, and the class path of the tests.
 */
final class LocalCluster {
  static final String SECRET = "known to the executors only";

  private static SparkSession session;

  private LocalCluster() {}

  /** Ends the executors before the process ends, when they couldn't be told any more. */
  public static final class End implements LauncherSessionListener {
    @Override
    public void launcherSessionClosed(LauncherSession closed) {
      if (session != null) {
        session.stop();
      }
    }
  }

  static synchronized SparkSession session() {
    if (session == null) {
      // The first compiler alone: tests are short.
      session = start("-XX:TieredStopAtLevel=1", true);
    }
    return session;
  }

  /**
   * Starts two executors of one core.
   *
   * @param compiler Java's options of the executors
   * @param encrypted whether what they send is, beside being authenticated
   */
  static SparkSession start(String compiler, boolean encrypted) {
    home();
    SparkSession started =
        SparkSession.builder()
            .master("local-cluster[2,1,1536]")
            .appName("swav-spark tests")
            .config("spark.executor.extraClassPath", System.getProperty("java.class.path"))
            .config("spark.executor.memory", "1g")
            .config(
                "spark.executor.extraJavaOptions",
                compiler
                    + " -XX:+UseSerialGC --add-modules=jdk.incubator.vector"
                    + " -Dorg.bytedeco.javacpp.maxbytes=2g"
                    + " -Dorg.bytedeco.javacpp.maxphysicalbytes=6g")
            .config("spark.executorEnv.OMP_NUM_THREADS", "1")
            .config("spark.executorEnv.OMP_WAIT_POLICY", "passive")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.ui.enabled", "false")
            .config("spark.authenticate", "true")
            .config("spark.authenticate.secret", SECRET)
            .config("spark.network.crypto.enabled", encrypted)
            .config("spark.scheduler.barrier.maxConcurrentTasksCheck.interval", "1s")
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.sql.warehouse.dir", folder("warehouse").toString())
            .getOrCreate();
    started.sparkContext().setLogLevel("ERROR");
    return started;
  }

  /** Spark starts workers from a home whose {@code jars} may be empty: the class path has all. */
  static void home() {
    String home = System.getenv("SPARK_HOME");
    if (home == null) {
      throw new IllegalStateException("SPARK_HOME is not set: the module's pom sets it for tests");
    }
    try {
      Files.createDirectories(Path.of(home, "jars"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A new folder below Spark's home, on which nothing else writes. */
  static Path folder(String name) {
    try {
      return Files.createTempDirectory(Path.of(System.getenv("SPARK_HOME")), name);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
