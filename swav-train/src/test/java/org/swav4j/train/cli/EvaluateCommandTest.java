package org.swav4j.train.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.swav4j.train.cli.EvaluationMeasure.Rows;
import picocli.CommandLine;

class EvaluateCommandTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "--knn --neighbours 0, neighbours",
    "--linear --linear-views 0, --linear-views is 0",
    "--draws 0, --draws is 0",
    "--fine-tune --fine-tune-batch 1, --fine-tune-batch is 1",
    "--train-images 0, --train-images is 0",
    "--test-images 0, --test-images 0"
  })
  void numbersWithoutSenseAreRefusedBeforeTheRunIsOpened(String flags, String named) {
    Path missing = folder.resolve("no-such-run");
    String error = errorOf(flags, missing);
    assertThat(error).contains(named).doesNotContain(missing.toString()).hasLineCount(1);
    assertThat(errorOf("--knn", missing)).contains(missing.toString());
  }

  private static String errorOf(String flags, Path run) {
    List<String> arguments = new ArrayList<>(List.of("evaluate", "--run", run.toString()));
    arguments.addAll(Arrays.asList(flags.split(" ")));
    StringWriter errors = new StringWriter();
    PrintWriter err = new PrintWriter(errors);
    assertThat(SwavCommand.run(err, err, arguments.toArray(String[]::new))).isNotZero();
    return errors.toString();
  }

  @Test
  void whatSeveralMeasuresShareIsOneObject() {
    EvaluateCommand command = new EvaluateCommand();
    new CommandLine(command)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .parseArgs("--labels", "20", "--seed", "7", "--draws", "2");
    assertThat(command.images.labels).isEqualTo(20);
    assertThat(command.images.seed).isEqualTo(7);
    assertThat(command.fewLabels.asked()).isTrue();
    assertThat(command.knn.asked()).isFalse();
  }

  @Test
  void rowsAreThoseThatAnyMeasureLooksAt() {
    EvaluationImages images = new EvaluationImages();
    RankMeasure rank = new RankMeasure();
    ClustersMeasure clusters = new ClustersMeasure();
    LinearMeasure linear = new LinearMeasure(images);
    assertThat(Rows.of(List.of())).isEqualTo(Rows.NONE);
    assertThat(Rows.of(List.of(clusters, new FineTuneMeasure(images)))).isEqualTo(Rows.NONE);
    assertThat(Rows.of(List.of(rank, clusters))).isEqualTo(Rows.TRAINING);
    assertThat(Rows.of(List.of(linear, rank))).isEqualTo(Rows.ALL);
  }
}
