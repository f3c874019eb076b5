package org.swav4j.sinkhorn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each inner loop of both implementations against its formula in double. */
class FloatKernelsTest {
  private static final int N = 48;

  /** As long as rows are in training. */
  private static final int LONG = 2 * 1024 + 48;

  private static final double LOG2_E = 1 / Math.log(2);
  private final Random random = new Random(7);

  static Stream<FloatKernels> both() {
    return Stream.of(new PlainKernels(), new VectorKernels());
  }

  @Test
  void theVectorApiIsTakenWhereItIsPresent() {
    assertThat(FloatKernels.best()).isInstanceOf(VectorKernels.class);
  }

  @ParameterizedTest
  @MethodSource("both")
  void exponentialsAreWithinRounding(FloatKernels kernels) {
    float[] s = values(3 * N, 1);
    float[] out = new float[3 * N];
    float scale = (float) (20 * LOG2_E);
    exp(kernels, s, out, 0.25f, scale);
    for (int j = 0; j < 3 * N; j++) {
      double z = (s[j] - 0.25) * scale;
      assertThat(out[j] / Math.pow(2, z)).isCloseTo(1, within(5e-6));
    }
    exp(kernels, s, s, 0.25f, scale);
    assertThat(s).isEqualTo(out);
  }

  /** All of -126 to 100 in steps of 1/64, all exactly representable: whole powers are exact. */
  @ParameterizedTest
  @MethodSource("both")
  void everyExponentIsMetToTheLastBitsAndWholeOnesAlike(FloatKernels kernels) {
    int steps = 64;
    float[] s = new float[226 * steps];
    for (int j = 0; j < s.length; j++) {
      s[j] = -126 + j / (float) steps;
    }
    float[] out = new float[s.length];
    exp(kernels, s, out, 0, 1);
    for (int j = 0; j < s.length; j++) {
      assertThat(out[j] / Math.pow(2, s[j])).as("2^%s", s[j]).isCloseTo(1, within(2.5e-7));
      if (j % steps == 0) {
        assertThat(out[j]).isEqualTo(FloatKernels.P0 * (float) Math.pow(2, s[j]));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("both")
  void theRangeOfExponentsIsWithinAHalfAndAddsToThatFound(FloatKernels kernels) {
    float[] low = filled(LONG, Float.POSITIVE_INFINITY);
    float[] high = filled(LONG, Float.NEGATIVE_INFINITY);
    float least = Float.POSITIVE_INFINITY;
    float most = Float.NEGATIVE_INFINITY;
    for (float deviation : new float[] {1, 30, 5}) {
      float[] s = values(LONG, deviation);
      for (float x : s) {
        least = Math.min(least, (x - 2) * 1.5f);
        most = Math.max(most, (x - 2) * 1.5f);
      }
      kernels.exp(s, s, 2, 1.5f, low, high, new float[LONG]);
      assertThat(least(low)).isCloseTo(least, within(0.5f));
      assertThat(most(high)).isCloseTo(most, within(0.5f));
    }
  }

  /** Wherever it is, and in whatever company. */
  @ParameterizedTest
  @MethodSource("both")
  void aWildExponentOrOneThatIsNoNumberShowsInTheRange(FloatKernels kernels) {
    float infinite = Float.POSITIVE_INFINITY;
    float negativeNaN = Float.intBitsToFloat(0xFFC00000);
    float[] wild = {
      -1e3f, 1e3f, -2e7f, 2e7f, -1e30f, 1e30f, -infinite, infinite, Float.NaN, negativeNaN
    };
    for (float company : new float[] {0, -2e9f}) {
      for (float x : wild) {
        for (int position = 0; position < N; position++) {
          float[] low = filled(N, Float.POSITIVE_INFINITY);
          float[] high = filled(N, Float.NEGATIVE_INFINITY);
          float[] s = values(N, 3);
          s[(position + 7) % N] += company;
          s[position] = x;
          kernels.exp(s, s, 0, 1, low, high, new float[N]);
          assertThat(most(high) - least(low) < 900).as("%s at %s", x, position).isFalse();
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("both")
  void gaugedExponentialsKeepTheirDigitsWhereLargeTermsCancel(FloatKernels kernels) {
    double perEpsilon = 20 * LOG2_E;
    float high = (float) perEpsilon;
    float low = (float) (perEpsilon - high);
    for (float row : new float[] {0, 60.25f, -59.7f, 0.3f, 1000.1f}) {
      float[] column = values(N, 30);
      float[] s = new float[N];
      for (int j = 0; j < N; j++) {
        s[j] = row + column[j] + (float) (random.nextGaussian() * 0.1);
      }
      float[] out = new float[N];
      kernels.expGauged(s, row, column, out, high, low, new float[N]);
      for (int j = 0; j < N; j++) {
        double exact = Math.pow(2, ((double) s[j] - row - column[j]) * perEpsilon);
        assertThat(out[j] / exact).isCloseTo(1, within(2e-6));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("both")
  void gaugedExponentialsFarBelowAreCutOff(FloatKernels kernels) {
    float[] s = new float[N];
    Arrays.fill(s, -1e6f);
    float[] out = new float[N];
    kernels.expGauged(s, 3, new float[N], out, 1e3f, 0, new float[N]);
    for (float x : out) {
      assertThat(x).isBetween(0f, 2e-38f);
    }
  }

  @ParameterizedTest
  @MethodSource("both")
  void exponentialsBelowAMaximumAreWithinRoundingAndCutOffFarBelow(FloatKernels kernels) {
    float[] column = values(N, 30);
    float[] s = values(N, 1);
    for (int j = 0; j < N; j++) {
      s[j] = column[j] - Math.abs(s[j]) * (j % 3);
    }
    s[7] = -1e9f;
    float[] out = new float[N];
    kernels.expBelow(s, column, out, 28, new float[N]);
    for (int j = 0; j < N; j++) {
      double exact = Math.pow(2, ((double) s[j] - column[j]) * 28);
      assertThat((double) out[j]).isCloseTo(exact, within(5e-6 * exact + 2e-38));
    }
  }

  @ParameterizedTest
  @MethodSource("both")
  void productsAndSumsAreWithinRounding(FloatKernels kernels) {
    for (int length : new int[] {N, LONG}) {
      float[][] m = new float[6][];
      for (int i = 0; i < m.length; i++) {
        m[i] = values(length, 1);
      }
      float[] v = values(length, 1);
      float[] dots = new float[4];
      kernels.dot4(m, 1, v, dots);
      for (int i = 0; i < 4; i++) {
        double exact = 0;
        for (int j = 0; j < length; j++) {
          exact += (double) m[1 + i][j] * v[j];
        }
        float bound = 2e-7f * length;
        assertThat(dots[i]).isCloseTo((float) exact, within(bound));
        assertThat(kernels.dot(m[1 + i], v)).isCloseTo((float) exact, within(bound));
      }
      float[] weights = values(4, 1);
      float[] four = values(length, 1);
      float[] single = four.clone();
      float[] before = four.clone();
      kernels.add4(four, m, 1, weights);
      for (int i = 0; i < 4; i++) {
        kernels.add(single, m[1 + i], weights[i]);
      }
      float[] out = new float[length];
      kernels.scale(m[1], v, out, 3);
      float[][] scaled = new float[4][length];
      kernels.scale4(m, 1, v, scaled, weights);
      for (int j = 0; j < length; j++) {
        double exact = before[j];
        for (int i = 0; i < 4; i++) {
          exact += (double) weights[i] * m[1 + i][j];
          float product = weights[i] * m[1 + i][j] * v[j];
          assertThat(scaled[i][j]).isCloseTo(product, within(1e-5f));
        }
        assertThat(four[j]).isCloseTo((float) exact, within(1e-5f));
        assertThat(single[j]).isCloseTo((float) exact, within(1e-5f));
        assertThat(out[j]).isCloseTo(3 * m[1][j] * v[j], within(1e-5f));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("both")
  void maximaAreExact(FloatKernels kernels) {
    float[] s = values(N, 5);
    float[] column = values(N, 5);
    float[] max = values(N, 5);
    float[] expected = max.clone();
    float largest = Float.NEGATIVE_INFINITY;
    for (int j = 0; j < N; j++) {
      expected[j] = Math.max(max[j], s[j]);
      largest = Math.max(largest, s[j] - column[j]);
    }
    kernels.max(max, s);
    assertThat(max).isEqualTo(expected);
    assertThat(kernels.maxDifference(s, column)).isEqualTo(largest);
  }

  @ParameterizedTest
  @MethodSource("both")
  void extremesAreFoundWhereverTheyAre(FloatKernels kernels) {
    for (int j = 0; j < N; j++) {
      float[] s = values(N, 5);
      assertThat(kernels.largest(s)).isEqualTo(most(s));
      assertThat(kernels.least(s)).isEqualTo(least(s));
      s[j] = 100;
      assertThat(kernels.largest(s)).isEqualTo(100);
      s[j] = -100;
      assertThat(kernels.least(s)).isEqualTo(-100);
      s[j] = Float.NaN;
      assertThat(kernels.largest(s)).isNaN();
      assertThat(kernels.least(s)).isNaN();
    }
  }

  private static void exp(FloatKernels kernels, float[] s, float[] out, float centre, float scale) {
    int n = s.length;
    kernels.exp(s, out, centre, scale, new float[n], new float[n], new float[n]);
  }

  private static float least(float[] x) {
    float least = Float.POSITIVE_INFINITY;
    for (float each : x) {
      least = Math.min(least, each);
    }
    return least;
  }

  private static float most(float[] x) {
    float most = Float.NEGATIVE_INFINITY;
    for (float each : x) {
      most = Math.max(most, each);
    }
    return most;
  }

  private static float[] filled(int n, float x) {
    float[] filled = new float[n];
    Arrays.fill(filled, x);
    return filled;
  }

  private float[] values(int n, double deviation) {
    float[] x = new float[n];
    for (int j = 0; j < n; j++) {
      x[j] = (float) (random.nextGaussian() * deviation);
    }
    return x;
  }
}
