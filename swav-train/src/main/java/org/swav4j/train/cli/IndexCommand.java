package org.swav4j.train.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.swav4j.data.ImageSource;
import org.swav4j.train.answers.Encoding;
import org.swav4j.train.answers.ImageIndex;
import org.swav4j.train.answers.VectorIndexWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Makes images searchable. */
@Command(
    name = "index",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Makes a folder by which 'swav search' finds the images that are most similar to another"
          + " (Lucene's HNSW). It holds the images' vectors and paths, relative to the folder of the"
          + " data, and a copy of the weights, but no images.",
      "An index of that name is replaced once the new one is complete.",
    })
final class IndexCommand implements Callable<Integer> {
  @Mixin OutputOptions output;
  @Mixin SourceOptions source;
  @Mixin PartOptions part;
  @Mixin VectorOptions vectors;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "Where the index goes: a new or an empty folder, or an index to replace.")
  Path out;

  @Override
  public Integer call() {
    ImageIndex.Summary summary;
    try {
      VectorIndexWriter.requireFree(out);
      SourceOptions.Opened o = source.open(output);
      ImageSource images = part.images(o);
      o.data().leftOut().forEach(note -> output.note("%s", note));
      Encoding encoding = Encoding.of(o.file(), o.size(), vectors.what);
      summary = ImageIndex.create(out, images, encoding, o.workers(), o.engine());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    summary.remarks().forEach(output.err()::println);
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("command", "index");
    fields.put("index", out.toString());
    fields.put("images", summary.images());
    fields.put("dim", summary.dim());
    output.result(
        fields,
        String.format(
            Locale.ROOT,
            "%d images of %d numbers in %s; search them with: swav search IMAGE --index %s",
            summary.images(),
            summary.dim(),
            out,
            out));
    return 0;
  }
}
