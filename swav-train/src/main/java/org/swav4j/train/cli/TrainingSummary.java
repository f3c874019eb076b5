package org.swav4j.train.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.swav4j.train.evaluation.FeatureQuality;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.loop.Trainer;
import org.swav4j.train.run.CheckpointListener;
import org.swav4j.train.run.MetricsLog;
import org.swav4j.train.run.RunFolder;

/**
 * What a run came to.
 *
 * @param run that has ended or was stopped
 * @param folder that holds its files
 */
record TrainingSummary(TrainingRun run, RunFolder folder) {
  void print(OutputOptions output) {
    Trainer trainer = run.trainer();
    trainer.skipped().remarks().forEach(remark -> output.note("%s", remark));
    if (trainer.skipped().count() > 0) {
      output.note("%s", trainer.skipped().summary());
    }
    output.result(fields(), text());
    if (trainer.stopped()) {
      output.note(
          "swav: %s",
          trainer.done() == 0
              ? "stopped before the first step"
              : "stopped after step "
                  + trainer.done()
                  + "; go on with: swav train --resume "
                  + folder.directory());
    }
  }

  private Map<String, Object> fields() {
    Trainer trainer = run.trainer();
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("command", "train");
    fields.put("run", folder.directory().toString());
    fields.put("steps", trainer.done());
    fields.put("completed", trainer.done() == trainer.sizes().totalSteps());
    fields.put("knn_raw_pixels", finite(run.rawPixels()));
    fields.put("knn_untrained", finite(untrained().knn()));
    fields.put("knn_trained", finite(trained().knn()));
    fields.put("rankme_untrained", finite(untrained().rankMe()));
    fields.put("rankme_trained", finite(trained().rankMe()));
    fields.put("alpha_req_trained", finite(trained().alphaReq()));
    fields.put("rankme_best", best().map(e -> e.features().rankMe()).orElse(null));
    fields.put("rankme_best_epoch", best().map(EpochMetrics::epoch).orElse(null));
    fields.put("skipped_images", trainer.skipped().count());
    fields.put("health", health());
    fields.put("advice", advice());
    return fields;
  }

  /** All that was said, also before the run was resumed. */
  private List<String> advice() {
    try {
      return MetricsLog.advice(folder.metrics()).stream().map(Flags::in).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(folder.metrics() + " can't be read: " + e.getMessage(), e);
    }
  }

  /** Of the last epoch; null if nothing judges it. */
  private String health() {
    List<EpochMetrics> epochs = run.epochs();
    String state = epochs.isEmpty() ? "" : epochs.get(epochs.size() - 1).state();
    return state.isEmpty() ? null : state;
  }

  private String text() {
    String accuracies =
        Double.isNaN(trained().knn())
            ? ""
            : run.judge()
                .map(
                    judge ->
                        String.format(
                            Locale.ROOT,
                            "k-NN accuracy (%s): raw pixels %.1f %%, untrained network %.1f %%,"
                                + " trained %.1f %%%n",
                            judge.describe(),
                            100 * run.rawPixels(),
                            100 * untrained().knn(),
                            100 * trained().knn()))
                .orElse("");
    String health = health() == null ? "" : "health: " + health() + System.lineSeparator();
    return accuracies + rank() + health + "run folder: " + folder.directory();
  }

  /** What is known without labels, and where the weights are if others than the last are best. */
  private String rank() {
    if (Double.isNaN(trained().rankMe())) {
      return "";
    }
    String best =
        best()
            .filter(e -> e.features().rankMe() > trained().rankMe())
            .map(
                e ->
                    String.format(
                        Locale.ROOT,
                        "; highest after epoch %d, %.1f: %s",
                        e.epoch(),
                        e.features().rankMe(),
                        folder.best()))
            .orElse("");
    return String.format(
        Locale.ROOT,
        "directions that the features use (RankMe): untrained network %.1f, trained %.1f, alpha-ReQ"
            + " %.2f%s%n",
        untrained().rankMe(),
        trained().rankMe(),
        trained().alphaReq(),
        best);
  }

  private Optional<EpochMetrics> best() {
    return CheckpointListener.best(run.epochs());
  }

  private FeatureQuality untrained() {
    List<EpochMetrics> epochs = run.epochs();
    return epochs.isEmpty() ? FeatureQuality.UNKNOWN : epochs.get(0).features();
  }

  private FeatureQuality trained() {
    List<EpochMetrics> epochs = run.epochs();
    return epochs.isEmpty() ? FeatureQuality.UNKNOWN : epochs.get(epochs.size() - 1).features();
  }

  private static Double finite(double value) {
    return Double.isFinite(value) ? value : null;
  }
}
