package org.swav4j.train.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.swav4j.train.config.Preset;
import org.swav4j.train.config.Settings;
import picocli.CommandLine.IModelTransformer;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/**
 * Gives a command an option for each of the {@link Settings}, in a group for each part of the
 * configuration, and a table of the presets under its help.
 */
public final class SettingOptions implements IModelTransformer {
  /** For picocli. */
  public SettingOptions() {}

  /** The same options for a command that has some of them itself; its help leaves them to train. */
  static final class Unlisted implements IModelTransformer {
    @Override
    public CommandSpec transform(CommandSpec command) {
      for (Settings.Field field : Settings.all()) {
        if (command.findOption("--" + field.setting().flag()) == null) {
          command.addOption(option(field).hidden(true).build());
        }
      }
      return command;
    }
  }

  @Override
  public CommandSpec transform(CommandSpec command) {
    Map<String, ArgGroupSpec.Builder> groups = new LinkedHashMap<>();
    for (Settings.Field field : Settings.all()) {
      groups.computeIfAbsent(field.section(), SettingOptions::group).addArg(option(field).build());
    }
    groups.values().forEach(group -> command.addArgGroup(group.build()));
    command.usageMessage().footer(presetTable());
    return command;
  }

  private static OptionSpec.Builder option(Settings.Field field) {
    return OptionSpec.builder("--" + field.setting().flag())
        .type(field.type())
        .paramLabel(field.setting().label())
        .description(Flags.in(field.help()));
  }

  private static ArgGroupSpec.Builder group(String section) {
    String heading = section.substring(0, 1).toUpperCase(Locale.ROOT) + section.substring(1);
    return ArgGroupSpec.builder()
        .exclusive(false)
        .heading("%n" + heading + ":%n")
        .order(Settings.all().stream().map(Settings.Field::section).toList().indexOf(section));
  }

  /** The settings that were given, by flag without dashes. */
  public static Map<String, String> given(ParseResult arguments) {
    Map<String, String> given = new LinkedHashMap<>();
    for (Settings.Field field : Settings.all()) {
      String flag = field.setting().flag();
      if (arguments.hasMatchedOption("--" + flag)) {
        given.put(flag, String.valueOf(arguments.<Object>matchedOptionValue("--" + flag, null)));
      }
    }
    return given;
  }

  private static String[] presetTable() {
    List<String> lines = new ArrayList<>();
    lines.add("");
    lines.add("Presets:");
    for (Preset preset : Preset.values()) {
      lines.add(String.format(Locale.ROOT, "  %-13s %s", preset.label(), preset.summary()));
    }
    lines.add("");
    lines.add("What they set; any flag changes it:");
    List<Settings.Field> different =
        Settings.all().stream().filter(SettingOptions::differs).toList();
    int head = 2 + different.stream().mapToInt(f -> f.setting().flag().length()).max().orElse(0);
    lines.add(row(head, "", different, Preset::label));
    for (Settings.Field field : different) {
      lines.add(row(head, "--" + field.setting().flag(), different, field::in));
    }
    lines.add("");
    lines.add("The same in all of them:");
    for (Settings.Field field : Settings.all()) {
      if (!differs(field)) {
        String flag = "--" + field.setting().flag();
        lines.add(String.format(Locale.ROOT, "  %-22s %s", flag, field.in(Preset.QUICK)));
      }
    }
    return lines.toArray(String[]::new);
  }

  private static boolean differs(Settings.Field field) {
    return Arrays.stream(Preset.values()).map(field::in).distinct().count() > 1;
  }

  /** A line of the table, whose columns are as wide as their widest cell: a terminal has 80. */
  private static String row(
      int head, String first, List<Settings.Field> fields, Function<Preset, String> cell) {
    StringBuilder row = new StringBuilder("  " + padded(first, head));
    for (Preset preset : Preset.values()) {
      int width = fields.stream().mapToInt(f -> f.in(preset).length()).max().orElse(0);
      row.append(' ').append(padded(cell.apply(preset), Math.max(width, preset.label().length())));
    }
    return row.toString().stripTrailing();
  }

  private static String padded(String text, int width) {
    return text + " ".repeat(Math.max(0, width - text.length()));
  }
}
