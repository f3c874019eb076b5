package org.swav4j.sinkhorn;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The inner loops with the JDK's Vector API, an incubator module: loaded only where Java was
 * started with {@code --add-modules jdk.incubator.vector}.
 */
final class VectorKernels implements FloatKernels {
  private static final VectorSpecies<Float> F =
      FloatVector.SPECIES_PREFERRED.length() > PAD
          ? FloatVector.SPECIES_512
          : FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> I = VectorSpecies.of(int.class, F.vectorShape());
  private static final int LANES = F.length();

  @Override
  public void exp(
      float[] s, int at, float[] out, int to, int n, float centre, float scale, int[] range) {
    FloatVector magic = FloatVector.broadcast(F, MAGIC);
    FloatVector factor = FloatVector.broadcast(F, scale);
    FloatVector middle = FloatVector.broadcast(F, centre);
    FloatVector p5 = FloatVector.broadcast(F, P5);
    FloatVector p4 = FloatVector.broadcast(F, P4);
    FloatVector p3 = FloatVector.broadcast(F, P3);
    FloatVector p2 = FloatVector.broadcast(F, P2);
    FloatVector p1 = FloatVector.broadcast(F, P1);
    FloatVector p0 = FloatVector.broadcast(F, P0);
    IntVector low = IntVector.broadcast(I, Integer.MAX_VALUE);
    IntVector high = IntVector.broadcast(I, Integer.MIN_VALUE);
    for (int j = 0; j < n; j += LANES) {
      FloatVector z = FloatVector.fromArray(F, s, at + j).sub(middle).mul(factor);
      FloatVector y = z.add(magic);
      IntVector bits = y.reinterpretAsInts();
      low = low.min(bits);
      high = high.max(bits);
      FloatVector r = z.sub(y.sub(magic));
      FloatVector p = p5.fma(r, p4).fma(r, p3).fma(r, p2).fma(r, p1).fma(r, p0);
      p.reinterpretAsInts()
          .add(bits.lanewise(VectorOperators.LSHL, 23))
          .reinterpretAsFloats()
          .intoArray(out, to + j);
    }
    range[0] = Math.min(range[0], low.reduceLanes(VectorOperators.MIN) - MAGIC_BITS);
    range[1] = Math.max(range[1], high.reduceLanes(VectorOperators.MAX) - MAGIC_BITS);
  }

  @Override
  public void expBelow(float[] s, int at, float[] column, float[] out, int to, int n, float scale) {
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
    for (int j = 0; j < n; j += LANES) {
      FloatVector t = FloatVector.fromArray(F, s, at + j).sub(FloatVector.fromArray(F, column, j));
      FloatVector z = t.fma(factor, half).reinterpretAsInts().min(lowest).reinterpretAsFloats();
      FloatVector y = z.add(magic);
      FloatVector r = z.sub(y.sub(magic));
      FloatVector p = p5.fma(r, p4).fma(r, p3).fma(r, p2).fma(r, p1).fma(r, p0);
      p.reinterpretAsInts()
          .add(y.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23))
          .reinterpretAsFloats()
          .intoArray(out, to + j);
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
    for (int j = 0; j < n; j += LANES) {
      FloatVector x = FloatVector.fromArray(F, s, at + j);
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
          .intoArray(out, to + j);
    }
  }

  @Override
  public float dot(float[] m, int at, float[] v, int n) {
    FloatVector sum = FloatVector.zero(F);
    for (int j = 0; j < n; j += LANES) {
      sum = FloatVector.fromArray(F, m, at + j).fma(FloatVector.fromArray(F, v, j), sum);
    }
    return sum.reduceLanes(VectorOperators.ADD);
  }

  @Override
  public void dot4(float[] m, int at, int stride, float[] v, int n, float[] out) {
    FloatVector a = FloatVector.zero(F);
    FloatVector b = a;
    FloatVector c = a;
    FloatVector d = a;
    int at1 = at + stride;
    int at2 = at1 + stride;
    int at3 = at2 + stride;
    for (int j = 0; j < n; j += LANES) {
      FloatVector x = FloatVector.fromArray(F, v, j);
      a = FloatVector.fromArray(F, m, at + j).fma(x, a);
      b = FloatVector.fromArray(F, m, at1 + j).fma(x, b);
      c = FloatVector.fromArray(F, m, at2 + j).fma(x, c);
      d = FloatVector.fromArray(F, m, at3 + j).fma(x, d);
    }
    out[0] = a.reduceLanes(VectorOperators.ADD);
    out[1] = b.reduceLanes(VectorOperators.ADD);
    out[2] = c.reduceLanes(VectorOperators.ADD);
    out[3] = d.reduceLanes(VectorOperators.ADD);
  }

