package org.swav4j.sinkhorn;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The inner loops with the JDK's Vector API, an incubator module: loaded only where Java was
 * started with {@code --add-modules jdk.incubator.vector}.
 *
 * <p>All vectors are of one width: where others were stored too, HotSpot sometimes compiled a loop
 * for either, three times slower.
 */
final class VectorKernels implements FloatKernels {
  private static final VectorSpecies<Float> F =
      FloatVector.SPECIES_PREFERRED.length() > PAD
          ? FloatVector.SPECIES_512
          : FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> I = VectorSpecies.of(int.class, F.vectorShape());
  private static final int LANES = F.length();

  // √2 · P0 to P5: 2^(z + 1/2).
  private static final float R0 = 1.4142138f;
  private static final float R1 = 0.9802578f;
  private static final float R2 = 0.3397241f;
  private static final float R3 = 0.07849894f;
  private static final float R4 = 0.013683283f;
  private static final float R5 = 0.0018775766f;

  @Override
  public int rangeLength(int row) {
    return LANES;
  }

  @Override
  public void exp(
      float[] s, float[] out, float centre, float scale, float[] low, float[] high, float[] space) {
    // Beside magic all but wild exponents are positive, and positive floats compare as integers.
    IntVector least = IntVector.broadcast(I, Integer.MAX_VALUE);
    IntVector most = IntVector.broadcast(I, Integer.MIN_VALUE);
    FloatVector magic = FloatVector.broadcast(F, MAGIC);
    FloatVector factor = FloatVector.broadcast(F, scale);
    FloatVector middle = FloatVector.broadcast(F, centre);
    FloatVector p5 = FloatVector.broadcast(F, P5);
    FloatVector p4 = FloatVector.broadcast(F, P4);
    FloatVector p3 = FloatVector.broadcast(F, P3);
    FloatVector p2 = FloatVector.broadcast(F, P2);
    FloatVector p1 = FloatVector.broadcast(F, P1);
    FloatVector p0 = FloatVector.broadcast(F, P0);
    for (int j = 0; j < out.length; j += LANES) {
      FloatVector z = FloatVector.fromArray(F, s, j).sub(middle).mul(factor);
      FloatVector y = z.add(magic);
      IntVector bits = y.reinterpretAsInts();
      least = least.min(bits);
      most = most.max(bits);
      FloatVector r = z.sub(y.sub(magic));
      FloatVector p = p5.fma(r, p4).fma(r, p3).fma(r, p2).fma(r, p1).fma(r, p0);
      p.reinterpretAsInts()
          .add(bits.lanewise(VectorOperators.LSHL, 23))
          .reinterpretAsFloats()
          .intoArray(out, j);
    }
    FloatVector lows = least.reinterpretAsFloats().sub(magic);
    lows.min(FloatVector.fromArray(F, low, 0)).intoArray(low, 0);
    FloatVector highs = most.reinterpretAsFloats().sub(magic);
    highs.max(FloatVector.fromArray(F, high, 0)).intoArray(high, 0);
  }

