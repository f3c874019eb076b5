package org.swav4j.train.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.swav4j.model.engine.Engines;
import org.swav4j.model.engine.Precision;
import org.swav4j.train.answers.ImageIndex;
import org.swav4j.train.answers.VectorIndex;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Finds similar images. */
@Command(
    name = "search",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Finds the images of an index that are most similar to each IMAGE, the most similar first, with"
          + " the cosine of their features. Paths are relative to the folder that was indexed.",
    })
final class SearchCommand implements Callable<Integer> {
  @Mixin OutputOptions output;

  @Parameters(arity = "1..*", paramLabel = "IMAGE", description = "Image files to search with.")
  List<Path> images;

  @Option(
      names = "--index",
      required = true,
      paramLabel = "DIR",
      description = "An index that 'swav index' made; it holds all that is needed.")
  Path index;

  @Option(
      names = "--top",
      paramLabel = "N",
      defaultValue = "10",
      description = "Images to find for each IMAGE (default 10).")
  int top;

  @Option(
      names = "--engine",
      paramLabel = "NAME",
      defaultValue = "auto",
      description = "Library that computes the network: auto (default), onednn or nd4j.")
  String engine;

  @Override
  public Integer call() {
    if (top < 1) {
      throw new IllegalArgumentException("--top is " + top + ", expected at least 1 image to find");
    }
    Backend.start();
    try (ImageIndex opened = ImageIndex.open(index, Engines.of(engine, Precision.FLOAT))) {
      List<List<VectorIndex.Hit>> found = opened.search(images, top);
      for (int i = 0; i < images.size(); i++) {
        print(images.get(i), found.get(i));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return 0;
  }

  private void print(Path query, List<VectorIndex.Hit> hits) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("command", "search");
    fields.put("query", query.toString());
    List<Map<String, Object>> found = new ArrayList<>();
    StringBuilder text = new StringBuilder(query.toString()).append(':');
    for (VectorIndex.Hit hit : hits) {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("path", hit.id());
      if (!hit.label().isEmpty()) {
        one.put("class", hit.label());
      }
      one.put("similarity", hit.similarity());
      found.add(one);
      text.append(String.format(Locale.ROOT, "%n  %.4f  %s", hit.similarity(), hit.id()));
    }
    fields.put("found", found);
    output.result(fields, text.toString());
  }
}
