package org.swav4j.train.cli;

import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.bytedeco.javacpp.Pointer;
import org.swav4j.model.engine.Engines;
import org.swav4j.train.auto.Choice;
import org.swav4j.train.config.Machine;
import org.swav4j.train.loop.TrainingException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Says what this computer offers, what is used of it, what is wrong, and what to do. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description =
        "Says which back end, native libraries, memory limits and threads are in use, what is"
            + " wrong and what to do. Exit status 1 if training can't work here.",
    modelTransformer = SettingOptions.Unlisted.class)
final class DoctorCommand implements Callable<Integer> {
  /** What a line of the report means, for those who meet it for the first time. */
  private static final Map<String, String> MEANING =
      Map.of(
          "heap limit", "for Java's objects, decoded images above all; SWAV_HEAP changes it",
          "process limit", "for everything, the network too; a command that needs more says so",
          "allocator",
              "hands out memory to native code; ./swav has what is freed returned every second,"
                  + " where Java can",
          "native threads", "compute; SWAV_THREADS changes it",
          "loader workers", "read and crop images meanwhile; --workers changes it");

  @Mixin OutputOptions output;

  @Option(
      names = "--data",
      paramLabel = "SPEC",
      description =
          "Looks at these images instead, and says what `train --data SPEC` would choose for them,"
              + " why, and how much time and memory that takes. Settings of `train` can be given"
              + " beside it and stay as given. Nothing is trained.")
  String data;

  @Option(
      names = "--budget",
      paramLabel = "TIME",
      description = "Time that the run may take, such as 90min or 2h (${DEFAULT-VALUE}).")
  String budget = AutoPreset.BUDGET;

  @Spec CommandSpec command;

