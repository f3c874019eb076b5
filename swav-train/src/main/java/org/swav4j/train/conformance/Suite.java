package org.swav4j.train.conformance;

import java.util.List;
import java.util.Map;
import org.swav4j.model.engine.Engine;

/** One fixture file's meaning: which calls give the numbers it records. */
interface Suite {
  /** All of them, by the name of the file without {@code .json}. */
  Map<String, Suite> ALL =
      Map.of(
          "sinkhorn", new CodesSuite(),
          "entropic_ot", new TransportSuite(),
          "swav_loss", new LossSuite(),
          "batch_norm", new BatchNormSuite(),
          "l2_normalize", new RowsSuite(),
          "lars", new LarsSuite(),
          "lr_schedule", new ScheduleSuite(),
          "image_ops", new ImageOpsSuite());

  /** What the product computes these in. */
  default List<Precision> precisions() {
    return List.of(Precision.FLOAT, Precision.DOUBLE);
  }

  /** Whether an engine takes part. */
  default boolean usesEngine() {
    return false;
  }

  /**
   * Runs every case.
   *
   * @throws FixtureException if the file is not in its format
   */
  void run(Fixture file, Comparisons to, Engine engine);
}
