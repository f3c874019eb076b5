package org.swav4j.train.cli;

import java.util.Map;
import org.nd4j.nativeblas.NativeOpsHolder;
import org.swav4j.train.config.Machine;
import picocli.CommandLine.Option;

/** How often something is run, on how many threads. */
final class BenchRuns {
  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Native threads; without it what OMP_NUM_THREADS says, or all cores.")
  Integer threads;

  @Option(
      names = "--warmup",
      paramLabel = "N",
      description = "Runs that don't count (${DEFAULT-VALUE}).")
  int warmup = 3;

  @Option(
      names = "--repeats",
      paramLabel = "N",
      description = "Runs the median is taken of (${DEFAULT-VALUE}).")
  int repeats = 7;

  /** Starts the native library with that many threads and says how many they are. */
  int start() {
    if (threads != null && (threads < 1 || threads > 1024)) {
      throw new IllegalArgumentException(
          "--threads is "
              + threads
              + ", expected 1 to 1024, usually the "
              + Machine.cores()
              + " cores this process may use");
    }
    int count = threads == null ? Machine.nativeThreads() : threads;
    Backend.start();
    NativeOpsHolder.getInstance().getDeviceNativeOps().setOmpNumThreads(count);
    return count;
  }

  /** Notes the process's largest resident size so far, where the system tells. */
  static void putPeakMemory(Map<String, Object> fields) {
    fields.put(
        "peak_rss_mb",
        Machine.peakResident().isPresent()
            ? Math.round(Machine.peakResident().getAsLong() / 1e6)
            : null);
  }

  /** A number with so many digits behind the point. */
  static double round(double value, int digits) {
    double scale = Math.pow(10, digits);
    return Math.round(value * scale) / scale;
  }
}
