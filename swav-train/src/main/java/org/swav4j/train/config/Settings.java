package org.swav4j.train.config;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.swav4j.data.Augmentation;

/**
 * The list of all settings of a training run, in the order of the help. Options, help, presets,
 * {@code config.json} and the comparison on resume are made from it; it is made from the {@link
 * Setting} annotations in {@link TrainingConfig}.
 *
 * <p>Messages of the library name settings in backticks, by the name of their component: {@code
 * `learningRate` is -1.0}. {@link #withFlags} puts the flags in their place.
 */
public final class Settings {
  private static final List<Field> ALL = of(TrainingConfig.class);
  private static final Pattern NAME = Pattern.compile("`([A-Za-z-]+)`");

  private Settings() {}

  /**
   * One setting.
   *
   * @param section the part of the configuration that holds it, such as {@code codes}; the
   *     component itself for those that stand outside a part
   * @param component where it is kept
   * @param setting what is declared of it
   */
  public record Field(String section, RecordComponent component, Setting setting) {
    /** What messages call it: the component, or the flag for those that set parts of one. */
    public String name() {
      return setting.parts().length == 0 ? component.getName() : setting.flag();
    }

    /** The type of its values; String for those with a notation of their own. */
    public Class<?> type() {
      Class<?> type = component.getType();
      if (setting.parts().length == 1 && type.isRecord()) {
        type = part(setting.parts()[0]).getType();
      }
      return type.isPrimitive() ? type : String.class;
    }

    /** What it does, for people; settings in backticks, by name. */
    public String help() {
      String choices =
          component.getType().isEnum()
              ? Arrays.stream(component.getType().getEnumConstants())
                  .filter(Setting.Described.class::isInstance)
                  .map(Setting.Described.class::cast)
                  .map(choice -> choice.label() + " (" + choice.about() + ")")
                  .collect(Collectors.joining(", "))
              : "";
      return setting.help().replace(Setting.CHOICES, choices);
    }

    /** Its value in a preset, as the flag takes it. */
    public String in(Preset preset) {
      String change = preset.changes().get(setting.flag());
      if (change != null) {
        return change;
      }
      String[] presets = setting.presets();
      return presets[presets.length == 1 ? 0 : preset.column()];
    }

    /** Its value in a configuration, as the flag takes it. */
    public String in(TrainingConfig config) {
      return get(tree(config));
    }

    private String get(Map<String, Object> tree) {
      Object value = owner(tree).get(component.getName());
      if (value == null) {
        return setting.open();
      }
      if (setting.parts().length == 0) {
        return Notation.format(value);
      }
      return value instanceof List<?> list
          ? String.join(",", list.stream().map(this::parts).toList())
          : parts(value);
    }

    private String parts(Object value) {
      Map<String, Object> whole = map(value);
      return String.join(
          setting.between(),
          Arrays.stream(setting.parts()).map(p -> Notation.format(whole.get(p))).toList());
    }

    private void set(Map<String, Object> tree, String text) {
      Map<String, Object> owner = owner(tree);
      String key = component.getName();
      if (!setting.open().isEmpty() && setting.open().equals(text)) {
        owner.put(key, null);
      } else if (setting.parts().length == 0) {
        owner.put(key, Notation.parse(name(), text, component.getGenericType()));
      } else if (component.getGenericType() instanceof ParameterizedType) {
        owner.put(key, elements(owner.get(key), text));
      } else {
        Object before = owner.get(key);
        Map<String, Object> whole = before == null ? new LinkedHashMap<>() : map(before);
        putParts(whole, text);
        owner.put(key, whole);
      }
    }

