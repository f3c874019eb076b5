package org.swav4j.train.report;

import java.awt.Color;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.Styler.YAxisPosition;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.swav4j.model.AtomicFile;
import org.swav4j.train.loop.EpochMetrics;

/**
 * The picture of a run over its epochs, {@code report.png}. Above: loss as a share of ln K, and
 * k-NN accuracy. Below, what the loss is made of, and whether embeddings and prototypes stay spread
 * out.
 */
public final class PlotReport implements RunReport {
  /** The file's name. */
  public static final String FILE = "report.png";

  private static final Color BLUE = new Color(0x3465a4);
  private static final Color PALE_BLUE = new Color(0x8fb2d9);
  private static final Color ORANGE = new Color(0xcc6600);
  private static final Color GREEN = new Color(0x4e9a06);
  private static final Color GREY = new Color(0x888888);

  /** For every run. */
  public static final class Provider implements ReportProvider {
    @Override
    public String file() {
      return FILE;
    }

    @Override
    public Optional<RunReport> report(ReportedRun run) {
      return Optional.of(new PlotReport());
    }
  }

  /** Draws the picture; none if there is nothing to show. */
  @Override
  public void write(Path folder, RunRecord run) throws IOException {
    List<EpochMetrics> epochs = run.epochs();
    double rawPixels = run.rawPixels();
    List<XYChart> panels = new ArrayList<>();
    for (XYChart panel : List.of(result(epochs, rawPixels), health(epochs))) {
      if (!panel.getSeriesMap().isEmpty()) {
        panels.add(panel);
      }
    }
    if (panels.isEmpty()) {
      return;
    }
    AtomicFile.write(
        folder.resolve(FILE),
        out ->
            BitmapEncoder.saveBitmap(
                panels, panels.size(), 1, Channels.newOutputStream(out), BitmapFormat.PNG));
  }

  private static XYChart result(List<EpochMetrics> epochs, double rawPixels) {
    boolean shares = epochs.stream().anyMatch(e -> !Double.isNaN(e.lossShare()));
    String loss = shares ? "loss / ln K" : "loss, nats";
    XYChart chart = panel("Pre-training", loss, "k-NN accuracy, %", 100);
    if (shares) {
      chart.getStyler().setYAxisMax(0, 1.05);
    }
    add(chart, loss, epochs, shares ? EpochMetrics::lossShare : EpochMetrics::loss, BLUE, 0);
    if (add(chart, "k-NN of features", epochs, e -> 100 * e.knn(), ORANGE, 1)
        && !Double.isNaN(rawPixels)) {
      double last = Math.max(1, epochs.get(epochs.size() - 1).epoch());
      double level = 100 * rawPixels;
      XYSeries line =
          chart.addSeries(
              "k-NN of raw pixels", new double[] {0, last}, new double[] {level, level});
      style(line, GREY, 1);
      line.setMarker(SeriesMarkers.NONE);
      line.setLineStyle(SeriesLines.DASH_DASH);
    }
    return chart;
  }

  private static XYChart health(List<EpochMetrics> epochs) {
    XYChart chart = panel("Health", "KL and entropy, nats", "spread and use, %", 105);
    add(chart, "KL(code || prediction)", epochs, e -> e.health().divergence(), BLUE, 0);
    add(chart, "entropy of codes", epochs, e -> e.health().codeEntropy(), PALE_BLUE, 0);
    add(chart, "spread of embeddings", epochs, e -> 100 * e.health().spread(), ORANGE, 1);
    add(chart, "prototypes used", epochs, e -> 100 * e.health().used(), GREEN, 1);
    return chart;
  }

  private static XYChart panel(String title, String left, String right, double rightMax) {
    XYChart chart =
        new XYChartBuilder()
            .width(900)
            .height(420)
            .title(title)
            .xAxisTitle("epoch")
            .yAxisTitle(left)
            .build();
    chart.setYAxisGroupTitle(1, right);
    chart.getStyler().setLocale(Locale.ROOT);
    chart.getStyler().setChartBackgroundColor(Color.WHITE);
    chart.getStyler().setLegendPosition(LegendPosition.OutsideS);
    chart.getStyler().setLegendLayout(LegendLayout.Horizontal);
    chart.getStyler().setYAxisGroupPosition(1, YAxisPosition.Right);
    chart.getStyler().setXAxisMin(0.0);
    chart.getStyler().setYAxisMin(0, 0.0);
    chart.getStyler().setYAxisMin(1, 0.0);
    chart.getStyler().setYAxisMax(1, rightMax);
    return chart;
  }

  /** Adds what is known of a number over the epochs; false if nothing is. */
  private static boolean add(
      XYChart chart,
      String name,
      List<EpochMetrics> epochs,
      ToDoubleFunction<EpochMetrics> number,
      Color colour,
      int axis) {
    List<EpochMetrics> known =
        epochs.stream().filter(e -> !Double.isNaN(number.applyAsDouble(e))).toList();
    if (known.isEmpty()) {
      return false;
    }
    double[] x = known.stream().mapToDouble(EpochMetrics::epoch).toArray();
    double[] y = known.stream().mapToDouble(number).toArray();
    style(chart.addSeries(name, x, y), colour, axis);
    return true;
  }

  private static void style(XYSeries series, Color colour, int axis) {
    series.setLineColor(colour);
    series.setMarkerColor(colour);
    series.setMarker(SeriesMarkers.CIRCLE);
    series.setYAxisGroup(axis);
  }
}
