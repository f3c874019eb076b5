package org.swav4j.train.conformance;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.EOFException;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * One JSON object of a fixture file. Whatever is asked for is remembered, so that {@link #unread}
 * can name the rest. Arrays are {@code {"shape": [...], "data": [flat, row-major]}}; a field that
 * is null counts as absent.
 */
final class Fixture {
  private final String file;
  private final String place;
  private final String pattern;
  private final JsonObject object;
  private final Set<String> read;
  private final Set<String> entered;

  private Fixture(
      String file,
      String place,
      String pattern,
      JsonObject object,
      Set<String> read,
      Set<String> entered) {
    this.file = file;
    this.place = place;
    this.pattern = pattern;
    this.object = object;
    this.read = read;
    this.entered = entered;
  }

  /**
   * Reads a file.
   *
   * @throws FixtureException if it is not JSON or not an object; says where
   */
  static Fixture read(Path path) {
    String name = path.getFileName().toString();
    try (Reader in = Files.newBufferedReader(path);
        JsonReader json = new JsonReader(in)) {
      // Unlike JsonParser, an adapter keeps the reader strict.
      JsonElement element = new Gson().getAdapter(JsonElement.class).read(json);
      if (json.peek() != JsonToken.END_DOCUMENT) {
        throw new FixtureException(name + " goes on behind its end: is it two files in one?");
      }
      if (!element.isJsonObject()) {
        throw new FixtureException(name + " holds no JSON object, expected {...} with the cases");
      }
      return new Fixture(name, "", "", element.getAsJsonObject(), new HashSet<>(), new HashSet<>());
    } catch (EOFException e) {
      throw new FixtureException(
          name + " ends too early (" + said(e) + "): was it cut off? Copy it again");
    } catch (IOException | JsonParseException e) {
      throw new FixtureException(
          name
              + " is not readable JSON ("
              + said(e)
              + "): mend that place, or copy the file again if it was cut off");
    }
  }

  private static String said(Exception e) {
    // The parser advises to be lenient, and on a second line points to its own web site.
    return String.valueOf(e.getMessage())
        .lines()
        .findFirst()
        .orElse("")
        .replaceFirst("Use JsonReader\\S* to accept malformed JSON", "malformed");
  }

  /** Whether the field is there and not null. */
  boolean has(String name) {
    JsonElement element = object.get(name);
    if (element != null && element.isJsonNull()) {
      read.add(pattern + name);
    }
    return element != null && !element.isJsonNull();
  }

  /** The fields' names, in the file's order, null ones included. */
  Set<String> names() {
    return object.keySet();
  }

  private JsonElement get(String name, String expected) {
    JsonElement element = object.get(name);
    if (element == null) {
      throw new FixtureException(
          file
              + (place.isEmpty() ? "" : ": " + place)
              + " has no field \""
              + name
              + "\", expected "
              + expected);
    }
    return element;
  }

  private FixtureException wrong(String name, JsonElement element, String expected) {
    String text = element.toString();
    return new FixtureException(
        file
            + ": "
            + place
            + (place.isEmpty() ? "" : ".")
            + name
            + " is "
            + (text.length() > 40 ? text.substring(0, 40) + "..." : text)
            + ", expected "
            + expected);
  }

  /** A number. */
  double number(String name) {
    JsonElement element = get(name, "a number");
    read.add(pattern + name);
    return number(name, element);
  }

  private double number(String name, JsonElement element) {
    if (!element.isJsonPrimitive() || !element.getAsJsonPrimitive().isNumber()) {
      throw wrong(name, element, "a number");
    }
    return element.getAsDouble();
  }

  /** A whole number of at least 0. */
  int count(String name) {
    double value = number(name);
    if (value != Math.rint(value) || value < 0 || value > Integer.MAX_VALUE) {
      throw wrong(name, object.get(name), "a whole number of at least 0");
    }
    return (int) value;
  }

  /** True or false. */
  boolean flag(String name) {
    JsonElement element = get(name, "true or false");
    read.add(pattern + name);
    if (!element.isJsonPrimitive() || !element.getAsJsonPrimitive().isBoolean()) {
      throw wrong(name, element, "true or false");
    }
    return element.getAsBoolean();
  }

  /** Text. */
  String text(String name) {
    JsonElement element = get(name, "text");
    read.add(pattern + name);
    if (!element.isJsonPrimitive() || !element.getAsJsonPrimitive().isString()) {
      throw wrong(name, element, "text");
    }
    return element.getAsString();
  }

  private JsonArray list(String name) {
    JsonElement element = get(name, "a list");
    if (!element.isJsonArray()) {
      throw wrong(name, element, "a list");
    }
    return element.getAsJsonArray();
  }

  /** Texts. */
  List<String> texts(String name) {
    read.add(pattern + name);
    return list(name).asList().stream().map(JsonElement::getAsString).toList();
  }

  /** Numbers, as a bare list. */
  double[] numbers(String name) {
    read.add(pattern + name);
    return list(name).asList().stream().mapToDouble(e -> number(name, e)).toArray();
  }

  /** Whole numbers, as a bare list. */
  int[] counts(String name) {
    return Arrays.stream(numbers(name)).mapToInt(x -> (int) x).toArray();
  }

  /** A list of rows of numbers; NaN stands for null. */
  double[][] table(String name) {
    read.add(pattern + name);
    JsonArray rows = list(name);
    double[][] table = new double[rows.size()][];
    for (int i = 0; i < table.length; i++) {
      if (!rows.get(i).isJsonArray()) {
        throw wrong(name, rows, "a list of lists");
      }
      table[i] =
          rows.get(i).getAsJsonArray().asList().stream()
              .mapToDouble(e -> e.isJsonNull() ? Double.NaN : number(name, e))
              .toArray();
    }
    return table;
  }

  /** An object. */
  Fixture object(String name) {
    entered.add(pattern + name);
    return child(name, name, name, get(name, "an object"));
  }

  /** A list of objects. */
  List<Fixture> objects(String name) {
    entered.add(pattern + name);
    List<Fixture> all = new ArrayList<>();
    JsonArray list = list(name);
    for (int i = 0; i < list.size(); i++) {
      all.add(child(name, name + "[" + i + "]", name, list.get(i)));
    }
    return all;
  }

  private Fixture child(String name, String at, String step, JsonElement element) {
    if (!element.isJsonObject()) {
      throw wrong(name, element, "an object");
    }
    String where = place.isEmpty() ? at : place + "." + at;
    return new Fixture(file, where, pattern + step + ".", element.getAsJsonObject(), read, entered);
  }

  /** Whether the field is an array with a shape, or a bare number. */
  boolean isNumber(String name) {
    JsonElement element = object.get(name);
    return element != null && element.isJsonPrimitive();
  }

  /** An array, parsed as double and cast once. */
  INDArray array(String name, Arithmetic arithmetic) {
    read.add(pattern + name);
    return array(name, get(name, "an array {\"shape\", \"data\"}"), arithmetic);
  }

  /** A list of arrays. */
  List<INDArray> arrays(String name, Arithmetic arithmetic) {
    read.add(pattern + name);
    return list(name).asList().stream().map(e -> array(name, e, arithmetic)).toList();
  }

  private INDArray array(String name, JsonElement element, Arithmetic arithmetic) {
    String expected = "an array {\"shape\", \"data\"}";
    if (!element.isJsonObject()
        || !element.getAsJsonObject().has("shape")
        || !element.getAsJsonObject().has("data")) {
      throw wrong(name, element, expected);
    }
    Fixture parts =
        new Fixture(
            file,
            place.isEmpty() ? name : place + "." + name,
            pattern,
            element.getAsJsonObject(),
            new HashSet<>(),
            entered);
    long[] shape = Arrays.stream(parts.numbers("shape")).mapToLong(x -> (long) x).toArray();
    double[] data = parts.numbers("data");
    long length = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    if (length != data.length || data.length == 0) {
      throw wrong(name, element, "as many numbers as its shape has, but there are " + data.length);
    }
    return Nd4j.createFromArray(data).castTo(arithmetic.type()).reshape(shape);
  }

  /** Marks fields that only explain the file to people; whether there are any. */
  boolean skip(String... names) {
    boolean any = false;
    for (String name : names) {
      any |= object.has(name);
      read.add(pattern + name);
    }
    return any;
  }

  /** Marks every field of an object that has no counterpart here as a whole. */
  void skipAll() {
    object.keySet().forEach(name -> read.add(pattern + name));
  }

  /**
   * Every field of this object and below that nobody asked for, places in lists left out: {@code
   * cases.momentum}.
   */
  Set<String> unread() {
    Set<String> all = new TreeSet<>();
    unread(object, pattern, all);
    return all;
  }

  private void unread(JsonObject in, String prefix, Set<String> into) {
    for (var field : in.entrySet()) {
      String name = prefix + field.getKey();
      if (read.contains(name)) {
        continue;
      }
      if (!entered.contains(name)) {
        into.add(name);
      } else if (field.getValue().isJsonObject()) {
        unread(field.getValue().getAsJsonObject(), name + ".", into);
      } else if (field.getValue().isJsonArray()) {
        for (JsonElement e : field.getValue().getAsJsonArray()) {
          if (e.isJsonObject()) {
            unread(e.getAsJsonObject(), name + ".", into);
          }
        }
      }
    }
  }
}
