package org.swav4j.sinkhorn;

/**
 * The inner loops of the fused float solver. Every length, offset and stride is a multiple of
 * {@link #PAD}, so that no loop has a tail; offsets count elements.
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

  /** The bits of MAGIC; those of z + MAGIC exceed them by round(z). */
  int MAGIC_BITS = 0x4B400000;

  float P0 = 1.0000001f;
  float P1 = 0.69314694f;
  float P2 = 0.2402212f;
  float P3 = 0.05550713f;
  float P4 = 0.009675542f;
  float P5 = 0.0013276471f;

  /** The exponent below which the log domain's terms are cut off: the last one that is normal. */
  float LOWEST = -126f;

  /**
   * {@code out = 2^((s - centre) scale)}; lowers range[0] and raises range[1] to the least and
   * largest n seen. Right only if those stay within ±125: NaN and anything beyond shows in the
   * range as a number far outside.
   */
  void exp(float[] s, int at, float[] out, int to, int n, float centre, float scale, int[] range);

  /** √2 · P0 to P5: 2^(z + 1/2). */
  float R0 = 1.4142138f;

  float R1 = 0.9802578f;
  float R2 = 0.3397241f;
  float R3 = 0.07849894f;
  float R4 = 0.013683283f;
  float R5 = 0.0018775766f;

  /**
   * {@code out = 2^((s - column) scale)} where s is nowhere above column, cut off below {@link
   * #LOWEST}. The half that is taken from z and given back by the polynomial leaves z negative, and
   * negative floats compare as integers, which is cheaper.
   */
  void expBelow(float[] s, int at, float[] column, float[] out, int to, int n, float scale);

  /**
   * {@code out = 2^((s - row - column) (high + low))}, cut off below {@link #LOWEST}. The
   * differences are exact to the rounding of the result even where s and a gauge are large and
   * nearly cancel.
   */
  void expGauged(
      float[] s,
      int at,
      float row,
      float[] column,
      float[] out,
      int to,
      int n,
      float high,
      float low);

  /** {@code sum m v}. */
  float dot(float[] m, int at, float[] v, int n);

  /** {@link #dot} of four rows that lie {@code stride} apart. */
  void dot4(float[] m, int at, int stride, float[] v, int n, float[] out);

  /** {@code sum += w m}. */
  void add(float[] sum, int to, float[] m, int at, int n, float w);

  /** {@link #add} of four rows that lie {@code stride} apart, with weights w[0..3]. */
  void add4(float[] sum, int to, float[] m, int at, int stride, int n, float[] w);

  /** {@code out = w m v}. */
  void scale(float[] m, int at, float[] v, float[] out, int to, int n, float w);

  /** {@link #scale} of four rows that lie {@code stride} apart, with weights w[0..3]. */
  void scale4(float[] m, int at, float[] v, float[] out, int to, int stride, int n, float[] w);

  /** {@code max (s - column)}. */
  float maxDifference(float[] s, int at, float[] column, int n);

  /** {@code max = max(max, s)}; returns NaN if an s is not finite, else 0. */
  float max(float[] max, int to, float[] s, int at, int n);

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
