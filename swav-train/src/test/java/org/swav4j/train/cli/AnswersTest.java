package org.swav4j.train.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.SwavEncoder;
import org.swav4j.model.SwavWeights;
import org.swav4j.train.evaluation.ClusterAgreement;

/** What a network that has learned nothing answers about a folder of noise. */
class AnswersTest {
  private static final long PATIENCE_SECONDS = 60;

  @TempDir static Path folder;

  private static Path weights;
  private static Path data;

  @BeforeAll
  static void aNetworkAndImages() throws IOException {
    weights = FolderCommandsTest.weights(folder);
    data = folder.resolve("data");
    for (int i = 0; i < 12; i++) {
      FolderCommandsTest.image(data.resolve((i < 6 ? "a" : "b") + "/" + i % 6 + ".png"), i);
    }
    Files.write(data.resolve("a/2.png"), new byte[0]);
    Files.copy(data.resolve("a/3.png"), data.resolve("b/again.png"));
  }

  private static CommandLineTest.Outcome swav(String command, String spec, Object... more) {
    List<String> all =
        new ArrayList<>(List.of(command, "--weights", weights.toString(), "--data", spec));
    Stream.of(more).map(Object::toString).forEach(all::add);
    CommandLineTest.Outcome outcome = CommandLineTest.swav(all.toArray(String[]::new));
    assertThat(outcome.status()).as(outcome.err()).isZero();
    return outcome;
  }

  private static JsonObject json(CommandLineTest.Outcome outcome) {
    return JsonParser.parseString(outcome.out()).getAsJsonObject();
  }

  /** Ways to type the same folder. */
  private static List<String> spellings() {
    Path here = Path.of("").toAbsolutePath();
    return List.of("folder:" + data, data + "/", here.relativize(data.toAbsolutePath()).toString());
  }

  @Test
  void everyImageIsInTheClusterOfThePrototypeThatItIsAssignedTo() throws IOException {
    Path csv = folder.resolve("clusters.csv");
    JsonObject json = json(swav("cluster", "folder:" + data, "--json", "--out", csv));
    List<String> lines = Files.readAllLines(csv);
    assertThat(lines).hasSize(14);
    assertThat(lines.get(0)).isEqualTo("path,part,label,class,prototype,similarity,skipped");
    assertThat(lines.get(3)).matches("a/2.png,(train|test),0,a,,,empty file");
    int[] clusters = new int[12];
    int[] labels = new int[12];
    int read = 0;
    try (SwavEncoder encoder = SwavEncoder.ofNormalised(SwavWeights.load(weights))) {
      for (String line : lines.subList(1, 14)) {
        String[] fields = line.split(",", -1);
        if (fields[4].isEmpty()) {
          continue;
        }
        INDArray pixels = encoder.pixels(data.resolve(fields[0]));
        clusters[read] = Integer.parseInt(fields[4]);
        labels[read++] = Integer.parseInt(fields[2]);
        assertThat(encoder.assign(pixels)).as(line).containsExactly(clusters[read - 1]);
        assertThat(Float.parseFloat(fields[5]))
            .isCloseTo(encoder.scores(pixels).maxNumber().floatValue(), within(1e-5f));
      }
    }
    assertThat(read).isEqualTo(12);
    ClusterAgreement agreement = ClusterAgreement.of(clusters, labels);
    assertThat(json.get("images").getAsInt()).isEqualTo(12);
    assertThat(json.get("nmi").getAsDouble()).isEqualTo(agreement.nmi());
    assertThat(json.get("purity").getAsDouble()).isEqualTo(agreement.purity());
    assertThat(json.get("prototypes_used").getAsInt()).isEqualTo(agreement.clusters());
    JsonArray sizes = json.get("clusters").getAsJsonArray();
    assertThat(sizes).hasSize(agreement.clusters());
    int most = sizes.get(0).getAsJsonObject().get("prototype").getAsInt();
    assertThat(sizes.get(0).getAsJsonObject().get("size").getAsLong())
        .isEqualTo(java.util.Arrays.stream(clusters).filter(c -> c == most).count());

    CommandLineTest.Outcome text = swav("cluster", "folder:" + data, "--typical", 1);
    assertThat(text.out()).contains("12 images in", "purity").contains("prototype");
    assertThat(text.err()).contains("a/2.png", "empty file");
  }

