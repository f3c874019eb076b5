package org.swav4j.train.config;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Records as nested maps from the names of components to values, and back. Reading is strict: every
 * component must be there, and nothing else.
 */
final class RecordTree {
  private RecordTree() {}

  /** A record as a map, a list as a list of what its elements are; other values as they are. */
  static Object of(Object value) {
    if (value instanceof Record) {
      Map<String, Object> tree = new LinkedHashMap<>();
      for (RecordComponent component : value.getClass().getRecordComponents()) {
        tree.put(component.getName(), of(get(component, value)));
      }
      return tree;
    }
    if (value instanceof List<?> list) {
      return list.stream().map(RecordTree::of).collect(Collectors.toCollection(ArrayList::new));
    }
    return value;
  }

  private static Object get(RecordComponent component, Object owner) {
    try {
      component.getAccessor().setAccessible(true);
      return component.getAccessor().invoke(owner);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(component + " can't be read", e);
    }
  }

  /**
   * The record that such a map describes.
   *
   * @param version of the file it comes from: settings that came later take their {@link
   *     Setting#earlier} value where they are missing
   * @throws IllegalArgumentException naming the component that is missing, unknown, of the wrong
   *     type or refused by its record
   */
  static <T extends Record> T read(Class<T> type, Map<?, ?> tree, int version) {
    return type.cast(record(type, tree, "", version));
  }

  private static Object record(Class<?> type, Object tree, String path, int version) {
    if (!(tree instanceof Map<?, ?> map)) {
      throw wrong(path, tree, "an object {...}");
    }
    RecordComponent[] components = type.getRecordComponents();
    List<String> names = Arrays.stream(components).map(RecordComponent::getName).toList();
    for (Object key : map.keySet()) {
      if (!names.contains(key)) {
        throw new IllegalArgumentException(
            at(path, "" + key)
                + " is unknown, expected one of "
                + String.join(", ", names)
                + ": is it misspelt, or of a newer release?");
      }
    }
    Object[] values = new Object[components.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = component(components[i], map, path, version);
    }
    return construct(type, components, values);
  }

  private static Object component(
      RecordComponent component, Map<?, ?> map, String path, int version) {
    String name = component.getName();
    Setting[] settings = component.getAnnotationsByType(Setting.class);
    if (!map.containsKey(name)) {
      if (settings.length > 0 && settings[0].since() > version) {
        if (!settings[0].open().isEmpty() && settings[0].open().equals(settings[0].earlier())) {
          return null;
        }
        return Notation.parse(name, settings[0].earlier(), component.getGenericType());
      }
      throw new IllegalArgumentException(
          at(path, name) + " is missing: every value must be there, was it removed or renamed?");
    }
    Object value = map.get(name);
    if (value == null && settings.length > 0 && !settings[0].open().isEmpty()) {
      return null;
    }
    return value(
        component.getGenericType(),
        withLaterParts(component, value, version),
        at(path, name),
        version);
  }

  /** A record with the parts that came with a later version, where they are missing. */
  private static Object withLaterParts(RecordComponent component, Object value, int version) {
    if (!(value instanceof Map<?, ?> before) || !component.getType().isRecord()) {
      return value;
    }
    Map<Object, Object> whole = new LinkedHashMap<>(before);
    for (Setting setting : component.getAnnotationsByType(Setting.class)) {
      if (setting.since() > version && setting.parts().length == 1) {
        String part = setting.parts()[0];
        Arrays.stream(component.getType().getRecordComponents())
            .filter(c -> c.getName().equals(part))
            .forEach(
                c ->
                    whole.putIfAbsent(
                        part, Notation.parse(part, setting.earlier(), c.getGenericType())));
      }
    }
    return whole;
  }

  private static Object value(Type type, Object tree, String path, int version) {
    if (type instanceof ParameterizedType list) {
      if (!(tree instanceof List<?> elements)) {
        throw wrong(path, tree, "a list [...]");
      }
      List<Object> values = new ArrayList<>();
      for (Object element : elements) {
        values.add(
            value(
                list.getActualTypeArguments()[0],
                element,
                path + "[" + values.size() + "]",
                version));
      }
      return values;
    }
    Class<?> wanted = (Class<?>) type;
    if (wanted.isRecord()) {
      return record(wanted, tree, path, version);
    }
    if (wanted.isEnum()) {
      return constant(wanted, tree, path);
    }
    if (wanted == String.class) {
      if (!(tree instanceof String)) {
        throw wrong(path, tree, "a text \"...\"");
      }
      return tree;
    }
    if (wanted == boolean.class) {
      if (!(tree instanceof Boolean)) {
        throw wrong(path, tree, "true or false");
      }
      return tree;
    }
    if (!(tree instanceof Number number)) {
      throw wrong(path, tree, "a number");
    }
    if (wanted == double.class || wanted == Double.class) {
      return number.doubleValue();
    }
    if (number.longValue() != number.doubleValue()
        || (wanted == int.class && number.intValue() != number.longValue())) {
      throw wrong(path, tree, "a whole number");
    }
    return wanted == int.class ? (Object) number.intValue() : (Object) number.longValue();
  }

  private static Object constant(Class<?> type, Object tree, String path) {
    for (Object constant : type.getEnumConstants()) {
      if (constant.equals(tree) || ((Enum<?>) constant).name().equals(tree)) {
        return constant;
      }
    }
    throw wrong(
        path,
        tree,
        Arrays.stream(type.getEnumConstants())
            .map(c -> ((Enum<?>) c).name())
            .collect(Collectors.joining(" or ")));
  }

  private static Object construct(Class<?> type, RecordComponent[] components, Object[] values) {
    try {
      Constructor<?> constructor =
          type.getDeclaredConstructor(
              Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new));
      constructor.setAccessible(true);
      return constructor.newInstance(values);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof RuntimeException refused) {
        throw refused;
      }
      throw new IllegalStateException(type + " can't be made", e);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(type + " can't be made", e);
    }
  }

  private static String at(String path, String name) {
    return path.isEmpty() ? name : path + "." + name;
  }

  private static IllegalArgumentException wrong(String path, Object value, String expected) {
    String shown = value instanceof String ? "'" + value + "'" : String.valueOf(value);
    return new IllegalArgumentException(
        (path.isEmpty() ? "it" : path) + " is " + shown + ", expected " + expected);
  }
}
