package org.swav4j.train.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.data.ImageSource;
import org.swav4j.model.SwavEncoder;
import org.swav4j.train.answers.NearDuplicates;
import org.swav4j.train.evaluation.IndexedFeatures;
import org.swav4j.train.evaluation.UnitRows;
import org.swav4j.train.features.CsvFile;
import org.swav4j.train.features.Embedder;
import org.swav4j.train.features.ImageNames;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which images are nearly the same. */
@Command(
    name = "duplicates",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Finds near-duplicates: images whose features have at least a given cosine with those of an"
          + " earlier image, the first of their group. Every pair is compared.",
      "Memory is that of the features: 100,000 images of 512 numbers take 200 MB.",
    })
final class DuplicatesCommand implements Callable<Integer> {
  /** Groups that people are shown; --json and --out hold all. */
  private static final int SHOWN = 20;

  /** Members of a group that people are shown. */
  private static final int MEMBERS_SHOWN = 8;

  private static final String[] COLUMNS = {"group", "path", "part", "label", "class", "similarity"};

  @Mixin OutputOptions output;
  @Mixin SourceOptions source;
  @Mixin PartOptions part;
  @Mixin VectorOptions vectors;

  @Option(
      names = "--threshold",
      paramLabel = "COSINE",
      defaultValue = "0.95",
      description =
          "Least cosine with the first image of the group, above 0 and up to 1 (default 0.95). Which"
              + " one parts duplicates from others depends on the network: begin high.")
  double threshold;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description =
          "FILE.csv for the images of all groups: group, path, part, label, class, similarity (the"
              + " cosine with the group's first).")
  Path out;

  @Override
  public Integer call() {
    NearDuplicates.requireThreshold("--threshold", threshold);
    if (out != null) {
      OutputOptions.requireEnding("--out", out, ".csv");
    }
    SourceOptions.Opened o = source.open(output);
    ImageSource images = part.images(o);
    o.data().leftOut().forEach(note -> output.note("%s", note));
    try (CsvFile csv = out == null ? null : CsvFile.create(out, COLUMNS);
        Embedder embedder = o.embedder();
        SwavEncoder encoder = SwavEncoder.ofNormalised(o.weights(), o.engine())) {
      Embedder.Network network = vectors.what.of(encoder);
      IndexedFeatures features =
          embedder.collectIndexed(images, batch -> UnitRows.inPlace(network.rows(batch)));
      output.remarks(embedder);
      List<NearDuplicates.Group> groups;
      try (INDArray rows = features.set().features()) {
        groups = NearDuplicates.groups(rows, threshold);
      }
      if (csv != null) {
        write(csv, groups, features.images(), images);
      }
      print(groups, features.images(), images);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return 0;
  }

  private void write(
      CsvFile csv, List<NearDuplicates.Group> groups, int[] imageOf, ImageSource images)
      throws IOException {
    for (int g = 0; g < groups.size(); g++) {
      for (NearDuplicates.Member member : groups.get(g).members()) {
        int i = imageOf[member.row()];
        csv.line(
            g,
            ImageNames.path(images, i),
            part.name(images, i),
            images.label(i),
            ImageNames.label(images, i),
            member.similarity());
      }
    }
    csv.finish();
  }

  private void print(List<NearDuplicates.Group> groups, int[] imageOf, ImageSource images) {
    int inGroups = groups.stream().mapToInt(g -> g.members().size()).sum();
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("command", "duplicates");
    fields.put("images", imageOf.length);
    fields.put("threshold", threshold);
    fields.put("images_in_groups", inGroups);
    List<Object> all = new ArrayList<>();
    for (NearDuplicates.Group group : groups) {
      List<Object> members = new ArrayList<>();
      for (NearDuplicates.Member member : group.members()) {
        Map<String, Object> one = new LinkedHashMap<>();
        one.put("path", ImageNames.path(images, imageOf[member.row()]));
        one.put("similarity", member.similarity());
        members.add(one);
      }
      all.add(members);
    }
    fields.put("groups", all);
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(
            Locale.ROOT,
            "%d images: %d groups of near-duplicates with %d images, cosine at least %s",
            imageOf.length,
            groups.size(),
            inGroups,
            threshold));
    groups.stream()
        .sorted(Comparator.comparingInt(g -> -g.members().size()))
        .limit(SHOWN)
        .forEach(g -> text.append(System.lineSeparator()).append(line(g, imageOf, images)));
    if (groups.size() > SHOWN) {
      text.append(System.lineSeparator())
          .append("and ")
          .append(groups.size() - SHOWN)
          .append(" smaller ones: --out writes all");
    }
    if (out != null) {
      fields.put("file", out.toString());
      text.append(System.lineSeparator()).append("all groups are in ").append(out);
    }
    if (2 * inGroups > imageOf.length) {
      output.note(
          "more than half of the images are in groups: if they aren't nearly the same, raise"
              + " --threshold, to 0.99 or 0.999");
    }
    output.result(fields, text.toString());
  }

  private static String line(NearDuplicates.Group group, int[] imageOf, ImageSource images) {
    int rest = group.members().size() - 1 - MEMBERS_SHOWN;
    return ImageNames.path(images, imageOf[group.members().get(0).row()])
        + ":"
        + group.members().stream()
            .skip(1)
            .limit(MEMBERS_SHOWN)
            .map(
                m ->
                    String.format(
                        Locale.ROOT,
                        "  %s %.4f",
                        ImageNames.path(images, imageOf[m.row()]),
                        m.similarity()))
            .collect(Collectors.joining())
        + (rest > 0 ? "  and " + rest + " more" : "");
  }
}
