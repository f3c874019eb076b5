package org.swav4j.data;

import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * Makes crops: draws what is random about one, resizes its window straight from the image's bytes
 * to float planes, applies the operations that were drawn and writes the normalised result.
 *
 * <pre>
 *   bytes → [window + turn + flip + resize] → piece by piece [jitter up to the contrast, sum of grey]
 *         → [contrast and the rest, grey] → [blur] → [solarise, normalise] → buffer
 * </pre>
 *
 * <p>Holds its scratch, which grows to the largest crop met and is then reused: no allocation per
 * crop. Not thread-safe: one renderer per thread; the same random numbers give the same bytes in
 * any of them.
 */
public final class CropRenderer {
  /** Pixels per piece: what all jitter operations touch stays in the first-level cache. */
  private static final int PIECE = 1024;

  private final Augmentation augmentation;
  private final Map<CropSpec, FusedCrop> published = new HashMap<>();
  private final int channels;
  private final float[] mean;
  private final float[] deviation;

  private final CropDraw draw = new CropDraw();
  private final Resampler resampler = new Resampler();
  private final GaussianBlur blur = new GaussianBlur();
  private final ImageOps.GreySum greySum = new ImageOps.GreySum();
  private final float[][] planes;
  private float[] spareA = new float[0];
  private float[] spareB = new float[0];

  /** Makes compiled crops only. */
  CropRenderer(Normalisation normalisation) {
    this(Augmentation.official(), normalisation);
  }

  /**
   * @param augmentation what to do besides choosing the window
   * @param normalisation applied last; its channels are those of the images
   */
  public CropRenderer(Augmentation augmentation, Normalisation normalisation) {
    this.augmentation = augmentation;
    this.channels = normalisation.channels();
    this.mean = new float[channels];
    this.deviation = new float[channels];
    for (int c = 0; c < channels; c++) {
      mean[c] = normalisation.mean().get(c).floatValue();
      deviation[c] = normalisation.deviation().get(c).floatValue();
    }
    this.planes = new float[channels][0];
  }

  /** Channels of the images it takes and of the crops it makes: 3 or 1. */
  public int channels() {
    return channels;
  }

  /** Floats in one crop: channels × size × size. */
  public int length(CropSpec spec) {
    return channels * spec.size() * spec.size();
  }

  /**
   * Makes one crop.
   *
   * @param random what decides; {@link CounterRandom} for crops that can be made again
   * @return {@code [channels, size, size]}, row-major
   * @throws IllegalArgumentException if the image has another number of channels
   */
  public float[] render(Image image, CropSpec spec, RandomGenerator random) {
    float[] crop = new float[length(spec)];
    render(image, spec, random, FloatBuffer.wrap(crop), 0);
    return crop;
  }

  /**
   * Makes one crop in place.
   *
   * @param random what decides; {@link CounterRandom} for crops that can be made again
   * @param out receives {@code [channels, size, size]}, row-major, from index {@code at} on; its
   *     position is neither used nor moved, so that threads may fill parts of one buffer
   * @throws IllegalArgumentException if the image has another number of channels
   */
  public void render(Image image, CropSpec spec, RandomGenerator random, FloatBuffer out, int at) {
    FusedCrop crop = published.get(spec);
    if (crop == null) {
      crop = FusedCrop.published(spec, augmentation);
      published.put(spec, crop);
    }
    render(image, crop, random, out, at);
  }

  /** Makes one crop of a compiled description in place. */
  void render(Image image, FusedCrop crop, RandomGenerator random, FloatBuffer out, int at) {
    requireChannels(image);
    crop.draw(draw, image.width(), image.height(), random);
    int size = crop.size();
    int area = size * size;
    reserve(area);
    resampler.resample(
        image,
        draw.top,
        draw.left,
        draw.height,
        draw.width,
        draw.degrees,
        draw.flip,
        planes,
        size,
        size);
    if (draw.jitter) {
      jitter(area);
    }
    int live = channels; // of a grey crop only one plane is worked on
    if (draw.grey && channels == 3) {
      for (int from = 0; from < area; from += PIECE) {
        ImageOps.grey(planes[0], planes[1], planes[2], from, Math.min(area, from + PIECE));
      }
      live = 1;
    }
    if (draw.sigma > 0) {
      for (int c = 0; c < live; c++) {
        blur.apply(planes[c], size, size, draw.sigma);
      }
    }
    if (draw.solarise) {
      for (int c = 0; c < live; c++) {
        ImageOps.solarise(planes[c], 0, area);
      }
    }
    write(live, area, out, at);
  }

  /**
   * The view used to evaluate: the shorter side resized to {@code resize}, then the central square
   * of {@code size} pixels, normalised. Nothing is random.
   */
  void renderCentre(Image image, int resize, int size, FloatBuffer out, int at) {
    requireChannels(image);
    double factor = (double) resize / image.shorterSide();
    int fullHeight = Math.max(resize, (int) Math.floor(image.height() * factor));
    int fullWidth = Math.max(resize, (int) Math.floor(image.width() * factor));
    reserve(size * size);
    resampler.resampleCentre(image, fullHeight, fullWidth, size, planes);
    write(channels, size * size, out, at);
  }

  private void jitter(int area) {
    boolean colour = channels == 3;
    int contrastAt = 0;
    while (draw.order[contrastAt] != CropDraw.CONTRAST) {
      contrastAt++;
    }
    greySum.clear();
    for (int from = 0; from < area; from += PIECE) {
      int to = Math.min(area, from + PIECE);
      apply(0, contrastAt, from, to, 0);
      if (colour) {
        greySum.add(planes[0], planes[1], planes[2], from, to);
      } else {
        greySum.add(planes[0], from, to);
      }
    }
    float grey = greySum.mean();
    for (int from = 0; from < area; from += PIECE) {
      apply(contrastAt, draw.order.length, from, Math.min(area, from + PIECE), grey);
    }
  }

  /** Jitter operations {@code first} to {@code last - 1} of the order drawn, on one piece. */
  private void apply(int first, int last, int from, int to, float grey) {
    for (int k = first; k < last; k++) {
      int op = draw.order[k];
      if (op == CropDraw.BRIGHTNESS) {
        for (float[] plane : planes) {
          ImageOps.brightness(plane, from, to, draw.brightness);
        }
      } else if (op == CropDraw.CONTRAST) {
        for (float[] plane : planes) {
          ImageOps.contrast(plane, from, to, draw.contrast, grey);
        }
      } else if (channels == 3) {
        if (op == CropDraw.SATURATION) {
          ImageOps.saturation(planes[0], planes[1], planes[2], from, to, draw.saturation);
        } else {
          ImageOps.hue(planes[0], planes[1], planes[2], from, to, draw.hue, spareA, spareB);
        }
      }
    }
  }

  private void write(int live, int area, FloatBuffer out, int at) {
    for (int c = 0; c < channels; c++) {
      float[] plane = planes[c];
      if (live == 1 && c < channels - 1) { // kept for the other channels
        System.arraycopy(planes[0], 0, spareA, 0, area);
        plane = spareA;
      } else if (live == 1) {
        plane = planes[0];
      }
      ImageOps.normalise(plane, 0, area, mean[c], deviation[c]);
      out.put(at + c * area, plane, 0, area);
    }
  }

  private void reserve(int area) {
    if (spareA.length < area) {
      spareA = new float[area];
      spareB = new float[area];
      for (int c = 0; c < channels; c++) {
        planes[c] = new float[area];
      }
    }
  }

  private void requireChannels(Image image) {
    if (image.channels() != channels) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "image of %s, expected %d channels as in the normalisation",
              image,
              channels));
    }
  }
}
