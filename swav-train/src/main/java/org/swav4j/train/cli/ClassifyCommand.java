package org.swav4j.train.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.data.ImageSource;
import org.swav4j.model.SwavEncoder;
import org.swav4j.train.answers.Encoding;
import org.swav4j.train.answers.LabelClassifier;
import org.swav4j.train.evaluation.FeatureSet;
import org.swav4j.train.features.CsvFile;
import org.swav4j.train.features.Embedder;
import org.swav4j.train.features.ImageNames;
import org.swav4j.train.features.Sample;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A classifier from a few labels. */
@Command(
    name = "classify",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "With --fit: learns classes from a few labelled images, a folder for each class, by logistic"
          + " regression on the network's features. 'swav evaluate --draws' tells what to expect of it.",
      "With --apply: names the class of every image, with the probability of each class, in a CSV"
          + " file. It finds the network where it was; --run or --weights tells of another place.",
    })
final class ClassifyCommand implements Callable<Integer> {
  /** One of the two. */
  static final class What {
    @Option(names = "--fit", description = "Learns from labelled images; --out is the classifier.")
    boolean fit;

    @Option(
        names = "--apply",
        paramLabel = "FILE",
        description = "A classifier that --fit made; --out is a CSV file of classes.")
    Path apply;
  }

  @Mixin OutputOptions output;

  @ArgGroup(multiplicity = "1")
  What what;

