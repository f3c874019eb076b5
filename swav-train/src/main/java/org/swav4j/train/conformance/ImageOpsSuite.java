package org.swav4j.train.conformance;

import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.data.Image;
import org.swav4j.data.ImageOps;
import org.swav4j.data.Normalisation;
import org.swav4j.model.engine.Engine;
import org.swav4j.train.conformance.Arithmetic.Tolerance;

/** {@code image_ops.json}: {@link ImageOps}, which compute in float only. */
final class ImageOpsSuite implements Suite {
  /** Of full brightness, or of the largest value where that is larger. */
  private static final Tolerance BRIGHTNESS = new Tolerance(1e-5, 1);

  @Override
  public List<Arithmetic> arithmetics() {
    return List.of(Arithmetic.FLOAT);
  }

  @Override
  public void run(Fixture file, Comparisons to, Engine engine) {
    file.skip("meta");
    INDArray pixels = file.array("image_u8", Arithmetic.DOUBLE);
    if (pixels.rank() != 3 || pixels.size(2) != 3) {
      throw new FixtureException(
          "image_ops.json: image_u8 has shape "
              + Arrays.toString(pixels.shape())
              + ", expected [height, width, 3]");
    }
    for (Fixture o : file.objects("ops")) {
      o.skip("note");
      if (o.skip("pil_u8", "pil_vs_true_max_diff_levels", "pil_vs_true_mean_diff_levels")) {
        to.gap("another library's images, rounded to bytes (pil_*)");
      }
      to.run(name(o), () -> operation(o, new Frame(pixels), to));
    }
  }

  private static String name(Fixture o) {
    String value = "";
    if (o.has("value")) {
      value = " " + (o.isNumber("value") ? o.number("value") : Arrays.toString(o.counts("value")));
    }
    return o.text("op") + value;
  }

  /** The image as planes of floats from 0 to 1. */
  private static final class Frame {
    final int height;
    final int width;
    final int area;
    final Image image;
    float[][] planes;

    Frame(INDArray pixels) {
      height = (int) pixels.size(0);
      width = (int) pixels.size(1);
      area = height * width;
      double[] data = pixels.reshape(-1).toDoubleVector();
      byte[] bytes = new byte[data.length];
      planes = new float[3][area];
      for (int i = 0; i < data.length; i++) {
        bytes[i] = (byte) (int) data[i];
        planes[i % 3][i / 3] = (float) (data[i] / 255);
      }
      image = new Image(width, height, 3, bytes);
    }

    void each(Consumer<float[]> operation) {
      for (float[] plane : planes) {
        operation.accept(plane);
      }
    }
  }

  private static void operation(Fixture o, Frame f, Comparisons to) throws NotCovered {
    float[][] p = f.planes;
    boolean planar = false;
    int outHeight = f.height;
    int outWidth = f.width;
    switch (o.text("op")) {
      case "brightness" -> {
        float factor = (float) o.number("value");
        f.each(x -> ImageOps.brightness(x, 0, f.area, factor));
      }
      case "contrast" -> {
        float factor = (float) o.number("value");
        float mean = ImageOps.meanGrey(p[0], p[1], p[2], f.area);
        f.each(x -> ImageOps.contrast(x, 0, f.area, factor, mean));
      }
      case "saturation" ->
          ImageOps.saturation(p[0], p[1], p[2], 0, f.area, (float) o.number("value"));
      case "hue" -> ImageOps.hue(p[0], p[1], p[2], 0, f.area, (float) o.number("value"));
      case "grayscale" -> ImageOps.grey(p[0], p[1], p[2], 0, f.area);
      case "hflip" -> f.each(x -> ImageOps.flip(x, f.width, f.height));
      case "gaussian_blur" -> {
        double sigma = o.number("value");
        f.each(x -> ImageOps.blur(x, f.width, f.height, sigma));
      }
      case "normalise_chw" -> {
        normalise(f);
        planar = true;
      }
      case "resized_crop" -> {
        int[] v = o.counts("value");
        outHeight = v[4];
        outWidth = v[5];
        p = ImageOps.resizedCrop(f.image, v[0], v[1], v[2], v[3], outHeight, outWidth);
      }
      default -> {
        o.skip("value", "output_f64");
        throw new NotCovered("there is no such operation here");
      }
    }
    INDArray result =
        Nd4j.createFromArray(p).castTo(DataType.DOUBLE).reshape(3, outHeight, outWidth);
    to.compare(
        "image",
        planar ? result : result.permute(1, 2, 0),
        o.array("output_f64", Arithmetic.DOUBLE),
        BRIGHTNESS);
  }

  private static void normalise(Frame f) {
    Normalisation n = Normalisation.imageNet();
    for (int c = 0; c < 3; c++) {
      float mean = n.mean().get(c).floatValue();
      ImageOps.normalise(f.planes[c], 0, f.area, mean, n.deviation().get(c).floatValue());
    }
  }
}
