package org.swav4j.train.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.swav4j.data.DataSpec;
import org.swav4j.data.ImageSource;
import org.swav4j.model.CropGroup;
import org.swav4j.model.SwavConfig;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Execution;
import org.swav4j.model.plan.Value;
import org.swav4j.train.bench.FlopCount;
import org.swav4j.train.bench.Peak;
import org.swav4j.train.bench.StepBench;
import org.swav4j.train.config.CropNotation;
import org.swav4j.train.config.MethodKind;
import org.swav4j.train.config.Preset;
import org.swav4j.train.config.Settings;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.loop.ConfiguredMethod;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Times full training steps. */
@Command(
    name = "step",
    mixinStandardHelpOptions = true,
    description =
        "Times full training steps on random crops in memory: prototypes normalised, forward,"
            + " codes, loss and backward, SGD update.")
final class BenchStepCommand implements Runnable {
  @Mixin OutputOptions output;
  @Mixin BenchNetwork network;
  @Mixin BenchRuns runs;

  @Option(
      names = "--crops",
      paramLabel = "NxS,...",
      description = "Crop groups, count x side in pixels (${DEFAULT-VALUE}).")
  String crops = "2x32,4x16";

  @Option(names = "--batch", paramLabel = "B", description = "Images in a step (${DEFAULT-VALUE}).")
  int batch = 64;

  @Option(
      names = "--method",
      paramLabel = "NAME",
      description =
          "swav (default), or another method of `swav train`, to compare their cost. Steps of"
              + " deepcluster-v2 are those after a clustering, which is timed by itself.")
  String method = MethodKind.SWAV.label();

  @Option(
      names = "--per-op",
      description = "Also what each kind of kernel costs, forward and backward.")
  boolean perOp;

  @Option(
      names = "--print-plan",
      description = "Also each kernel in order: milliseconds, bytes, implementation, layouts, op.")
  boolean printPlan;

  @Option(
      names = "--no-peak",
      description = "Leave out the machine's peak, and so its memory and a few seconds.")
  boolean noPeak;

  @Override
  public void run() {
    SwavConfig config = network.config();
    List<CropGroup> groups = CropNotation.groups(crops);
    int threads = runs.start();
    Engine engine = network.engine();
    ImageSource images = DataSpec.parse("shapes").open().train();
    Map<String, Object> fields = new LinkedHashMap<>();
    StringBuilder text = new StringBuilder();
    FlopCount flops;
    StepBench.Result result;
    try (StepBench bench = bench(config, groups, threads, images, engine)) {
      Double clustering = clusters() ? bench.secondEpoch(images.size()) : null;
      result = bench.run(runs.warmup, runs.repeats);
      flops = FlopCount.of(bench.plan());
      fields.put("mode", "step");
      fields.put("method", method);
      fields.put("arch", network.architecture);
      fields.put("stem", network.stem);
      fields.put("crops", crops);
      fields.put("batch", batch);
      fields.put("prototypes", config.prototypes());
      fields.put("engine", engine.name());
      fields.put("precision", network.precision().label());
      fields.put("threads", threads);
      fields.put("median_ms", BenchRuns.round(result.step().median(), 1));
      fields.put("best_ms", BenchRuns.round(result.step().best(), 1));
      fields.put("images_per_s", BenchRuns.round(batch / result.step().median() * 1e3, 2));
      fields.put("forward_ms", BenchRuns.round(result.forward(), 1));
      fields.put("codes_ms", BenchRuns.round(result.codes(), 2));
      fields.put("backward_ms", BenchRuns.round(result.backward(), 1));
      fields.put("update_ms", BenchRuns.round(result.update(), 2));
      if (clustering != null) {
        fields.put("clustering_ms", BenchRuns.round(clustering, 1));
        fields.put("clustering_images", images.size());
        text.append(
            String.format(
                Locale.ROOT,
                "%10.1f ms    clustering of %d images at the start of each epoch, in no step%n",
                clustering,
                images.size()));
      }
      fields.put("loss", result.loss());
      fields.put("plan_mb", Math.round(bench.bytes() / 1e6));
      BenchRuns.putPeakMemory(fields);
      if (perOp || printPlan) {
        bench.profile(); // the first has classes to load
        details(bench, fields, text);
      }
    }
    fields.put("gflop", BenchRuns.round(flops.total() / 1e9, 1));
    if (!noPeak) {
      Peak peak = Peak.measure(engine);
      fields.put("peak_gflops", BenchRuns.round(peak.gflops(), 0));
      fields.put("peak_by", peak.by());
      fields.put("share_of_peak", share(flops.total(), result.step().median(), peak));
      fields.put("forward_share_of_peak", share(flops.forward(), result.forward(), peak));
      fields.put("backward_share_of_peak", share(flops.backward(), result.backward(), peak));
    }
    output.result(fields, text + summary(fields, result) + (noPeak ? "" : shares(fields)));
  }

  private boolean clusters() {
    return method.equals(MethodKind.DEEPCLUSTER_V2.label());
  }