  @Override
  public void expBelow(float[] s, float[] column, float[] out, float scale, float[] space) {
    // The half that is taken from z and given back by the polynomial leaves z negative, and
    // negative floats compare as integers, which is cheaper.
    FloatVector magic = FloatVector.broadcast(F, MAGIC);
    FloatVector factor = FloatVector.broadcast(F, scale);
    FloatVector half = FloatVector.broadcast(F, -0.5f);
    IntVector lowest = IntVector.broadcast(I, Float.floatToRawIntBits(LOWEST));
    FloatVector p5 = FloatVector.broadcast(F, R5);
    FloatVector p4 = FloatVector.broadcast(F, R4);
    FloatVector p3 = FloatVector.broadcast(F, R3);
    FloatVector p2 = FloatVector.broadcast(F, R2);
    FloatVector p1 = FloatVector.broadcast(F, R1);
    FloatVector p0 = FloatVector.broadcast(F, R0);
    for (int j = 0; j < out.length; j += LANES) {
      FloatVector t = FloatVector.fromArray(F, s, j).sub(FloatVector.fromArray(F, column, j));
      FloatVector z = t.fma(factor, half).reinterpretAsInts().min(lowest).reinterpretAsFloats();
      FloatVector y = z.add(magic);
      FloatVector r = z.sub(y.sub(magic));
      FloatVector p = p5.fma(r, p4).fma(r, p3).fma(r, p2).fma(r, p1).fma(r, p0);
      p.reinterpretAsInts()
          .add(y.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23))
          .reinterpretAsFloats()
          .intoArray(out, j);
    }
  }

  @Override
  public void expGauged(
      float[] s, float row, float[] column, float[] out, float high, float low, float[] space) {
    FloatVector magic = FloatVector.broadcast(F, MAGIC);
    FloatVector lowest = FloatVector.broadcast(F, LOWEST);
    FloatVector gauge = FloatVector.broadcast(F, row);
    FloatVector fine = FloatVector.broadcast(F, low);
    FloatVector coarse = FloatVector.broadcast(F, high);
    FloatVector p5 = FloatVector.broadcast(F, P5);
    FloatVector p4 = FloatVector.broadcast(F, P4);
    FloatVector p3 = FloatVector.broadcast(F, P3);
    FloatVector p2 = FloatVector.broadcast(F, P2);
    FloatVector p1 = FloatVector.broadcast(F, P1);
    FloatVector p0 = FloatVector.broadcast(F, P0);
    for (int j = 0; j < out.length; j += LANES) {
      FloatVector x = FloatVector.fromArray(F, s, j);
      FloatVector d = x.sub(gauge);
      FloatVector b = d.sub(x);
      FloatVector lost = x.sub(d.sub(b)).sub(gauge.add(b));
      FloatVector t = d.sub(FloatVector.fromArray(F, column, j)).add(lost);
      FloatVector z = t.fma(coarse, t.mul(fine)).max(lowest);
      FloatVector y = z.add(magic);
      FloatVector r = z.sub(y.sub(magic));
      FloatVector p = p5.fma(r, p4).fma(r, p3).fma(r, p2).fma(r, p1).fma(r, p0);
      p.reinterpretAsInts()
          .add(y.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23))
          .reinterpretAsFloats()
          .intoArray(out, j);
    }
  }

  @Override
  public float dot(float[] m, float[] v) {
    FloatVector sum = FloatVector.zero(F);
    for (int j = 0; j < v.length; j += LANES) {
      sum = FloatVector.fromArray(F, m, j).fma(FloatVector.fromArray(F, v, j), sum);
    }
    return sum.reduceLanes(VectorOperators.ADD);
  }

  @Override
  public void dot4(float[][] m, int first, float[] v, float[] out) {
    FloatVector a = FloatVector.zero(F);
    FloatVector b = a;
    FloatVector c = a;
    FloatVector d = a;
    float[] m0 = m[first];
    float[] m1 = m[first + 1];
    float[] m2 = m[first + 2];
    float[] m3 = m[first + 3];
    for (int j = 0; j < v.length; j += LANES) {
      FloatVector x = FloatVector.fromArray(F, v, j);
      a = FloatVector.fromArray(F, m0, j).fma(x, a);
      b = FloatVector.fromArray(F, m1, j).fma(x, b);
      c = FloatVector.fromArray(F, m2, j).fma(x, c);
      d = FloatVector.fromArray(F, m3, j).fma(x, d);
    }
    out[0] = a.reduceLanes(VectorOperators.ADD);
    out[1] = b.reduceLanes(VectorOperators.ADD);
    out[2] = c.reduceLanes(VectorOperators.ADD);
    out[3] = d.reduceLanes(VectorOperators.ADD);
  }

  @Override
  public void add(float[] sum, float[] m, float w) {
    FloatVector weight = FloatVector.broadcast(F, w);
    for (int j = 0; j < sum.length; j += LANES) {
      FloatVector.fromArray(F, m, j)
          .fma(weight, FloatVector.fromArray(F, sum, j))
          .intoArray(sum, j);
    }
  }

  @Override
  public void add4(float[] sum, float[][] m, int first, float[] w) {
    FloatVector w0 = FloatVector.broadcast(F, w[0]);
    FloatVector w1 = FloatVector.broadcast(F, w[1]);
    FloatVector w2 = FloatVector.broadcast(F, w[2]);
    FloatVector w3 = FloatVector.broadcast(F, w[3]);
    float[] m0 = m[first];
    float[] m1 = m[first + 1];
    float[] m2 = m[first + 2];
    float[] m3 = m[first + 3];
    for (int j = 0; j < sum.length; j += LANES) {
      FloatVector x = FloatVector.fromArray(F, m0, j).mul(w0);
      FloatVector y = FloatVector.fromArray(F, m1, j).mul(w1);
      x = FloatVector.fromArray(F, m2, j).fma(w2, x);
      y = FloatVector.fromArray(F, m3, j).fma(w3, y);
      FloatVector.fromArray(F, sum, j).add(x.add(y)).intoArray(sum, j);
    }
  }

  @Override
  public void scale(float[] m, float[] v, float[] out, float w) {
    FloatVector weight = FloatVector.broadcast(F, w);
    for (int j = 0; j < out.length; j += LANES) {
      FloatVector.fromArray(F, m, j)
          .mul(FloatVector.fromArray(F, v, j))
          .mul(weight)
          .intoArray(out, j);
    }
  }

  @Override
  public void scale4(float[][] m, int first, float[] v, float[][] out, float[] w) {
    FloatVector w0 = FloatVector.broadcast(F, w[0]);
    FloatVector w1 = FloatVector.broadcast(F, w[1]);
    FloatVector w2 = FloatVector.broadcast(F, w[2]);
    FloatVector w3 = FloatVector.broadcast(F, w[3]);
    float[] m0 = m[first];
    float[] m1 = m[first + 1];
    float[] m2 = m[first + 2];
    float[] m3 = m[first + 3];
    float[] out0 = out[0];
    float[] out1 = out[1];
    float[] out2 = out[2];
    float[] out3 = out[3];
    for (int j = 0; j < v.length; j += LANES) {
      FloatVector x = FloatVector.fromArray(F, v, j);
      FloatVector.fromArray(F, m0, j).mul(x).mul(w0).intoArray(out0, j);
      FloatVector.fromArray(F, m1, j).mul(x).mul(w1).intoArray(out1, j);
      FloatVector.fromArray(F, m2, j).mul(x).mul(w2).intoArray(out2, j);
      FloatVector.fromArray(F, m3, j).mul(x).mul(w3).intoArray(out3, j);
    }
  }

  @Override
  public float maxDifference(float[] s, float[] column) {
    FloatVector max = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    for (int j = 0; j < s.length; j += LANES) {
      max = max.max(FloatVector.fromArray(F, s, j).sub(FloatVector.fromArray(F, column, j)));
    }
    return max.reduceLanes(VectorOperators.MAX);
  }

  @Override
  public void max(float[] max, float[] s) {
    for (int j = 0; j < max.length; j += LANES) {
      FloatVector.fromArray(F, max, j).max(FloatVector.fromArray(F, s, j)).intoArray(max, j);
    }
  }

  @Override
  public float largest(float[] s) {
    FloatVector largest = FloatVector.fromArray(F, s, 0);
    for (int j = LANES; j < s.length; j += LANES) {
      largest = largest.max(FloatVector.fromArray(F, s, j));
    }
    return largest.reduceLanes(VectorOperators.MAX);
  }

  @Override
  public float least(float[] s) {
    FloatVector least = FloatVector.fromArray(F, s, 0);
    for (int j = LANES; j < s.length; j += LANES) {
      least = least.min(FloatVector.fromArray(F, s, j));
    }
    return least.reduceLanes(VectorOperators.MIN);
  }
}