  @Mixin SourceOptions source;
  @Mixin PartOptions part;
  @Mixin VectorOptions vectors;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "FILE",
      description = "The classifier, FILE.safetensors, or with --apply the classes, FILE.csv.")
  Path out;

  @Override
  public Integer call() {
    try {
      if (what.apply == null) {
        fit();
      } else {
        apply();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return 0;
  }

  private void fit() throws IOException {
    OutputOptions.requireEnding("--out", out, ".safetensors");
    SourceOptions.Opened o = source.open(output);
    Path folder = out.toAbsolutePath().getParent();
    Files.createDirectories(folder);
    ImageSource images = Sample.labelled(part.images(o), Integer.MAX_VALUE);
    if (images.size() == 0) {
      throw new IllegalArgumentException(
          o.spec() + " has no labelled images, expected a folder for each of two classes or more");
    }
    o.data().leftOut().forEach(note -> output.note("%s", note));
    LabelClassifier classifier;
    FeatureSet train;
    try (Embedder embedder = o.embedder();
        SwavEncoder encoder = SwavEncoder.ofNormalised(o.weights(), o.engine())) {
      train = embedder.collect(images, vectors.what.of(encoder));
      Encoding encoding = Encoding.of(o.file(), o.size(), vectors.what);
      classifier = LabelClassifier.fit(train, images.classes(), encoding);
      output.remarks(embedder);
    }
    classifier.save(out);
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("command", "classify");
    fields.put("classifier", out.toString());
    fields.put("images", train.size());
    fields.put("classes", classifier.classes());
    output.result(
        fields,
        String.format(
            Locale.ROOT,
            "%d classes (%s) from %d images in %s; use it with: swav classify --apply %s --data"
                + " folder:DIR --out labels.csv",
            classifier.classes().size(),
            String.join(", ", classifier.classes()),
            train.size(),
            out,
            out));
  }

  private void apply() throws IOException {
    OutputOptions.requireEnding("--out", out, ".csv");
    if (source.data == null) {
      throw new IllegalArgumentException(
          "--apply needs --data: which images are to be classified?");
    }
    if (source.size != null) {
      throw new IllegalArgumentException(
          "--size is "
              + source.size
              + ", but a classifier sees images at the size that it was fitted with: leave it out");
    }
    LabelClassifier classifier = LabelClassifier.load(what.apply);
    SourceOptions.Opened o = opened(classifier);
    ImageSource images = part.images(o);
    o.data().leftOut().forEach(note -> output.note("%s", note));
    int[] counts = new int[classifier.classes().size()];
    List<String> columns =
        new ArrayList<>(List.of("path", "part", "class", "probability", "skipped"));
    classifier.classes().forEach(name -> columns.add("p_" + name));
    Encoding encoding = classifier.encoding();
    try (Embedder embedder = new Embedder(encoding.size(), o.normalisation(), o.workers());
        SwavEncoder encoder = SwavEncoder.ofNormalised(o.weights(), o.engine());
        CsvFile csv = CsvFile.create(out, columns.toArray(String[]::new))) {
      Lines lines = new Lines(csv, images, embedder, classifier, counts);
      embedder.embed(images, encoding.vectors().of(encoder), lines);
      lines.skipUpTo(images.size());
      if (Arrays.stream(counts).sum() == 0) {
        throw new IllegalArgumentException(
            "no image of " + o.spec() + " can be read: " + embedder.skipped());
      }
      csv.finish();
      output.remarks(embedder);
    }
    print(classifier, counts);
  }

  /** The network that the classifier was fitted with, wherever it is now. */
  private SourceOptions.Opened opened(LabelClassifier classifier) throws IOException {
    Path weights = classifier.encoding().weights();
    if (source.where == null) {
      if (!Files.exists(weights)) {
        throw new IllegalArgumentException(
            "the network that "
                + what.apply
                + " was fitted with is no longer at "
                + weights
                + ": tell with --run or --weights where it is");
      }
      source.where = new SourceOptions.Where();
      source.where.weights = weights;
    }
    classifier.encoding().withWeights(source.file()).requireSame();
    source.size = classifier.encoding().size().size();
    return source.open(output);
  }

  private void print(LabelClassifier classifier, int[] counts) {
    Map<String, Object> numbers = new LinkedHashMap<>();
    List<String> words = new ArrayList<>();
    for (int c = 0; c < counts.length; c++) {
      numbers.put(classifier.classes().get(c), counts[c]);
      words.add(counts[c] + " " + classifier.classes().get(c));
    }
    int images = Arrays.stream(counts).sum();
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("command", "classify");
    fields.put("file", out.toString());
    fields.put("images", images);
    fields.put("classified", numbers);
    output.result(fields, images + " images in " + out + ": " + String.join(", ", words));
  }

  /** A line for each image, in their order. */
  private final class Lines implements Embedder.Sink {
    private final CsvFile csv;
    private final ImageSource images;
    private final Embedder embedder;
    private final LabelClassifier classifier;
    private final int[] counts;
    private int next;

    Lines(
        CsvFile csv,
        ImageSource images,
        Embedder embedder,
        LabelClassifier classifier,
        int[] counts) {
      this.csv = csv;
      this.images = images;
      this.embedder = embedder;
      this.classifier = classifier;
      this.counts = counts;
    }

    @Override
    public void accept(INDArray rows, int[] indices) throws IOException {
      float[][] probabilities;
      try (INDArray all = classifier.probabilities(rows)) {
        probabilities = all.toFloatMatrix();
      }
      for (int i = 0; i < indices.length; i++) {
        skipUpTo(indices[i]);
        float[] p = probabilities[i];
        int best = 0;
        for (int c = 1; c < p.length; c++) {
          best = p[c] > p[best] ? c : best;
        }
        counts[best]++;
        line(classifier.classes().get(best), p[best], "", p);
      }
    }

    void skipUpTo(int end) throws IOException {
      while (next < end) {
        String reason = embedder.reason(images.describe(next)).orElse("can't be read");
        line("", "", reason, null);
      }
    }

    private void line(String name, Object probability, String reason, float[] all)
        throws IOException {
      Stream<Object> each =
          IntStream.range(0, counts.length).mapToObj(c -> all == null ? "" : (Object) all[c]);
      csv.line(
          Stream.concat(
                  Stream.of(
                      ImageNames.path(images, next),
                      part.name(images, next),
                      name,
                      probability,
                      reason),
                  each)
              .toArray());
      next++;
    }
  }
}