  private StepBench bench(
      SwavConfig config, List<CropGroup> groups, int threads, ImageSource images, Engine engine) {
    TrainingConfig training =
        Settings.change(
            Preset.QUICK.config(),
            Map.of(
                "method",
                method,
                "batch",
                Integer.toString(batch),
                "prototypes",
                Integer.toString(config.prototypes()),
                "temperature",
                TrainingConfig.number(config.temperature())));
    if (training.method() == MethodKind.SWAV) {
      return new StepBench(config, groups, batch, threads, engine);
    }
    return new StepBench(
        config, groups, batch, ConfiguredMethod.of(training, images, engine), engine);
  }

  private static double share(long flops, double ms, Peak peak) {
    return BenchRuns.round(flops / 1e6 / ms / peak.gflops(), 3);
  }

  private String summary(Map<String, Object> f, StepBench.Result r) {
    return String.format(
        Locale.ROOT,
        "%s step, %s, %s stem, crops %s, batch %s, K %s: %s engine, %s, %s threads%n"
            + "%10.1f ms    median of %d (best %.1f), %s images/s%n"
            + "%10.1f ms    forward%n"
            + "%10.2f ms    codes%n"
            + "%10.1f ms    backward%n"
            + "%10.2f ms    prototypes and update%n"
            + "%10s MB    largest resident size (%s MB of it the plan's)%n"
            + "%10s GFLOP of convolutions and matrix products",
        f.get("method"),
        f.get("arch"),
        f.get("stem"),
        f.get("crops"),
        f.get("batch"),
        f.get("prototypes"),
        f.get("engine"),
        f.get("precision"),
        f.get("threads"),
        r.step().median(),
        runs.repeats,
        r.step().best(),
        f.get("images_per_s"),
        r.forward(),
        r.codes(),
        r.backward(),
        r.update(),
        f.get("peak_rss_mb") == null ? "unknown" : f.get("peak_rss_mb"),
        f.get("plan_mb"),
        f.get("gflop"));
  }

  private static String shares(Map<String, Object> f) {
    return String.format(
        Locale.ROOT,
        "%n%10.0f %%     of the peak, %s GFLOP/s (%s); forward %.0f %%, backward %.0f %%%n"
            + "Operations are those of direct convolutions; Winograd's algorithm needs fewer, so"
            + " shares can pass 100 %%.",
        100 * (double) f.get("share_of_peak"),
        f.get("peak_gflops"),
        f.get("peak_by"),
        100 * (double) f.get("forward_share_of_peak"),
        100 * (double) f.get("backward_share_of_peak"));
  }

  private void details(StepBench bench, Map<String, Object> fields, StringBuilder text) {
    List<Execution.Timing> profile = bench.profile();
    if (printPlan) {
      List<Map<String, Object>> lines = new ArrayList<>();
      for (Execution.Timing t : profile) {
        lines.add(planLine(t, text));
      }
      fields.put("plan", lines);
      text.append(System.lineSeparator());
    }
    if (perOp) {
      List<Map<String, Object>> rows = new ArrayList<>();
      text.append(
          String.format(
              Locale.ROOT,
              "%-34s %7s %12s %12s %10s%n",
              "kernel",
              "number",
              "forward ms",
              "backward ms",
              "GFLOP/s"));
      for (StepBench.Cost c : bench.costs(profile)) {
        rows.add(costRow(c, text));
      }
      fields.put("per_op", rows);
      text.append(System.lineSeparator());
    }
  }

  private static Map<String, Object> planLine(Execution.Timing t, StringBuilder text) {
    double ms = t.nanoseconds() / 1e6;
    long bytes = t.op().outputs().stream().mapToLong(Value::bytes).sum();
    String kernel =
        Stream.concat(Stream.of(t.kernel(), t.implementation()), t.layouts().stream())
            .filter(word -> !word.isEmpty())
            .collect(Collectors.joining(" "));
    String inputs = t.op().inputs().stream().map(Value::toString).collect(Collectors.joining(", "));
    text.append(
        String.format(
            Locale.ROOT,
            "%s %9.3f ms %9.3f MB  %-40s  %s%n",
            t.backward() ? "back" : "forw",
            ms,
            bytes / 1e6,
            kernel,
            t.op()));
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("op", t.op().label());
    line.put("pass", t.backward() ? "backward" : "forward");
    line.put("ms", BenchRuns.round(ms, 4));
    line.put("bytes", bytes);
    line.put("kernel", kernel);
    line.put("inputs", inputs);
    line.put(
        "outputs",
        t.op().outputs().stream().map(Value::toString).collect(Collectors.joining(", ")));
    return line;
  }

  private static Map<String, Object> costRow(StepBench.Cost c, StringBuilder text) {
    Double gflops = c.flops() == 0 ? null : BenchRuns.round(c.flops() / 1e6 / c.total(), 0);
    text.append(
        String.format(
            Locale.ROOT,
            "%-34s %7d %12.2f %12.2f %10s%n",
            c.name(),
            c.count(),
            c.forward(),
            c.backward(),
            gflops == null ? "" : String.format(Locale.ROOT, "%.0f", gflops)));
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("kernel", c.name());
    row.put("number", c.count());
    row.put("forward_ms", BenchRuns.round(c.forward(), 3));
    row.put("backward_ms", BenchRuns.round(c.backward(), 3));
    row.put("gflops", gflops);
    return row;
  }
}
