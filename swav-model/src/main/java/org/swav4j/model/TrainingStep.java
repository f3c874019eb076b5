package org.swav4j.model;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Execution;
import org.swav4j.model.plan.AllReduce;
import org.swav4j.model.plan.AnnounceResults;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.OpType;
import org.swav4j.model.plan.Pass;
import org.swav4j.model.plan.Plan;
import org.swav4j.model.plan.SynchroniseNorms;
import org.swav4j.model.plan.Value;

/**
 * One step of training without the optimiser: crops → embeddings, targets → loss and gradients. The
 * network and its {@link Objective} are defined and differentiated by SameDiff, compiled once into
 * a plan, and run by an engine over memory allocated once. With SwAV's objective:
 *
 * <pre>{@code
 * step.crops(0).assign(large);
 * step.crops(1).assign(small);
 * step.forward();
 * solve(step.scores(), step.codes());
 * double loss = step.backward();
 * optimiser.step(weights.parameters(), step.gradients(), learningRate);
 * }</pre>
 *
 * <p>Letters: B samples, V crops of each, A of them assigning, D the embedding's length, K
 * prototypes. Rows are crop by crop: the B rows of crop 0, then those of crop 1, ... Prototypes are
 * taken as they are: normalise them before {@link #forward}. Not for use by several threads.
 *
 * <p>A batch that doesn't fit into memory is worked off in N parts. All arrays here are still those
 * of the whole batch; {@link #forward} runs the network on one part after the other and keeps what
 * the objective reads, and {@link #backward} runs it again on all but one, with the targets of the
 * whole batch, and adds up the gradients. It takes about a third more time, and the memory of one
 * part. Batch norm alone sees the difference: it takes its statistics from each part.
 */
public final class TrainingStep implements AutoCloseable {
  private final Execution execution;
  private final Plan plan;
  private final List<INDArray> crops = new ArrayList<>();
  private final INDArray embeddings;
  private final Map<String, INDArray> read = new LinkedHashMap<>();
  private final Map<String, INDArray> targets;
  private final INDArray loss;
  private final Map<String, INDArray> gradients;
  private final Map<String, INDArray> between = new LinkedHashMap<>();
  private final RunningStatistics statistics;
  private final GradientListener listener;
  private final List<String> names;
  private final List<String> finalOrder;

  /** Which part {@link #backward} is at; -1 outside of it. */
  private int running = -1;

  // Of a batch in parts; empty, and 1, for one that is computed at once.
  private final int parts;
  private final List<PartedArray> partedCrops = new ArrayList<>();
  private final List<PartedArray> partedRead = new ArrayList<>();
  private final List<PartedArray> partedTargets = new ArrayList<>();
  private final List<INDArray> partGradients = new ArrayList<>();
  private final List<INDArray> wholeGradients = new ArrayList<>();

  /**
   * Compiles a step of SwAV, at the temperature of the weights' configuration.
   *
   * @param weights read at each run, never replaced: update the arrays of {@code parameters()} in
   *     place. Their running statistics are updated by {@link #backward}
   * @param crops one group per size; crop 0 is the first of the first group
   * @param batch B, at least 1
   * @param assigning A, crops that have codes: from 1 to V, usually 2
   * @param engine what runs it
   * @throws IllegalArgumentException if a number is out of range or a crop too small for the trunk
   */
  public TrainingStep(
      SwavWeights weights, List<CropGroup> crops, int batch, int assigning, Engine engine) {
    this(
        weights,
        crops,
        batch,
        new SwappedPrediction(assigning, weights.config().temperature()),
        engine);
  }

  /**
   * Compiles a step.
   *
   * @param weights read at each run, never replaced: update the arrays of {@code parameters()} in
   *     place. Their running statistics are updated by {@link #backward}
   * @param crops one group per size; crop 0 is the first of the first group
   * @param batch B, at least 1
   * @param objective the loss
   * @param engine what runs it
   * @throws IllegalArgumentException if a number is out of range, a crop too small for the trunk,
   *     or what the objective reads depends on its targets
   */
  public TrainingStep(
      SwavWeights weights, List<CropGroup> crops, int batch, Objective objective, Engine engine) {
    this(weights, crops, batch, 1, objective, engine);
  }

