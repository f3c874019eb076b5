package org.swav4j.benchmarks.study;

import java.awt.Color;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.swav4j.model.AtomicFile;

/**
 * k-NN accuracy over the epochs: the mean of each arm as a line, the end of every seed as a dot.
 */
final class StudyPlot {
  private final Results results;

  StudyPlot(Results results) {
    this.results = results;
  }

  void write(Path file) throws IOException {
    XYChart chart =
        new XYChartBuilder()
            .width(900)
            .height(500)
            .title(results.experiment().question())
            .xAxisTitle("epoch")
            .yAxisTitle("k-NN accuracy, %")
            .build();
    chart.getStyler().setChartBackgroundColor(Color.WHITE);
    chart.getStyler().setLegendPosition(LegendPosition.OutsideE);
    List<String> arms = List.copyOf(results.experiment().arms().keySet());
    for (int i = 0; i < arms.size(); i++) {
      add(chart, arms.get(i), Color.getHSBColor((float) i / arms.size(), 0.8f, 0.75f));
    }
    AtomicFile.write(
        file,
        out -> BitmapEncoder.saveBitmap(chart, Channels.newOutputStream(out), BitmapFormat.PNG));
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
