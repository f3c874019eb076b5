package org.swav4j.train.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.swav4j.data.ImageSource;
import org.swav4j.model.SwavEncoder;
import org.swav4j.train.features.Embedder;
import org.swav4j.train.features.FeatureFile;
import org.swav4j.train.loop.TrainingException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Features of every image, in a file that other programs read. */
@Command(
    name = "embed",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Writes the features of every image to a file: .npy (NumPy, float [N, D]) or .csv (path,"
          + " label, numbers). Rows are in the order of the data; images that can't be read are left"
          + " out and named.",
    })
final class EmbedCommand implements Callable<Integer> {
  /** Which images. */
  enum Part {
    ALL,
    TRAIN,
    TEST
  }

  /** Which numbers. */
  enum What {
    /** The trunk's output. */
    FEATURES,
    /** The projection head's, of unit length. */
    EMBEDDINGS
  }

  @Mixin OutputOptions output;
  @Mixin SourceOptions source;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "FILE",
      description = "FILE.npy or FILE.csv.")
  Path out;

  @Option(
      names = "--part",
      paramLabel = "all|train|test",
      defaultValue = "all",
      description =
          "Which images: all (default), only those to train on, or only those held out for testing.")
  Part part;

  @Option(
      names = "--what",
      paramLabel = "features|embeddings",
      defaultValue = "features",
      description =
          "features: the trunk's output, for other tasks (default); embeddings: the projection"
              + " head's output, of unit length, which is compared with the prototypes.")
  What what;

  @Override
  public Integer call() {
    FeatureFile.requireKnownEnding(out);
    SourceOptions.Opened o = source.open(output);
    List<ImageSource> parts = new ArrayList<>();
    if (part != Part.TEST) {
      parts.add(o.data().train());
    }
    if (part != Part.TRAIN) {
      parts.add(o.data().test());
    }
    parts.removeIf(images -> images.size() == 0);
    if (parts.isEmpty()) {
      throw new IllegalArgumentException(
          o.spec() + " has no test images: leave out --part or give it train");
    }
    int dim = what == What.FEATURES ? o.weights().config().features() : o.weights().config().dim();
    long[] rows = new long[1];
    try (Embedder embedder = o.embedder();
        SwavEncoder encoder = SwavEncoder.ofNormalised(o.weights(), o.engine());
        FeatureFile file = FeatureFile.create(out, dim)) {
      for (ImageSource images : parts) {
        embedder.embed(
            images,
            what == What.FEATURES ? encoder::features : encoder::embeddings,
            (features, indices) -> {
              file.append(
                  features,
                  Arrays.stream(indices).map(images::label).toArray(),
                  i -> images.describe(indices[i]));
              rows[0] += indices.length;
            });
      }
      if (rows[0] == 0) {
        throw new TrainingException(
            "no image of " + o.spec() + " can be read: " + embedder.skipped());
      }
      file.finish();
      if (!embedder.skipped().isEmpty()) {
        output.err().println(embedder.skipped());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("command", "embed");
    fields.put("file", out.toString());
    fields.put("rows", rows[0]);
    fields.put("dim", dim);
    output.result(fields, rows[0] + " rows of " + dim + " numbers in " + out);
    return 0;
  }
}
