package org.swav4j.train.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.data.DataSets;
import org.swav4j.data.DataSpec;
import org.swav4j.data.Image;
import org.swav4j.data.ImageSource;
import org.swav4j.data.Normalisation;
import org.swav4j.data.UnreadableImageException;
import org.swav4j.model.InputSize;
import org.swav4j.model.SwavEncoder;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.train.config.Preset;
import org.swav4j.train.config.Settings;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.diagnostics.EpochDiagnostics;
import org.swav4j.train.evaluation.FeatureQuality;
import org.swav4j.train.evaluation.FeatureSet;
import org.swav4j.train.features.Embedder;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.loop.StepMetrics;
import org.swav4j.train.run.MetricsLog;
import org.swav4j.train.run.RunFolder;

/** The page of a run on pictures whose names are markup. */
class HtmlReportTest {
  private static final String NAME = "<img src=x onerror=\"document.title='owned'\">.png";
  private static final String CLASS = "</script><script>document.title='owned'</script>";
  private static final int EPOCHS = 3;
  private static final int IMAGES = 96;
  private static final int PROTOTYPES = 30;

  @TempDir static Path folder;

  private static TrainingConfig config;
  private static SwavWeights weights;
  private static DataSets data;
  private static JsonObject view;

  /** Pictures as they are, with names and classes as bad as they can be. */
  private record Misnamed(ImageSource source) implements ImageSource {
    @Override
    public String name() {
      return source.name();
    }

    @Override
    public int size() {
      return source.size();
    }

    @Override
    public int channels() {
      return source.channels();
    }

    @Override
    public Image read(int index, int atLeast) throws UnreadableImageException {
      return source.read(index, atLeast);
    }

    @Override
    public int label(int index) {
      return source.label(index);
    }

    @Override
    public List<String> classes() {
      List<String> classes = new ArrayList<>(source.classes());
      classes.set(0, CLASS);
      return classes;
    }

    @Override
    public String describe(int index) {
      return index + NAME;
    }
  }

