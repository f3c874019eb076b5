package org.swav4j.train.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.swav4j.data.CropSpec;
import org.swav4j.data.DataSpec;
import org.swav4j.model.CropGroup;
import org.swav4j.train.bench.CropsBench;
import org.swav4j.train.config.CropNotation;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Times images to crops. */
@Command(
    name = "data",
    mixinStandardHelpOptions = true,
    description =
        "Times one thread's way from stored images to crops with the official augmentation,"
            + " decoding included.")
final class BenchDataCommand implements Runnable {
  @Mixin OutputOptions output;

  @Option(
      names = "--data",
      paramLabel = "SPEC",
      description =
          "Images: shapes[:N], folder:DIR, idx:DIR, cifar10:DIR, cifar100:DIR or a directory"
              + " (${DEFAULT-VALUE}).")
  String data = "shapes:256";

  @Option(
      names = "--crops",
      paramLabel = "NxS,...",
      description =
          "Crop groups, count x side in pixels; the first with the published large windows, the"
              + " others with the small ones (${DEFAULT-VALUE}).")
  String crops = "2x32,4x16";

  @Option(
      names = "--limit",
      paramLabel = "N",
      description = "Only the first N images; 0: all (${DEFAULT-VALUE}).")
  int limit;

  @Override
  public void run() {
    List<CropSpec> specs = new ArrayList<>();
    for (CropGroup g : CropNotation.groups(crops)) {
      specs.add(
          specs.isEmpty()
              ? CropSpec.large(g.count(), g.size())
              : CropSpec.small(g.count(), g.size()));
    }
    CropsBench.Result result = new CropsBench(DataSpec.parse(data), specs, limit).run();
    double reading = result.reading() / result.round().median();
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("mode", "data");
    fields.put("images", result.images());
    fields.put("unreadable", result.unreadable());
    fields.put("crops", crops);
    fields.put("images_per_s_per_core", BenchRuns.round(result.imagesPerSecond(), 1));
    fields.put("best_ms", BenchRuns.round(result.round().best(), 1));
    fields.put("median_ms", BenchRuns.round(result.round().median(), 1));
    fields.put("reading_share", BenchRuns.round(reading, 3));
    BenchRuns.putPeakMemory(fields);
    output.result(
        fields,
        String.format(
            Locale.ROOT,
            "data %s, crops %s: %.1f images/s on one thread, %.0f %% of the time reading and"
                + " decoding (%d images%s)",
            data,
            crops,
            result.imagesPerSecond(),
            100 * reading,
            result.images(),
            result.unreadable() == 0 ? "" : ", " + result.unreadable() + " unreadable"));
  }
}
