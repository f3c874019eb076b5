package org.swav4j.train.loop;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.data.ImageSource;
import org.swav4j.data.MultiCropBatch;
import org.swav4j.data.MultiCropLoader;
import org.swav4j.data.SkippedImages;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.TrainingStep;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Engines;
import org.swav4j.model.engine.Precision;
import org.swav4j.sinkhorn.SwavCodes;
import org.swav4j.train.advice.CollapseMonitor;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.config.TrainingConfig.OptimiserKind;
import org.swav4j.train.diagnostics.EpochDiagnostics;
import org.swav4j.train.diagnostics.TrainingDiagnostics;
import org.swav4j.train.method.EmbeddingQueue;
import org.swav4j.train.optimiser.Lars;
import org.swav4j.train.optimiser.Optimiser;
import org.swav4j.train.optimiser.PrototypeNormaliser;
import org.swav4j.train.optimiser.Sgd;

/**
 * SwAV's training loop (arXiv 2006.09882, algorithm 1 and its published recipes). One step:
 *
 * <pre>
 *   learning rate of the step
 *   prototypes back to the unit sphere
 *   crops → scores of all V crops                                        (one forward pass)
 *   for each assigning crop:  scores, behind those of the queue if it is full → codes
 *                             embeddings → queue
 *   codes → loss, gradients, running statistics                          (one backward pass)
 *   while frozen, the prototypes' gradient is left out
 *   weights, by SGD or LARS
 * </pre>
 *
 * <p>Weights are changed in place. To be used by one thread, but for {@link #stop}.
 */
public final class Trainer implements AutoCloseable {
  private static final String PROTOTYPES = "prototypes.weight";

  /** Steps from one that is inspected to the next, which keeps the cost well under 1 %. */
  private static final int INSPECT_EVERY = 10;

  private final TrainingConfig config;
  private final TrainingPlan plan;
  private final SwavWeights weights;
  private final MultiCropLoader loader;
  private final TrainingStep step;
  private final Optimiser optimiser;
  private final PrototypeNormaliser normaliser = new PrototypeNormaliser();
  private final SwavCodes codes;
  private final SwavCodes queuedCodes;
  private final INDArray[] scores;
  private final INDArray[] embeddings;
  private final INDArray[] codesOf;
  private final Map<String, INDArray> thawed;
  private final Map<String, INDArray> frozen;
  private final TrainingDiagnostics diagnostics;
  private final CollapseMonitor monitor;
  private final List<TrainingListener> listeners = new ArrayList<>();

  private ToDoubleFunction<SwavWeights> judge = w -> Double.NaN;
  private final Engine engine;
  private EmbeddingQueue queue;
  private int queueRows;
  private long done;
  private double lossSum;
  private volatile boolean stopping;

  /**
   * Compiles the step and starts the loader's threads.
   *
   * @param config with the normalisation filled in
   * @param images to learn from; labels are not looked at
   * @param weights to begin with, of the configuration's network; changed in place
   * @param engine what runs the network
   * @throws IllegalArgumentException if the batch is larger than the data, or values don't fit
   */
  public Trainer(TrainingConfig config, ImageSource images, SwavWeights weights, Engine engine) {
    if (config.data().normalisation() == null) {
      throw new IllegalArgumentException(
          "the configuration has no normalisation: measure it with Normalisation.of(images, 1000)");
    }
    this.config = config;
    this.weights = weights;
    this.plan = TrainingPlan.of(config, images.size());
    this.monitor = new CollapseMonitor(config, plan);
    this.diagnostics = new TrainingDiagnostics(plan.prototypes(), config.network().dim());
    TrainingConfig.Optimisation o = config.optimisation();
    int batch = o.batch();
    int assigning = config.codes().assigning();
    this.optimiser =
        o.optimiser() == OptimiserKind.LARS
            ? new Lars(o.momentum(), o.weightDecay())
            : new Sgd(o.momentum(), o.weightDecay());
    // One solver a shape: each keeps its work space.
    this.codes = new SwavCodes(config.codes().epsilon(), config.codes().iterations());
    this.queuedCodes = new SwavCodes(config.codes().epsilon(), config.codes().iterations());
    this.step = new TrainingStep(weights, config.groups(), batch, assigning, engine);
    this.engine = engine;
    this.scores = blocks(step.scores(), assigning, batch);
    this.embeddings = blocks(step.embeddings(), assigning, batch);
    this.codesOf = blocks(step.codes(), assigning, batch);
    this.thawed = step.gradients();
    this.frozen = new LinkedHashMap<>(thawed);
    frozen.remove(PROTOTYPES);
    this.loader =
        new MultiCropLoader(
            images,
            config.crops(),
            config.augmentation(),
            config.data().normalisation(),
            batch,
            config.execution().seed(),
            config.execution().workers());
  }

