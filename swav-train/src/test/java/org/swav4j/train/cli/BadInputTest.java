package org.swav4j.train.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What the command line does with arguments and files that can't be used: one line that names the
 * value, a status, no stack trace, and no file lost or left half-written.
 */
class BadInputTest {
  @TempDir static Path folder;

  private static Path run;

  private static final String[] SMALL =
      "--epochs 1 --batch 4 --prototypes 4 --hidden 16 --dim 8 --width 0.25 --eval-every 0"
          .split(" ");

  @BeforeAll
  static void makeARunAndBrokenFiles() throws IOException {
    run = folder.resolve("run");
    assertThat(train("shapes:32", run).status()).isZero();

    write("texts/a.txt", "not a picture".getBytes(StandardCharsets.UTF_8));
    write("texts/b.md", "nor this".getBytes(StandardCharsets.UTF_8));
    Files.createDirectories(folder.resolve("empty"));
    for (int i = 0; i < 8; i++) {
      write("unlabelled/" + i + ".png", png(24, 20, i));
      write("one-class/light/" + i + ".png", png(24, 20, i));
      write("one-class/dark/" + i + ".png", new byte[0]);
      write("cut/" + i + ".png", Arrays.copyOf(png(24, 20, i), 300));
      write("mostly-cut/" + i + ".png", i < 3 ? png(24, 20, i) : new byte[0]);
      write("spelling/train/" + (i % 2 == 0 ? "a" : "b") + "/" + i + ".png", png(24, 20, i));
      write("spelling/val/" + (i % 2 == 0 ? "A" : "B") + "/" + i + ".png", png(24, 20, i));
      write("nested/images/" + (i % 2 == 0 ? "a" : "b") + "/" + i + ".png", png(24, 20, i));
    }
    write("idx-magic/train-images-idx3-ubyte", new byte[64]);
    write("idx-short/train-images-idx3-ubyte", idx(12, 10));
    write("idx-long/train-images-idx3-ubyte", idx(8, 10));
    write("idx-claims/train-images-idx3-ubyte", idx(Integer.MAX_VALUE, 10));
    for (int i = 1; i <= 5; i++) {
      write("cifar/data_batch_" + i + ".bin", new byte[3073 * 2 + 7]);
    }
    write("cifar/test_batch.bin", new byte[3073]);

    byte[] weights = Files.readAllBytes(run.resolve("weights.safetensors"));
    write("half.safetensors", Arrays.copyOf(weights, weights.length / 2));
    write(
        "garbage.safetensors", "garbage where a length should be".getBytes(StandardCharsets.UTF_8));
    write("long-header.safetensors", header(90_000_000, "{"));
    write(
        "claims.safetensors",
        header("{'a':{'dtype':'F32','shape':[1000000000,4],'data_offsets':[0,16000000000]}}"));
    write(
        "overflow.safetensors",
        header("{'a':{'dtype':'F32','shape':[4294967296,4294967296],'data_offsets':[0,16]}}"));

    write("no-json/sinkhorn.json", "{\"cases\": [".getBytes(StandardCharsets.UTF_8));
  }

  private static CommandLineTest.Outcome train(String data, Path out, String... more) {
    Map<String, String> flags = new LinkedHashMap<>();
    String[] given =
        Stream.concat(Arrays.stream(SMALL), Arrays.stream(more)).toArray(String[]::new);
    for (int i = 0; i < given.length; i += 2) {
      flags.put(given[i], given[i + 1]);
    }
    List<String> arguments =
        new ArrayList<>(List.of("train", "--data", data, "--out", out.toString()));
    flags.forEach((name, value) -> arguments.addAll(List.of(name, value)));
    return CommandLineTest.swav(arguments.toArray(String[]::new));
  }

