package org.swav4j.train.loop;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.swav4j.data.CropPipeline;
import org.swav4j.data.ImageSource;
import org.swav4j.data.MultiCropLoader;
import org.swav4j.data.Normalisation;
import org.swav4j.data.Share;
import org.swav4j.data.SkippedImages;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.TrainingStep;
import org.swav4j.model.Views;
import org.swav4j.model.engine.Engine;
import org.swav4j.train.collective.Collective;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.evaluation.FeatureQuality;
import org.swav4j.train.method.Method;
import org.swav4j.train.optimiser.Optimiser;

/**
 * The training loop: for every epoch, for every batch, one {@link MethodStep} at the schedule's
 * learning rate. What is learned is the {@link Method}'s; whatever watches is a {@link
 * TrainingListener}.
 *
 * <pre>{@code
 * try (Trainer trainer = new Trainer(config, images, weights, Engines.best())) {
 *   trainer.listener(new MetricsLog(file, 0)).run();
 * }
 * }</pre>
 *
 * <p>Several workers may train the same weights, see {@link Collective}: each has a trainer of the
 * same configuration, and {@link #run}, {@link #checkpoint} and {@link #restore} are called by all
 * of them. What they learn is what one machine learns with the whole batch.
 *
 * <p>Weights are changed in place. To be used by one thread, but for {@link #stop}.
 */
public final class Trainer implements AutoCloseable {
  private final TrainingConfig config;
  private final RunSizes sizes;
  private final SwavWeights weights;
  private final Method method;
  private final CropFeed feed;
  private final MethodStep step;
  private final Optional<WeightsAverage> average;
  private final RunState state;
  private final EpochTally tally;
  private final Collective collective;
  private final WeightsDigest digest;
  private final double[] asked = new double[1];
  private final List<TrainingListener> listeners = new ArrayList<>();
  private volatile boolean stopping;

  /**
   * The configured method on images. Compiles the step and starts the loader's threads.
   *
   * @param config with the normalisation filled in
   * @param images to learn from; labels are looked at if the method is {@code supervised}, and then
   *     must be there
   * @param weights to begin with, of the configuration's network; changed in place
   * @param engine what runs the network
   * @throws IllegalArgumentException if the batch is larger than the data, or values don't fit
   */
  public Trainer(TrainingConfig config, ImageSource images, SwavWeights weights, Engine engine) {
    this(config, images, weights, engine, Collective.single());
  }

  /**
   * The same for one of several workers that train together, of N the one of rank r. It reads the
   * images of rows r·B/N up to (r+1)·B/N of every batch, which get the crops that they get on one
   * machine.
   *
   * @param config the same everywhere; its batch B is that of all workers together
   * @param images all of them, in the same order everywhere
   * @param weights equal everywhere to begin with
   * @param engine the same everywhere
   * @param collective the workers
   * @throws IllegalArgumentException if B is not a multiple of N, the batch is larger than the
   *     data, values don't fit, or the method learns with one worker alone
   */
  public Trainer(
      TrainingConfig config,
      ImageSource images,
      SwavWeights weights,
      Engine engine,
      Collective collective) {
    this(
        config,
        RunSizes.of(config, images.size()),
        new LoaderFeed(loader(config, images, collective), places(config), true),
        weights,
        ConfiguredMethod.of(config, images, engine),
        engine,
        collective,
        images.digest());
  }

  /**
   * Any method on batches of any iterator. Compiles the step.
   *
   * <p>With a {@link MultiCropLoader} a resumed run equals an uninterrupted one bit for bit. With
   * another iterator it goes on with whatever batches that gives next: weights, optimiser and
   * method are restored exactly, the order of images is not.
   *
   * @param config its codes are SwAV's and not looked at if the method is another one
   * @param batches one features array {@code [count·b, C, size, size]} per crop group of the
   *     configuration, b its batch, of N workers an Nth of it; labels are not looked at. Not closed
   *     here
   * @param images that an epoch is counted by, of all workers: it has images / B steps, rounded
   *     down, B being the images in a step
   * @param weights to begin with, of the configuration's network; changed in place
   * @param method closed with this trainer
   * @param engine what runs the network
   * @param collective the workers, if several train these weights, each with its own {@link Share}
   *     of every batch and equal weights to begin with; otherwise {@link Collective#single}
   * @throws IllegalArgumentException if the batch is larger than the data or not a multiple of the
   *     workers, values don't fit, or the method must know images and the batches don't come from a
   *     {@link MultiCropLoader}
   */
  public Trainer(
      TrainingConfig config,
      MultiDataSetIterator batches,
      int images,
      SwavWeights weights,
      Method method,
      Engine engine,
      Collective collective) {
    this(
        config,
        RunSizes.of(config, images),
        batches instanceof MultiCropLoader loader
            ? new LoaderFeed(loader, places(config), false)
            : new IteratorFeed(batches, places(config), method),
        weights,
        method,
        engine,
        collective,
        "");
  }

