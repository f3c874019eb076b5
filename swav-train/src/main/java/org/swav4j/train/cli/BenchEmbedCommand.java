package org.swav4j.train.cli;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.swav4j.model.SwavConfig;
import org.swav4j.model.engine.Engine;
import org.swav4j.train.bench.EmbedBench;
import org.swav4j.train.bench.Times;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Times inference. */
@Command(
    name = "embed",
    mixinStandardHelpOptions = true,
    description = "Times the encoder: features of random images in memory.")
final class BenchEmbedCommand implements Runnable {
  @Mixin OutputOptions output;
  @Mixin BenchNetwork network;
  @Mixin BenchRuns runs;

  @Option(
      names = "--size",
      paramLabel = "N",
      description = "Side of an image in pixels (${DEFAULT-VALUE}).")
  int size = 224;

  @Option(names = "--batch", paramLabel = "B", description = "Images in a call (${DEFAULT-VALUE}).")
  int batch = 64;

  @Override
  public void run() {
    SwavConfig config = network.config();
    int threads = runs.start();
    Engine engine = network.engine();
    Times times = EmbedBench.run(config, batch, size, engine, runs.warmup, runs.repeats);
    double rate = batch / times.median() * 1e3;
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("mode", "embed");
    fields.put("arch", network.architecture);
    fields.put("stem", network.stem);
    fields.put("size", size);
    fields.put("batch", batch);
    fields.put("engine", engine.name());
    fields.put("precision", network.precision().label());
    fields.put("threads", threads);
    fields.put("median_ms", BenchRuns.round(times.median(), 2));
    fields.put("best_ms", BenchRuns.round(times.best(), 2));
    fields.put("images_per_s", BenchRuns.round(rate, 2));
    BenchRuns.putPeakMemory(fields);
    output.result(
        fields,
        String.format(
            Locale.ROOT,
            "embed %s, %s stem, %d images of %d² pixels: %.2f ms (best %.2f), %.1f images/s, %s"
                + " engine, %s, %d threads",
            network.architecture,
            network.stem,
            batch,
            size,
            times.median(),
            times.best(),
            rate,
            engine.name(),
            network.precision().label(),
            threads));
  }
}
