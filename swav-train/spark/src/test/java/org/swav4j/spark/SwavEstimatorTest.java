package org.swav4j.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.swav4j.data.ShapesSource;
import org.swav4j.model.InputSize;
import org.swav4j.model.SwavWeights;
import org.swav4j.train.config.Preset;
import org.swav4j.train.config.Settings;

/** From a table of images to a model, and from the command line to a table of features. */
class SwavEstimatorTest {
  private static final int IMAGES = 32;

  @TempDir static Path folder;
  private static SparkSession spark;
  private static Path images;

  @BeforeAll
  static void images() throws IOException {
    spark = LocalCluster.session();
    images = Files.createDirectory(folder.resolve("images"));
    for (int i = 0; i < IMAGES; i++) {
      Files.write(
          images.resolve("shape-" + i + ".png"),
          SwavModelTest.png(ShapesSource.open(IMAGES).train(), i));
    }
  }

  private static SwavEstimator estimator(Path run) {
    return new SwavEstimator()
        .setPreset("quick")
        .setSettings(
            "crops=2x16,2x8",
            "scales=0.3-1,0.1-0.3",
            "width=0.25",
            "hidden=32",
            "dim=16",
            "queue=0",
            "eval-every=0",
            "workers=1")
        .setPrototypes(8)
        .setBatch(16)
        .setEpochs(1)
        .setGradients("fp16")
        .setRunFolder(run.toUri().toString());
  }

  @Test
  void theSameImagesGiveTheSameWeightsAsFilesAndInOtherPartitionsAsContent() throws IOException {
    Dataset<Row> files = spark.read().format("binaryFile").load(images.toUri().toString());
    Dataset<Row> content = files.select("content").repartition(3);
    Dataset<Row> other = files.select("content").repartition(5);
    estimator(folder.resolve("first")).fit(content);
    SwavModel model = estimator(folder.resolve("second")).fit(other);
    assertThat(folder.resolve("first/weights.safetensors"))
        .hasSameBinaryContentAs(folder.resolve("second/weights.safetensors"));
    List<Row> rows = model.transform(files).collectAsList();
    assertThat(rows).hasSize(IMAGES);
    assertThat(folder.resolve("first/config.json"))
        .content()
        .containsPattern("\"gradients\"\\s*:\\s*\"FP16\"");
    assertThat(rows.get(0).<Vector>getAs("features").size()).isEqualTo(model.weights().features());
    SwavModel ofFiles = estimator(folder.resolve("third")).fit(files);
    assertThat(ofFiles.weights().features()).isEqualTo(model.weights().features());
    assertThat(folder.resolve("third/.images")).doesNotExist();
  }

