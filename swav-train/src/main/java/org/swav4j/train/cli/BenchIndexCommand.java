package org.swav4j.train.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.swav4j.train.bench.IndexBench;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Times index and search. */
@Command(
    name = "index",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description =
        "Times the index of 'swav index' and its search on synthetic vectors in clusters, and says"
            + " which share of the true nearest is found.")
final class BenchIndexCommand implements Runnable {
  @Mixin OutputOptions output;

  @Option(
      names = "--vectors",
      paramLabel = "N",
      description = "Vectors in the index (${DEFAULT-VALUE}).")
  int vectors = 100_000;

  @Option(
      names = "--dim",
      paramLabel = "D",
      description = "Numbers of a vector (${DEFAULT-VALUE}).")
  int dim = 512;

  @Option(
      names = "--queries",
      paramLabel = "N",
      description = "Vectors to search with (${DEFAULT-VALUE}).")
  int queries = 200;

  @Option(
      names = "--top",
      paramLabel = "N",
      description = "Nearest to find for each (${DEFAULT-VALUE}).")
  int top = 10;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description =
          "Where the index goes and stays. Not given: the system's folder for temporary files, from"
              + " which it is removed.")
  Path out;

  @Override
  public void run() {
    Backend.start();
    IndexBench.Result result;
    try {
      if (out != null) {
        result = IndexBench.run(vectors, dim, queries, top, out);
      } else {
        Path folder = Files.createTempDirectory("swav-index");
        try {
          result = IndexBench.run(vectors, dim, queries, top, folder);
        } finally {
          remove(folder);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("mode", "index");
    fields.put("vectors", vectors);
    fields.put("dim", dim);
    fields.put("queries", queries);
    fields.put("top", top);
    fields.put("index_s", BenchRuns.round(result.indexSeconds(), 2));
    fields.put("index_mb", BenchRuns.round(result.bytes() / 1e6, 1));
    fields.put("segments", result.segments());
    fields.put("median_ms", BenchRuns.round(result.query().median(), 3));
    fields.put("slowest_ms", BenchRuns.round(result.slowest(), 3));
    fields.put("recall", result.recall());
    BenchRuns.putPeakMemory(fields);
    fields.put("heap_mb", Runtime.getRuntime().maxMemory() >> 20);
    output.result(
        fields,
        String.format(
            Locale.ROOT,
            "index of %d vectors of %d: made in %.1f s, %.1f MB in %d segments; the nearest %d of a"
                + " query in %.2f ms (slowest of %d: %.2f), recall %.4f, peak memory %s MB",
            vectors,
            dim,
            result.indexSeconds(),
            result.bytes() / 1e6,
            result.segments(),
            top,
            result.query().median(),
            queries,
            result.slowest(),
            result.recall(),
            fields.get("peak_rss_mb")));
  }

  private static void remove(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }
}