    /** The first flag of a list says how many elements there are, the others describe each. */
    private List<Object> elements(Object before, String text) {
      List<?> old = before instanceof List<?> list ? list : List.of();
      String[] texts = text.split(",", -1);
      boolean first = component.getAnnotationsByType(Setting.class)[0].equals(setting);
      if (!first && texts.length != old.size()) {
        throw Notation.refused(
            name(),
            text,
            "as many parts as `"
                + component.getName()
                + "` has, which is "
                + old.size()
                + ", not "
                + texts.length);
      }
      List<Object> elements = new ArrayList<>();
      for (int i = 0; i < texts.length; i++) {
        Map<String, Object> element = i < old.size() ? map(old.get(i)) : new LinkedHashMap<>();
        putParts(element, texts[i]);
        elements.add(element);
      }
      return elements;
    }

    private void putParts(Map<String, Object> whole, String text) {
      String[] names = setting.parts();
      String[] texts =
          names.length == 1
              ? new String[] {text}
              : text.split(Pattern.quote(setting.between()), names.length);
      try {
        for (int i = 0; i < names.length; i++) {
          whole.put(names[i], Notation.parse(name(), texts[i], part(names[i]).getGenericType()));
        }
      } catch (ArrayIndexOutOfBoundsException | IllegalArgumentException e) {
        throw Notation.refused(
            name(), text, setting.label().replace(",...", "") + " such as " + example());
      }
    }

    private String example() {
      return Arrays.stream(setting.presets())
          .filter(p -> !p.equals(setting.open()))
          .findFirst()
          .orElse("")
          .replaceFirst(component.getGenericType() instanceof ParameterizedType ? ",.*" : "^$", "");
    }

    private RecordComponent part(String name) {
      Type type = component.getGenericType();
      Class<?> whole =
          (Class<?>) (type instanceof ParameterizedType l ? l.getActualTypeArguments()[0] : type);
      return Arrays.stream(whole.getRecordComponents())
          .filter(c -> c.getName().equals(name))
          .findFirst()
          .orElseThrow(() -> new IllegalStateException(whole + " has no " + name));
    }

    private Map<String, Object> owner(Map<String, Object> tree) {
      return section.equals(component.getName()) ? tree : map(tree.get(section));
    }
  }

  /** All settings. */
  public static List<Field> all() {
    return ALL;
  }

  /** The settings that a configuration record declares, its own and those of its parts. */
  static List<Field> of(Class<? extends Record> type) {
    return Arrays.stream(type.getRecordComponents())
        .flatMap(
            section ->
                section.getAnnotationsByType(Setting.class).length > 0
                    ? declared(section.getName(), section)
                    : Arrays.stream(section.getType().getRecordComponents())
                        .flatMap(component -> declared(section.getName(), component)))
        .toList();
  }

  private static Stream<Field> declared(String section, RecordComponent component) {
    return Arrays.stream(component.getAnnotationsByType(Setting.class))
        .map(setting -> new Field(section, component, setting));
  }

  /** The version of {@code config.json} that has all of them. */
  public static int version() {
    return ALL.stream().mapToInt(f -> f.setting().since()).max().orElse(1);
  }

  /** The configuration as nested maps and lists, by the names of components. */
  public static Map<String, Object> tree(TrainingConfig config) {
    return map(RecordTree.of(config));
  }

  /**
   * The configuration that nested maps and lists describe.
   *
   * @param version of the file they were read from: what later versions brought may be missing
   * @throws IllegalArgumentException naming the value that is missing, unknown or out of range
   */
  public static TrainingConfig read(Map<?, ?> tree, int version) {
    return RecordTree.read(TrainingConfig.class, tree, version);
  }

  static TrainingConfig preset(Preset preset) {
    requireKnown(preset.changes());
    Map<String, Object> tree = new LinkedHashMap<>();
    for (RecordComponent part : TrainingConfig.class.getRecordComponents()) {
      tree.put(part.getName(), new LinkedHashMap<>());
    }
    // The window's ratio has no flag: it is the paper's everywhere.
    tree.put("augmentation", RecordTree.of(Augmentation.none()));
    ALL.forEach(field -> field.set(tree, field.in(preset)));
    return read(tree, version());
  }

