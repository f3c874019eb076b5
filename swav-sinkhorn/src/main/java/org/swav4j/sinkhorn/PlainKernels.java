package org.swav4j.sinkhorn;

/** The inner loops in plain Java: any Java, no flags. */
final class PlainKernels implements FloatKernels {

  @Override
  public void exp(
      float[] s, int at, float[] out, int to, int n, float centre, float scale, int[] range) {
    int low = range[0];
    int high = range[1];
    for (int j = 0; j < n; j++) {
      float z = (s[at + j] - centre) * scale;
      float y = z + MAGIC;
      int bits = Float.floatToRawIntBits(y);
      low = Math.min(low, bits - MAGIC_BITS);
      high = Math.max(high, bits - MAGIC_BITS);
      out[to + j] = power(z - (y - MAGIC), bits);
    }
    range[0] = low;
    range[1] = high;
  }

  private static float power(float r, int bits) {
    float p = ((((P5 * r + P4) * r + P3) * r + P2) * r + P1) * r + P0;
    return Float.intBitsToFloat(Float.floatToRawIntBits(p) + (bits << 23));
  }

  @Override
  public void expBelow(float[] s, int at, float[] column, float[] out, int to, int n, float scale) {
    for (int j = 0; j < n; j++) {
      float z = (s[at + j] - column[j]) * scale;
      z = z < LOWEST ? LOWEST : z;
      float y = z + MAGIC;
      out[to + j] = power(z - (y - MAGIC), Float.floatToRawIntBits(y));
    }
  }

  @Override
  public void expGauged(
      float[] s,
      int at,
      float row,
      float[] column,
      float[] out,
      int to,
      int n,
      float high,
      float low) {
    for (int j = 0; j < n; j++) {
      float x = s[at + j];
      float d = x - row;
      float b = d - x;
      float lost = (x - (d - b)) - (row + b);
      float t = (d - column[j]) + lost;
      float z = t * high + t * low;
      z = z < LOWEST ? LOWEST : z;
      float y = z + MAGIC;
      out[to + j] = power(z - (y - MAGIC), Float.floatToRawIntBits(y));
    }
  }

  @Override
  public float dot(float[] m, int at, float[] v, int n) {
    float a = 0;
    float b = 0;
    float c = 0;
    float d = 0;
    for (int j = 0; j < n; j += 4) {
      a += m[at + j] * v[j];
      b += m[at + j + 1] * v[j + 1];
      c += m[at + j + 2] * v[j + 2];
      d += m[at + j + 3] * v[j + 3];
    }
    return (a + b) + (c + d);
  }

  @Override
  public void dot4(float[] m, int at, int stride, float[] v, int n, float[] out) {
    for (int i = 0; i < 4; i++) {
      out[i] = dot(m, at + i * stride, v, n);
    }
  }

  @Override
  public void add(float[] sum, int to, float[] m, int at, int n, float w) {
    for (int j = 0; j < n; j++) {
      sum[to + j] += w * m[at + j];
    }
  }

  @Override
  public void add4(float[] sum, int to, float[] m, int at, int stride, int n, float[] w) {
    // One row at a time: HotSpot vectorises a loop over two arrays, not over five.
    for (int i = 0; i < 4; i++) {
      add(sum, to, m, at + i * stride, n, w[i]);
    }
  }

  @Override
  public void scale(float[] m, int at, float[] v, float[] out, int to, int n, float w) {
    for (int j = 0; j < n; j++) {
      out[to + j] = m[at + j] * w;
    }
    for (int j = 0; j < n; j++) {
      out[to + j] *= v[j];
    }
  }

  @Override
  public void scale4(
      float[] m, int at, float[] v, float[] out, int to, int stride, int n, float[] w) {
    for (int i = 0; i < 4; i++) {
      scale(m, at + i * stride, v, out, to + i * stride, n, w[i]);
    }
  }

  @Override
  public float maxDifference(float[] s, int at, float[] column, int n) {
    float max = Float.NEGATIVE_INFINITY;
    for (int j = 0; j < n; j++) {
      float d = s[at + j] - column[j];
      max = d > max ? d : max;
    }
    return max;
  }

  @Override
  public float max(float[] max, int to, float[] s, int at, int n) {
    float zero = 0;
    for (int j = 0; j < n; j++) {
      float x = s[at + j];
      max[to + j] = x > max[to + j] ? x : max[to + j];
      zero += x * 0;
    }
    return zero;
  }
}
