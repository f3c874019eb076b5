package org.swav4j.train.method;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.model.Objective;
import org.swav4j.model.SwappedPrediction;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.TrainingStep;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Precision;
import org.swav4j.sinkhorn.SwavCodes;
import org.swav4j.train.collective.Collective;
import org.swav4j.train.optimiser.PrototypeNormaliser;

/**
 * SwAV (Caron et al. 2020, <a href="https://arxiv.org/abs/2006.09882">arXiv 2006.09882</a>,
 * algorithm 1). One step:
 *
 * <pre>
 *   prototypes back to the unit sphere                                {@link PrototypeNormaliser}
 *   scores of all V crops                                             {@link SwappedPrediction}
 *   for each assigning crop, with its queue once that is full: codes  {@link CodeAssigner}
 *   codes predicted from the other crops: the loss                    {@link SwappedPrediction}
 *   prototypes don't move while they are frozen                       {@link #trains}
 * </pre>
 */
public final class SwavMethod implements Method {
  /** The parameter that holds the prototypes, {@code [K, D]}; of H heads {@code [H·K, D]}. */
  public static final String PROTOTYPES = "prototypes.weight";

  /**
   * SwAV's settings.
   *
   * @param assigning A, crops whose codes are predicted, from crop 0: usually 2
   * @param temperature τ of the prediction, usually 0.1
   * @param frozenSteps for which the prototypes stay as they began
   * @param queueLength L, rows of the queue of each assigning crop, of all workers together; 0
   *     without one
   * @param queueStart step at which the queue begins to fill
   * @param codes how codes are made of scores
   * @param heads H, sets of prototypes, each with codes of its own; the loss is the mean over them
   */
  public record Settings(
      int assigning,
      double temperature,
      long frozenSteps,
      int queueLength,
      long queueStart,
      CodeKind codes,
      int heads) {

    /** Soft codes, no queue, one head, and prototypes that move from the start. */
    public Settings(int assigning, double temperature) {
      this(assigning, temperature, 0, 0, 0, CodeKind.SOFT, 1);
    }

    /** The same with codes of that kind. */
    public Settings withCodes(CodeKind kind) {
      return new Settings(
          assigning, temperature, frozenSteps, queueLength, queueStart, kind, heads);
    }

    /** The same with prototypes that stay as they began for so many steps. */
    public Settings withFrozenPrototypes(long steps) {
      return new Settings(assigning, temperature, steps, queueLength, queueStart, codes, heads);
    }

    /** The same with a queue of L rows per assigning crop that begins to fill at a step. */
    public Settings withQueue(int length, long startStep) {
      return new Settings(assigning, temperature, frozenSteps, length, startStep, codes, heads);
    }

    /** The same with H heads, of which the number of prototypes is a multiple. */
    public Settings withHeads(int count) {
      return new Settings(
          assigning, temperature, frozenSteps, queueLength, queueStart, codes, count);
    }
  }

  private final Settings settings;
  private final SwavCodes solver;
  private final Engine engine;
  private final Objective objective;
  private final PrototypeNormaliser normaliser = new PrototypeNormaliser();
  private INDArray prototypes;
  private INDArray[] scores;
  private INDArray[] embeddings;
  private INDArray[] codes;
  private Collective workers = Collective.single();
  private CodeAssigner assigner;
  private Shares shares;
  private int queueRows;

  /**
   * SwAV.
   *
   * @param solver of the codes: epsilon 0.05 and 3 iterations in the published recipes
   * @param engine what multiplies queue and prototypes, in floats whatever the network is computed
   *     in
   */
  public SwavMethod(Settings settings, SwavCodes solver, Engine engine) {
    this(
        settings,
        solver,
        engine,
        new SwappedPrediction(settings.assigning(), settings.temperature(), settings.heads()));
  }

  private SwavMethod(Settings settings, SwavCodes solver, Engine engine, Objective objective) {
    this.settings = settings;
    this.objective = objective;
    this.solver = solver;
    this.engine = engine;
    this.assigner = new CodeAssigner(solver, workers, settings.codes(), settings.heads());
  }

