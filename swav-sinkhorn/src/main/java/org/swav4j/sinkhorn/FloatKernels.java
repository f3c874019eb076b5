package org.swav4j.sinkhorn;

/**
 * The inner loops of the fused float solver. All arrays of a call are rows of one length, a
 * multiple of {@link #PAD}, so that no loop has a tail; {@code space} is overwritten.
 *
 * <p>Exponentials are powers of two: {@code 2^z = 2^n · 2^r} with n the nearest integer, found by
 * adding {@link #MAGIC}, whose last mantissa bit weighs 1, and 2^r on [-1/2, 1/2] a polynomial of
 * degree 5 (minimax, relative error 7.5e-8).
 */
interface FloatKernels {
  /** Lanes a row is padded to: the widest vector used. */
  int PAD = 16;

  /** 1.5 · 2^23. */
  float MAGIC = 12582912f;

  float P0 = 1.0000001f;
  float P1 = 0.69314694f;
  float P2 = 0.2402212f;
  float P3 = 0.05550713f;
  float P4 = 0.009675542f;
  float P5 = 0.0013276471f;

  /** The exponent below which the log domain's terms are cut off: the last one that is normal. */
  float LOWEST = -126f;

  /** The length of {@link #exp}'s low and high for rows of this length. */
  int rangeLength(int row);

  /**
   * {@code out = 2^((s - centre) scale)}, right only for exponents from -126 to 100. Lowers
   * elements of low and raises elements of high, any of the first {@link #rangeLength}, so that the
   * least and the largest are those of all exponents, to within 1/2 in that range and beyond it
   * outside; one is a NaN if an s is.
   */
  void exp(
      float[] s, float[] out, float centre, float scale, float[] low, float[] high, float[] space);

  /** {@code out = 2^((s - column) scale)} where s is nowhere above column, cut off below LOWEST. */
  void expBelow(float[] s, float[] column, float[] out, float scale, float[] space);

  /**
   * {@code out = 2^((s - row - column) (high + low))} for exponents up to 100, cut off below {@link
   * #LOWEST}. The differences are exact to the rounding of the result even where s and a gauge are
   * large and nearly cancel.
   */
  void expGauged(
      float[] s, float row, float[] column, float[] out, float high, float low, float[] space);

  /** {@code sum m v}. */
  float dot(float[] m, float[] v);

  /** {@link #dot} of four rows from {@code first} on. */
  void dot4(float[][] m, int first, float[] v, float[] out);

  /** {@code sum += w m}. */
  void add(float[] sum, float[] m, float w);

  /** {@link #add} of four rows from {@code first} on, with weights w[0..3]. */
  void add4(float[] sum, float[][] m, int first, float[] w);

  /** {@code out = w m v}. */
  void scale(float[] m, float[] v, float[] out, float w);

  /** {@link #scale} of four rows from {@code first} on into out[0..3], with weights w[0..3]. */
  void scale4(float[][] m, int first, float[] v, float[][] out, float[] w);

  /** {@code max (s - column)}. */
  float maxDifference(float[] s, float[] column);

  /** {@code max = max(max, s)}. */
  void max(float[] max, float[] s);

  /** The largest of s, or a NaN if it has one. */
  float largest(float[] s);

  /** The least of s, or a NaN if it has one. */
  float least(float[] s);

  /**
   * The fastest that this Java runs: the Vector API where its module is present, else plain Java.
   */
  static FloatKernels best() {
    return Best.KERNELS;
  }

  /** Chosen once, when first needed. */
  final class Best {
    private static final FloatKernels KERNELS = choose();

    private Best() {}

    private static FloatKernels choose() {
      if (ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()) {
        try {
          return new VectorKernels();
        } catch (LinkageError e) {
          // An incubator API may change between releases of Java: plain Java gives the same codes.
          return new PlainKernels();
        }
      }
      return new PlainKernels();
    }
  }
}
