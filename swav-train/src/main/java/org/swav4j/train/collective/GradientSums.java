package org.swav4j.train.collective;

/** In which numbers gradients travel between workers that share a batch. */
public enum GradientSums {
  /** As they are. */
  FLOAT,
  /**
   * As half floats, half as many bytes. Each gradient (of a large one each part of up to a quarter
   * of a million numbers) is scaled by a power of two, so that its largest number in any of N
   * workers is between 2^13 / N and 2^14 / N, N rounded up to a power of two: the sum can't
   * overflow, and what is up to 2^27 / N times smaller than the largest keeps its 11 bits. They are
   * added as floats. A number is rounded once where it comes from and once as a sum, so that sums
   * are off by no more than 2^-10 of the magnitudes added. All workers go on with the same bits.
   */
  FP16
}
