package org.swav4j.train.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.report.EventFile;
import org.swav4j.train.report.TensorBoardReport;
import org.swav4j.train.run.MetricsLog;
import org.swav4j.train.run.RunFolder;

class TensorBoardRunTest {
  private static final String TRAIN =
      "train --data shapes:60 --crops 2x16 --epochs 1 --batch 8 --hidden 16 --dim 8 --prototypes 4"
          + " --width 0.25 --out";

  @TempDir Path folder;

  @Test
  void eventsAreWrittenOnRequestAloneAndOfAllEpochsOnceTheyAre() throws IOException {
    RunFolder run = new RunFolder(folder.resolve("run"));
    String name = run.directory().toString();
    CommandLineTest.Outcome without = CommandLineTest.swav((TRAIN + " " + name).split(" "));
    assertThat(without.status()).as(without.err()).isZero();
    assertThat(run.tensorboard()).doesNotExist();

    CommandLineTest.Outcome with =
        CommandLineTest.swav("train", "--resume", name, "--epochs", "2", "--tensorboard");
    assertThat(with.status()).as(with.err()).isZero();
    List<EpochMetrics> epochs = MetricsLog.epochs(run.metrics());
    List<EventFile.Event> events =
        EventFile.read(run.tensorboard().resolve(TensorBoardReport.FILE));
    assertThat(run.tensorboard().toFile().list()).containsExactly(TensorBoardReport.FILE);
    assertThat(epochs).hasSize(3);
    assertThat(events).hasSize(1 + epochs.size());
    for (EpochMetrics epoch : epochs) {
      EventFile.Event event = events.get(1 + epoch.epoch());
      assertThat(event.step()).isEqualTo(epoch.step());
      assertThat(event.scalars()).containsEntry("knn", (float) epoch.knn());
      if (epoch.epoch() > 0) {
        assertThat(event.scalars())
            .containsEntry("loss", (float) epoch.loss())
            .containsEntry("spread", (float) epoch.health().spread())
            .containsKey("lr");
      }
    }
  }
}