  /** The rows of crop 0, of crop 1, ... as views. */
  private static INDArray[] blocks(INDArray rows, int count, int batch) {
    INDArray[] blocks = new INDArray[count];
    for (int i = 0; i < count; i++) {
      blocks[i] = rows.get(NDArrayIndex.interval((long) i * batch, (i + 1L) * batch));
    }
    return blocks;
  }

  /** Adds one that is told how training goes. */
  public Trainer listener(TrainingListener listener) {
    listeners.add(listener);
    return this;
  }

  /**
   * How features are judged before training and at the end of epochs: weights to an accuracy
   * between 0 and 1. It must leave the weights as they are.
   */
  public Trainer judge(ToDoubleFunction<SwavWeights> accuracy) {
    judge = accuracy;
    return this;
  }

  /** The sizes of the run. */
  public TrainingPlan plan() {
    return plan;
  }

  /** What the settings foretell, one line each; empty if nothing is amiss. */
  public List<String> warnings() {
    return monitor.beforeTraining();
  }

  /**
   * Tells the advice what the epochs before a resume were like, so that it goes on as in a run that
   * was not interrupted.
   *
   * @param epochs of the run until its checkpoint, in order, as its metrics log has them
   */
  public void resumeAdvice(List<EpochMetrics> epochs) {
    monitor.resume(epochs);
  }

  /** Steps completed so far. */
  public long done() {
    return done;
  }

  /** Images that could not be read so far. */
  public SkippedImages skipped() {
    return loader.skipped();
  }

  /** Bytes that the compiled step holds. */
  public long bytes() {
    return step.bytes();
  }

  /** Asks training to end after the step it is at. May be called from any thread. */
  public void stop() {
    stopping = true;
  }

  /** Whether {@link #stop} was called. */
  public boolean stopped() {
    return stopping;
  }

  /**
   * Trains from where it stands to the end, or until {@link #stop}.
   *
   * @throws TrainingException if the loss or a gradient is no finite number
   * @throws java.io.UncheckedIOException if no image can be read, or a listener can't write
   */
  public void run() {
    listeners.forEach(l -> l.started(plan));
    if (done == 0) {
      double nan = Double.NaN;
      double untrained = judge.applyAsDouble(weights);
      monitor.afterEvaluation(0, untrained);
      tell(
          new EpochMetrics(
              0, 0, nan, nan, nan, nan, untrained, EpochDiagnostics.UNKNOWN, warnings()));
    }
    while (done < plan.totalSteps() && !stopping) {
      epoch((int) (done / plan.stepsPerEpoch()));
    }
    listeners.forEach(TrainingListener::ended);
  }

  private void epoch(int epoch) {
    long first = (long) epoch * plan.stepsPerEpoch();
    long skip = done - first;
    int steps = 0;
    double seconds = 0;
    double waited = 0;
    long mark = System.nanoTime();
    long waitMark = loader.waitedNanos();
    for (MultiCropBatch batch : loader.epoch(epoch)) {
      if (skip > 0) {
        // Done before the interruption: the crops are made again and dropped.
        batch.close();
        skip--;
        mark = System.nanoTime();
        waitMark = loader.waitedNanos();
        continue;
      }
      double loss = step(batch);
      lossSum += loss;
      // The last of an epoch always, so that a resumed one has numbers too.
      long inEpoch = done - first + 1;
      if (inEpoch % INSPECT_EVERY == 0 || inEpoch == plan.stepsPerEpoch()) {
        diagnostics.inspect(loss, step.scores(), step.codes(), step.embeddings());
      }
      long now = System.nanoTime();
      long wait = loader.waitedNanos();
      StepMetrics metrics =
          new StepMetrics(
              epoch,
              done,
              loss,
              loss / plan.logK(),
              plan.schedule().at(done),
              queueRows,
              (now - mark) / 1e9,
              (wait - waitMark) / 1e9);
      mark = now;
      waitMark = wait;
      done++;
      steps++;
      seconds += metrics.seconds();
      waited += metrics.waitedSeconds();
      for (TrainingListener listener : listeners) {
        listener.step(metrics);
      }
      if (stopping && done < first + plan.stepsPerEpoch()) {
        return;
      }
    }
    double mean = lossSum / plan.stepsPerEpoch();
    lossSum = 0;
    EpochDiagnostics health = diagnostics.finishEpoch(weights.parameters().get(PROTOTYPES));
    int every = config.evaluation().everyEpochs();
    boolean due = every > 0 && ((epoch + 1) % every == 0 || done == plan.totalSteps());
    double knn = due && !stopping ? judge.applyAsDouble(weights) : Double.NaN;
    tell(
        new EpochMetrics(
            epoch + 1,
            done,
            mean,
            mean / plan.logK(),
            steps * (double) plan.batch() / seconds,
            waited / seconds,
            knn,
            health,
            Stream.concat(
                    monitor.afterEpoch(done, mean, health).stream(),
                    monitor.afterEvaluation(done, knn).stream())
                .toList()));
  }

