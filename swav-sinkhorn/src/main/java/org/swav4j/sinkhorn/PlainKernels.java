package org.swav4j.sinkhorn;

/**
 * The inner loops in plain Java: any Java, no flags.
 *
 * <p>They are written so that HotSpot vectorises them, which Java 17 does for loops that only add,
 * multiply and take maxima of floats, that index all their arrays alike, that are short, and whose
 * iterations don't build upon each other. So exponentials do without the bits of a float.
 */
final class PlainKernels implements FloatKernels {
  /** {@code 2^(n/512) = (A n + B)^2 + C} for n from -126 to 100, relative error 1.5e-4. */
  private static final float A = 9.482028e-4f;

  private static final float B = 0.7157991f;
  private static final float C = 0.48769784f;

  /** Beside {@code ONE_BIT x}, all but the first bit of x is rounded away: 2^23 + 1. */
  private static final float ONE_BIT = 8388609f;

  /**
   * {@code z = 2^z} by float arithmetic alone. 2^n comes from nine squarings, 8 % off at most;
   * rounded to one bit that is exact (Dekker's splitting, Numerische Mathematik 18, 1971). In two
   * loops, as HotSpot does not vectorise one as long as both.
   */
  private static void powers(float[] z, float[] space) {
    for (int j = 0; j < z.length; j++) {
      float n = (z[j] + MAGIC) - MAGIC;
      float x = A * n + B;
      x = x * x + C;
      x *= x;
      x *= x;
      x *= x;
      x *= x;
      x *= x;
      x *= x;
      x *= x;
      x *= x;
      x *= x;
      float large = ONE_BIT * x;
      space[j] = large - (large - x);
    }
    for (int j = 0; j < z.length; j++) {
      float r = z[j] - ((z[j] + MAGIC) - MAGIC);
      z[j] = (((((P5 * r + P4) * r + P3) * r + P2) * r + P1) * r + P0) * space[j];
    }
  }

  @Override
  public int rangeLength(int row) {
    return row;
  }

  @Override
  public void exp(
      float[] s, float[] out, float centre, float scale, float[] low, float[] high, float[] space) {
    for (int j = 0; j < out.length; j++) {
      out[j] = (s[j] - centre) * scale;
    }
    for (int j = 0; j < out.length; j++) {
      low[j] = Math.min(low[j], out[j]);
      high[j] = Math.max(high[j], out[j]);
    }
    powers(out, space);
  }

  @Override
  public void expBelow(float[] s, float[] column, float[] out, float scale, float[] space) {
    for (int j = 0; j < out.length; j++) {
      out[j] = Math.max((s[j] - column[j]) * scale, LOWEST);
    }
    powers(out, space);
  }

  @Override
  public void expGauged(
      float[] s, float row, float[] column, float[] out, float high, float low, float[] space) {
    for (int j = 0; j < out.length; j++) {
      float x = s[j];
      float d = x - row;
      float b = d - x;
      space[j] = (x - (d - b)) - (row + b);
    }
    for (int j = 0; j < out.length; j++) {
      float t = ((s[j] - row) - column[j]) + space[j];
      out[j] = Math.max(t * high + t * low, LOWEST);
    }
    powers(out, space);
  }

  @Override
  public float dot(float[] m, float[] v) {
    float a = 0;
    float b = 0;
    float c = 0;
    float d = 0;
    for (int j = 0; j < v.length; j += 4) {
      a += m[j] * v[j];
      b += m[j + 1] * v[j + 1];
      c += m[j + 2] * v[j + 2];
      d += m[j + 3] * v[j + 3];
    }
    return (a + b) + (c + d);
  }

  @Override
  public void dot4(float[][] m, int first, float[] v, float[] out) {
    for (int i = 0; i < 4; i++) {
      out[i] = dot(m[first + i], v);
    }
  }

  @Override
  public void add(float[] sum, float[] m, float w) {
    for (int j = 0; j < sum.length; j++) {
      sum[j] += w * m[j];
    }
  }

  @Override
  public void add4(float[] sum, float[][] m, int first, float[] w) {
    add4(sum, m[first], m[first + 1], m[first + 2], m[first + 3], w[0], w[1], w[2], w[3]);
  }

  private static void add4(
      float[] sum,
      float[] m0,
      float[] m1,
      float[] m2,
      float[] m3,
      float w0,
      float w1,
      float w2,
      float w3) {
    for (int j = 0; j < sum.length; j++) {
      sum[j] += (w0 * m0[j] + w1 * m1[j]) + (w2 * m2[j] + w3 * m3[j]);
    }
  }

  @Override
  public void scale(float[] m, float[] v, float[] out, float w) {
    for (int j = 0; j < out.length; j++) {
      out[j] = m[j] * v[j] * w;
    }
  }

  @Override
  public void scale4(float[][] m, int first, float[] v, float[][] out, float[] w) {
    for (int i = 0; i < 4; i++) {
      scale(m[first + i], v, out[i], w[i]);
    }
  }

  @Override
  public float maxDifference(float[] s, float[] column) {
    float max = Float.NEGATIVE_INFINITY;
    for (int j = 0; j < s.length; j++) {
      float d = s[j] - column[j];
      max = d > max ? d : max;
    }
    return max;
  }

  @Override
  public void max(float[] max, float[] s) {
    for (int j = 0; j < max.length; j++) {
      max[j] = Math.max(max[j], s[j]);
    }
  }

  @Override
  public float largest(float[] s) {
    float largest = s[0];
    for (float x : s) {
      largest = Math.max(largest, x);
    }
    return largest;
  }

  @Override
  public float least(float[] s) {
    float least = s[0];
    for (float x : s) {
      least = Math.min(least, x);
    }
    return least;
  }
}
