package org.swav4j.train.bench;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.SwavConfig;
import org.swav4j.model.SwavEncoder;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.engine.Engine;

/** Inference by {@link SwavEncoder}: features of random images in memory. */
public final class EmbedBench {
  private EmbedBench() {}

  /**
   * Times one call for a batch.
   *
   * @param batch images in a call, at least 1
   * @param size of an image's side in pixels, at least 1
   * @throws IllegalArgumentException if a number is out of range
   */
  public static Times run(
      SwavConfig network, int batch, int size, Engine engine, int warmup, int repeats) {
    if (batch < 1) {
      throw new IllegalArgumentException("`batch` is " + batch + ", expected at least 1 image");
    }
    if (size < 1 || size > 4096) {
      throw new IllegalArgumentException(
          "`size` is " + size + ", expected 1 to 4096 pixels a side, such as 224");
    }
    Times.checkRuns(warmup, repeats);
    try (SwavEncoder encoder =
            SwavEncoder.ofNormalised(SwavWeights.initialise(network, 1), engine);
        INDArray images = Nd4j.randn(DataType.FLOAT, batch, network.channels(), size, size)) {
      return Times.of(warmup, repeats, () -> encoder.features(images).close());
    }
  }
}
