package org.swav4j.benchmarks.study;

import java.awt.Color;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.CategorySeries;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.swav4j.model.AtomicFile;

/**
 * k-NN accuracy over the epochs: the mean of each arm as a line, the end of every seed as a dot.
 * Where finished runs are evaluated, the accuracy of each evaluation instead: the mean as a bar.
 */
final class StudyPlot {
  private final Results results;

  StudyPlot(Results results) {
    this.results = results;
  }

  void write(Path file) throws IOException {
    boolean evaluated = results.evaluations().values().stream().anyMatch(e -> !e.isEmpty());
    Chart<?, ?> chart = evaluated ? evaluations() : curves();
    chart.setTitle(results.experiment().question());
    chart.getStyler().setChartBackgroundColor(Color.WHITE);
    AtomicFile.write(
        file,
        out -> BitmapEncoder.saveBitmap(chart, Channels.newOutputStream(out), BitmapFormat.PNG));
  }

  private CategoryChart evaluations() {
    CategoryChart chart =
        new CategoryChartBuilder()
            .width(900)
            .height(500)
            .xAxisTitle("evaluation")
            .yAxisTitle("accuracy on test images, %")
            .build();
    chart.getStyler().setLocale(Locale.ROOT);
    chart.getStyler().setLegendVisible(false);
    chart.getStyler().setYAxisMin(0.0);
    chart.getStyler().setXAxisLabelRotation(20);
    List<String> names = new ArrayList<>();
    List<Double> means = new ArrayList<>();
    results
        .evaluations()
        .forEach(
            (name, runs) -> {
              names.add(name);
              means.add(
                  runs.values().stream().mapToDouble(StudyPlot::accuracy).average().orElse(0));
            });
    chart.addSeries("mean", names, means).setFillColor(new Color(0xb0c4de));
    for (long seed : results.experiment().seeds()) {
      List<Double> values = new ArrayList<>();
      for (var runs : results.evaluations().values()) {
        values.add(runs.containsKey(seed) ? accuracy(runs.get(seed)) : null);
      }
      CategorySeries dots = chart.addSeries("seed " + seed, names, values);
      dots.setChartCategorySeriesRenderStyle(CategorySeries.CategorySeriesRenderStyle.Scatter);
      dots.setMarker(SeriesMarkers.CIRCLE);
      dots.setMarkerColor(new Color(0x203060));
    }
    return chart;
  }

  private static double accuracy(RunLog evaluated) {
    return 100 * evaluated.fineTune();
  }

  private XYChart curves() {
    XYChart chart =
        new XYChartBuilder()
            .width(900)
            .height(500)
            .xAxisTitle("epoch")
            .yAxisTitle("k-NN accuracy, %")
            .build();
    chart.getStyler().setLocale(Locale.ROOT);
    chart.getStyler().setLegendPosition(LegendPosition.OutsideE);
    List<String> arms = List.copyOf(results.experiment().arms().keySet());
    for (int i = 0; i < arms.size(); i++) {
      add(chart, arms.get(i), Color.getHSBColor((float) i / arms.size(), 0.8f, 0.75f));
    }
    return chart;
  }

  private void add(XYChart chart, String arm, Color colour) {
    List<RunLog> runs = results.of(arm);
    // Epochs that all runs have: one that failed ends the mean.
    TreeMap<Integer, double[]> byEpoch = new TreeMap<>();
    for (RunLog run : runs) {
      for (RunLog.Epoch e : run.judged()) {
        double[] sum = byEpoch.computeIfAbsent(e.epoch(), unused -> new double[2]);
        sum[0] += e.knn();
        sum[1]++;
      }
    }
    byEpoch.values().removeIf(sum -> sum[1] < runs.size());
    if (byEpoch.isEmpty()) {
      return;
    }
    XYSeries line =
        chart.addSeries(
            arm,
            byEpoch.keySet().stream().mapToDouble(x -> x).toArray(),
            byEpoch.values().stream().mapToDouble(s -> 100 * s[0] / s[1]).toArray());
    line.setLineColor(colour);
    line.setMarker(SeriesMarkers.NONE);
    XYSeries ends =
        chart.addSeries(
            arm + ", seeds",
            runs.stream().mapToDouble(r -> r.judged().get(r.judged().size() - 1).epoch()).toArray(),
            runs.stream().mapToDouble(r -> 100 * r.knn()).toArray());
    ends.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Scatter);
    ends.setMarker(SeriesMarkers.CIRCLE);
    ends.setMarkerColor(colour);
    ends.setShowInLegend(false);
  }
}
