package org.swav4j.data;

import java.util.List;
import java.util.Locale;
import org.datavec.image.transform.FlipImageTransform;
import org.datavec.image.transform.ImageTransform;
import org.nd4j.common.primitives.Pair;

/**
 * What is done to a crop at random besides choosing its window, in this order: the window is
 * turned; horizontal flip; colour jitter (brightness, contrast, saturation and hue, in random
 * order); grey; Gaussian blur; solarise. Pictures with one channel take no part in saturation, hue
 * and grey.
 *
 * @param jitter strength s of the colour jitter: brightness, contrast and saturation factors are
 *     uniform in 1 ± 0.8 s (not below 0), the hue's turn in ± 0.2 s of the colour circle; 0 to 2.5
 * @param jitterProbability share of crops that are jittered
 * @param greyProbability share of crops turned grey
 * @param blurProbability share of crops that are blurred
 * @param minSigma least standard deviation of the blur in pixels of the crop
 * @param maxSigma greatest standard deviation of the blur in pixels of the crop
 * @param solariseProbability share of crops in which values from one half up are inverted
 * @param flipProbability share of crops mirrored left to right
 * @param maxDegrees angle up to which the window is turned about its centre, either way, uniformly;
 *     180: every orientation, 0: none
 * @param minRatio least width / height of the window, before it is made square
 * @param maxRatio greatest width / height of the window
 */
