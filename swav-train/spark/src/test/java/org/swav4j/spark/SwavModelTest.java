package org.swav4j.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.data.Image;
import org.swav4j.data.ImageSource;
import org.swav4j.data.ShapesSource;
import org.swav4j.model.InputSize;
import org.swav4j.model.SwavEncoder;
import org.swav4j.model.SwavWeights;
import org.swav4j.train.config.Preset;
import org.swav4j.train.config.Settings;

/** What a column of images becomes, against one process's encoder. */
class SwavModelTest {
  private static final int GOOD = 70; // more than a batch

  @TempDir static Path folder;
  private static Path images;
  private static SwavWeights weights;
  private static SparkSession spark;

  @BeforeAll
  static void imagesAndWeights() throws IOException {
    spark = LocalCluster.session();
    weights =
        SwavWeights.initialise(
                Settings.change(Preset.QUICK.config(), Map.of("width", "0.25", "prototypes", "16"))
                    .network()
                    .with(3),
                7)
            .withNormalisation(List.of(0.5, 0.5, 0.5), List.of(0.25, 0.25, 0.25))
            .withInputSize(InputSize.of(16));
    images = Files.createDirectory(folder.resolve("images"));
    ImageSource shapes = ShapesSource.open(GOOD).train();
    for (int i = 0; i < GOOD; i++) {
      Files.write(images.resolve("shape-" + i + ".png"), png(shapes, i));
    }
    byte[] whole = png(shapes, 0);
    Files.write(images.resolve("truncated.png"), Arrays.copyOf(whole, whole.length / 2));
    ByteArrayOutputStream point = new ByteArrayOutputStream();
    ImageIO.write(new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB), "png", point);
    Files.write(images.resolve("point.png"), point.toByteArray());
  }

  static byte[] png(ImageSource source, int index) throws IOException {
    Image image;
    try {
      image = source.read(index, Integer.MAX_VALUE);
    } catch (org.swav4j.data.UnreadableImageException e) {
      throw new IOException(e);
    }
    BufferedImage picture =
        new BufferedImage(image.width(), image.height(), BufferedImage.TYPE_INT_RGB);
    byte[] pixels = image.pixels();
    for (int i = 0; i < image.width() * image.height(); i++) {
      picture.setRGB(
          i % image.width(),
          i / image.width(),
          ((pixels[3 * i] & 0xff) << 16)
              | ((pixels[3 * i + 1] & 0xff) << 8)
              | (pixels[3 * i + 2] & 0xff));
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ImageIO.write(picture, "png", out);
    return out.toByteArray();
  }

  private static Dataset<Row> files() {
    return spark.read().format("binaryFile").load(images.toUri().toString());
  }

  private static Map<String, Row> byName(Dataset<Row> rows) {
    return rows.collectAsList().stream()
        .collect(Collectors.toMap(r -> r.<String>getAs("path").replaceFirst(".*/", ""), r -> r));
  }

  @Test
  void featuresOfFilesAreThoseOfTheEncoderBitForBit() throws IOException {
    Map<String, Row> rows = byName(SwavModel.of(weights).transform(files()));
    assertThat(rows).hasSize(GOOD + 2);
    try (SwavEncoder encoder = SwavEncoder.of(weights)) {
      for (Map.Entry<String, Row> row : rows.entrySet()) {
        if (row.getKey().equals("truncated.png")) {
          assertThat(row.getValue().isNullAt(row.getValue().fieldIndex("features"))).isTrue();
          assertThat(row.getValue().isNullAt(row.getValue().fieldIndex("cluster"))).isTrue();
          assertThat(row.getValue().<String>getAs("reason")).contains("truncated PNG");
          continue;
        }
        try (INDArray pixels = encoder.pixels(images.resolve(row.getKey()));
            INDArray features = encoder.features(pixels)) {
          assertThat(row.getValue().<Vector>getAs("features").toArray())
              .isEqualTo(features.toDoubleVector());
          assertThat(row.getValue().<Integer>getAs("cluster")).isEqualTo(encoder.assign(pixels)[0]);
          assertThat(row.getValue().<String>getAs("reason")).isNull();
        }
      }
    }
  }

  @Test
  void aPipelineGivesTheSameRowsWhenSavedAndLoaded() throws IOException {
    SwavModel model =
        SwavModel.of(weights).setOutputCol("vector").setClusterCol("").setReasonCol("");
    PipelineModel pipeline = new Pipeline().setStages(new PipelineStage[] {model}).fit(files());
    Path stored = folder.resolve("pipeline");
    pipeline.write().overwrite().save(stored.toUri().toString());
    pipeline.write().overwrite().save(stored.toUri().toString());
    PipelineModel loaded = PipelineModel.load(stored.toUri().toString());
    Dataset<Row> out = loaded.transform(files());
    assertThat(out.columns())
        .containsExactly("path", "modificationTime", "length", "content", "vector");
    Map<String, Row> before = byName(pipeline.transform(files()));
    byName(out)
        .forEach(
            (name, row) ->
                assertThat(row.<Vector>getAs("vector"))
                    .isEqualTo(before.get(name).<Vector>getAs("vector")));
  }

  @Test
  void pathsGiveWhatTheirContentGives() {
    Dataset<Row> paths = files().select("path").repartition(3);
    Map<String, Row> content = byName(SwavModel.of(weights).transform(files()));
    byName(SwavModel.of(weights).setInputCol("path").transform(paths))
        .forEach(
            (name, row) ->
                assertThat(row.<Vector>getAs("features"))
                    .isEqualTo(content.get(name).<Vector>getAs("features")));
  }

  @Test
  void emptyPartitionsNullsAndMissingFilesMakeRowsNotFailures() {
    Dataset<Row> none = files().filter("length < 0");
    assertThat(SwavModel.of(weights).transform(none).collectAsList()).isEmpty();
    Dataset<Row> paths =
        spark
            .sql("select '" + images.resolve("missing.png") + "' path union all select null path")
            .coalesce(1);
    List<Row> rows = SwavModel.of(weights).setInputCol("path").transform(paths).collectAsList();
    List<String> reasons = new ArrayList<>();
    rows.forEach(r -> reasons.add(r.getAs("reason")));
    assertThat(reasons).hasSize(2).noneMatch(r -> r == null);
    assertThat(reasons).anyMatch(r -> r.contains("missing.png") && r.contains("not exist"));
  }

  @Test
  void columnsThatDoNotFitAreRefusedBeforeAnyJob() {
    SwavModel model = SwavModel.of(weights);
    assertThatThrownBy(() -> model.copy(noParameters()).setInputCol("picture").transform(files()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'picture'")
        .hasMessageContaining("inputCol");
    assertThatThrownBy(() -> model.copy(noParameters()).setInputCol("length").transform(files()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("bigint")
        .hasMessageContaining("binary");
    assertThatThrownBy(() -> model.copy(noParameters()).setOutputCol("length").transform(files()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("outputCol");
    assertThatThrownBy(() -> SwavModel.ofWeights(images.resolve("point.png").toString(), spark))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("weights.safetensors");
  }

  private static org.apache.spark.ml.param.ParamMap noParameters() {
    return new org.apache.spark.ml.param.ParamMap();
  }

  @Test
  void parametersExplainThemselves() {
    assertThat(SwavModel.of(weights).explainParams().lines())
        .hasSize(4)
        .anyMatch(l -> l.startsWith("inputCol: column of the images") && l.contains("content"));
  }
}
