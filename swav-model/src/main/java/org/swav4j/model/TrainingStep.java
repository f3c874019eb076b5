package org.swav4j.model;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Execution;
import org.swav4j.model.plan.FuseRelu;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.OpType;
import org.swav4j.model.plan.Plan;
import org.swav4j.model.plan.RecomputeNorms;
import org.swav4j.model.plan.RecomputeSums;
import org.swav4j.model.plan.Value;

/**
 * One step of SwAV without the optimiser: crops → scores, codes → loss and gradients. The network
 * is defined and differentiated by SameDiff, compiled once into a plan, and run by an engine over
 * memory allocated once.
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
 */
public final class TrainingStep implements AutoCloseable {
  private final Execution execution;
  private final Plan plan;
  private final List<INDArray> crops = new ArrayList<>();
  private final INDArray embeddings;
  private final INDArray scores;
  private final INDArray codes;
  private final INDArray loss;
  private final Map<String, INDArray> gradients;
  private final RunningStatistics statistics;

  /**
   * Compiles the step.
   *
   * @param weights read at each run, never replaced: update the arrays of {@code parameters()} in
   *     place. Their running statistics are updated by {@link #backward}
   * @param crops one group per size; crop 0 is the first of the first group
   * @param batch B, at least 1
   * @param assigning A, from 1 to V - 1 at least 1 crop left to predict
   * @param engine what runs it
   * @throws IllegalArgumentException if a number is out of range or a crop too small for the trunk
   */
  public TrainingStep(
      SwavWeights weights, List<CropGroup> crops, int batch, int assigning, Engine engine) {
    int views = crops.stream().mapToInt(CropGroup::count).sum();
    if (batch < 1) {
      throw new IllegalArgumentException("batch is " + batch + ", expected at least 1");
    }
    if (views < 2) {
      throw new IllegalArgumentException(
          "there is "
              + views
              + " crop per image, expected at least 2: a crop's code is predicted from another");
    }
    if (assigning < 1 || assigning > views) {
      throw new IllegalArgumentException(
          "assigning crops are " + assigning + ", expected 1 to " + views + ", usually 2");
    }
    SwavGraph graph = new SwavGraph(weights, crops, batch, assigning);
    Plan written = PlanReader.read(graph, weights);
    plan = new RecomputeNorms().apply(new RecomputeSums().apply(new FuseRelu().apply(written)));
    execution = engine.prepare(plan);
    for (int g = 0; g < crops.size(); g++) {
      this.crops.add(input(SwavGraph.cropsName(g)));
    }
    codes = input(SwavGraph.CODES);
    int next = 0;
    embeddings = execution.array(plan.outputs().get(next++));
    scores = execution.array(plan.outputs().get(next++));
    List<RunningStatistics.Entry> entries = new ArrayList<>();
    for (SwavGraph.Moments m : graph.moments()) {
      Value mean = plan.outputs().get(next++);
      Value variance = plan.outputs().get(next++);
      entries.add(
          new RunningStatistics.Entry(
              execution.array(mean),
              execution.array(variance),
              rowsBehind(mean),
              weights.statistics().get(m.norm() + ".running_mean"),
              weights.statistics().get(m.norm() + ".running_var")));
    }
    statistics = new RunningStatistics(entries);
    loss = execution.array(plan.outputs().get(next++));
    Map<String, INDArray> found = new LinkedHashMap<>();
    for (String name : weights.parameters().keySet()) {
      found.put(name, execution.array(plan.outputs().get(next++)));
    }
    gradients = Collections.unmodifiableMap(found);
  }

  private INDArray input(String name) {
    for (Value v : plan.inputs()) {
      if (v.name().equals(name)) {
        return execution.array(v);
      }
    }
    throw new IllegalStateException("the plan has no input " + name);
  }

  private long rowsBehind(Value mean) {
    for (Op op : plan.forward()) {
      if (op.type() == OpType.BATCH_NORM && op.output(1) == mean) {
        return op.input(0).length() / mean.length();
      }
    }
    throw new IllegalStateException("no batch norm makes " + mean);
  }

  /** Where the crops of a group go before {@link #forward}: {@code [count·B, C, size, size]}. */
  public INDArray crops(int group) {
    return crops.get(group);
  }

  /** Runs trunk, head and prototypes. */
  public void forward() {
    execution.forward();
  }

  /** {@code [V·B, K]}, cosines if the prototypes have unit length; valid until the next step. */
  public INDArray scores() {
    return scores;
  }

  /** {@code [V·B, D]}, rows of unit length; valid until the next step. */
  public INDArray embeddings() {
    return embeddings;
  }

  /** Where the codes of crops 0 to A-1 go before {@link #backward}: {@code [A·B, K]}. */
  public INDArray codes() {
    return codes;
  }

  /**
   * Computes the loss and its gradients, and moves the running statistics of batch norm.
   *
   * @return the loss in nats
   */
  public double backward() {
    execution.backward();
    statistics.update();
    return loss.getDouble(0);
  }

  /** Gradients after {@link #backward}, under the parameters' names; valid until the next step. */
  public Map<String, INDArray> gradients() {
    return gradients;
  }

  /** What is run, one op a line. */
  public Plan plan() {
    return plan;
  }

  /** Bytes held besides the weights. */
  public long bytes() {
    return execution.bytes();
  }

  /** Runs a step op by op with a clock on each. */
  public List<Execution.Timing> profile() {
    return execution.profile();
  }

  @Override
  public void close() {
    execution.close();
  }
}
