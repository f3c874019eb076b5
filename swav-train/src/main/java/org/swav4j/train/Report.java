package org.swav4j.train;

import java.awt.Color;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.Styler.YAxisPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** The picture of a run: loss as a share of ln K, and k-NN accuracy, over epochs. */
final class Report {
  private static final Color LOSS = new Color(0x3465a4);
  private static final Color KNN = new Color(0xcc6600);
  private static final Color FLAT = new Color(0x888888);

  private Report() {}

  /**
   * Draws the picture.
   *
   * @param rawPixels k-NN accuracy on raw pixels, for comparison; NaN if not measured
   * @throws IOException if it can't be written
   */
  static void write(Path png, List<EpochMetrics> epochs, double rawPixels) throws IOException {
    XYChart chart =
        new XYChartBuilder()
            .width(900)
            .height(540)
            .title("SwAV pre-training")
            .xAxisTitle("epoch")
            .yAxisTitle("loss / ln K")
            .build();
    chart.getStyler().setLegendPosition(LegendPosition.OutsideS);
    chart.getStyler().setChartBackgroundColor(Color.WHITE);
    chart.getStyler().setYAxisGroupPosition(1, YAxisPosition.Right);
    chart.getStyler().setYAxisMin(0, 0.0);
    chart.getStyler().setYAxisMax(0, 1.05);
    chart.getStyler().setYAxisMin(1, 0.0);
    chart.getStyler().setYAxisMax(1, 100.0);
    chart.setYAxisGroupTitle(1, "k-NN accuracy, %");

    List<Double> x = new ArrayList<>();
    List<Double> loss = new ArrayList<>();
    List<Double> knnX = new ArrayList<>();
    List<Double> knn = new ArrayList<>();
    for (EpochMetrics e : epochs) {
      if (!Double.isNaN(e.lossShare())) {
        x.add((double) e.epoch());
        loss.add(e.lossShare());
      }
      if (e.hasKnn()) {
        knnX.add((double) e.epoch());
        knn.add(100 * e.knn());
      }
    }
    if (!x.isEmpty()) {
      style(chart.addSeries("loss / ln K", x, loss), LOSS, 0);
    }
    if (!knnX.isEmpty()) {
      style(chart.addSeries("k-NN of features", knnX, knn), KNN, 1);
      if (!Double.isNaN(rawPixels)) {
        double[] ends = {knnX.get(0), Math.max(1, knnX.get(knnX.size() - 1))};
        double[] level = {100 * rawPixels, 100 * rawPixels};
        XYSeries line = chart.addSeries("k-NN of raw pixels", ends, level);
        style(line, FLAT, 1);
        line.setMarker(SeriesMarkers.NONE);
      }
    }
    if (chart.getSeriesMap().isEmpty()) {
      return;
    }
    Path part = png.resolveSibling("report.part.png");
    BitmapEncoder.saveBitmap(chart, part.toString(), BitmapFormat.PNG);
    Files.move(part, png, StandardCopyOption.REPLACE_EXISTING);
  }

  private static void style(XYSeries series, Color colour, int group) {
    series.setLineColor(colour);
    series.setMarkerColor(colour);
    series.setMarker(SeriesMarkers.CIRCLE);
    series.setYAxisGroup(group);
  }
}