  /**
   * A configuration with other values. What follows from them and isn't given changes with them,
   * see {@link ImpliedValues}.
   *
   * @param values by flag, without dashes, as the flag takes them: {@code "crops", "2x32,4x16"}
   * @throws IllegalArgumentException naming the value that is unknown, can't be read or doesn't fit
   */
  public static TrainingConfig change(TrainingConfig base, Map<String, String> values) {
    return changed(base, values, ImpliedValues.added(values, base));
  }

  private static TrainingConfig changed(
      TrainingConfig base, Map<String, String> values, Map<String, String> given) {
    requireKnown(values);
    Map<String, Object> tree = tree(base);
    for (Field field : ALL) {
      String text = given.get(field.setting().flag());
      if (text != null) {
        field.set(tree, text);
      }
    }
    return read(tree, version());
  }

  private static void requireKnown(Map<String, String> values) {
    for (String flag : values.keySet()) {
      if (ALL.stream().noneMatch(f -> f.setting().flag().equals(flag))) {
        throw new IllegalArgumentException("there is no setting '" + flag + "'");
      }
    }
  }

  /**
   * A line on the learning rate, where {@link #change} scales it without being asked; empty where
   * it doesn't.
   */
  public static Optional<String> scaledRate(TrainingConfig base, Map<String, String> values) {
    TrainingConfig.Optimisation before = base.optimisation();
    TrainingConfig.Optimisation now = change(base, values).optimisation();
    return values.containsKey("lr") || before.imagesPerStep() == now.imagesPerStep()
        ? Optional.empty()
        : Optional.of(
            String.format(
                Locale.ROOT,
                "learning rate %s: the preset's %s for a batch of %d, in proportion to a batch of"
                    + " %d; `learningRate` sets another",
                TrainingConfig.number(now.learningRate()),
                TrainingConfig.number(before.learningRate()),
                before.imagesPerStep(),
                now.imagesPerStep()));
  }

  /**
   * The configuration with which a run goes on: as {@link #change}, but what a new run of another
   * length would take along, its warm-up and the freezing of its prototypes, stays as it is. The
   * last learning rate keeps its ratio to one that is given.
   *
   * @param values by flag, without dashes, as the flag takes them
   * @throws IllegalArgumentException naming the value that is unknown, can't be read, doesn't fit,
   *     or with which the run can't go on
   */
  public static TrainingConfig resume(TrainingConfig before, Map<String, String> values) {
    TrainingConfig now = changed(before, values, ImpliedValues.onResume(values, before));
    for (Field field : differences(before, now)) {
      if (field.setting().onResume() == Setting.OnResume.REFUSED) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "the run was made with `%s` %s, and %s was asked for, with which it can't go on:"
                    + " leave `%s` out, or start a new run",
                field.name(),
                field.in(before),
                field.in(now),
                field.name()));
      }
    }
    return now;
  }

  /** The settings that differ, in the order of the help. */
  public static List<Field> differences(TrainingConfig before, TrainingConfig now) {
    return ALL.stream().filter(f -> !f.in(before).equals(f.in(now))).toList();
  }

  /** A message of the library for the command line: flags instead of the names in backticks. */
  public static String withFlags(String message) {
    Matcher matcher = NAME.matcher(message);
    return matcher.replaceAll(found -> Matcher.quoteReplacement(flag(found)));
  }

  private static String flag(java.util.regex.MatchResult found) {
    String name = found.group(1);
    return ALL.stream()
        .filter(f -> f.name().equals(name) || f.component().getName().equals(name))
        .findFirst()
        .map(f -> "--" + f.setting().flag())
        .orElse(found.group());
  }

  @SuppressWarnings("unchecked") // trees hold maps of this type only
  private static Map<String, Object> map(Object tree) {
    return (Map<String, Object>) tree;
  }
}