  /**
   * Compiles a step that works off each batch in parts, of which one at a time is in memory.
   *
   * @param weights read at each run, never replaced: update the arrays of {@code parameters()} in
   *     place. Their running statistics are updated by {@link #backward}, once for each part
   * @param crops one group per size; crop 0 is the first of the first group
   * @param batch B, images of the whole batch, a multiple of the parts
   * @param parts N, at least 1
   * @param objective the loss: with its targets given, a mean over images. What it reads and its
   *     targets have rows for each image, crop by crop
   * @param engine what runs it
   * @throws IllegalArgumentException if a number is out of range, a crop too small for the trunk,
   *     what the objective reads depends on its targets, or it differentiates and there are parts
   */
  public TrainingStep(
      SwavWeights weights,
      List<CropGroup> crops,
      int batch,
      int parts,
      Objective objective,
      Engine engine) {
    this(weights, crops, batch, parts, objective, engine, AllReduce.alone());
  }

  /**
   * Compiles the step of one of several workers, each of which has equally many images of every
   * batch. Batch norm, and its running statistics, take the moments of all workers' rows: {@link
   * #forward} and {@link #backward} then wait for the other workers. Loss and gradients are those
   * of this worker's images; their means over workers are those of the whole batch.
   *
   * @param weights equal everywhere to begin with
   * @param crops one group per size; crop 0 is the first of the first group
   * @param batch B, this worker's images of a batch, a multiple of the parts
   * @param parts N, at least 1
   * @param objective the loss: with its targets given, a mean over images
   * @param engine what runs it
   * @param workers whose rows batch norm takes its moments from; {@link AllReduce#alone} for its
   *     own alone
   * @throws IllegalArgumentException if a number is out of range, a crop too small for the trunk,
   *     or what the objective reads depends on its targets
   */
  public TrainingStep(
      SwavWeights weights,
      List<CropGroup> crops,
      int batch,
      int parts,
      Objective objective,
      Engine engine,
      AllReduce workers) {
    this(weights, crops, batch, parts, objective, engine, workers, GradientListener.none());
  }

  /**
   * The same with somebody who is told when each gradient is final.
   *
   * @param weights equal everywhere to begin with
   * @param crops one group per size; crop 0 is the first of the first group
   * @param batch B, this worker's images of a batch, a multiple of the parts
   * @param parts N, at least 1
   * @param objective the loss: with its targets given, a mean over images
   * @param engine what runs it
   * @param workers whose rows batch norm takes its moments from; {@link AllReduce#alone} for its
   *     own alone
   * @param listener what it throws, {@link #backward} throws
   * @throws IllegalArgumentException if a number is out of range, a crop too small for the trunk,
   *     or what the objective reads depends on its targets
   */
  public TrainingStep(
      SwavWeights weights,
      List<CropGroup> crops,
      int batch,
      int parts,
      Objective objective,
      Engine engine,
      AllReduce workers,
      GradientListener listener) {
    if (parts < 1 || batch % parts != 0) {
      throw new IllegalArgumentException(
          "a batch of "
              + batch
              + " images in "
              + parts
              + " parts, expected at least 1 part and as many images in each");
    }
    if (parts > 1 && !objective.differentiates().isEmpty()) {
      throw new IllegalArgumentException(
          "the gradients of "
              + objective.differentiates()
              + " are wanted of a batch in "
              + parts
              + " parts, expected 1: they are kept of one part at a time");
    }
    this.parts = parts;
    int size = batch / parts;
    SwavGraph graph = new SwavGraph(weights, new Views(crops, size), objective);
    Map<String, INDArray> parameters = new LinkedHashMap<>(weights.parameters());
    parameters.putAll(objective.parameters());
    List<String> wanted = new ArrayList<>(parameters.keySet());
    wanted.addAll(objective.differentiates());
    PlanReader.Program program =
        PlanReader.read(
            graph.sameDiff(), parameters, early(graph, objective), SwavGraph.LOSS, wanted);
    Map<String, Value> found = new LinkedHashMap<>(program.gradients());
    found.keySet().retainAll(parameters.keySet());
    List<String> own = IntStream.range(0, crops.size()).mapToObj(SwavGraph::cropsName).toList();
    refuseTargetsBeforeTheyAreKnown(program, own, objective);
    this.listener = listener;
    names = List.copyOf(found.keySet());
    Plan synchronised = new SynchroniseNorms(workers).apply(Pass.standard().apply(program.plan()));
    plan =
        listener == GradientListener.none()
            ? synchronised
            : new AnnounceResults(List.copyOf(found.values()), this::isFinal).apply(synchronised);
    finalOrder = finalOrder(found);
    execution = engine.prepare(plan);
    Map<String, INDArray> inputs = new LinkedHashMap<>();
    plan.inputs().forEach(v -> inputs.put(v.name(), execution.array(v)));
    for (String name : own) {
      this.crops.add(whole(name, inputs.remove(name), size, partedCrops));
    }
    inputs.replaceAll((name, array) -> whole(name, array, size, partedTargets));
    targets = Collections.unmodifiableMap(inputs);
    embeddings = read(program, Objective.EMBEDDINGS, size);
    for (String name : objective.reads()) {
      read.put(name, read(program, name, size));
    }
    List<RunningStatistics.Entry> entries = new ArrayList<>();
    for (SwavGraph.Moments m : graph.moments()) {
      Value mean = program.values().get(m.mean());
      entries.add(
          new RunningStatistics.Entry(
              execution.array(mean),
              execution.array(program.values().get(m.variance())),
              rowsBehind(mean),
              weights.statistics().get(m.norm() + ".running_mean"),
              weights.statistics().get(m.norm() + ".running_var")));
    }
    statistics = new RunningStatistics(entries);
    loss = execution.array(program.loss());
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    found.forEach((name, v) -> arrays.put(name, execution.array(v)));
    if (parts > 1) {
      partGradients.addAll(arrays.values());
      arrays.replaceAll((name, gradient) -> gradient.ulike());
      wholeGradients.addAll(arrays.values());
    }
    gradients = Collections.unmodifiableMap(arrays);
    for (String name : objective.differentiates()) {
      Value gradient = program.gradients().get(name);
      if (gradient != null) {
        between.put(name, execution.array(gradient));
      }
    }
  }