  /**
   * The same with another loss, such as SwAV's with a term of one's own: a method that is not
   * begun.
   *
   * @param change gets SwAV's objective; what it gives has scores and codes under the same names
   */
  public SwavMethod withObjective(UnaryOperator<Objective> change) {
    return new SwavMethod(settings, solver, engine, change.apply(objective));
  }

  @Override
  public Objective objective() {
    return objective;
  }

  /** True: codes are computed over the whole batch, and then the loss is a mean over images. */
  @Override
  public boolean allowsParts() {
    return true;
  }

  /** Codes are those of the whole batch, and each worker keeps the rows of the queue it made. */
  @Override
  public void workers(Collective collective) {
    workers = collective;
    assigner = new CodeAssigner(solver, collective.codes(), settings.codes(), settings.heads());
  }

  @Override
  public void begin(TrainingStep step, SwavWeights weights) {
    shares = new Shares(workers, step.codes().size(0) / settings.assigning() / step.parts());
    prototypes = weights.parameters().get(PROTOTYPES);
    codes = crops(step.codes(), step.codes().size(0) / settings.assigning());
    scores = crops(step.scores(), codes[0].size(0));
    embeddings = crops(step.embeddings(), codes[0].size(0));
  }

  /** The rows of the assigning crops, as views. */
  private INDArray[] crops(INDArray rows, long batch) {
    INDArray[] crops = new INDArray[settings.assigning()];
    for (int i = 0; i < crops.length; i++) {
      crops[i] = rows.get(NDArrayIndex.interval(i * batch, (i + 1) * batch));
    }
    return crops;
  }

  @Override
  public void beforeForward(SwavWeights weights) {
    normaliser.normalise(prototypes);
  }

  @Override
  public void beforeSaving(SwavWeights copy) {
    new PrototypeNormaliser().normalise(copy.parameters().get(PROTOTYPES));
  }

  @Override
  public void targets(TrainingStep step, long number, Collective collective) {
    if (assigner.queue() == null && settings.queueLength() > 0 && number >= settings.queueStart()) {
      assigner.use(newQueue());
    }
    for (int i = 0; i < codes.length; i++) {
      int own = assigner.assign(i, scores[i], embeddings[i], prototypes, codes[i]);
      queueRows = own * workers.size();
    }
  }

  private EmbeddingQueue newQueue() {
    return new EmbeddingQueue(
        settings.assigning(),
        settings.queueLength() / workers.size(),
        (int) codes[0].size(0),
        (int) prototypes.size(1),
        prototypes.dataType(),
        // Codes are computed in full precision, whatever the network is.
        engine.withPrecision(Precision.FLOAT));
  }

  @Override
  public boolean trains(String parameter, long number) {
    return number >= settings.frozenSteps() || !parameter.equals(PROTOTYPES);
  }

  @Override
  public int queueRows() {
    return queueRows;
  }

  /** ln K: every prototype predicted alike. */
  @Override
  public double chanceLoss() {
    return Math.log(prototypes.size(0) / (double) settings.heads());
  }

  /** Those of this worker's queue. */
  @Override
  public long bytes() {
    return prototypes.dataType().width()
        * prototypes.size(1)
        * settings.assigning()
        * (settings.queueLength() / workers.size());
  }

  /** The queue's, of all workers together: {@link EmbeddingQueue#state}. */
  @Override
  public Map<String, INDArray> state() {
    return assigner.queue() == null ? Map.of() : shared(assigner.queue().state(), shares::whole);
  }

  /** With other rows of the queue in the place of its own; how often was pushed stays. */
  private static Map<String, INDArray> shared(
      Map<String, INDArray> state, UnaryOperator<INDArray> rows) {
    Map<String, INDArray> shared = new LinkedHashMap<>(state);
    shared.replaceAll((name, array) -> array.rank() == 2 ? rows.apply(array) : array);
    return shared;
  }

  /** Of a run that ends before its queue is used, a queue is not gone on with. */
  @Override
  public void restore(Map<String, INDArray> state) {
    if (!state.isEmpty() && settings.queueLength() > 0) {
      EmbeddingQueue queue = newQueue();
      queue.restore(shared(state, shares::own));
      assigner.use(queue);
    }
  }

  @Override
  public void close() {
    assigner.close();
  }
}