  @Test
  void copiesAreFoundByTheirRelativePathsHoweverTheFolderIsTyped() throws IOException {
    List<String> written = new ArrayList<>();
    List<String> indexes = new ArrayList<>();
    for (String spec : spellings()) {
      Path csv = folder.resolve("duplicates.csv");
      JsonObject json = json(swav("duplicates", spec, "--json", "--threshold", 1, "--out", csv));
      assertThat(json.get("images").getAsInt()).isEqualTo(12);
      assertThat(json.get("images_in_groups").getAsInt()).isEqualTo(2);
      assertThat(json.get("groups").getAsJsonArray()).hasSize(1);
      swav("embed", spec, "--out", folder.resolve("rows.npy"));
      written.add(Files.readString(csv));
      indexes.add(Files.readString(folder.resolve("rows.index.csv")));
    }
    assertThat(indexes.get(0).lines().toList().get(3)).matches(",a/2.png,t[a-z]+,0,a,empty file");
    assertThat(indexes).containsOnly(indexes.get(0));
    assertThat(written.get(0).lines().toList()).hasSize(3);
    assertThat(written.get(0).lines().toList().get(1)).matches("0,a/3.png,t[a-z]+,0,a,1.0");
    assertThat(written.get(0).lines().toList().get(2)).startsWith("0,b/again.png,");
    assertThat(written).containsOnly(written.get(0));
    assertThat(swav("duplicates", "folder:" + data, "--threshold", 1).out())
        .contains("12 images: 1 groups", "a/3.png:  b/again.png 1.0000");
  }

  @Test
  void anIndexMovedElsewhereIsSearchedWithNothingElse() throws IOException {
    Path made = folder.resolve("made");
    String spec = spellings().get(2);
    assertThat(json(swav("index", spec, "--json", "--out", made)).get("images").getAsInt())
        .isEqualTo(12);
    Path moved = folder.resolve("moved");
    Files.move(made, moved);
    Path query = data.resolve("a/3.png");
    CommandLineTest.Outcome outcome =
        CommandLineTest.swav(
            "search", query.toString(), "--index", moved.toString(), "--top", "3", "--json");
    assertThat(outcome.status()).as(outcome.err()).isZero();
    JsonArray found = json(outcome).get("found").getAsJsonArray();
    assertThat(found).hasSize(3);
    List<String> paths = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      JsonObject one = found.get(i).getAsJsonObject();
      paths.add(one.get("path").getAsString());
      assertThat(one.get("class").getAsString()).isEqualTo(paths.get(i).substring(0, 1));
      if (i < 2) {
        assertThat(one.get("similarity").getAsDouble()).isCloseTo(1, within(1e-5));
      } else {
        assertThat(one.get("similarity").getAsDouble()).isLessThan(0.99999);
      }
    }
    assertThat(paths.subList(0, 2)).containsExactlyInAnyOrder("a/3.png", "b/again.png");

    CommandLineTest.Outcome unreadable =
        CommandLineTest.swav(
            "search", query.toString(), data + "/a/2.png", "--index", moved.toString());
    assertThat(unreadable.status()).isEqualTo(1);
    assertThat(unreadable.out()).isEmpty();
    assertThat(unreadable.err().lines()).hasSize(1).first().asString().contains("2.png", "empty");