  private List<String> finalOrder(Map<String, Value> values) {
    Map<Value, String> named = new HashMap<>();
    values.forEach((name, v) -> named.put(v, name));
    return plan.backward().stream()
        .filter(op -> op.type() == OpType.FINAL)
        .map(op -> named.get(op.input(0)))
        .toList();
  }

  private INDArray read(PlanReader.Program program, String name, int size) {
    return whole(name, execution.array(program.values().get(name)), size, partedRead);
  }

  /** The array of the whole batch that belongs to one of a part. */
  private INDArray whole(String name, INDArray part, int size, List<PartedArray> kind) {
    if (parts == 1) {
      return part;
    }
    PartedArray parted = new PartedArray(name, part, size, parts);
    kind.add(parted);
    return parted.whole();
  }

  /** What is known after the forward half: embeddings, what the objective reads, statistics. */
  private static List<String> early(SwavGraph graph, Objective objective) {
    List<String> names = new ArrayList<>(List.of(Objective.EMBEDDINGS));
    names.addAll(objective.reads());
    for (SwavGraph.Moments m : graph.moments()) {
      names.add(m.mean());
      names.add(m.variance());
    }
    return names;
  }

  private static void refuseTargetsBeforeTheyAreKnown(
      PlanReader.Program program, List<String> crops, Objective objective) {
    for (Op op : program.plan().forward()) {
      for (Value v : op.inputs()) {
        if (v.kind() == Value.Kind.INPUT && !crops.contains(v.name())) {
          throw new IllegalArgumentException(
              "the objective reads "
                  + objective.reads()
                  + " before its target \""
                  + v.name()
                  + "\" is known, but they depend on it: read what the target is made from");
        }
      }
    }
  }

  private long rowsBehind(Value mean) {
    for (Op op : plan.forward()) {
      if (op.type() == OpType.BATCH_NORM && op.output(1) == mean) {
        return op.input(0).length() / mean.length() * op.arguments().workers().size();
      }
    }
    throw new IllegalStateException("no batch norm makes " + mean);
  }

  /** N, the parts that a batch is worked off in; 1 if at once. */
  public int parts() {
    return parts;
  }

  /** Where the crops of a group go before {@link #forward}: {@code [count·B, C, size, size]}. */
  public INDArray crops(int group) {
    return crops.get(group);
  }

  /** Runs the network, up to the embeddings and what the objective reads. */
  public void forward() {
    if (parts == 1) {
      execution.forward();
      return;
    }
    for (int part = 0; part < parts; part++) {
      forward(part);
      for (PartedArray array : partedRead) {
        array.store(part);
      }
    }
  }

  private void forward(int part) {
    for (PartedArray array : partedCrops) {
      array.load(part);
    }
    execution.forward();
  }

  /** {@code [V·B, D]}, rows of unit length; valid until the next step. */
  public INDArray embeddings() {
    return embeddings;
  }

