package org.swav4j.train.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.swav4j.model.SwavWeights;
import org.swav4j.train.config.Preset;
import org.swav4j.train.config.Settings;

/** What commands make of folders: parts, classes, files left out, and the order of rows. */
class FolderCommandsTest {
  @TempDir static Path folder;

  private static Path weights;

  @BeforeAll
  static void aNetwork() throws IOException {
    weights = weights(folder);
  }

  /** A small network that has learned nothing. */
  static Path weights(Path folder) throws IOException {
    Path file = folder.resolve("weights.safetensors");
    var network =
        Settings.change(Preset.QUICK.config(), Map.of("width", "0.25", "hidden", "16", "dim", "8"))
            .network();
    SwavWeights.initialise(network.with(3), 1)
        .withNormalisation(List.of(0.5, 0.5, 0.5), List.of(0.25, 0.25, 0.25))
        .save(file);
    return file;
  }

  /** Noise that another shade makes another image of. */
  static void image(Path file, int shade) throws IOException {
    BufferedImage image = new BufferedImage(24, 20, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 24 * 20; i++) {
      image.setRGB(i % 24, i / 24, (i * 991 + shade * 4099) * 2654435);
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ImageIO.write(image, "png", bytes);
    Files.createDirectories(file.getParent());
    Files.write(file, bytes.toByteArray());
  }

  private static CommandLineTest.Outcome swav(String command, Path data, String... more) {
    List<String> all = new ArrayList<>(List.of(command, "--weights", weights.toString()));
    all.addAll(List.of("--data", "folder:" + data));
    all.addAll(List.of(more));
    return CommandLineTest.swav(all.toArray(String[]::new));
  }

  /** The numbers of an .npy file of one kind: little-endian float after a header of 128 bytes. */
  private static float[] npy(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    float[] values = new float[(bytes.capacity() - 128) / 4];
    bytes.position(128).asFloatBuffer().get(values);
    return values;
  }

  /** A part of IDX files: images of 8 x 8 pixels, and labels if there are classes. */
  private static void idx(Path data, String part, int images, int classes) throws IOException {
    Files.createDirectories(data);
    ByteBuffer pixels = ByteBuffer.allocate(16 + images * 64);
    pixels.putInt(0x803).putInt(images).putInt(8).putInt(8);
    for (int i = 0; i < images * 64; i++) {
      pixels.put((byte) (i * 2654435 >> 5));
    }
    Files.write(data.resolve(part + "-images-idx3-ubyte"), pixels.array());
    if (classes > 0) {
      ByteBuffer labels = ByteBuffer.allocate(8 + images).putInt(0x801).putInt(images);
      for (int i = 0; i < images; i++) {
        labels.put((byte) (i % classes));
      }
      Files.write(data.resolve(part + "-labels-idx1-ubyte"), labels.array());
    }
  }

  private static CommandLineTest.Outcome evaluate(String data, String... more) {
    List<String> all = new ArrayList<>(List.of("evaluate", "--json", "--data", data));
    all.addAll(List.of("--weights", weights.toString()));
    all.addAll(List.of(more));
    return CommandLineTest.swav(all.toArray(String[]::new));
  }

  @Test
  void clustersAreComparedWithLabelsOfTestImagesAlone() throws IOException {
    Path unlabelled = folder.resolve("unlabelled");
    idx(unlabelled, "train", 5, 0);
    idx(unlabelled, "t10k", 12, 3);
    Path otherClasses = folder.resolve("otherClasses");
    for (int i = 0; i < 12; i++) {
      image(otherClasses.resolve("train/" + (i % 2 == 0 ? "a/" : "b/") + i + ".png"), i);
      image(otherClasses.resolve("test/" + (i % 2 == 0 ? "c/" : "d/") + i + ".png"), 50 + i);
    }
    for (String data : List.of("idx:" + unlabelled, "folder:" + otherClasses)) {
      CommandLineTest.Outcome outcome = evaluate(data, "--clusters", "--rank");
      assertThat(outcome.status()).as(outcome.err()).isZero();
      JsonObject json = JsonParser.parseString(outcome.out()).getAsJsonObject();
      assertThat(json.get("test_images").getAsInt()).isEqualTo(12);
      assertThat(json.get("purity").getAsDouble()).isBetween(1 / 3.0, 1.0);
      assertThat(json.get("clusters").getAsInt()).isBetween(1, 12);
      outcome = evaluate(data, "--clusters", "--knn");
      assertThat(outcome.status()).isEqualTo(2);
      assertThat(outcome.err()).contains(data + " can't be used to judge features");
    }
    idx(unlabelled, "train", 5, 3);
    Files.delete(unlabelled.resolve("t10k-labels-idx1-ubyte"));
    CommandLineTest.Outcome outcome = evaluate("idx:" + unlabelled, "--clusters");
    assertThat(outcome.status()).isEqualTo(2);
    assertThat(outcome.err()).contains("no test image has a label");
  }

  @Test
  void rowsAreInTheOrderOfThePathsAndTheIndexTiesThemToFiles() throws IOException {
    Path data = folder.resolve("order");
    for (int i = 0; i < 12; i++) {
      image(data.resolve((i < 6 ? "a" : "b") + "/" + i % 6 + ".png"), i);
    }
    Files.write(data.resolve("a/2.png"), new byte[0]);
    Path all = folder.resolve("all.npy");
    CommandLineTest.Outcome outcome = swav("embed", data, "--json", "--out", all.toString());
    assertThat(outcome.status()).as(outcome.err()).isZero();
    JsonObject json = JsonParser.parseString(outcome.out()).getAsJsonObject();
    assertThat(json.get("classes").toString()).isEqualTo("[\"a\",\"b\"]");
    Path index = Path.of(json.get("index").getAsString());
    assertThat(index).isEqualTo(folder.resolve("all.index.csv"));
    List<String> lines = Files.readAllLines(index);
    assertThat(lines.get(0)).isEqualTo("row,path,part,label,class,skipped");
    assertThat(lines).hasSize(13);
    assertThat(lines.get(3)).matches(",a/2.png,(train|test),0,a,empty file");
    int dim = json.get("dim").getAsInt();
    float[] values = npy(all);
    // each row is that of its file alone
    for (int i : new int[] {0, 3, 8, 12}) {
      String[] fields = lines.get(Math.max(1, i)).split(",", -1);
      Path alone = folder.resolve("alone" + i);
      Files.createDirectories(alone);
      Files.copy(data.resolve(fields[1]), alone.resolve("x.png"));
      if (!fields[0].isEmpty()) {
        Path one = folder.resolve("one" + i + ".npy");
        assertThat(swav("embed", alone, "--out", one.toString()).status()).isZero();
        int row = Integer.parseInt(fields[0]) * dim;
        float[] expected = npy(one);
        for (int d = 0; d < dim; d++) {
          assertThat(values[row + d]).isEqualTo(expected[d], within(expected[d]));
        }
      }
    }
    assertThat(lines.get(12)).startsWith("10,b/5.png,").endsWith(",1,b,");
  }

  private static org.assertj.core.data.Offset<Float> within(float value) {
    return org.assertj.core.api.Assertions.within(1e-4f * (1 + Math.abs(value)));
  }

  @Test
  void theShareHeldOutIsTheOneAskedForAndTheLayoutIsTold() throws IOException {
    Path data = folder.resolve("shares");
    for (int i = 0; i < 60; i++) {
      image(data.resolve((i % 2 == 0 ? "a" : "b") + "/" + i + ".png"), i);
    }
    Files.writeString(data.resolve("labels.csv"), "x");
    List<Integer> tested = new ArrayList<>();
    for (String share : List.of("0.1", "0.5")) {
      CommandLineTest.Outcome outcome =
          swav("evaluate", data, "--json", "--knn", "--neighbours", "3", "--holdout", share);
      assertThat(outcome.status()).as(outcome.err()).isZero();
      JsonObject json = JsonParser.parseString(outcome.out()).getAsJsonObject();
      int test = json.get("test_images").getAsInt();
      assertThat(json.get("train_images").getAsInt()).isEqualTo(60 - test);
      assertThat(json.get("classes").toString()).isEqualTo("[\"a\",\"b\"]");
      assertThat(outcome.err())
          .contains("2 classes of 30 images (a, b)", test + " of 60 images are held out")
          .contains("1 .csv; labels.csv");
      tested.add(test);
    }
    assertThat(tested.get(0)).isBetween(1, 15);
    assertThat(tested.get(1)).isBetween(18, 42);
    assertThat(swav("evaluate", data, "--holdout", "0").err())
        .contains("no test images", "learned from (--holdout 0)");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void namesOfAnyLettersAreReadWithoutALocale() throws Exception {
    Path data = folder.resolve("letters");
    image(data.resolve("gr\u00f6\u00dfe/a.png"), 1);
    image(data.resolve("b/\u4e2d.png"), 2);
    Path latin = Path.of(URI.create(data.toUri() + "b/k%E4se.png"));
    Files.copy(data.resolve("b/\u4e2d.png"), latin);
    List<String> command =
        OtherProcess.command(
            "embed",
            "--weights",
            weights.toString(),
            "--data",
            "folder:" + data,
            "--out",
            folder.resolve("letters.csv").toString());
    Process process =
        new ProcessBuilder(
                java.util.stream.Stream.concat(
                        java.util.stream.Stream.of("env", "-u", "LANG", "LC_ALL=C"),
                        command.stream())
                    .toList())
            .redirectErrorStream(true)
            .start();
    String printed = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).as(printed).isZero();
    assertThat(Files.readAllLines(folder.resolve("letters.index.csv")))
        .extracting(line -> line.split(",", -1)[1])
        .containsExactly("path", "b/k\\xE4se.png", "b/\u4e2d.png", "gr\u00f6\u00dfe/a.png");
  }
}