public record Augmentation(
    double jitter,
    double jitterProbability,
    double greyProbability,
    double blurProbability,
    double minSigma,
    double maxSigma,
    double solariseProbability,
    double flipProbability,
    double maxDegrees,
    double minRatio,
    double maxRatio) {
  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException naming the value that is out of range
   */
  public Augmentation {
    requireStrength(jitter);
    requireProbability("jitter", jitterProbability);
    requireProbability("grey", greyProbability);
    requireProbability("blur", blurProbability);
    requireProbability("solarise", solariseProbability);
    requireProbability("flip", flipProbability);
    requireRotation(maxDegrees);
    requireSigma(minSigma, maxSigma);
    requireRatio(minRatio, maxRatio);
  }

  /** The published recipe: full jitter, grey 0.2, blur 0.5 with sigma 0.1 to 2, flip 0.5. */
  public static Augmentation official() {
    return new Augmentation(1, 0.8, 0.2, 0.5, 0.1, 2, 0, 0.5, 0, 3.0 / 4, 4.0 / 3);
  }

  /** For images of about 32 pixels: jitter of half strength, no blur. */
  public static Augmentation smallImages() {
    return official().withJitter(0.5, 0.8).withBlur(0, 0.1, 2);
  }

  /** The window alone: no flip, no colour, no blur. */
  public static Augmentation none() {
    return new Augmentation(0, 0, 0, 0, 0.1, 2, 0, 0, 0, 3.0 / 4, 4.0 / 3);
  }

  /**
   * The settings as DataVec transforms, in their order, with the share of crops to which each is
   * done: what {@code new PipelineImageTransform(list)} takes. Transforms that have a probability
   * of their own stand there with 1. Between them are frames of floats, whatever is passed: nothing
   * is rounded.
   *
   * @param spec the window's area and the crop's size
   * @return new instances: for one thread
   */
  public List<Pair<ImageTransform, Double>> transforms(CropSpec spec) {
    return List.of(
        always(
            new RandomResizedCropTransform(
                    spec.size(), spec.minScale(), spec.maxScale(), minRatio, maxRatio, maxDegrees)
                .inFloats()),
        // DataVec draws no number for a step of probability 1; here one is drawn for every crop.
        Pair.of(new FlipImageTransform(1), Math.min(flipProbability, Math.nextDown(1.0))),
        always(new ColourJitterTransform(jitterProbability, jitter)),
        always(new GreyTransform(greyProbability)),
        always(new GaussianBlurTransform(blurProbability, minSigma, maxSigma)),
        always(new SolariseTransform(solariseProbability)));
  }

  private static Pair<ImageTransform, Double> always(ImageTransform transform) {
    return Pair.of(transform, 1.0);
  }

  /** Another colour jitter. */
  public Augmentation withJitter(double strength, double probability) {
    return new Augmentation(
        strength,
        probability,
        greyProbability,
        blurProbability,
        minSigma,
        maxSigma,
        solariseProbability,
        flipProbability,
        maxDegrees,
        minRatio,
        maxRatio);
  }

  /** Another share of grey crops. */
  public Augmentation withGrey(double probability) {
    return new Augmentation(
        jitter,
        jitterProbability,
        probability,
        blurProbability,
        minSigma,
        maxSigma,
        solariseProbability,
        flipProbability,
        maxDegrees,
        minRatio,
        maxRatio);
  }

  /** Another blur: share of crops, and the range of its standard deviation in pixels. */
  public Augmentation withBlur(double probability, double minSigma, double maxSigma) {
    return new Augmentation(
        jitter,
        jitterProbability,
        greyProbability,
        probability,
        minSigma,
        maxSigma,
        solariseProbability,
        flipProbability,
        maxDegrees,
        minRatio,
        maxRatio);
  }

  /** Another share of solarised crops. */
  public Augmentation withSolarise(double probability) {
    return new Augmentation(
        jitter,
        jitterProbability,
        greyProbability,
        blurProbability,
        minSigma,
        maxSigma,
        probability,
        flipProbability,
        maxDegrees,
        minRatio,
        maxRatio);
  }

  /** Another share of mirrored crops. */
  public Augmentation withFlip(double probability) {
    return new Augmentation(
        jitter,
        jitterProbability,
        greyProbability,
        blurProbability,
        minSigma,
        maxSigma,
        solariseProbability,
        probability,
        maxDegrees,
        minRatio,
        maxRatio);
  }

  /** Another largest angle, in degrees, by which the window is turned. */
  public Augmentation withRotation(double maxDegrees) {
    return new Augmentation(
        jitter,
        jitterProbability,
        greyProbability,
        blurProbability,
        minSigma,
        maxSigma,
        solariseProbability,
        flipProbability,
        maxDegrees,
        minRatio,
        maxRatio);
  }

  /** Another range of the window's width / height. */
  public Augmentation withRatio(double minRatio, double maxRatio) {
    return new Augmentation(
        jitter,
        jitterProbability,
        greyProbability,
        blurProbability,
        minSigma,
        maxSigma,
        solariseProbability,
        flipProbability,
        maxDegrees,
        minRatio,
        maxRatio);
  }

  private static void requireProbability(String what, double p) {
    if (!(p >= 0 && p <= 1)) {
      throw new IllegalArgumentException(
          what + " probability " + p + ", expected 0 (never) to 1 (every crop)");
    }
  }

  static void requireStrength(double jitter) {
    if (!(jitter >= 0 && jitter <= 2.5)) {
      throw new IllegalArgumentException(
          "jitter strength "
              + jitter
              + ", expected 0 to 2.5 (1 is the paper's; above 2.5 the hue would turn by more than"
              + " half a circle)");
    }
  }

  static void requireRotation(double maxDegrees) {
    if (!(maxDegrees >= 0 && maxDegrees <= 180)) {
      throw new IllegalArgumentException(
          "`rotate` is "
              + maxDegrees
              + ", expected degrees from 0 (none) to 180 (every orientation, turns go either way)");
    }
  }

  static void requireSigma(double min, double max) {
    if (!(min > 0 && min <= max && max <= 64)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "blur sigma %s to %s pixels, expected 0 < min <= max <= 64; for no blur set its"
                  + " probability to 0",
              min,
              max));
    }
  }

  static void requireRatio(double min, double max) {
    if (!(min >= 0.01 && min <= max && max <= 100)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "window ratio %s to %s (width / height), expected 0.01 <= min <= max <= 100",
              min,
              max));
    }
  }
}
