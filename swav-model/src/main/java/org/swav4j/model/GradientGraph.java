package org.swav4j.model;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import org.nd4j.autodiff.samediff.ArrayHolder;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.autodiff.samediff.internal.Variable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A copy of a SameDiff graph with the gradients of a loss added, each op's by its own derivative
 * ({@code DifferentialFunction.diff}), in the order of {@link SameDiff#createGradFunction} and so
 * with the same sums. That method itself prints a line per op on standard output, which could be
 * kept from the terminal only by taking {@code System.out} from every thread; and it leaves its
 * copy in the caller's graph.
 */
final class GradientGraph {
  private final SameDiff sd;

  /** Variables through which the loss depends on the wanted ones. */
  private final Set<String> active = new HashSet<>();

  /** Ops that read a variable and pass gradient to it. */
  private final Map<String, Set<SameDiffOp>> readers = new HashMap<>();

  private GradientGraph(SameDiff original) {
    sd = SameDiff.create();
    sd.setVariablesArrays(new Shared(original.getVariablesArrays()));
    original.invokeGraphOn(sd);
    for (SameDiffOp op : sd.getOps().values()) {
      for (SDVariable v : op.getOp().args()) {
        v.setSameDiff(sd);
      }
      for (SDVariable v : op.getOp().outputVariables()) {
        v.setSameDiff(sd);
      }
      op.getOp().setSameDiff(sd);
    }
  }

  /** The copy, with the gradients of {@code loss} by the variables of the given names. */
  static GradientGraph of(SameDiff graph, String loss, Collection<String> wanted) {
    GradientGraph g = new GradientGraph(graph);
    g.findActive(loss, wanted);
    if (g.active.contains(loss)) {
      g.differentiate(loss);
    }
    return g;
  }

  SameDiff sameDiff() {
    return sd;
  }

  /** Name of the variable's gradient; null if the loss does not depend on it. */
  String gradient(String name) {
    Variable v = sd.getVariables().get(name);
    SDVariable gradient = active.contains(name) ? v.getGradient() : null;
    return gradient == null ? null : gradient.name();
  }

  private void findActive(String loss, Collection<String> wanted) {
    Set<String> reaching = new HashSet<>();
    Queue<String> queue = new ArrayDeque<>(List.of(loss));
    while (!queue.isEmpty()) {
      String name = queue.remove();
      if (isReal(name) && reaching.add(name) && producer(name) != null) {
        queue.addAll(producer(name).getInputsToOp());
      }
    }
    queue.addAll(wanted);
    while (!queue.isEmpty()) {
      String name = queue.remove();
      List<String> ops = sd.getVariables().get(name).getInputsForOp();
      if (reaching.contains(name) && active.add(name) && ops != null) {
        for (String op : ops) {
          queue.addAll(sd.getOps().get(op).getOutputsOfOp());
        }
      }
    }
    for (SameDiffOp op : sd.getOps().values()) {
      if (op.getOutputsOfOp().stream().anyMatch(active::contains)) {
        for (String input : op.getInputsToOp()) {
          readers.computeIfAbsent(input, k -> new LinkedHashSet<>()).add(op);
        }
      }
    }
  }

  /** From the loss backward; an op's turn comes when all readers of its outputs have had theirs. */
  private void differentiate(String loss) {
    SDVariable one =
        sd.constant("gradient-of-" + loss, Nd4j.scalar(sd.getVariable(loss).dataType(), 1));
    sd.setGradientForVariableName(loss, one);
    Queue<SameDiffOp> ready = new ArrayDeque<>();
    Set<SameDiffOp> queued = new HashSet<>();
    Set<SameDiffOp> done = new HashSet<>();
    if (producer(loss) != null) {
      ready.add(producer(loss));
    }
    while (!ready.isEmpty()) {
      SameDiffOp op = ready.remove();
      op.getOp().diff(gradientsOfOutputs(op));
      done.add(op);
      for (String input : op.getInputsToOp()) {
        SameDiffOp before = producer(input);
        if (before != null
            && active.contains(input)
            && !queued.contains(before)
            && before.getOutputsOfOp().stream()
                .filter(active::contains)
                .allMatch(v -> done.containsAll(readers.getOrDefault(v, Set.of())))) {
          queued.add(before);
          ready.add(before);
        }
      }
    }
  }

  /** An output the loss does not depend on counts with zeros. */
  private List<SDVariable> gradientsOfOutputs(SameDiffOp op) {
    List<SDVariable> gradients = new ArrayList<>();
    for (String name : op.getOutputsOfOp()) {
      SDVariable v = sd.getVariable(name);
      SDVariable gradient = sd.getVariables().get(name).getGradient();
      gradients.add(gradient != null || !isReal(name) ? gradient : sd.zerosLike(v));
    }
    return gradients;
  }

  private SameDiffOp producer(String name) {
    String op = sd.getVariables().get(name).getOutputOfOp();
    return op == null ? null : sd.getOps().get(op);
  }

  private boolean isReal(String name) {
    return sd.getVariable(name).dataType().isFPType();
  }

  /**
   * The arrays of the original's variables, the copy's too. Copying a graph copies them, and they
   * are as large as the weights: what is set in their place is freed at once.
   *
   * @param arrays by name
   */
  private record Shared(ArrayHolder arrays) implements ArrayHolder {
    @Override
    public boolean hasArray(String name) {
      return arrays.hasArray(name);
    }

    @Override
    public INDArray getArray(String name) {
      return arrays.getArray(name);
    }

    @Override
    public void setArray(String name, INDArray copy) {
      if (copy != arrays.getArray(name)) {
        copy.close();
      }
    }

    @Override
    public INDArray removeArray(String name) {
      throw new IllegalStateException("the graph's copy doesn't own the array of " + name);
    }

    @Override
    public int size() {
      return arrays.size();
    }

    @Override
    public void initFrom(ArrayHolder other) {
      throw new IllegalStateException("the graph's copy takes its arrays from the original");
    }

    @Override
    public Collection<String> arrayNames() {
      return arrays.arrayNames();
    }

    @Override
    public void rename(String from, String to) {
      throw new IllegalStateException("the graph's copy doesn't own the array of " + from);
    }
  }
}
