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
  void exponentialsAreWithinRoundingAndTheirRangeIsFound(FloatKernels kernels) {
    float[] s = values(4 * N, 1);
    float[] out = new float[5 * N];
    int[] range = {Integer.MAX_VALUE, Integer.MIN_VALUE};
    float scale = (float) (20 * LOG2_E);
    kernels.exp(s, N, out, 2 * N, 3 * N, 0.25f, scale, range);
    double low = Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    for (int j = 0; j < 3 * N; j++) {
      double z = (s[N + j] - 0.25) * scale;
      low = Math.min(low, z);
      high = Math.max(high, z);
      assertThat(out[2 * N + j] / Math.pow(2, z)).isCloseTo(1, within(5e-6));
    }
    assertThat(range[0]).isEqualTo((int) Math.rint(low));
    assertThat(range[1]).isEqualTo((int) Math.rint(high));
    assertThat(Arrays.copyOf(out, 2 * N)).containsOnly(0);
  }

  @ParameterizedTest
  @MethodSource("both")
  void whateverAFloatCannotHoldShowsInTheRange(FloatKernels kernels) {
    float[] bad = {
      Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 1e30f, -1e30f, 200, -200
    };
    for (float x : bad) {
      for (int position = 0; position < N; position++) {
        float[] s = new float[N];
        s[position] = x;
        int[] range = {Integer.MAX_VALUE, Integer.MIN_VALUE};
        kernels.exp(s, 0, new float[N], 0, N, 0, 1, range);
        assertThat((long) range[1] - range[0]).as("%s at %s", x, position).isGreaterThan(150);
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
      kernels.expGauged(s, 0, row, column, out, 0, N, high, low);
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
    kernels.expGauged(s, 0, 3, new float[N], out, 0, N, 1e3f, 0);
    for (float x : out) {
      assertThat(x).isBetween(0f, 2e-38f);
    }
  }

  @ParameterizedTest
  @MethodSource("both")
  void exponentialsBelowAMaximumAreWithinRoundingAndCutOffFarBelow(FloatKernels kernels) {
    float[] column = values(N, 30);
    float[] s = values(2 * N, 1);
    for (int j = 0; j < N; j++) {
      s[N + j] = column[j] - Math.abs(s[N + j]) * (j % 3);
    }
    s[N + 7] = -1e9f;
    float[] out = new float[2 * N];
    kernels.expBelow(s, N, column, out, N, N, 28);
    for (int j = 0; j < N; j++) {
      double exact = Math.pow(2, ((double) s[N + j] - column[j]) * 28);
      assertThat((double) out[N + j]).isCloseTo(exact, within(5e-6 * exact + 2e-38));
    }
    assertThat(Arrays.copyOf(out, N)).containsOnly(0);
  }

  @ParameterizedTest
  @MethodSource("both")
  void productsAndSumsAreWithinRounding(FloatKernels kernels) {
    int stride = N;
    float[] m = values(6 * N, 1);
    float[] v = values(N, 1);
    float[] dots = new float[4];
    kernels.dot4(m, N, stride, v, N, dots);
    for (int i = 0; i < 4; i++) {
      double exact = 0;
      for (int j = 0; j < N; j++) {
        exact += (double) m[N + i * stride + j] * v[j];
      }
      assertThat(dots[i]).isCloseTo((float) exact, within(1e-5f));
      assertThat(kernels.dot(m, N + i * stride, v, N)).isCloseTo((float) exact, within(1e-5f));
    }
    float[] weights = values(4, 1);
    float[] four = values(2 * N, 1);
    float[] single = four.clone();
    float[] before = four.clone();
    kernels.add4(four, N, m, N, stride, N, weights);
    for (int i = 0; i < 4; i++) {
      kernels.add(single, N, m, N + i * stride, N, weights[i]);
    }
    float[] out = new float[2 * N];
    kernels.scale(m, N, v, out, N, N, 3);
    for (int j = 0; j < N; j++) {
      double exact = before[N + j];
      for (int i = 0; i < 4; i++) {
        exact += (double) weights[i] * m[N + i * stride + j];
      }
      assertThat(four[N + j]).isCloseTo((float) exact, within(1e-5f));
      assertThat(single[N + j]).isCloseTo((float) exact, within(1e-5f));
      assertThat(four[j]).isEqualTo(before[j]);
      assertThat(out[N + j]).isCloseTo(3 * m[N + j] * v[j], within(1e-5f));
      assertThat(out[j]).isZero();
    }
    float[] scaled = new float[5 * N];
    kernels.scale4(m, N, v, scaled, N, stride, N, weights);
    for (int i = 0; i < 4; i++) {
      for (int j = 0; j < N; j++) {
        float exact = weights[i] * m[N + i * stride + j] * v[j];
        assertThat(scaled[N + i * stride + j]).isCloseTo(exact, within(1e-5f));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("both")
  void maximaAreExactAndTellOfWhatIsNotFinite(FloatKernels kernels) {
    float[] s = values(2 * N, 5);
    float[] column = values(N, 5);
    float[] max = values(2 * N, 5);
    float[] expected = max.clone();
    float largest = Float.NEGATIVE_INFINITY;
    for (int j = 0; j < N; j++) {
      expected[N + j] = Math.max(max[N + j], s[N + j]);
      largest = Math.max(largest, s[N + j] - column[j]);
    }
    assertThat(kernels.max(max, N, s, N, N)).isZero();
    assertThat(max).isEqualTo(expected);
    assertThat(kernels.maxDifference(s, N, column, N)).isEqualTo(largest);
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      for (int position = 0; position < N; position++) {
        float[] one = new float[N];
        one[position] = bad;
        assertThat(kernels.max(new float[N], 0, one, 0, N)).isNaN();
      }
    }
  }

  private float[] values(int n, double deviation) {
    float[] x = new float[n];
    for (int j = 0; j < n; j++) {
      x[j] = (float) (random.nextGaussian() * deviation);
    }
    return x;
  }
}
