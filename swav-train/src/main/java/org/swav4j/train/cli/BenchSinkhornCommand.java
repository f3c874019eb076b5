package org.swav4j.train.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.swav4j.sinkhorn.Form;
import org.swav4j.train.bench.CodesBench;
import org.swav4j.train.bench.Times;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Times the codes alone. */
@Command(
    name = "sinkhorn",
    mixinStandardHelpOptions = true,
    description =
        "Times the codes alone, epsilon 0.05 and 3 iterations: as training makes them, and by the"
            + " log domain, which training takes where the scores' range asks for it.")
final class BenchSinkhornCommand implements Runnable {
  @Mixin OutputOptions output;
  @Mixin BenchRuns runs;

  @Option(
      names = "--sizes",
      paramLabel = "BxK,...",
      split = ",",
      description = "Samples x prototypes (${DEFAULT-VALUE}).")
  List<String> sizes = List.of("64x300", "256x3000", "512x3000", "4096x3000");

  private record Size(int batch, int prototypes) {
    static Size of(String text) {
      if (!text.matches("[1-9][0-9]{0,6}x[1-9][0-9]{0,6}")) {
        throw new IllegalArgumentException(
            "--sizes part '"
                + text
                + "' can't be read, expected SAMPLESxPROTOTYPES such as 64x300");
      }
      String[] numbers = text.split("x", 2);
      return new Size(Integer.parseInt(numbers[0]), Integer.parseInt(numbers[1]));
    }
  }

  @Override
  public void run() {
    List<Size> parsed = sizes.stream().map(Size::of).toList();
    int threads = runs.start();
    for (Size size : parsed) {
      for (Form form : List.of(Form.AUTOMATIC, Form.LOG_DOMAIN)) {
        Times times =
            CodesBench.run(
                size.batch,
                size.prototypes,
                form,
                threads,
                Math.max(runs.warmup, 10),
                Math.max(runs.repeats, 30));
        report(size, form == Form.LOG_DOMAIN, threads, times);
      }
    }
  }

  private void report(Size size, boolean logDomain, int threads, Times times) {
    String form = logDomain ? "log" : "kernel";
    // Read once and written once: what any method must move.
    double gigabytes = 2e-9 * Float.BYTES * size.batch * size.prototypes;
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("mode", "sinkhorn");
    fields.put("batch", size.batch);
    fields.put("prototypes", size.prototypes);
    fields.put("form", form);
    fields.put("threads", threads);
    fields.put("median_ms", BenchRuns.round(times.median(), 4));
    fields.put("best_ms", BenchRuns.round(times.best(), 4));
    fields.put("gb_per_s", BenchRuns.round(gigabytes / times.median() * 1e3, 1));
    BenchRuns.putPeakMemory(fields);
    output.result(
        fields,
        String.format(
            Locale.ROOT,
            "codes %5d x %-5d  %-6s  %9.3f ms (best %.3f), %.1f GB/s of scores and codes",
            size.batch,
            size.prototypes,
            form,
            times.median(),
            times.best(),
            gigabytes / times.median() * 1e3));
  }
}