  @Test
  void parametersAreCheckedExplainedAndStored() throws IOException {
    assertThatThrownBy(() -> new SwavEstimator().setPreset("huge"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("preset");
    assertThatThrownBy(() -> new SwavEstimator().setGradients("fp8"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("gradients");
    assertThatThrownBy(() -> new SwavEstimator().setEpochs(0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(
            () ->
                new SwavEstimator()
                    .fit(spark.read().format("binaryFile").load(images.toUri().toString())))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("runFolder is not set");
    Dataset<Row> files = spark.read().format("binaryFile").load(images.toUri().toString());
    SwavEstimator estimator = estimator(folder.resolve("unused"));
    assertThatThrownBy(() -> estimator.copy(new ParamMap()).setInputCol("picture").fit(files))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no column 'picture' among [path, ")
        .hasMessageContaining("set inputCol");
    assertThatThrownBy(() -> estimator.copy(new ParamMap()).setInputCol("length").fit(files))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("column 'length' is of type bigint, expected binary");
    assertThat(folder.resolve("unused")).as("refused before anything is written").doesNotExist();
    Path stored = folder.resolve("estimator");
    estimator.write().overwrite().save(stored.toUri().toString());
    SwavEstimator loaded = SwavEstimator.load(stored.toUri().toString());
    assertThat(loaded.explainParams()).isEqualTo(estimator.explainParams());
    assertThat(estimator.explainParams())
        .contains("epochs: passes over the images (current: 1)")
        .contains("retries:");
  }

  @Test
  void theCommandLineTrainsAndEmbedsAndGoesOnWhereItWasInterrupted() throws IOException {
    String run = folder.resolve("run").toUri().toString();
    String data = images.toUri().toString().replaceFirst("^file:/+", "file:///");
    assertThat(
            swav(
                "train",
                "--preset=quick",
                "--data=" + data,
                "--out=" + run,
                "--crops=2x16,2x8",
                "--scales=0.3-1,0.1-0.3",
                "--width=0.25",
                "--hidden=32",
                "--dim=16",
                "--prototypes=8",
                "--queue=0",
                "--batch=16",
                "--epochs=1",
                "--workers=1"))
        .startsWith("0 ")
        .contains("epoch 1: loss")
        .contains("weights in ");
    String out = folder.resolve("features").toUri().toString();
    String[] embed = {"embed", "--run=" + run, "--data=" + data, "--out=" + out, "--part=20"};
    assertThat(swav(embed)).startsWith("0 ").contains(IMAGES + " images of");
    List<Row> before = spark.read().parquet(out).orderBy("path").collectAsList();
    assertThat(before).hasSize(IMAGES);
    // As if it had been killed within the second part.
    Path second = folder.resolve("features/part=00001");
    Files.delete(second.resolve("_SUCCESS"));
    long first = Files.getLastModifiedTime(folder.resolve("features/part=00000")).toMillis();
    assertThat(swav(embed)).startsWith("0 ");
    assertThat(spark.read().parquet(out).orderBy("path").collectAsList()).isEqualTo(before);
    assertThat(Files.getLastModifiedTime(folder.resolve("features/part=00000")).toMillis())
        .isEqualTo(first);
    assertThat(swav("embed", "--run=" + run, "--data=" + data, "--out=" + out, "--part=10"))
        .startsWith("2 ")
        .contains("other images");
    assertThat(swav("embed", "--run=" + run, "--data=" + data, "--out=" + run))
        .startsWith("2 ")
        .contains("is not empty");
    assertThat(swav("train", "--data=shapes:48")).startsWith("2 ").contains("--out URI");
    Path some = Files.createDirectory(folder.resolve("torn"));
    Files.copy(images.resolve("shape-0.png"), some.resolve("whole.png"));
    Files.writeString(some.resolve("torn.png"), "no picture");
    String table = folder.resolve("of-torn").toUri().toString();
    assertThat(swav("embed", "--run=" + run, "--data=" + some.toUri(), "--out=" + table))
        .startsWith("0 ")
        .contains("1 images of")
        .contains("1 can't be read, for example: ")
        .contains("torn.png");
  }

  /** Columns are named as the table has them, and one is named as a column that comes. */
  @Test
  void aTableIsEmbeddedByTheColumnsThatAreNamedAsItsFilesAre() throws IOException {
    SwavWeights weights =
        SwavWeights.initialise(
                Settings.change(Preset.QUICK.config(), Map.of("width", "0.25")).network().with(3),
                7)
            .withNormalisation(List.of(0.5, 0.5, 0.5), List.of(0.25, 0.25, 0.25))
            .withInputSize(InputSize.of(16));
    Path file = folder.resolve("table-weights.safetensors");
    weights.save(file);
    String table = folder.resolve("table").toUri().toString();
    Dataset<Row> files = spark.read().format("binaryFile").load(images.toUri().toString());
    files
        .selectExpr("content as picture", "concat('image of ', path) as cluster", "length")
        .write()
        .parquet(table);
    String out = folder.resolve("of-table").toUri().toString();
    List<String> embed =
        List.of("embed", "--weights=" + file.toUri(), "--data=parquet:" + table, "--out=" + out);
    assertThat(swav(with(embed, "--path-col=cluster")))
        .startsWith("2 ")
        .contains("no column 'content'", "picture", "--input-col");
    assertThat(swav(with(embed, "--input-col=length", "--path-col=cluster")))
        .startsWith("2 ")
        .contains("column 'length' is of type bigint", "expected binary");
    assertThat(swav(with(embed, "--input-col=picture")))
        .startsWith("2 ")
        .contains("no column 'path'", "--path-col");
    assertThat(folder.resolve("of-table")).as("refused before anything is written").doesNotExist();
    assertThat(swav(with(embed, "--input-col=picture", "--path-col=cluster")))
        .startsWith("0 ")
        .contains(IMAGES + " images of");
    Dataset<Row> embedded = spark.read().parquet(out);
    assertThat(embedded.columns()).containsExactly("path", "vector", "cluster", "reason", "part");
    Map<String, Row> ofFiles =
        SwavModel.of(weights).transform(files).collectAsList().stream()
            .collect(Collectors.toMap(r -> "image of " + r.getAs("path"), r -> r));
    List<Row> rows = embedded.collectAsList();
    assertThat(rows).hasSize(IMAGES);
    for (Row row : rows) {
      Row same = ofFiles.remove(row.<String>getAs("path"));
      assertThat(row.<Float>getList(1).stream().mapToDouble(f -> f).toArray())
          .isEqualTo(same.<Vector>getAs("features").toArray());
      assertThat(row.<Integer>getAs("cluster")).isEqualTo(same.<Integer>getAs("cluster"));
      assertThat(row.<String>getAs("reason")).isNull();
      assertThat(row.<Integer>getAs("part")).isZero();
    }
    assertThat(ofFiles).isEmpty();
  }

  private static String[] with(List<String> command, String... more) {
    return Stream.concat(command.stream(), Stream.of(more)).toArray(String[]::new);
  }

  /** Exit status and all that was printed. */
  private static String swav(String... args) {
    StringWriter text = new StringWriter();
    PrintWriter writer = new PrintWriter(text, true);
    return SwavSpark.run(writer, writer, args) + " " + text;
  }
}