    SwavWeights other = SwavWeights.load(weights);
    other.parameters().get("prototypes.weight").muli(-1);
    other.save(moved.resolve("weights.safetensors"));
    CommandLineTest.Outcome refused =
        CommandLineTest.swav("search", query.toString(), "--index", moved.toString());
    assertThat(refused.status()).isEqualTo(2);
    assertThat(refused.err().lines()).hasSize(1).first().asString().contains("other weights");
  }

  @Test
  void aClassifierFromFewLabelsNamesClassesAndKnowsItsNetwork() throws IOException {
    Path few = folder.resolve("few");
    for (int i = 0; i < 8; i++) {
      plain(few.resolve((i % 2 == 0 ? "dark, very" : "light") + "/" + i + ".png"), i % 2, i);
    }
    Path file = folder.resolve("classifier.safetensors");
    JsonObject fitted = json(swav("classify", "folder:" + few, "--fit", "--json", "--out", file));
    assertThat(fitted.get("images").getAsInt()).isEqualTo(8);
    assertThat(fitted.get("classes").toString()).isEqualTo("[\"dark, very\",\"light\"]");

    Path fresh = folder.resolve("fresh");
    for (int i = 0; i < 6; i++) {
      plain(fresh.resolve(i + ".png"), i % 2, 40 + i);
    }
    Files.write(fresh.resolve("3.png"), new byte[0]);
    Path csv = folder.resolve("classes.csv");
    String[] apply = {
      "classify", "--apply", file.toString(), "--data", "folder:" + fresh, "--out", csv.toString()
    };
    CommandLineTest.Outcome outcome = CommandLineTest.swav(apply);
    assertThat(outcome.status()).as(outcome.err()).isZero();
    assertThat(outcome.out()).contains("5 images", "3 dark, very", "2 light");
    List<String> lines = Files.readAllLines(csv);
    assertThat(lines).hasSize(7);
    assertThat(lines.get(0))
        .isEqualTo("path,part,class,probability,skipped,\"p_dark, very\",p_light");
    assertThat(lines.get(4)).isEqualTo("3.png,train,,,empty file,,");
    for (int i : new int[] {0, 1, 2, 4, 5}) {
      String[] fields = lines.get(1 + i).replace("\"dark, very\"", "dark").split(",", -1);
      assertThat(fields).startsWith(i + ".png", "train", i % 2 == 0 ? "dark" : "light");
      double dark = Double.parseDouble(fields[5]);
      double light = Double.parseDouble(fields[6]);
      assertThat(dark + light).isCloseTo(1, within(1e-5));
      assertThat(Double.parseDouble(fields[3])).isEqualTo(Math.max(dark, light));
    }

    // Another network is refused, one that is gone is asked for, and one that moved is told of.
    Path other = folder.resolve("other.safetensors");
    SwavWeights changed = SwavWeights.load(weights);
    changed.parameters().get("prototypes.weight").muli(-1);
    changed.save(other);
    CommandLineTest.Outcome refused =
        CommandLineTest.swav(
            Stream.concat(Stream.of(apply), Stream.of("--weights", other.toString()))
                .toArray(String[]::new));
    assertThat(refused.status()).isEqualTo(2);
    assertThat(refused.err().lines()).hasSize(1).first().asString().contains("other weights");
    Path moved = folder.resolve("moved.safetensors");
    Files.move(weights, moved);
    try {
      CommandLineTest.Outcome gone = CommandLineTest.swav(apply);
      assertThat(gone.status()).isEqualTo(2);
      assertThat(gone.err().lines()).hasSize(1).first().asString().contains("--weights where");
      assertThat(
              CommandLineTest.swav(
                      Stream.concat(Stream.of(apply), Stream.of("--weights", moved.toString()))
                          .toArray(String[]::new))
                  .status())
          .isZero();
    } finally {
      Files.move(moved, weights);
    }
    assertThat(Files.readAllLines(csv)).isEqualTo(lines);
  }

  private static void plain(Path file, int light, int noise) throws IOException {
    java.awt.image.BufferedImage image =
        new java.awt.image.BufferedImage(24, 20, java.awt.image.BufferedImage.TYPE_INT_RGB);
    java.util.Random random = new java.util.Random(noise);
    for (int i = 0; i < 24 * 20; i++) {
      int shade = 30 + 170 * light + random.nextInt(50);
      image.setRGB(i % 24, i / 24, shade * 0x10101);
    }
    Files.createDirectories(file.getParent());
    javax.imageio.ImageIO.write(image, "png", file.toFile());
  }

  @Test
  void evaluateTellsTheMeanAndTheSpreadOverDrawsOfTheLabels() {
    JsonObject json =
        json(swav("evaluate", "shapes:400", "--json", "--draws", 3, "--labels", 24, "--rank"));
    assertThat(json.get("labels").getAsInt()).isEqualTo(24);
    JsonArray draws = json.get("few_labels_draws").getAsJsonArray();
    assertThat(draws).hasSize(3);
    double mean = 0;
    for (int d = 0; d < 3; d++) {
      mean += draws.get(d).getAsDouble() / 3;
    }
    assertThat(json.get("few_labels").getAsDouble()).isCloseTo(mean, within(1e-12));
    assertThat(json.get("few_labels_deviation").getAsDouble()).isPositive();
    assertThat(json.get("few_labels_classes").getAsJsonObject().size()).isEqualTo(12);
    assertThat(json.get("alpha_req").getAsDouble()).isPositive();
    assertThat(json.has("linear") || json.has("knn20")).isFalse();
  }

  @ParameterizedTest
  @CsvSource({"index, never", "duplicates, never.csv", "cluster, never.csv"})
  void interruptedNothingIsLeftBehind(String command, String out)
      throws IOException, InterruptedException {
    assumeTrue(OtherProcess.succeeds("sh", "-c", "kill -l"), "signals are sent by a shell's kill");
    // Ctrl-C, unless whoever started the tests lets their processes ignore it, as nohup does.
    boolean ignored = OtherProcess.ignoresInterrupts();
    Path place = Files.createDirectories(folder.resolve("interrupted-" + command));
    Process process =
        OtherProcess.start(
            folder,
            command,
            OtherProcess.command(
                command,
                "--weights",
                weights.toString(),
                "--data",
                "shapes:1000000",
                "--out",
                place.resolve(out).toString()));
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (place.toFile().list().length == 0) {
      assertThat(process.isAlive()).as(Files.readString(folder.resolve(command + ".err"))).isTrue();
      assertThat(System.nanoTime()).as("nothing is written").isLessThan(end);
      Thread.sleep(20);
    }
    assertThat(
            OtherProcess.succeeds(
                "sh", "-c", "kill -" + (ignored ? "TERM " : "INT ") + process.pid()))
        .isTrue();
    assertThat(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isEqualTo(ignored ? 143 : SwavCommand.INTERRUPTED);
    assertThat(folder.resolve(command + ".err")).content().doesNotContain("swav: ");
    assertThat(place).isEmptyDirectory();
  }
}
