package com.example;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.datavec.api.split.InputSplit;
import org.datavec.image.recordreader.ImageRecordReader;
import org.datavec.image.transform.FlipImageTransform;
import org.datavec.image.transform.ImageTransform;
import org.datavec.image.transform.PipelineImageTransform;
import org.nd4j.common.primitives.Pair;
import org.swav4j.data.ColourJitterTransform;
import org.swav4j.data.GaussianBlurTransform;
import org.swav4j.data.GreyTransform;
import org.swav4j.data.RandomResizedCropTransform;
import org.swav4j.data.SolariseTransform;

/** The augmentations of self-supervised learning, beside DataVec's own, in DataVec's reader. */
public final class Crops {
  private Crops() {}

  /**
   * Reads images, each cropped, flipped and recoloured at random.
   *
   * @param size side of a crop in pixels
   * @param seed of which transforms are applied; DataVec's reader hands none on to the transforms,
   *     so that their crops and colours are others in every run
   */
  public static ImageRecordReader reader(InputSplit images, int size, long seed) {
    ImageTransform augmentation =
        new PipelineImageTransform(
            seed,
            List.of(
                new Pair<ImageTransform, Double>(
                    new RandomResizedCropTransform(size, 0.25, 1), 1.0),
                new Pair<ImageTransform, Double>(new FlipImageTransform(1), 0.5),
                new Pair<ImageTransform, Double>(new ColourJitterTransform(0.8, 0.5), 1.0),
                new Pair<ImageTransform, Double>(new GreyTransform(0.2), 1.0),
                new Pair<ImageTransform, Double>(new GaussianBlurTransform(0.5, 0.1, 2), 1.0),
                new Pair<ImageTransform, Double>(new SolariseTransform(0.1), 1.0)),
            false);
    try {
      ImageRecordReader reader = new ImageRecordReader(size, size, 3);
      reader.initialize(images, augmentation);
      return reader;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
