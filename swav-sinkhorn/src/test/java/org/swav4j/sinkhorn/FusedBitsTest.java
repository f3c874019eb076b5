package org.swav4j.sinkhorn;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.zip.CRC32;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The fused float solver's codes, bit for bit, on fixed problems: training that is resumed with
 * another release goes on with the same codes.
 *
 * <p>Plain kernels only: their arithmetic is the same on every processor, the Vector API's isn't.
 * Math.exp and Math.log, which the log domain asks for gauges, are one implementation per
 * architecture: these are x86's.
 */
class FusedBitsTest {

  @EnabledIfSystemProperty(named = "os.arch", matches = "amd64|x86_64")
  @ParameterizedTest(name = "{0}x{1} codes {2}, epsilon {3}, {4} iterations, {5}")
  @CsvSource({
    "96, 480, 64, 0.05, 3, AUTOMATIC, 1875009801",
    "96, 480, 64, 0.05, 3, LOG_DOMAIN, 3550922762",
    "131, 517, 131, 0.03, 10, AUTOMATIC, 1777303494",
    "131, 517, 70, 0.004, 10, AUTOMATIC, 1133169559",
    "40, 33, 40, 0.001, 40, AUTOMATIC, 855580052",
    "700, 300, 700, 0.05, 3, KERNEL, 3973690406",
    "12, 9, 12, 1e-7, 3, AUTOMATIC, 838020001",
    "12, 9, 7, 1e-36, 3, AUTOMATIC, 2118021396",
    "7, 16500, 7, 0.05, 3, AUTOMATIC, 594990350",
  })
  void codesKeepTheirBits(
      int n, int k, int b, double epsilon, int iterations, Form form, long expected) {
    INDArray scores = scores(n, k);
    for (int threads : new int[] {1, 2, 5}) {
      INDArray codes = Nd4j.create(DataType.FLOAT, b, k);
      new SwavCodes(epsilon, iterations)
          .withForm(form)
          .withThreads(threads)
          .withKernels(new PlainKernels())
          .assign(scores, codes);
      assertThat(digest(codes)).as("%d threads", threads).isEqualTo(expected);
    }
  }

  /** From integers, so that no mathematical function of Java's is asked. */
  private static INDArray scores(int n, int k) {
    Random random = new Random(31L * n + k);
    float[] s = new float[n * k];
    for (int i = 0; i < s.length; i++) {
      s[i] = random.nextInt(2001) / 1000f - 1;
    }
    return Nd4j.createFromArray(s).reshape(n, k);
  }

  private static long digest(INDArray codes) {
    CRC32 crc = new CRC32();
    for (float x : codes.data().asFloat()) {
      int bits = Float.floatToRawIntBits(x);
      crc.update(bits);
      crc.update(bits >> 8);
      crc.update(bits >> 16);
      crc.update(bits >> 24);
    }
    return crc.getValue();
  }
}