  /**
   * What the objective reads after {@link #forward}; valid until the next step.
   *
   * @param name one of {@link Objective#reads}
   * @throws IllegalArgumentException if the objective doesn't read it
   */
  public INDArray value(String name) {
    return named(read, name, "what the objective reads");
  }

  /**
   * Where a target goes before {@link #backward}.
   *
   * @param name of a placeholder the objective made
   * @throws IllegalArgumentException if there is none of that name
   */
  public INDArray target(String name) {
    return named(targets, name, "the objective's placeholders");
  }

  private static INDArray named(Map<String, INDArray> arrays, String name, String what) {
    INDArray array = arrays.get(name);
    if (array == null) {
      throw new IllegalArgumentException(
          "\"" + name + "\" is not among " + what + ": these are " + arrays.keySet());
    }
    return array;
  }

  /**
   * SwAV's scores, {@code [V·B, K]}, cosines if the prototypes have unit length; valid until the
   * next step.
   *
   * @throws IllegalArgumentException if the objective has no scores
   */
  public INDArray scores() {
    return value(SwappedPrediction.SCORES);
  }

  /**
   * Where SwAV's codes of crops 0 to A-1 go before {@link #backward}: {@code [A·B, K]}.
   *
   * @throws IllegalArgumentException if the objective has no codes
   */
  public INDArray codes() {
    return target(SwappedPrediction.CODES);
  }

  /**
   * Computes the loss and its gradients, and moves the running statistics of batch norm.
   *
   * @return the loss in nats
   */
  public double backward() {
    try {
      double sum = 0;
      // From the last, whose forward half is the one that was run last.
      for (int part = parts - 1; part >= 0; part--) {
        if (part < parts - 1) {
          forward(part);
        }
        sum += backward(part);
      }
      return sum / parts;
    } finally {
      running = -1;
    }
  }

  private double backward(int part) {
    for (PartedArray array : partedTargets) {
      array.load(part);
    }
    running = part;
    execution.backward();
    statistics.update();
    if (listener == GradientListener.none()) {
      for (int i = 0; i < partGradients.size(); i++) {
        addToWhole(i);
      }
    }
    return loss.getDouble(0);
  }

  /** A gradient of this part is final. */
  private void isFinal(int i) {
    if (running < 0) {
      return; // a profile, which belongs to no step
    }
    if (parts > 1) {
      addToWhole(i);
    }
    if (running == 0) {
      listener.isFinal(names.get(i));
    }
  }

  private void addToWhole(int i) {
    INDArray whole = wholeGradients.get(i);
    if (running == parts - 1) {
      whole.assign(partGradients.get(i));
    } else {
      whole.addi(partGradients.get(i));
    }
    if (running == 0) {
      whole.divi(parts);
    }
  }

  /**
   * Gradients after {@link #backward}, under the names of the network's parameters and the
   * objective's; valid until the next step. Parameters the loss does not reach are absent.
   */
  public Map<String, INDArray> gradients() {
    return gradients;
  }

  /**
   * The gradient of a variable that is no parameter, after {@link #backward}; valid until the next
   * step.
   *
   * @param name one of {@link Objective#differentiates}
   * @throws IllegalArgumentException if the objective doesn't name it, or the loss doesn't depend
   *     on it
   */
  public INDArray gradient(String name) {
    return named(between, name, "the variables with gradients beside the parameters");
  }

  /**
   * The names of all gradients in the order in which {@link GradientListener} is told of them;
   * empty if nobody listens.
   */
  public List<String> finalOrder() {
    return finalOrder;
  }

  /** What is run, one op a line; of a batch in parts, on each of them. */
  public Plan plan() {
    return plan;
  }

  /** Bytes of what is computed at once, a batch or a part of one, besides the weights. */
  public long partBytes() {
    return execution.bytes();
  }

  /** Bytes held besides the weights. */
  public long bytes() {
    long bytes = execution.bytes();
    for (List<PartedArray> arrays : List.of(partedCrops, partedRead, partedTargets)) {
      bytes += arrays.stream().mapToLong(PartedArray::bytes).sum();
    }
    return bytes + wholeGradients.stream().mapToLong(g -> g.length() * g.dataType().width()).sum();
  }

  /** Runs a step, or a part of one, op by op with a clock on each. */
  public List<Execution.Timing> profile() {
    return execution.profile();
  }

  @Override
  public void close() {
    execution.close();
    for (List<PartedArray> arrays : List.of(partedCrops, partedRead, partedTargets)) {
      arrays.forEach(PartedArray::close);
    }
    wholeGradients.forEach(INDArray::close);
  }
}