  @BeforeAll
  static void write() throws IOException {
    DataSets shapes = DataSpec.parse("shapes:" + IMAGES).open(3, 0.2);
    data = new DataSets(new Misnamed(shapes.train()), shapes.test());
    config =
        Settings.change(
                Preset.QUICK.config(),
                Map.of(
                    "data",
                    "shapes:" + IMAGES,
                    "batch",
                    "16",
                    "epochs",
                    "" + EPOCHS,
                    "prototypes",
                    "" + PROTOTYPES))
            .withNormalisation(Normalisation.of(data.train(), IMAGES));
    weights = SwavWeights.initialise(config.network().with(3), 7);
    Path metrics = new RunFolder(folder).metrics();
    HtmlReport report = new HtmlReport(reported(config, RunData.of(data)));
    try (MetricsLog log = new MetricsLog(metrics, 0)) {
      log.start(0, "a machine", List.of());
      EpochMetrics untrained = epoch(0);
      log.epoch(untrained);
      report.write(folder, new RunRecord(List.of(untrained), 0.1));
      for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        for (int step = 0; step < 6; step++) {
          log.step(
              new StepMetrics(
                  epoch - 1,
                  6 * (epoch - 1) + step,
                  3 - 0.1 * step,
                  0.9,
                  0.1 * step,
                  0,
                  0.25,
                  0,
                  step == 2 ? List.of("take a lower `epsilon` than <b>0.05</b>") : List.of()));
        }
        log.epoch(epoch(epoch));
      }
      report.write(
          folder, new RunRecord(List.of(untrained, epoch(1), epoch(2), epoch(EPOCHS)), 0.1));
    }
    view = views(folder.resolve(HtmlReport.FILE)).get(0).getAsJsonObject();
  }

  private static ReportedRun reported(TrainingConfig of, RunData from) {
    return new ReportedRun(of, from, new Nd4jEngine(), () -> weights.copy());
  }

  private static EpochMetrics epoch(int epoch) {
    double nan = Double.NaN;
    return epoch == 0
        ? new EpochMetrics(
            0,
            0,
            nan,
            nan,
            nan,
            nan,
            new FeatureQuality(0.2, 3, 2),
            EpochDiagnostics.UNKNOWN,
            "",
            List.of())
        : new EpochMetrics(
            epoch,
            6L * epoch,
            3.3 / epoch,
            0.97 / epoch,
            123.4,
            0.01,
            new FeatureQuality(0.1 + 0.2 * epoch, 3 + epoch, 2),
            new EpochDiagnostics(2.5 / epoch, 0.8 / epoch, 0.75, 0.2, 0.6, 1),
            epoch < 2 ? "starting" : "healthy",
            List.of());
  }

  private static JsonArray views(Path page) throws IOException {
    return JsonParser.parseString(json(page)).getAsJsonArray();
  }

  private static String json(Path page) throws IOException {
    Matcher data =
        Pattern.compile("id=\"runs\">(.*?)</script>", Pattern.DOTALL)
            .matcher(Files.readString(page));
    assertThat(data.find()).isTrue();
    return data.group(1);
  }

  @Test
  void theNumbersAreThoseOfTheMetricsFile() throws IOException {
    List<JsonObject> lines = MetricsLog.entries(new RunFolder(folder).metrics());
    JsonArray epochs = new JsonArray();
    List<Double> losses = new ArrayList<>();
    for (JsonObject line : lines) {
      switch (line.get("kind").getAsString()) {
        case "epoch" -> {
          assertThat(line.remove("time")).as("all but the time is shown").isNotNull();
          epochs.add(line);
        }
        case "step" -> losses.add(line.get("loss").getAsDouble());
        default -> {}
      }
    }
    assertThat(epochs).hasSize(EPOCHS + 1);
    assertThat(view.getAsJsonArray("epochs")).isEqualTo(epochs);
    JsonObject steps = view.getAsJsonObject("steps");
    assertThat(steps.getAsJsonArray("loss"))
        .extracting(JsonElement::getAsDouble)
        .containsExactlyElementsOf(losses);
    assertThat(steps.getAsJsonArray("step").get(17).getAsLong()).isEqualTo(18);
    assertThat(view.getAsJsonArray("advice").get(0).getAsJsonObject().get("text").getAsString())
        .isEqualTo("take a lower --epsilon than <b>0.05</b>");
    assertThat(view.getAsJsonObject("data").get("digest").getAsString())
        .isEqualTo(data.train().digest());
  }

  /** The encoder's own assignment is another way to the same numbers. */
  @Test
  void prototypesAreAsLargeAsTheEncoderSays() {
    Integer[] expected = new Integer[PROTOTYPES];
    Arrays.fill(expected, 0);
    try (Embedder embedder =
            new Embedder(InputSize.of(config.evaluationSize()), config.data().normalisation(), 1);
        SwavEncoder encoder = SwavEncoder.ofNormalised(weights, new Nd4jEngine())) {
      FeatureSet assigned =
          embedder.collect(
              data.train(),
              images ->
                  Nd4j.createFromArray(encoder.assign(images))
                      .castTo(DataType.FLOAT)
                      .reshape(-1, 1));
      for (int p : assigned.features().toIntVector()) {
        expected[p]++;
      }
    }
    JsonObject sample = view.getAsJsonObject("sample");
    assertThat(sample.getAsJsonArray("names")).hasSize(IMAGES);
    assertThat(sample.getAsJsonObject("gallery").getAsJsonArray("prototypes"))
        .extracting(p -> p.getAsJsonObject().get("size").getAsInt())
        .containsExactly(expected);
  }

  @Test
  void namesAndClassesAreTextAndTheFileIsBounded() throws IOException {
    Path page = folder.resolve(HtmlReport.FILE);
    assertThat(json(page)).doesNotContain("<", ">");
    assertThat(Files.size(page)).isLessThan(5_000_000);
    assertThat(view.getAsJsonObject("data").getAsJsonArray("classes").get(0).getAsString())
        .isEqualTo(CLASS);
    assertThat(view.getAsJsonObject("sample").getAsJsonArray("names").get(3).getAsString())
        .isEqualTo(3 + NAME);
  }

  private static Chromium open(Path page, int width, String scheme, Path profile)
      throws IOException, InterruptedException {
    Optional<Path> browser = Chromium.installed();
    assumeTrue(browser.isPresent(), "there is no chromium here (Debian: apt-get install chromium)");
    return Chromium.open(browser.get(), profile, page, width, scheme);
  }

  /** Canvases that show more than one colour, of all charts. */
  private static final String DRAWN =
      """
      [...document.querySelectorAll('.chart')].filter(box => {
        const canvas = box.querySelector('canvas');
        const pixels = new Uint32Array(
            canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer);
        return new Set(pixels).size > 3;
      }).length""";

  @Test
  void aBrowserDrawsAllOfItWithoutComplaintAndAsksForNothing(@TempDir Path profile)
      throws IOException, InterruptedException {
    try (Chromium page = open(folder.resolve(HtmlReport.FILE), 1200, "light", profile)) {
      assertThat(page.evaluate("document.querySelectorAll('.chart').length").getAsInt())
          .isEqualTo(8);
      assertThat(page.evaluate(DRAWN).getAsInt()).isEqualTo(8);
      assertThat(page.evaluate("document.querySelectorAll('.cards li').length").getAsInt())
          .isEqualTo(24);
      assertThat(page.evaluate("document.body.innerText").getAsString())
          .contains(NAME, "take a lower --epsilon than <b>0.05</b>", "healthy");
      assertThat(page.evaluate("document.querySelectorAll('img, b b').length").getAsInt()).isZero();
      assertThat(page.evaluate("document.title").getAsString()).doesNotContain("owned");
      // Every picture and every chart has words for those who can't see it.
      assertThat(
              page.evaluate(
                      "[...document.querySelectorAll('[role=img], button, select')].filter(e =>"
                          + " !(e.getAttribute('aria-label') || e.textContent)).length")
                  .getAsInt())
          .isZero();
      page.evaluate(
          "charts.forEach(c => c.drawn.dispatchAction({type: 'showTip', seriesIndex: 0, dataIndex:"
              + " 1}))");
      assertThat(page.evaluate("document.querySelector('.tip').innerText").getAsString())
          .contains(NAME);
      page.evaluate("document.querySelector('.neighbours button').click()");
      assertThat(
              page.evaluate("document.querySelector('dialog[open] h2').textContent").getAsString())
          .endsWith(NAME);
      page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)");
      assertThat(
              page.evaluate(
                      "new Promise(r => setTimeout(() => r(document.querySelectorAll("
                          + "'#curves tbody tr').length), 500))")
                  .getAsInt())
          .isEqualTo(EPOCHS + 1);
      assertThat(page.complaints).isEmpty();
      assertThat(page.requests).allMatch(r -> r.startsWith("file:") || r.startsWith("data:"));
    }
  }

  @Test
  void itFitsAPhoneInTheDark(@TempDir Path profile) throws IOException, InterruptedException {
    try (Chromium page = open(folder.resolve(HtmlReport.FILE), 360, "dark", profile)) {
      page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)");
      assertThat(
              page.evaluate(
                      "new Promise(r => setTimeout(() => r(document.documentElement.scrollWidth),"
                          + " 500))")
                  .getAsInt())
          .isLessThanOrEqualTo(360);
      assertThat(page.evaluate(DRAWN).getAsInt()).isEqualTo(8);
      assertThat(page.evaluate("getComputedStyle(document.body).backgroundColor").getAsString())
          .isEqualTo("rgb(20, 23, 27)");
      assertThat(page.complaints).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"light", "dark"})
  void coloursOfTextsHaveTheContrastOfAa(String scheme, @TempDir Path profile)
      throws IOException, InterruptedException {
    try (Chromium page = open(folder.resolve(HtmlReport.FILE), 1200, scheme, profile)) {
      JsonObject colours =
          page.evaluate(
                  "Object.fromEntries(['page','panel','text','soft','link','good','bad','warn']"
                      + ".map(c => [c, getComputedStyle(document.documentElement)"
                      + ".getPropertyValue('--' + c).trim()]))")
              .getAsJsonObject();
      for (String ground : List.of("page", "panel")) {
        for (String text : List.of("text", "soft", "link", "good", "bad", "warn")) {
          double a = luminance(colours.get(ground).getAsString());
          double b = luminance(colours.get(text).getAsString());
          assertThat((Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05))
              .as("%s on %s in %s", text, ground, scheme)
              .isGreaterThanOrEqualTo(4.5);
        }
      }
    }
  }

  /** WCAG 2.1, relative luminance of {@code #rrggbb}. */
  private static double luminance(String colour) {
    double[] weights = {0.2126, 0.7152, 0.0722};
    double sum = 0;
    for (int c = 0; c < 3; c++) {
      double v = Integer.parseInt(colour.substring(1 + 2 * c, 3 + 2 * c), 16) / 255.0;
      sum += weights[c] * (v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4));
    }
    return sum;
  }

  @Test
  void twoRunsNameTheSettingsThatDiffer(@TempDir Path work)
      throws IOException, InterruptedException {
    Path other = Files.createDirectory(work.resolve("other"));
    Files.copy(new RunFolder(folder).metrics(), new RunFolder(other).metrics());
    TrainingConfig changed = Settings.change(config, Map.of("epsilon", "0.071"));
    RunRecord run = new RunRecord(List.of(epoch(0), epoch(1)), Double.NaN);
    RunData gone = new RunData(IMAGES, 3, "", Optional.empty());
    Path page = work.resolve("both.html");
    HtmlReport.write(
        page,
        List.of(
            new HtmlReport.Side(new HtmlReport(reported(config, RunData.of(data))), folder, run),
            new HtmlReport.Side(new HtmlReport(reported(changed, gone)), other, run)));
    assertThat(views(page)).hasSize(2);
    try (Chromium browser = open(page, 1200, "light", work.resolve("profile"))) {
      assertThat(
              browser
                  .evaluate("document.querySelector('#settings tbody').innerText.trim()")
                  .getAsString()
                  .split("\\s+"))
          .startsWith("--epsilon", config.codes().epsilon() + "", "0.071")
          .hasSize(5);
      assertThat(browser.evaluate(DRAWN).getAsInt()).isEqualTo(8);
      assertThat(browser.complaints).isEmpty();
    }
  }
}
