package org.swav4j.train.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.swav4j.data.ImageSource;
import org.swav4j.model.SwavEncoder;
import org.swav4j.train.answers.Clustering;
import org.swav4j.train.evaluation.ClusterAgreement;
import org.swav4j.train.features.CsvFile;
import org.swav4j.train.features.Embedder;
import org.swav4j.train.features.ImageNames;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which images belong together. */
@Command(
    name = "cluster",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Sorts images by the prototype of the network that each is nearest to, and shows the largest"
          + " clusters by their most typical images: those most similar to the prototype.",
      "Where images have labels, as in a folder per class, it also says how well clusters and classes"
          + " agree: normalised mutual information, adjusted Rand index, purity.",
    })
final class ClusterCommand implements Callable<Integer> {
  /** Clusters that people are shown; --json and --out hold all. */
  private static final int SHOWN = 20;

  private static final String[] COLUMNS = {
    "path", "part", "label", "class", "prototype", "similarity", "skipped"
  };

  @Mixin OutputOptions output;
  @Mixin SourceOptions source;
  @Mixin PartOptions part;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description =
          "FILE.csv for all images: path, part, label, class, prototype, similarity (the cosine with"
              + " the prototype), and why an image was skipped.")
  Path out;

  @Option(
      names = "--typical",
      paramLabel = "N",
      defaultValue = "5",
      description = "Images shown of each cluster, the most typical first (default 5).")
  int typical;

  @Override
  public Integer call() {
    if (typical < 0) {
      throw new IllegalArgumentException(
          "--typical is " + typical + ", expected 0 or more images to show of each cluster");
    }
    if (out != null) {
      OutputOptions.requireEnding("--out", out, ".csv");
    }
    SourceOptions.Opened o = source.open(output);
    ImageSource images = part.images(o);
    o.data().leftOut().forEach(note -> output.note("%s", note));
    Clustering found;
    try (CsvFile csv = out == null ? null : CsvFile.create(out, COLUMNS);
        Embedder embedder = o.embedder();
        SwavEncoder encoder = SwavEncoder.ofNormalised(o.weights(), o.engine())) {
      found = Clustering.of(images, embedder, encoder);
      output.remarks(embedder);
      if (csv != null) {
        write(csv, found, images, embedder);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    print(found, images);
    return 0;
  }

  private void write(CsvFile csv, Clustering found, ImageSource images, Embedder embedder)
      throws IOException {
    int row = 0;
    for (int i = 0; i < images.size(); i++) {
      boolean read = row < found.size() && found.image(row) == i;
      csv.line(
          ImageNames.path(images, i),
          part.name(images, i),
          images.label(i),
          ImageNames.label(images, i),
          read ? found.prototype(row) : "",
          read ? found.similarity(row) : "",
          read ? "" : embedder.reason(images.describe(i)).orElse("can't be read"));
      row += read ? 1 : 0;
    }
    csv.finish();
  }

  private void print(Clustering found, ImageSource images) {
    List<Clustering.Cluster> clusters = found.clusters(typical);
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("command", "cluster");
    fields.put("images", found.size());
    fields.put("prototypes", found.prototypes());
    fields.put("prototypes_used", clusters.size());
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(
            Locale.ROOT,
            "%d images in %d clusters (of %d prototypes)",
            found.size(),
            clusters.size(),
            found.prototypes()));
    Optional<ClusterAgreement> agreement = found.agreement();
    agreement.ifPresent(
        a -> {
          fields.put("nmi", a.nmi());
          fields.put("ari", a.ari());
          fields.put("purity", a.purity());
          text.append(
              String.format(
                  Locale.ROOT,
                  ", with the classes: NMI %.3f, ARI %.3f, purity %.2f %%",
                  a.nmi(),
                  a.ari(),
                  100 * a.purity()));
        });
    List<Map<String, Object>> all = new ArrayList<>();
    for (Clustering.Cluster cluster : clusters) {
      all.add(fields(cluster, images));
      if (all.size() <= SHOWN) {
        text.append(System.lineSeparator()).append(line(cluster, images));
      }
    }
    if (clusters.size() > SHOWN) {
      text.append(System.lineSeparator())
          .append("and ")
          .append(clusters.size() - SHOWN)
          .append(" smaller ones: --json tells of all");
    }
    fields.put("clusters", all);
    if (out != null) {
      fields.put("file", out.toString());
      text.append(System.lineSeparator()).append("each image's prototype is in ").append(out);
    }
    output.result(fields, text.toString());
  }

  private static Map<String, Object> fields(Clustering.Cluster cluster, ImageSource images) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("prototype", cluster.prototype());
    fields.put("size", cluster.size());
    if (cluster.label() >= 0) {
      fields.put("class", images.classes().get(cluster.label()));
      fields.put("class_share", cluster.labelShare());
    }
    fields.put("typical", names(cluster, images));
    return fields;
  }

  private static List<String> names(Clustering.Cluster cluster, ImageSource images) {
    return cluster.typical().stream().map(i -> ImageNames.path(images, i)).toList();
  }

  private static String line(Clustering.Cluster cluster, ImageSource images) {
    return String.format(
        Locale.ROOT,
        "prototype %4d: %5d images%s%s",
        cluster.prototype(),
        cluster.size(),
        cluster.label() < 0
            ? ""
            : String.format(
                Locale.ROOT,
                ", %3.0f %% %s",
                100 * cluster.labelShare(),
                images.classes().get(cluster.label())),
        names(cluster, images).stream().collect(Collectors.joining("  ", "  ", "")));
  }
}