  private Trainer(
      TrainingConfig config,
      RunSizes sizes,
      CropFeed feed,
      SwavWeights weights,
      Method method,
      Engine engine,
      Collective collective,
      String data) {
    this.config = config;
    this.sizes = sizes;
    this.weights = weights;
    this.method = method;
    this.feed = feed;
    this.collective = collective;
    this.digest = new WeightsDigest(collective, weights);
    Optimiser optimiser = ConfiguredOptimiser.of(config.optimisation());
    int parts = config.optimisation().accumulate();
    try {
      this.step =
          new MethodStep(
              weights,
              new Views(
                  config.groups(), parts * share(collective).rows(config.optimisation().batch())),
              parts,
              method,
              optimiser,
              engine,
              collective,
              config.execution().syncNorm(),
              config.execution().gradients());
    } catch (RuntimeException | Error e) {
      feed.close();
      throw e;
    }
    double decay = config.optimisation().averageDecay();
    this.average = decay > 0 ? Optional.of(new WeightsAverage(weights, decay)) : Optional.empty();
    this.state =
        new RunState(
            config,
            sizes,
            weights,
            optimiser,
            method,
            average.map(WeightsAverage::state).orElse(Map.of()),
            data);
    this.tally = new EpochTally(sizes);
  }

  private static CropPlaces places(TrainingConfig config) {
    return new CropPlaces(config.crops(), config.optimisation().accumulate());
  }

  private static Share share(Collective collective) {
    return new Share(collective.rank(), collective.size());
  }

  private static MultiCropLoader loader(
      TrainingConfig config, ImageSource images, Collective collective) {
    Normalisation normalisation = config.data().normalisation();
    if (normalisation == null) {
      throw new IllegalArgumentException(
          "the configuration has no normalisation: measure it with Normalisation.of(images, 1000)");
    }
    return new MultiCropLoader(
        images,
        CropPipeline.published(config.crops(), config.augmentation()),
        normalisation,
        config.optimisation().batch(),
        share(collective),
        config.execution().seed(),
        config.execution().workers());
  }

  /** Adds one that is told how training goes. */
  public Trainer listener(TrainingListener listener) {
    listeners.add(listener);
    return this;
  }

  /**
   * How features are judged before training and at the end of epochs: weights, or their average if
   * the configuration asks for one. It must leave the weights as they are. Measured before any
   * other listener measures.
   */
  public Trainer judge(Function<SwavWeights, FeatureQuality> quality) {
    int every = config.evaluation().everyEpochs();
    listeners.add(0, new JudgeListener(quality, judged(), every, this::stopped));
    return this;
  }

  /** The weights that are of use: the average of them, if one is kept. */
  private SwavWeights judged() {
    return average.map(WeightsAverage::weights).orElse(weights);
  }

  /** The sizes of the run. */
  public RunSizes sizes() {
    return sizes;
  }

  /** The compiled network and loss, whose arrays hold what the last step left. */
  public TrainingStep network() {
    return step.network();
  }

  /** Steps completed so far. */
  public long done() {
    return state.done;
  }

  /** Images that could not be read so far. */
  public SkippedImages skipped() {
    return feed.skipped();
  }

  /** Bytes that the compiled step holds. */
  public long bytes() {
    return step.network().bytes();
  }

  /** Bytes of these for a batch, or one of its parts: what grows with the batch. */
  public long partBytes() {
    return step.network().partBytes();
  }

  /** Bytes that the method holds beside them. */
  public long methodBytes() {
    return method.bytes();
  }

  /**
   * Asks training to end after the step it is at; that of all workers, if one is asked. May be
   * called from any thread.
   */
  public void stop() {
    stopping = true;
  }

  /** Whether {@link #stop} was called, here or, as known after the last step, on another worker. */
  public boolean stopped() {
    return stopping;
  }