  private static void write(String name, byte[] content) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.write(file, content);
  }

  private static byte[] png(int width, int height, int shade) throws IOException {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        image.setRGB(x, y, (x * 77 + y * 991 + shade * 4099) * 2654435);
      }
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ImageIO.write(image, "png", bytes);
    return bytes.toByteArray();
  }

  /** The first chunk of a PNG of that size, and an end: a bomb with nothing in it. */
  private static byte[] pngHeader(int width, int height) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeLong(0x89504e470d0a1a0aL);
    byte[] header =
        ByteBuffer.allocate(17)
            .put("IHDR".getBytes(StandardCharsets.US_ASCII))
            .putInt(width)
            .putInt(height)
            .put(new byte[] {8, 2, 0, 0, 0})
            .array();
    chunk(out, header);
    chunk(out, "IDAT".getBytes(StandardCharsets.US_ASCII));
    chunk(out, "IEND".getBytes(StandardCharsets.US_ASCII));
    return bytes.toByteArray();
  }

  private static void chunk(DataOutputStream out, byte[] typeAndData) throws IOException {
    CRC32 sum = new CRC32();
    sum.update(typeAndData);
    out.writeInt(typeAndData.length - 4);
    out.write(typeAndData);
    out.writeInt((int) sum.getValue());
  }

  /** An idx file of 4x4 images that says it holds so many, and holds so many. */
  private static byte[] idx(int says, int holds) {
    return ByteBuffer.allocate(16 + 16 * holds)
        .putInt(0x803)
        .putInt(says)
        .putInt(4)
        .putInt(4)
        .array();
  }

  private static byte[] header(String json) {
    return header(json.length(), json.replace('\'', '"'));
  }

  private static byte[] header(long length, String json) {
    return ByteBuffer.allocate(8 + json.length() + 64)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(length)
        .put(json.getBytes(StandardCharsets.UTF_8))
        .array();
  }

  /** Arguments, the status they end with, and what the one line must say. */
  record Refusal(int status, List<String> says, List<String> arguments) {
    /** {@code @} in arguments stands for the test's folder. */
    static Refusal of(int status, String says, String arguments) {
      return new Refusal(
          status,
          List.of(says.split(" \\| ")),
          Arrays.stream(arguments.split(" ")).map(a -> a.replace("@", folder + "/")).toList());
    }

    @Override
    public String toString() {
      return String.join(" ", arguments).replace(folder + "/", "@");
    }
  }

  static Stream<Refusal> refusals() {
    return Stream.of(
        // arguments
        Refusal.of(2, "--epoch' | --epochs | swav train --help", "train --epoch 3 --out @never"),
        Refusal.of(2, "--frobnicate", "doctor --frobnicate"),
        Refusal.of(2, "--epochs is given twice", "train --epochs 3 --lr 1 --epochs 4 --out @never"),
        Refusal.of(2, "'stray'", "train stray --out @never"),
        Refusal.of(2, "evalaute | evaluate", "evalaute --knn"),
        Refusal.of(2, "--lr is 'abc' | a number", "train --lr abc --out @never"),
        Refusal.of(2, "--batch is '1.5' | a whole number", "train --batch 1.5 --out @never"),
        Refusal.of(2, "'tiny' | small-images", "train --preset tiny --out @never"),
        Refusal.of(2, "--arch is 'resnet9' | resnet18", "train --arch resnet9 --out @never"),
        Refusal.of(
            2,
            "--scales is '0.3-1' | --crops has, which is 2",
            "train --crops 2x32,4x16 --scales 0.3-1 --out @never"),
        Refusal.of(2, "crop size 100000 pixels | 1 to 4096", "train --crops 2x100000 --out @never"),
        Refusal.of(2, "--epsilon is 0.0 | above 0", "train --epsilon 0 --out @never"),
        Refusal.of(2, "--prototypes is 1 | at least 2", "train --prototypes 1 --out @never"),
        Refusal.of(2, "--lr is NaN | above 0", "train --lr NaN --out @never"),
        Refusal.of(2, "--lr is 1.0E30 | below 1000", "train --lr 1e30 --out @never"),
        Refusal.of(2, "batch is 64 | 40", "train --data shapes:40 --batch 64 --out @never"),
        // data
        Refusal.of(2, "foo:bar | folder:DIR", "train --data foo:bar --out @never"),
        Refusal.of(2, "missing", "train --data folder:@missing --out @never"),
        Refusal.of(2, "missing | directory", "train --data @missing --out @never"),
        Refusal.of(2, "is a file", "train --data folder:@texts/a.txt --out @never"),
        Refusal.of(2, "empty", "train --data folder:@empty --out @never"),
        Refusal.of(2, "1 .md, 1 .txt | .png", "train --data @texts --out @never"),
        Refusal.of(2, "00000803", "train --data idx:@idx-magic --out @never"),
        Refusal.of(2, "192 | truncated", "train --data @idx-short --out @never"),
        Refusal.of(2, "128 | appended", "train --data @idx-long --out @never"),
        Refusal.of(2, "34359738352", "train --data @idx-claims --out @never"),
        Refusal.of(2, "multiple of 3073", "train --data cifar10:@cifar --out @never"),
        Refusal.of(2, "can be read | .png", "train --data @cut --batch 4 --out @never"),
        Refusal.of(
            2,
            "5 of 8 images (62.5 %) | empty file | --allow-broken 1",
            "train --data @mostly-cut --batch 4 --out @never"),
        Refusal.of(2, "--holdout is 0.6 | 0.5", "train --data @unlabelled --holdout 0.6"),
        Refusal.of(2, "--holdout is -1.0", "embed --run @run --holdout -1 --out @never.npy"),
        Refusal.of(2, "a, b | A, B | spelling", "evaluate --run @run --data @spelling"),
        Refusal.of(
            2, "one folder | nested/images to have a, b", "evaluate --run @run --data @nested"),
        Refusal.of(2, "write the path out", "embed --run @run --data folder:~x/y --out @never.npy"),
        // where results go
        Refusal.of(
            1, "texts/a.txt | a file", "train --data shapes:40 --batch 8 --out @texts/a.txt"),
        Refusal.of(1, "a.txt/run", "train --data shapes:40 --batch 8 --out @texts/a.txt/run"),
        Refusal.of(2, "not empty | a.txt | --out", "train --data shapes:40 --batch 8 --out @texts"),
        Refusal.of(2, "--resume", "train --data shapes:40 --batch 8 --out @run"),
        Refusal.of(2, "never.txt | .npy", "embed --run @run --out @never.txt"),
        Refusal.of(1, "a.txt/x.npy", "embed --run @run --out @texts/a.txt/x.npy"),
        // runs and weights
        Refusal.of(2, "no run folder", "train --resume @missing"),
        Refusal.of(2, "is a file", "train --resume @run/checkpoint.safetensors"),
        Refusal.of(2, "leave out --out", "train --resume @run --out @never"),
        Refusal.of(2, "--arch resnet20 | resnet18", "train --resume @run --arch resnet18"),
        Refusal.of(1, "missing", "evaluate --weights @missing --data shapes:40"),
        Refusal.of(2, "--data", "evaluate --weights @run/weights.safetensors"),
        Refusal.of(1, "half | cut off", "evaluate --weights @half.safetensors --data shapes:40"),
        Refusal.of(1, "not a safetensors", "evaluate --weights @garbage.safetensors --data shapes"),
        Refusal.of(1, "cut off", "evaluate --weights @long-header.safetensors --data shapes"),
        Refusal.of(1, "cut off", "evaluate --weights @claims.safetensors --data shapes"),
        Refusal.of(1, "damaged", "evaluate --weights @overflow.safetensors --data shapes"),
        Refusal.of(2, "no test images", "evaluate --run @run --data @unlabelled"),
        Refusal.of(2, "neighbours", "evaluate --run @run --neighbours 0"),
        Refusal.of(
            2,
            "only 40 labelled training images can vote",
            "evaluate --run @run --data shapes:40 --neighbours 41"),
        Refusal.of(
            2,
            "no test images",
            "embed --run @run --data @unlabelled --part test --out @never.npy"),
        Refusal.of(1, "can be read", "embed --run @run --data @cut --out @never.npy"),
        // answers
        Refusal.of(2, "--threshold is 1.5 | 0.95", "duplicates --run @run --threshold 1.5"),
        Refusal.of(2, "--threshold is 'high'", "duplicates --run @run --threshold high"),
        Refusal.of(2, "never.txt | .csv", "duplicates --run @run --out @never.txt"),
        Refusal.of(2, "never.npy | .csv", "cluster --run @run --out @never.npy"),
        Refusal.of(2, "--typical is -1", "cluster --run @run --typical -1"),
        Refusal.of(2, "can be read", "cluster --run @run --data @cut --out @never.csv"),
        Refusal.of(2, "can be read", "duplicates --run @run --data @cut --out @never.csv"),
        Refusal.of(1, "a.txt/x.csv", "cluster --run @run --out @texts/a.txt/x.csv"),
        Refusal.of(2, "can be read", "index --run @run --data @cut --out @never"),
        Refusal.of(2, "texts | holds no index", "index --run @run --out @texts"),
        Refusal.of(2, "a.txt is a file", "index --run @run --out @texts/a.txt"),
        Refusal.of(2, "never", "search @texts/a.txt --index @never"),
        Refusal.of(
            2, "texts holds no index | 'swav index --out'", "search @texts/a.txt --index @texts"),
        Refusal.of(2, "--top is 0", "search @texts/a.txt --index @texts --top 0"),
        Refusal.of(
            2,
            "one class (light)",
            "classify --fit --run @run --data @one-class --out @never.safetensors"),
        Refusal.of(
            2,
            "no labelled images",
            "classify --fit --run @run --data @unlabelled --out @never.safetensors"),
        Refusal.of(2, "never.csv | .safetensors", "classify --fit --run @run --out @never.csv"),
        Refusal.of(
            2, "--run nor --weights", "classify --fit --data shapes --out @never.safetensors"),
        Refusal.of(
            1,
            "no classifier | 'swav classify --fit'",
            "classify --apply @run/weights.safetensors --data shapes:40 --out @never.csv"),
        Refusal.of(
            1, "cut off", "classify --apply @half.safetensors --data shapes:40 --out @never.csv"),
        Refusal.of(2, "--data", "classify --apply @half.safetensors --out @never.csv"),
        Refusal.of(2, "--draws is 0", "evaluate --run @run --draws 0"),
        Refusal.of(
            2, "--labels is 50.0", "evaluate --run @run --data shapes:40 --draws 2 --labels 50"),
        Refusal.of(
            2, "--labels is 2.5", "evaluate --run @run --data shapes:40 --draws 2 --labels 2.5"),
        Refusal.of(2, "10 nearest of 5", "bench index --vectors 5"),
        // conformance and bench
        Refusal.of(2, "missing", "conformance @missing"),
        Refusal.of(2, "empty", "conformance @empty"),
        Refusal.of(2, "repeats", "bench step --repeats 0"));
  }

  @ParameterizedTest
  @MethodSource("refusals")
  void isRefusedInOneLineThatNamesTheValue(Refusal refusal) throws IOException {
    CommandLineTest.Outcome outcome =
        CommandLineTest.swav(refusal.arguments.toArray(String[]::new));
    assertThat(outcome.err().lines().toList()).as(outcome.err()).hasSize(1);
    assertThat(outcome.err()).startsWith("swav: ").contains(refusal.says);
    assertThat(outcome.status()).isEqualTo(refusal.status);
    assertThat(outcome.out()).isEmpty();
    try (Stream<Path> all = Files.walk(folder)) {
      assertThat(all.map(p -> p.getFileName().toString()))
          .noneMatch(name -> name.startsWith("never") || name.endsWith(".part"));
    }
  }

  @Test
  void aBrokenFixtureIsReportedAndFails() {
    CommandLineTest.Outcome outcome =
        CommandLineTest.swav("conformance", folder.resolve("no-json").toString());
    assertThat(outcome.status()).isEqualTo(1);
    assertThat(outcome.out()).contains("sinkhorn.json").doesNotContain("\tat ");
  }

  @Test
  void theTraceIsShownWhereAskedFor() {
    assertThat(CommandLineTest.swav("train", "--preset", "tiny", "--debug").err())
        .contains("\tat org.swav4j");
  }

  @Test
  void brokenAndHugeImagesAreSkippedCountedAndNamedAndTheRestIsLearnedFrom() throws IOException {
    for (int i = 0; i < 6; i++) {
      write("mixed/" + i + ".png", png(24, 20, i));
    }
    write("mixed/one-pixel.png", png(1, 1, 0));
    write("mixed/truncated.png", Arrays.copyOf(png(24, 20, 0), 300));
    write("mixed/huge.png", pngHeader(20_000, 20_000));
    CommandLineTest.Outcome outcome =
        train(folder.resolve("mixed").toString(), folder.resolve("mixed-run"), "--epochs", "3");
    assertThat(outcome.status()).as(outcome.err()).isZero();
    assertThat(outcome.err())
        .contains("2 images skipped", "huge.png (too large: 20000x20000", "truncated.png")
        .doesNotContain("one-pixel");
  }

  @Test
  void mostlyBrokenImagesAreLearnedFromWhereThatIsAllowed() {
    CommandLineTest.Outcome outcome =
        train(
            folder.resolve("mostly-cut").toString(),
            folder.resolve("mostly-cut-run"),
            "--allow-broken",
            "1");
    assertThat(outcome.status()).as(outcome.err()).isZero();
    assertThat(outcome.err()).contains("warning: 5 of 8 images (62.5 %) can't be read");
  }

  @Test
  void morePrototypesThanBatchAndQueueCanFillAreWarnedOfWithTheLeastLoss() {
    CommandLineTest.Outcome outcome =
        train("shapes:32", folder.resolve("many"), "--prototypes", "40");
    assertThat(outcome.status()).isZero();
    assertThat(outcome.err()).contains("40 prototypes", "2.30", "at most 4 --prototypes");
  }

  @Test
  void aCheckpointCutInHalfIsRefusedAndLeftAsItIs() throws IOException {
    Path cut = folder.resolve("cut-run");
    assertThat(train("shapes:32", cut).status()).isZero();
    Path checkpoint = cut.resolve("checkpoint.safetensors");
    byte[] half = Arrays.copyOf(Files.readAllBytes(checkpoint), 5000);
    Files.write(checkpoint, half);
    CommandLineTest.Outcome outcome = CommandLineTest.swav("train", "--resume", cut.toString());
    assertThat(outcome.status()).isEqualTo(1);
    assertThat(outcome.err().lines()).hasSize(1).first().asString().contains("cut off");
    assertThat(checkpoint).hasBinaryContent(half);
  }

  @Test
  void networksOfColourTakeGreyImagesAndTheOtherWayRound() throws IOException {
    write("grey/train-images-idx3-ubyte", idx(10, 10));
    Path file = folder.resolve("grey.csv");
    CommandLineTest.Outcome outcome =
        CommandLineTest.swav(
            "embed",
            "--run",
            run.toString(),
            "--data",
            folder.resolve("grey").toString(),
            "--out",
            file.toString());
    assertThat(outcome.status()).as(outcome.err()).isZero();
    assertThat(Files.readAllLines(file)).hasSize(11);
  }
}
