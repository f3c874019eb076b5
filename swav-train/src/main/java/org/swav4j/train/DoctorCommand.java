package org.swav4j.train;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.bytedeco.javacpp.Pointer;
import org.swav4j.model.engine.Engines;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Says what this computer offers, what is used of it, what is wrong, and what to do. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description =
        "Says which back end, native libraries, memory limits and threads are in use, what is"
            + " wrong and what to do. Exit status 1 if training can't work here.")
final class DoctorCommand implements Callable<Integer> {
  @Mixin OutputOptions output;

  @Override
  public Integer call() {
    Map<String, Object> facts = new LinkedHashMap<>();
    List<String> advice = new ArrayList<>();
    facts.put("swav4j", SwavTrain.version());
    facts.put(
        "java",
        System.getProperty("java.version") + " (" + System.getProperty("java.vendor") + ")");
    facts.put("system", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
    facts.put("processor", Machine.processor().orElse("not told by this system"));
    facts.put("instruction sets", String.join(" ", Machine.instructionSets()));
    boolean works = backend(facts, advice);
    memory(facts, advice);
    threads(facts, advice);
    if (System.getProperty("swav.launcher") == null) {
      advice.add(
          "started without the launcher: memory limits and threads are the JVM's defaults; ./swav"
              + " sets them for this computer");
    }
    report(facts, advice, works);
    return works ? 0 : SwavTrain.FAILURE;
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
    facts.put("huge pages", Machine.hugePages().orElse("not told by this system"));
    if (Machine.memory().isPresent() && physical > Machine.memory().getAsLong()) {
      advice.add(
          String.format(
              "the process limit (%s) is above this computer's memory: set"
                  + " -Dorg.bytedeco.javacpp.maxphysicalbytes, or start with ./swav",
              Machine.readable(physical)));
    }
    if (physical != 0 && physical < 2L << 30) {
      advice.add(
          String.format(
              "the process limit is only %s: batches and networks beyond the quick preset will not"
                  + " fit",
              Machine.readable(physical)));
    }
  }

  private static void threads(Map<String, Object> facts, List<String> advice) {
    facts.put("cores", Machine.cores());
    facts.put("loader workers", Machine.loaderWorkers());
    if (Machine.nativeThreads() > Machine.cores()) {
      advice.add(
          String.format(
              "OMP_NUM_THREADS is %d, but there are %d cores: waiting threads spin and slow each"
                  + " other down; unset it or set it to %d",
              Machine.nativeThreads(), Machine.cores(), Machine.cores()));
    }
  }

  private void report(Map<String, Object> facts, List<String> advice, boolean works) {
    StringBuilder text = new StringBuilder();
    facts.forEach((name, value) -> text.append(String.format("%-16s %s%n", name, value)));
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
