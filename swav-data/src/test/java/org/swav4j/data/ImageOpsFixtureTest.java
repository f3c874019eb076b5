package org.swav4j.data;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.swav4j.testing.Golden;

/** Every recorded image operation, computed in double elsewhere, met in float. */
class ImageOpsFixtureTest {
  private static final double TOLERANCE = 2e-6;

  private final JsonObject file = Golden.file("image_ops");
  private final double[] input = doubles(file.getAsJsonObject("image_u8"));
  private final int height = shape(file.getAsJsonObject("image_u8"), 0);
  private final int width = shape(file.getAsJsonObject("image_u8"), 1);
  private final int area = height * width;

  @TestFactory
  Stream<DynamicTest> everyRecordedOperationIsMet() {
    List<JsonElement> ops = file.getAsJsonArray("ops").asList();
    assertThat(ops).hasSizeGreaterThan(10);
    return ops.stream()
        .map(JsonElement::getAsJsonObject)
        .map(
            o ->
                DynamicTest.dynamicTest(
                    o.get("op").getAsString() + " " + o.get("value"), () -> check(o)));
  }

  private void check(JsonObject o) {
    String op = o.get("op").getAsString();
    float value = o.get("value").isJsonPrimitive() ? o.get("value").getAsFloat() : 0;
    float[][] p = planes();
    switch (op) {
      case "brightness" -> each(p, x -> ImageOps.brightness(x, 0, area, value));
      case "contrast" -> {
        float mean = ImageOps.meanGrey(p[0], p[1], p[2], area);
        each(p, x -> ImageOps.contrast(x, 0, area, value, mean));
      }
      case "saturation" -> ImageOps.saturation(p[0], p[1], p[2], 0, area, value);
      case "hue" -> ImageOps.hue(p[0], p[1], p[2], 0, area, value);
      case "grayscale" -> ImageOps.grey(p[0], p[1], p[2], 0, area);
      case "hflip" -> each(p, x -> ImageOps.flip(x, width, height));
      case "gaussian_blur" ->
          each(p, x -> ImageOps.blur(x, width, height, o.get("value").getAsDouble()));
      case "normalise_chw" -> {
        Normalisation n = Normalisation.imageNet();
        for (int c = 0; c < 3; c++) {
          float mean = n.mean().get(c).floatValue();
          ImageOps.normalise(p[c], 0, area, mean, n.deviation().get(c).floatValue());
        }
      }
      case "resized_crop" -> {
        int[] v =
            o.getAsJsonArray("value").asList().stream().mapToInt(JsonElement::getAsInt).toArray();
        p = ImageOps.resizedCrop(image(), v[0], v[1], v[2], v[3], v[4], v[5]);
      }
      default -> throw new AssertionError("the fixture has an operation this test doesn't: " + op);
    }
    double[] expected = doubles(o.getAsJsonObject("output_f64"));
    assertThat(expected).hasSize(3 * p[0].length);
    for (int c = 0; c < 3; c++) {
      for (int i = 0; i < p[0].length; i++) {
        double e = op.endsWith("chw") ? expected[c * area + i] : expected[i * 3 + c];
        assertThat((double) p[c][i])
            .as("channel %d, pixel %d", c, i)
            .isCloseTo(e, Offset.offset(TOLERANCE * Math.max(1, Math.abs(e))));
      }
    }
  }

  private Image image() {
    byte[] pixels = new byte[input.length];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) (int) input[i];
    }
    return new Image(width, height, 3, pixels);
  }

  private float[][] planes() {
    float[][] planes = new float[3][area];
    for (int i = 0; i < input.length; i++) {
      planes[i % 3][i / 3] = (float) (input[i] / 255);
    }
    return planes;
  }

  private static void each(float[][] planes, Consumer<float[]> op) {
    for (float[] plane : planes) {
      op.accept(plane);
    }
  }

  private static int shape(JsonObject array, int axis) {
    return array.getAsJsonArray("shape").get(axis).getAsInt();
  }

  private static double[] doubles(JsonObject array) {
    return array.getAsJsonArray("data").asList().stream()
        .mapToDouble(JsonElement::getAsDouble)
        .toArray();
  }
}