  @Override
  public Integer call() {
    Map<String, String> given = SettingOptions.given(command.commandLine().getParseResult());
    if (data != null) {
      foretell(given);
      return 0;
    }
    if (!given.isEmpty()) {
      throw new IllegalArgumentException(
          "--"
              + given.keySet().iterator().next()
              + " changes what is chosen for images: say by --data SPEC for which");
    }
    Map<String, Object> facts = new LinkedHashMap<>();
    List<String> advice = new ArrayList<>();
    facts.put("swav4j", SwavCommand.version());
    facts.put(
        "java",
        System.getProperty("java.version") + " (" + System.getProperty("java.vendor") + ")");
    facts.put("system", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
    facts.put("processor", Machine.processor().orElse("not told by this system"));
    facts.put("instruction sets", String.join(" ", Machine.instructionSets()));
    boolean works = backend(facts, advice);
    memory(facts, advice);
    threads(facts, advice);
    String names = System.getProperty("sun.jnu.encoding", "UTF-8");
    if (!Charset.forName(names).newEncoder().canEncode('\u00f6')) {
      advice.add(
          "this locale's encoding, "
              + names
              + ", has only ASCII: folders whose paths have other letters can't be given to a"
              + " command; set LC_ALL=C.UTF-8 in the environment");
    }
    if (System.getProperty("swav.launcher") == null) {
      advice.add(
          "started without the launcher: memory limits and threads are the JVM's defaults; ./swav"
              + " sets them for this computer");
    }
    report(facts, advice, works);
    return works ? 0 : SwavCommand.FAILURE;
  }

  /** What the auto preset chooses, and what it costs. */
  private void foretell(Map<String, String> given) {
    Backend.start();
    AutoPreset chosen = AutoPreset.choose(given, budget, output);
    long bytes = TrainingMemory.predicted(chosen.data());
    StringBuilder text = new StringBuilder();
    List<Map<String, Object>> choices = new ArrayList<>();
    for (Choice c : chosen.selection().choices()) {
      text.append(Flags.of(c)).append(System.lineSeparator());
      Map<String, Object> choice = new LinkedHashMap<>();
      choice.put("flag", "--" + c.flag());
      choice.put("value", c.value());
      choice.put("reason", Flags.in(c.reason()));
      choices.add(choice);
    }
    text.append("time: ").append(chosen.time()).append(System.lineSeparator());
    text.append("memory: ").append(Machine.readable(bytes));
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("command", "doctor");
    fields.put("data", chosen.data().config().data().spec());
    fields.put("choices", choices);
    fields.put("seconds", Math.round(chosen.selection().seconds()));
    fields.put("bytes", bytes);
    output.result(fields, text.toString());
  }

  private static boolean backend(Map<String, Object> facts, List<String> advice) {
    Backend backend;
    try {
      backend = Backend.start();
    } catch (TrainingException e) {
      facts.put("back end", "none");
      advice.add(e.getMessage());
      return false;
    }
    facts.put("back end", backend.name());
    facts.put("native library", backend.library());
    facts.put("oneDNN in ND4J", backend.oneDnnHelpers() ? "yes" : "no");
    facts.put("oneDNN direct", Backend.oneDnn());
    facts.put("engine", Engines.explain());
    facts.put("native threads", backend.threads());
    if (backend.name().equals("CPU") && !backend.oneDnnHelpers()) {
      advice.add(
          "ND4J runs without oneDNN, which makes its convolutions more than ten times slower: on"
              + " x86-64 Linux, rebuild with './mvnw -DskipTests package' so that the"
              + " linux-x86_64-onednn library is taken; other systems have none");
    }
    return true;
  }

  private static void memory(Map<String, Object> facts, List<String> advice) {
    long heap = Runtime.getRuntime().maxMemory();
    long physical = Pointer.maxPhysicalBytes();
    facts.put("heap limit", Machine.readable(heap));
    facts.put("process limit", physical == 0 ? "none" : Machine.readable(physical));
    Machine.memory().ifPresent(bytes -> facts.put("memory", Machine.readable(bytes)));
    facts.put("allocator", Machine.allocator().orElse("not told by this system"));
    facts.put("huge pages", hugePages());
    if (Machine.memory().isPresent() && heap > Machine.memory().getAsLong() / 4 * 3) {
      advice.add(
          String.format(
              Locale.ROOT,
              "the heap limit (%s) leaves little of this computer's memory (%s) for the network: set"
                  + " a smaller SWAV_HEAP, such as a quarter of the memory",
              Machine.readable(heap),
              Machine.readable(Machine.memory().getAsLong())));
    }
    if (physical != 0 && physical < heap) {
      advice.add(
          String.format(
              Locale.ROOT,
              "the process limit (%s) is below the heap limit (%s), and the heap is part of the"
                  + " process: set a smaller SWAV_HEAP, or -Dorg.bytedeco.javacpp.maxphysicalbytes",
              Machine.readable(physical),
              Machine.readable(heap)));
    }
    if (Machine.memory().isPresent() && physical > Machine.memory().getAsLong()) {
      advice.add(
          String.format(
              Locale.ROOT,
              "the process limit (%s) is above this computer's memory: set"
                  + " -Dorg.bytedeco.javacpp.maxphysicalbytes, or start with ./swav",
              Machine.readable(physical)));
    }
    if (physical != 0 && physical < 2L << 30) {
      advice.add(
          String.format(
              Locale.ROOT,
              "the process limit is only %s: batches and networks beyond the quick preset will not"
                  + " fit",
              Machine.readable(physical)));
    }
  }

  private static String hugePages() {
    return switch (Machine.hugePages().orElse("")) {
      case "always" -> "always: large arrays get pages of 2 MiB, which saves time";
      case "madvise" ->
          "madvise: programs that ask for pages of 2 MiB get them, and this one doesn't";
      case "never" -> "never: all pages have 4 KiB";
      default -> "not told by this system";
    };
  }

  private static void threads(Map<String, Object> facts, List<String> advice) {
    facts.put("cores", Machine.cores());
    facts.put("loader workers", Machine.loaderWorkers());
    facts.put("idle threads", Machine.idleThreadsSleep() ? "sleep" : "spin for a while");
    if (!Machine.idleThreadsSleep()) {
      advice.add(
          "idle native threads spin, that is, keep a core busy while they wait, which slows"
              + " whatever else runs here: start with OMP_WAIT_POLICY=passive in the environment"
              + " (./swav does; once a process runs it is too late)");
    }
    if (Machine.nativeThreads() > Machine.cores()) {
      advice.add(
          String.format(
              Locale.ROOT,
              "OMP_NUM_THREADS is %d, but there are %d cores: threads wait for each"
                  + " other; unset it or set it to %d",
              Machine.nativeThreads(),
              Machine.cores(),
              Machine.cores()));
    }
  }

  private void report(Map<String, Object> facts, List<String> advice, boolean works) {
    StringBuilder text = new StringBuilder();
    facts.forEach(
        (name, value) -> {
          String meaning = MEANING.containsKey(name) ? "  (" + MEANING.get(name) + ")" : "";
          text.append(String.format(Locale.ROOT, "%-16s %s%s%n", name, value, meaning));
        });
    for (String line : advice) {
      text.append("! ").append(line).append(System.lineSeparator());
    }
    text.append(
        !works
            ? "training can't work here, see above"
            : advice.isEmpty() ? "nothing wrong found" : "training works; see the advice above");
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("command", "doctor");
    facts.forEach((name, value) -> fields.put(name.replace(' ', '_'), value));
    fields.put("advice", advice);
    fields.put("works", works);
    output.result(fields, text.toString());
  }
}