  private void tell(EpochMetrics metrics) {
    for (TrainingListener listener : listeners) {
      listener.epoch(metrics);
    }
  }

  private double step(MultiCropBatch batch) {
    INDArray prototypes = weights.parameters().get(PROTOTYPES);
    try {
      normaliser.normalise(prototypes);
      try (batch) {
        for (int g = 0; g < batch.groups(); g++) {
          step.crops(g).assign(batch.crops(g));
        }
      }
      step.forward();
      codes(prototypes);
      double loss = step.backward();
      if (!Double.isFinite(loss)) {
        throw new ArithmeticException("the loss is " + loss);
      }
      optimiser.step(
          weights.parameters(),
          done < plan.frozenSteps() ? frozen : thawed,
          plan.schedule().at(done));
      return loss;
    } catch (ArithmeticException | IllegalArgumentException e) {
      // The solver and the optimiser refuse numbers that are not finite.
      throw new TrainingException(
          String.format(
              "training broke down at step %d (epoch %d, learning rate %.3g): %s; a smaller --lr or"
                  + " a longer --warmup is the usual cure; the last checkpoint is as it was",
              done, done / plan.stepsPerEpoch(), plan.schedule().at(done), e.getMessage()),
          e);
    }
  }

  private void codes(INDArray prototypes) {
    if (queue == null && plan.queueRows() > 0 && done >= plan.queueStartStep()) {
      queue = newQueue();
    }
    queueRows = 0;
    for (int i = 0; i < scores.length; i++) {
      if (queue != null && queue.full(i)) {
        queuedCodes.assign(queue.scores(i, scores[i], prototypes), codesOf[i]);
        queueRows = queue.length();
      } else {
        codes.assign(scores[i], codesOf[i]);
      }
      if (queue != null) {
        queue.push(i, embeddings[i]);
      }
    }
  }

  private EmbeddingQueue newQueue() {
    return new EmbeddingQueue(
        scores.length,
        config.codes().queueLength(),
        plan.batch(),
        config.network().dim(),
        weights.type(),
        // Codes are computed in full precision, whatever the network is.
        Engines.of(engine.name(), Precision.FLOAT));
  }

  /**
   * Everything needed to go on from here. The arrays are the live ones: write it before the next
   * step.
   *
   * @param rawPixels k-NN accuracy on raw pixels, kept for the report; NaN if not measured
   */
  public Checkpoint checkpoint(double rawPixels) {
    return new Checkpoint(
        config,
        plan.images(),
        weights.config().channels(),
        done,
        lossSum,
        rawPixels,
        weights.parameters(),
        weights.statistics(),
        optimiser.state(),
        queue == null ? Map.of() : queue.state());
  }

  /**
   * Goes back to a checkpoint: what follows is bit for bit what would have followed.
   *
   * @throws TrainingException if it is of another network or of other data
   */
  public void restore(Checkpoint checkpoint) {
    if (checkpoint.images() != plan.images()
        || checkpoint.channels() != weights.config().channels()) {
      throw new TrainingException(
          String.format(
              "the checkpoint was made on %d images of %d channels, and %s has %d of %d: point"
                  + " --data to the same images",
              checkpoint.images(),
              checkpoint.channels(),
              config.data().spec(),
              plan.images(),
              weights.config().channels()));
    }
    copy("parameter", checkpoint.parameters(), weights.parameters());
    copy("statistic", checkpoint.statistics(), weights.statistics());
    optimiser.restore(checkpoint.momentum());
    if (!checkpoint.queue().isEmpty()) {
      queue = newQueue();
      queue.restore(checkpoint.queue());
    }
    done = checkpoint.step();
    lossSum = checkpoint.lossSum();
  }

  private static void copy(String what, Map<String, INDArray> from, Map<String, INDArray> to) {
    to.forEach(
        (name, array) -> {
          INDArray saved = from.get(name);
          if (saved == null || !saved.equalShapes(array) || saved.dataType() != array.dataType()) {
            throw new TrainingException(
                String.format(
                    "the checkpoint's %s %s is %s, expected %s: it is of another architecture",
                    what,
                    name,
                    saved == null
                        ? "missing"
                        : saved.dataType() + java.util.Arrays.toString(saved.shape()),
                    array.dataType() + java.util.Arrays.toString(array.shape())));
          }
        });
    to.forEach((name, array) -> array.assign(from.get(name)));
  }

  /** Ends the loader's threads and frees the step's memory; the weights stay. */
  @Override
  public void close() {
    loader.close();
    step.close();
    if (queue != null) {
      queue.close();
    }
  }
}
