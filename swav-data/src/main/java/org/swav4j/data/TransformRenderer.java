package org.swav4j.data;

import java.nio.FloatBuffer;
import java.util.Random;
import org.bytedeco.javacv.Frame;
import org.datavec.image.data.ImageWritable;

/**
 * Makes crops by DataVec's own execution: the transforms of a group one after the other, beginning
 * with 8-bit frames. Then, as an {@code ImageRecordReader} does, the result is resized to the
 * group's size if it has another one (antialiased; a result that isn't square is squeezed) and
 * converted to the images' number of channels, and finally normalised. Slower than {@link
 * CropRenderer}, and allocates.
 */
final class TransformRenderer implements CropMaker {
  private final TransformSequence transforms;
  private final int size;
  private final Normalisation normalisation;

  // One source of numbers under the three forms that transforms draw from.
  private final CounterRandom numbers = new CounterRandom();
  private final Random random = Randoms.java(numbers);

  TransformRenderer(TransformSequence transforms, int size, Normalisation normalisation) {
    this.transforms = transforms;
    this.size = size;
    this.normalisation = normalisation;
    transforms.drawFrom(Randoms.nd4j(numbers));
  }

  @Override
  public void make(Image image, CounterRandom random, FloatBuffer out, int at) {
    numbers.reset(random);
    ImageWritable result = transforms.run(Frames.writable(image), this.random);
    Frame frame = Frames.require("the last transform", result);
    int width = frame.imageWidth;
    int height = frame.imageHeight;
    float[][] values = Frames.planes(frame);
    if (width != size || height != size) {
      float[][] resized = new float[values.length][size * size];
      new Resampler().resample(values, width, 0, 0, height, width, 0, resized, size, size);
      values = resized;
    }
    write(values, out, at);
  }

  private void write(float[][] values, FloatBuffer out, int at) {
    int area = size * size;
    int channels = normalisation.channels();
    if (channels == 1 && values.length == 3) {
      ImageOps.grey(values[0], values[1], values[2], 0, area);
    }
    for (int c = 0; c < channels; c++) {
      float[] plane = values.length == 1 ? values[0].clone() : values[c];
      ImageOps.normalise(
          plane,
          0,
          area,
          normalisation.mean().get(c).floatValue(),
          normalisation.deviation().get(c).floatValue());
      out.put(at + c * area, plane, 0, area);
    }
  }
}
