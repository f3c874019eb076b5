package org.swav4j.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Begins with what was learned elsewhere: fills a network with the tensors of a file, and says of
 * every one what became of it. Files are
 *
 * <ul>
 *   <li>a run folder of {@code swav train}, or weights of {@link SwavWeights#save};
 *   <li>safetensors with torchvision's names;
 *   <li>a PyTorch state dict ({@code .pth}, {@code .pth.tar}), or a checkpoint that holds one, with
 *       torchvision's names, SwAV's published ResNet-50 among them.
 * </ul>
 *
 * <p>Before the names there may be a prefix, which is found by itself: {@code module.}, {@code
 * state_dict.module.backbone.}. Half precision is widened.
 *
 * @param file that was read
 * @param loaded names of the network's tensors that the file had
 * @param missing names of the network's tensors that the file lacks, which stay as they were
 * @param ignored names of the file's tensors that the network has no use for, without the prefix
 */
public record WeightsImport(
    Path file, List<String> loaded, List<String> missing, List<String> ignored) {
  /** Names of a summary are given one by one up to this number, then by their first part. */
  private static final int LISTED = 4;

  private static final String COUNTERS = "num_batches_tracked";

  public WeightsImport {
    loaded = List.copyOf(loaded);
    missing = List.copyOf(missing);
    ignored = List.copyOf(ignored);
  }

  /**
   * Fills the trunk, and the projection head and prototypes as far as the file has them.
   *
   * @param source a file, or a run folder
   * @param weights changed in place; after an exception they may be changed in part
   * @throws IOException if the file can't be read, lacks a tensor of the trunk, has one of another
   *     shape, naming each with both shapes, or one with NaN, infinity or a negative variance
   */
  public static WeightsImport whole(Path source, SwavWeights weights) throws IOException {
    return fill(source, weights, true);
  }

  /**
   * Fills the trunk alone; head and prototypes stay as they are.
   *
   * @param source a file, or a run folder
   * @param weights changed in place; after an exception they may be changed in part
   * @throws IOException as for {@link #whole}
   */
  public static WeightsImport trunk(Path source, SwavWeights weights) throws IOException {
    return fill(source, weights, false);
  }

  private static WeightsImport fill(Path source, SwavWeights weights, boolean head)
      throws IOException {
    Path file = file(source);
    try (StateDict dict = StateDict.open(file)) {
      WeightsFile.refuseCheckpoint(file, dict.metadata());
      String prefix = prefix(file, dict.tensors().keySet(), trunkNames(weights));
      Map<String, String> names = names(dict, weights, prefix, head);
      requireFit(file, dict, weights, names, prefix);
      List<String> loaded = new ArrayList<>();
      for (Map.Entry<String, String> name : names.entrySet()) {
        StateDict.Tensor tensor = dict.tensors().get(name.getValue());
        if (tensor != null) {
          try (INDArray read = tensor.read()) {
            asInFiles(weights.array(name.getKey())).assign(read);
          }
          loaded.add(name.getKey());
        }
      }
      WeightsFile.requireUsable(file, weights);
      Set<String> ignored = new LinkedHashSet<>(dict.tensors().keySet());
      ignored.removeAll(names.values());
      List<String> missing = new ArrayList<>(allNames(weights));
      missing.removeAll(loaded);
      return new WeightsImport(
          file,
          loaded,
          missing,
          ignored.stream()
              .map(n -> n.startsWith(prefix) ? n.substring(prefix.length()) : n)
              .toList());
    }
  }

  private static Path file(Path source) throws IOException {
    if (!Files.isDirectory(source)) {
      return source;
    }
    Path file = source.resolve(WeightsFile.NAME);
    if (!Files.exists(file)) {
      throw new IOException(
          source
              + " is a folder without "
              + WeightsFile.NAME
              + ", expected a run folder or a file");
    }
    return file;
  }

  private static List<String> allNames(SwavWeights weights) {
    List<String> names = new ArrayList<>(weights.parameters().keySet());
    names.addAll(weights.statistics().keySet());
    return names;
  }

  private static List<String> trunkNames(SwavWeights weights) {
    return allNames(weights).stream().filter(ParameterShapes::ofTrunk).toList();
  }

  /** What most of the trunk's names stand behind; of several equally good ones the shortest. */
  private static String prefix(Path file, Set<String> names, List<String> trunk)
      throws IOException {
    Map<String, Integer> found = new LinkedHashMap<>();
    for (String name : names) {
      for (String wanted : trunk) {
        int at = name.length() - wanted.length();
        if (name.endsWith(wanted) && (at == 0 || name.charAt(at - 1) == '.')) {
          found.merge(name.substring(0, at), 1, Integer::sum);
        }
      }
    }
    int most = found.values().stream().max(Integer::compare).orElse(0);
    if (most == 0) {
      throw new IOException(
          String.format(
              Locale.ROOT,
              "%s holds none of the trunk's tensors: its names are such as %s, expected torchvision's"
                  + " such as %s, with or without a prefix",
              file,
              names.isEmpty() ? "none" : names.stream().limit(3).collect(Collectors.joining(", ")),
              trunk.get(0)));
    }
    List<String> best =
        found.keySet().stream()
            .filter(p -> found.get(p) == most)
            .sorted((a, b) -> Integer.compare(a.length(), b.length()))
            .toList();
    if (best.size() > 1
        && best.get(0).length() == best.get(1).length()
        && 2 * most > trunk.size()) {
      throw new IOException(
          file
              + " holds several networks, under "
              + best.get(0)
              + " and "
              + best.get(1)
              + ": save the wanted one alone");
    }
    return best.get(0);
  }

  /** Of the network's tensors that are to be filled, by name: what the file would call them. */
  private static Map<String, String> names(
      StateDict dict, SwavWeights weights, String prefix, boolean head) {
    // A trunk that is called backbone. has its head beside it, not in it.
    String above = prefix.replaceFirst("[^.]+\\.$", "");
    boolean beside =
        allNames(weights).stream()
            .filter(n -> !ParameterShapes.ofTrunk(n))
            .noneMatch(n -> dict.tensors().containsKey(prefix + n));
    Map<String, String> names = new LinkedHashMap<>();
    for (String name : allNames(weights)) {
      if (ParameterShapes.ofTrunk(name)) {
        names.put(name, prefix + name);
      } else if (head) {
        names.put(name, (beside ? above : prefix) + name);
      }
    }
    return names;
  }

  private static INDArray asInFiles(INDArray array) {
    return array.rank() == 4 ? array.permute(3, 2, 0, 1) : array;
  }

  private static void requireFit(
      Path file, StateDict dict, SwavWeights weights, Map<String, String> names, String prefix)
      throws IOException {
    List<String> others = new ArrayList<>();
    List<String> missing = new ArrayList<>();
    boolean trunk = false;
    for (Map.Entry<String, String> name : names.entrySet()) {
      StateDict.Tensor tensor = dict.tensors().get(name.getValue());
      boolean ofTrunk = ParameterShapes.ofTrunk(name.getKey());
      if (tensor == null) {
        if (ofTrunk) {
          missing.add(name.getKey());
        }
        continue;
      }
      Optional<String> problem = problem(tensor, asInFiles(weights.array(name.getKey())).shape());
      problem.ifPresent(p -> others.add(name.getKey() + " is " + p));
      trunk |= ofTrunk && problem.isPresent();
    }
    List<String> unused = unusedLayers(dict, trunkNames(weights), prefix);
    List<String> problems = new ArrayList<>(others);
    problems.addAll(some(missing, " is missing"));
    problems.addAll(some(unused, " has no place"));
    if (!problems.isEmpty()) {
      boolean alone = !trunk && missing.isEmpty() && unused.isEmpty();
      throw new IOException(
          file
              + " doesn't fit "
              + WeightsFile.described(weights)
              + ": "
              + String.join("; ", problems)
              + (alone
                  ? ". The trunk fits: `initPartial` takes it alone (WeightsImport.trunk)"
                  : ". "
                      + WeightsFile.otherTrunk(dict.metadata(), weights.config())
                          .orElse(
                              "Is it another architecture, or are its names not torchvision's?")));
    }
  }

  private static Optional<String> problem(StateDict.Tensor tensor, long[] expected) {
    if (!tensor.isFloatingPoint()) {
      return Optional.of("of type " + tensor.type() + ", expected a floating-point type");
    }
    return Arrays.equals(tensor.shape(), expected)
        ? Optional.empty()
        : Optional.of(Arrays.toString(tensor.shape()) + ", expected " + Arrays.toString(expected));
  }

  /**
   * A deeper network holds all tensors of a shallower one, but its features need the others too.
   */
  private static List<String> unusedLayers(StateDict dict, List<String> trunk, String prefix) {
    Set<String> stages = trunk.stream().map(n -> n.split("\\.")[0]).collect(Collectors.toSet());
    Set<String> known = new HashSet<>(trunk);
    return dict.tensors().entrySet().stream()
        .filter(e -> e.getKey().startsWith(prefix) && e.getValue().isFloatingPoint())
        .filter(e -> e.getValue().shape().length == 4)
        .map(e -> e.getKey().substring(prefix.length()))
        .filter(n -> !known.contains(n))
        .filter(n -> stages.contains(n.split("\\.")[0]) || n.matches("layer\\d+\\..*"))
        .toList();
  }

  private static List<String> some(List<String> names, String what) {
    List<String> some =
        names.stream().limit(LISTED).map(n -> n + what).collect(Collectors.toList());
    if (names.size() > LISTED) {
      some.add("and " + (names.size() - LISTED) + " more" + what);
    }
    return some;
  }

  /**
   * In one line: {@code 318 tensors of resnet50.pth: trunk; untrained: projection_head.* (8),
   * prototypes.weight; ignored: fc.weight, fc.bias, 53 num_batches_tracked}.
   */
  public String summary() {
    boolean head = loaded.stream().anyMatch(n -> n.startsWith(ParameterShapes.HEAD_FIRST));
    boolean prototypes = loaded.contains(ParameterShapes.PROTOTYPES);
    return String.format(
        Locale.ROOT,
        "%d tensors of %s loaded: trunk%s%s; missing there, as initialised: %s; ignored there: %s",
        loaded.size(),
        file,
        head ? ", projection head" : "",
        prototypes ? ", prototypes" : "",
        grouped(missing),
        grouped(ignored));
  }

  private static String grouped(List<String> names) {
    Map<String, List<String>> groups = new LinkedHashMap<>();
    for (String name : names) {
      int dot = name.indexOf('.');
      String group =
          name.endsWith(COUNTERS)
              ? "*." + COUNTERS
              : dot < 0 ? name : name.substring(0, dot) + ".*";
      groups.computeIfAbsent(group, g -> new ArrayList<>()).add(name);
    }
    return names.isEmpty()
        ? "none"
        : groups.entrySet().stream()
            .map(
                g ->
                    g.getValue().size() <= LISTED
                        ? String.join(", ", g.getValue())
                        : g.getKey() + " (" + g.getValue().size() + ")")
            .collect(Collectors.joining(", "));
  }
}