  /**
   * Trains from where it stands to the end, or until {@link #stop}.
   *
   * @throws TrainingException if the loss or a gradient is no finite number, or the weights of a
   *     worker are not those of the others, which is looked at before the first step and after each
   *     epoch
   * @throws java.io.UncheckedIOException if no image can be read, or a listener can't write
   */
  public void run() {
    listeners.forEach(l -> l.started(sizes));
    feed.inexact().ifPresent(line -> listeners.forEach(l -> l.note(line)));
    digest.requireEqual(state.done);
    if (state.done == 0) {
      tell(EpochMetrics.untrained());
    }
    while (state.done < sizes.totalSteps() && !stopsNow()) {
      epoch((int) (state.done / sizes.stepsPerEpoch()));
    }
    listeners.forEach(TrainingListener::ended);
  }

  private void epoch(int epoch) {
    feed.begin(epoch, state.doneInEpoch());
    tally.begin(feed.waitedNanos());
    method.epochBegins(epoch);
    do {
      feed.next(step);
      double loss = step(state.done);
      average.ifPresent(a -> a.update(state.done));
      StepMetrics metrics =
          tally.step(state.done, loss, method.chanceLoss(), method.queueRows(), feed.waitedNanos());
      state.lossSum += loss;
      state.done++;
      tell(metrics);
    } while (state.doneInEpoch() > 0 && !stopsNow());
    if (state.doneInEpoch() == 0) {
      digest.requireEqual(state.done);
      double mean = state.lossSum / sizes.stepsPerEpoch();
      state.lossSum = 0;
      tell(tally.epoch(state.done, mean, method.chanceLoss()));
    }
  }

  /** Whether any worker was asked to stop: all then stop after the same step. */
  private boolean stopsNow() {
    if (collective.size() > 1) {
      asked[0] = stopping ? 1 : 0;
      collective.max(asked);
      if (asked[0] > 0) {
        stopping = true;
      }
    }
    return stopping;
  }

  private void tell(StepMetrics known) {
    StepMetrics metrics = known;
    for (TrainingListener listener : listeners) {
      metrics = listener.measure(metrics);
    }
    for (TrainingListener listener : listeners) {
      listener.step(metrics);
    }
  }

  private void tell(EpochMetrics known) {
    EpochMetrics metrics = known;
    for (TrainingListener listener : listeners) {
      metrics = listener.measure(metrics);
    }
    for (TrainingListener listener : listeners) {
      listener.epoch(metrics);
    }
  }

  private double step(long number) {
    double learningRate = sizes.schedule().at(number);
    try {
      return step.run(number, learningRate);
    } catch (ArithmeticException | IllegalArgumentException e) {
      // The solver and the optimiser refuse numbers that are not finite.
      throw new TrainingException(
          String.format(
              Locale.ROOT,
              "training broke down at step %d (epoch %d, learning rate %.3g): %s; a smaller `learningRate` or"
                  + " a longer `warmupEpochs` is the usual cure; the last checkpoint is as it was",
              number,
              number / sizes.stepsPerEpoch(),
              learningRate,
              e.getMessage()),
          e);
    }
  }

  /**
   * Everything needed to go on from here. The arrays are the live ones: write it before the next
   * step. Of several workers all call it at the same step, and each gets the same: what one machine
   * would have, to be gone on with by any number of workers.
   *
   * @param rawPixels k-NN accuracy on raw pixels, kept for the report; NaN if not measured
   */
  public Checkpoint checkpoint(double rawPixels) {
    return state.checkpoint(rawPixels);
  }

  /**
   * A copy of the weights as they are now, ready for use outside of training; of their average if
   * the configuration asks for one.
   */
  public SwavWeights weights() {
    SwavWeights copy = judged().copy();
    method.beforeSaving(copy);
    return copy;
  }

  /**
   * Goes back to a checkpoint: what follows is bit for bit what would have followed, if the batches
   * are, and the configuration and the machine. With other learning rates or another number of
   * epochs the rest follows the new schedule from where it stands.
   *
   * @throws TrainingException if it is of another network or of other data, or further than the
   *     configuration goes
   */
  public void restore(Checkpoint checkpoint) {
    state.restore(checkpoint);
  }

  /** Ends the loader's threads and frees the memory of step and average; the weights stay. */
  @Override
  public void close() {
    feed.close();
    step.close();
    average.ifPresent(WeightsAverage::close);
  }
}
