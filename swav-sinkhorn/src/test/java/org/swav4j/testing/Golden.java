package org.swav4j.testing;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Reads the recorded numbers under {@code /golden} of the test class path; for every module's
 * tests.
 */
public final class Golden {
  private Golden() {}

  /** The whole fixture file {@code /golden/<name>.json}. */
  public static JsonObject file(String name) {
    String path = "/golden/" + name + ".json";
    try (Reader in =
        new InputStreamReader(Golden.class.getResourceAsStream(path), StandardCharsets.UTF_8)) {
      return JsonParser.parseReader(in).getAsJsonObject();
    } catch (IOException e) {
      throw new UncheckedIOException(path, e);
    }
  }

  /** An {@code {"shape":[...],"data":[...]}} element as an array; parsed as double, cast once. */
  public static INDArray array(JsonElement element, DataType type) {
    JsonObject o = element.getAsJsonObject();
    long[] shape =
        o.getAsJsonArray("shape").asList().stream().mapToLong(JsonElement::getAsLong).toArray();
    double[] data =
        o.getAsJsonArray("data").asList().stream().mapToDouble(JsonElement::getAsDouble).toArray();
    return Nd4j.createFromArray(data).castTo(type).reshape(shape);
  }
}
