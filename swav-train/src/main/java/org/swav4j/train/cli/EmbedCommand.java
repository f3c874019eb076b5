package org.swav4j.train.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.swav4j.data.ImageSource;
import org.swav4j.model.SwavEncoder;
import org.swav4j.train.features.Embedder;
import org.swav4j.train.features.FeatureFile;
import org.swav4j.train.features.RowIndex;
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
          + " label, numbers). Rows are in the order of the paths, or of the data where images have no"
          + " files of their own; images that can't be read are left out and named.",
      "FILE.index.csv, written beside it, ties rows to images: row, path, part, label, class, and why"
          + " an image was skipped.",
    })
final class EmbedCommand implements Callable<Integer> {
  @Mixin OutputOptions output;
  @Mixin SourceOptions source;
  @Mixin PartOptions part;
  @Mixin VectorOptions vectors;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "FILE",
      description = "FILE.npy or FILE.csv.")
  Path out;

  @Override
  public Integer call() {
    FeatureFile.requireKnownEnding(out);
    SourceOptions.Opened o = source.open(output);
    ImageSource images = part.images(o);
    int dim = vectors.what.dim(o.weights());
    long rows;
    Path index;
    try (Embedder embedder = o.embedder();
        SwavEncoder encoder = SwavEncoder.ofNormalised(o.weights(), o.engine());
        FeatureFile file = FeatureFile.create(out, dim);
        RowIndex list = RowIndex.of(out)) {
      Listed listed = new Listed(images, list, embedder);
      embedder.embed(
          images,
          vectors.what.of(encoder),
          (features, indices) -> {
            file.append(
                features,
                Arrays.stream(indices).map(images::label).toArray(),
                i -> images.describe(indices[i]));
            listed.rows(indices);
          });
      rows = listed.rows;
      if (rows == 0) {
        throw new TrainingException(
            "no image of " + o.spec() + " can be read: " + embedder.skipped());
      }
      listed.skipUpTo(images.size());
      file.finish();
      list.finish();
      index = list.file();
      o.data().leftOut().forEach(note -> output.note("%s", note));
      output.remarks(embedder);
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("command", "embed");
    fields.put("file", out.toString());
    fields.put("rows", rows);
    fields.put("dim", dim);
    fields.put("index", index.toString());
    fields.put("classes", images.classes());
    output.result(fields, rows + " rows of " + dim + " numbers in " + out);
    return 0;
  }

  /** The images met so far, with and without a row. */
  private final class Listed {
    private final ImageSource images;
    private final RowIndex list;
    private final Embedder embedder;
    private int next;
    private long rows;

    Listed(ImageSource images, RowIndex list, Embedder embedder) {
      this.images = images;
      this.list = list;
      this.embedder = embedder;
    }

    void rows(int[] indices) throws IOException {
      for (int index : indices) {
        skipUpTo(index);
        list.row(images, index, part.name(images, index));
        next = index + 1;
        rows++;
      }
    }

    /** Images that were passed over could not be read. */
    void skipUpTo(int end) throws IOException {
      for (; next < end; next++) {
        String reason = embedder.reason(images.describe(next)).orElse("can't be read");
        list.skipped(images, next, part.name(images, next), reason);
      }
    }
  }
}