  @Override
  public void add(float[] sum, int to, float[] m, int at, int n, float w) {
    FloatVector weight = FloatVector.broadcast(F, w);
    for (int j = 0; j < n; j += LANES) {
      FloatVector.fromArray(F, m, at + j)
          .fma(weight, FloatVector.fromArray(F, sum, to + j))
          .intoArray(sum, to + j);
    }
  }

  @Override
  public void add4(float[] sum, int to, float[] m, int at, int stride, int n, float[] w) {
    FloatVector w0 = FloatVector.broadcast(F, w[0]);
    FloatVector w1 = FloatVector.broadcast(F, w[1]);
    FloatVector w2 = FloatVector.broadcast(F, w[2]);
    FloatVector w3 = FloatVector.broadcast(F, w[3]);
    int at1 = at + stride;
    int at2 = at1 + stride;
    int at3 = at2 + stride;
    for (int j = 0; j < n; j += LANES) {
      FloatVector x = FloatVector.fromArray(F, m, at + j).mul(w0);
      FloatVector y = FloatVector.fromArray(F, m, at1 + j).mul(w1);
      x = FloatVector.fromArray(F, m, at2 + j).fma(w2, x);
      y = FloatVector.fromArray(F, m, at3 + j).fma(w3, y);
      FloatVector.fromArray(F, sum, to + j).add(x.add(y)).intoArray(sum, to + j);
    }
  }

  @Override
  public void scale(float[] m, int at, float[] v, float[] out, int to, int n, float w) {
    FloatVector weight = FloatVector.broadcast(F, w);
    for (int j = 0; j < n; j += LANES) {
      FloatVector.fromArray(F, m, at + j)
          .mul(FloatVector.fromArray(F, v, j))
          .mul(weight)
          .intoArray(out, to + j);
    }
  }

  @Override
  public void scale4(
      float[] m, int at, float[] v, float[] out, int to, int stride, int n, float[] w) {
    FloatVector w0 = FloatVector.broadcast(F, w[0]);
    FloatVector w1 = FloatVector.broadcast(F, w[1]);
    FloatVector w2 = FloatVector.broadcast(F, w[2]);
    FloatVector w3 = FloatVector.broadcast(F, w[3]);
    int at1 = at + stride;
    int at2 = at1 + stride;
    int at3 = at2 + stride;
    int to1 = to + stride;
    int to2 = to1 + stride;
    int to3 = to2 + stride;
    for (int j = 0; j < n; j += LANES) {
      FloatVector x = FloatVector.fromArray(F, v, j);
      FloatVector.fromArray(F, m, at + j).mul(x).mul(w0).intoArray(out, to + j);
      FloatVector.fromArray(F, m, at1 + j).mul(x).mul(w1).intoArray(out, to1 + j);
      FloatVector.fromArray(F, m, at2 + j).mul(x).mul(w2).intoArray(out, to2 + j);
      FloatVector.fromArray(F, m, at3 + j).mul(x).mul(w3).intoArray(out, to3 + j);
    }
  }

  @Override
  public float maxDifference(float[] s, int at, float[] column, int n) {
    FloatVector max = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    for (int j = 0; j < n; j += LANES) {
      max = max.max(FloatVector.fromArray(F, s, at + j).sub(FloatVector.fromArray(F, column, j)));
    }
    return max.reduceLanes(VectorOperators.MAX);
  }

  @Override
  public float max(float[] max, int to, float[] s, int at, int n) {
    FloatVector zero = FloatVector.zero(F);
    FloatVector nothing = zero;
    for (int j = 0; j < n; j += LANES) {
      FloatVector x = FloatVector.fromArray(F, s, at + j);
      FloatVector.fromArray(F, max, to + j).max(x).intoArray(max, to + j);
      nothing = x.fma(zero, nothing);
    }
    return nothing.reduceLanes(VectorOperators.ADD);
  }
}
