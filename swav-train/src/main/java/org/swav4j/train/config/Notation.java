package org.swav4j.train.config;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Values as they are written at the command line. */
final class Notation {
  private Notation() {}

  /** Writes a value: {@code resnet18}, {@code 1e-6}, {@code 0.5,0.5,0.5}. */
  static String format(Object value) {
    if (value instanceof Double number) {
      return TrainingConfig.number(number);
    }
    if (value instanceof Enum<?> constant) {
      return label(constant);
    }
    if (value instanceof List<?> list) {
      return list.stream().map(Notation::format).collect(Collectors.joining(","));
    }
    return String.valueOf(value);
  }

  private static String label(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * Reads a value.
   *
   * @param name of the setting, for the message
   * @throws IllegalArgumentException if the text is no such value, saying what is expected
   */
  static Object parse(String name, String text, Type type) {
    if (type instanceof ParameterizedType list) {
      List<Object> values = new ArrayList<>();
      for (String element : text.split(",", -1)) {
        values.add(parse(name, element, list.getActualTypeArguments()[0]));
      }
      return values;
    }
    Class<?> wanted = (Class<?>) type;
    if (wanted == boolean.class) {
      if (!text.equals("true") && !text.equals("false")) {
        throw refused(name, text, "true or false");
      }
      return text.equals("true");
    }
    try {
      if (wanted == int.class) {
        return Setting.HALF_THE_CORES.equals(text)
            ? Machine.loaderWorkers()
            : Integer.parseInt(text);
      }
      if (wanted == long.class) {
        return Long.parseLong(text);
      }
      if (wanted == double.class || wanted == Double.class) {
        return Double.parseDouble(text);
      }
    } catch (NumberFormatException e) {
      throw refused(
          name,
          text,
          wanted == int.class || wanted == long.class ? "a whole number" : "a number such as 0.1");
    }
    if (!wanted.isEnum()) {
      return text;
    }
    for (Object constant : wanted.getEnumConstants()) {
      if (label((Enum<?>) constant).equals(text)) {
        return constant;
      }
    }
    throw refused(
        name,
        text,
        Arrays.stream(wanted.getEnumConstants())
            .map(c -> label((Enum<?>) c))
            .collect(Collectors.joining(" or ")));
  }

  static IllegalArgumentException refused(String name, String text, String expected) {
    return new IllegalArgumentException("`" + name + "` is '" + text + "', expected " + expected);
  }
}
