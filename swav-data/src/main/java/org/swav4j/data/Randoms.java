package org.swav4j.data;

import java.util.Random;
import java.util.random.RandomGenerator;
import org.apache.commons.math3.random.BitsStreamGenerator;
import org.nd4j.linalg.api.rng.DefaultRandom;

/** One stream of random numbers in the forms that DataVec's transforms draw from. */
final class Randoms {
  private Randoms() {}

  /** For {@code ImageTransform.transform(image, random)}. */
  static Random java(RandomGenerator source) {
    return new JavaRandom(source);
  }

  /** For DataVec's pipelines and random crops, which draw from ND4J's kind of generator. */
  static org.nd4j.linalg.api.rng.Random nd4j(RandomGenerator source) {
    return new DefaultRandom(new Bits(source));
  }

  /** The doubles and bounded ints are the source's own; the rest is made of its upper bits. */
  private static final class JavaRandom extends Random {
    private static final long serialVersionUID = 1L;

    private final transient RandomGenerator source;

    JavaRandom(RandomGenerator source) {
      super(0);
      this.source = source;
    }

    @Override
    protected int next(int bits) {
      return (int) (source.nextLong() >>> (64 - bits));
    }

    @Override
    public int nextInt(int bound) {
      return source.nextInt(bound);
    }

    @Override
    public double nextDouble() {
      return source.nextDouble();
    }
  }

  private static final class Bits extends BitsStreamGenerator {
    private static final long serialVersionUID = 1L;

    private final transient RandomGenerator source;

    Bits(RandomGenerator source) {
      this.source = source;
    }

    @Override
    protected int next(int bits) {
      return (int) (source.nextLong() >>> (64 - bits));
    }

    @Override
    public int nextInt(int bound) {
      return source.nextInt(bound);
    }

    @Override
    public double nextDouble() {
      return source.nextDouble();
    }

    /** Nothing: the stream is the source's. */
    @Override
    public void setSeed(int seed) {}

    @Override
    public void setSeed(int[] seed) {}

    @Override
    public void setSeed(long seed) {}
  }
}
