package org.swav4j.train.cli;

import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.Pointer;
import org.swav4j.data.CropSpec;
import org.swav4j.data.DataSets;
import org.swav4j.model.InputSize;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Engines;
import org.swav4j.model.engine.PlanMemoryError;
import org.swav4j.model.engine.Precision;
import org.swav4j.train.config.Machine;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.features.Embedder;
import org.swav4j.train.features.FeatureJudge;
import org.swav4j.train.loop.Trainer;
import org.swav4j.train.loop.TrainingException;

/**
 * The memory that a run takes beside that of the process before it, in bytes. Nearly all of it is
 * touched in the first step only, when the system would end the process for it.
 *
 * @param config of the run
 * @param parameters bytes of the network's
 * @param crops bytes of the crops of one image
 * @param images whose step the measured arrays are for
 * @param arrays bytes of everything the compiled step of so many images holds, but gradients
 * @param method bytes of what the method keeps
 * @param judging bytes of the encoder and the features by which a run is judged meanwhile
 * @param pixels bytes of the images whose pixels themselves are judged, before the first step
 */
record TrainingMemory(
    TrainingConfig config,
    long parameters,
    long crops,
    int images,
    long arrays,
    long method,
    long judging,
    long pixels) {
  private static final int FLOAT = Float.BYTES;

  /**
   * What Java adds to its own in the course of a run, compiled code and images on their way among
   * it, and what the report takes; as seen with ResNets of 20, 18 and 50 layers.
   */
  private static final long JAVA = 192L << 20;

  /** Batches of crops that the loader keeps. */
  private static final int LOADED = 3;

  /**
   * Makes the trainer of a run.
   *
   * @throws TrainingException if it would take more memory than there is, with what fits
   */
  static Trainer trainer(TrainingData data, SwavWeights weights, Engine engine) {
    TrainingConfig config = data.config();
    long before = Machine.resident().orElse(0);
    Trainer trainer;
    try {
      trainer = new Trainer(config, data.sets().train(), weights, engine);
    } catch (PlanMemoryError e) {
      throw of(data, weights, e.bytes(), 0).refusal(before, available().orElse(before));
    }
    OptionalLong available = available();
    TrainingMemory memory = of(data, weights, trainer);
    if (available.isPresent() && before + memory.bytes() > available.getAsLong()) {
      trainer.close();
      throw memory.refusal(before, available.getAsLong());
    }
    return trainer;
  }

  /** The same of a run that begins with weights of its own. */
  static Trainer trainer(TrainingData data) {
    return trainer(data, weights(data), engine(data.config()));
  }

  private static SwavWeights weights(TrainingData data) {
    TrainingConfig config = data.config();
    return SwavWeights.initialise(
        config.network().with(data.sets().train().channels()), config.execution().seed());
  }

  private static Engine engine(TrainingConfig config) {
    return Engines.of(config.execution().engine(), Precision.of(config.execution().precision()));
  }

  private static TrainingMemory of(TrainingData data, SwavWeights weights, Trainer trainer) {
    return of(data, weights, trainer.partBytes() - parameters(weights), trainer.methodBytes());
  }

  private static TrainingMemory of(
      TrainingData data, SwavWeights weights, long arrays, long method) {
    TrainingConfig config = data.config();
    long crops = 0;
    for (CropSpec crop : config.crops()) {
      crops +=
          (long) FLOAT * crop.count() * weights.config().channels() * crop.size() * crop.size();
    }
    return new TrainingMemory(
        config,
        parameters(weights),
        crops,
        config.optimisation().batch(),
        arrays,
        method,
        judging(config, data.sets(), weights),
        pixels(config, data.sets()));
  }

  /**
   * The encoder's weights, features of those that vote, twice, and of those that are classified.
   */
  private static long judging(TrainingConfig config, DataSets sets, SwavWeights weights) {
    TrainingConfig.Evaluation judged = config.evaluation();
    if (judged.everyEpochs() == 0) {
      return 0;
    }
    long voting = Math.min(judged.bankImages(), sets.train().size());
    long asked = Math.min(judged.testImages(), sets.test().size());
    return parameters(weights) + FLOAT * weights.features() * (2 * voting + asked);
  }

  /** Those of images that vote, twice, and of those that are classified. */
  private static long pixels(TrainingConfig config, DataSets sets) {
    TrainingConfig.Evaluation judged = config.evaluation();
    if (judged.everyEpochs() == 0 || FeatureJudge.obstacle(sets).isPresent()) {
      return 0;
    }
    long side = Embedder.pixelsSize(InputSize.of(config.evaluationSize())).size();
    long voting = Math.min(judged.bankImages(), sets.train().size());
    long asked = Math.min(judged.testImages(), sets.test().size());
    return FLOAT * sets.train().channels() * side * side * (2 * voting + asked);
  }

  private static long parameters(SwavWeights weights) {
    return FLOAT * weights.parameters().values().stream().mapToLong(p -> p.length()).sum();
  }

  /**
   * The memory that a process which trains will hold: what this one does, and the run's.
   *
   * @throws TrainingException if it would take more than there is, with what fits
   */
  static long predicted(TrainingData data) {
    SwavWeights weights = weights(data);
    Engine engine = engine(data.config());
    long before = Machine.resident().orElse(0);
    try (Trainer trainer = trainer(data, weights, engine)) {
      return before + of(data, weights, trainer).bytes();
    }
  }

  private long bytes() {
    return bytes(config.optimisation().batch(), config.optimisation().accumulate());
  }

  /** What this process may hold; empty where nothing is known. */
  private static OptionalLong available() {
    long limit = Pointer.maxPhysicalBytes();
    OptionalLong memory = Machine.memory();
    if (limit <= 0) {
      return memory;
    }
    return OptionalLong.of(Math.min(limit, memory.orElse(limit)));
  }

  /** Bytes of a run with that batch in that many parts. */
  long bytes(int batch, int parts) {
    long step = arrays / images * batch + parameters; // gradients
    long loader = LOADED * crops * batch;
    long momentum = parameters;
    long average = config.optimisation().averageDecay() > 0 ? parameters : 0;
    long whole = parts == 1 ? 0 : crops * batch * parts + parameters;
    // The pixels are given back before the first step, but the process keeps their memory.
    return step + loader + momentum + average + whole + method + judging + pixels + JAVA;
  }

  /** The fewest parts in which a step of as many images fits. */
  private Optional<String> fitting(long room) {
    TrainingConfig.Optimisation o = config.optimisation();
    int step = o.imagesPerStep();
    return IntStream.rangeClosed(o.accumulate() + 1, step / 2)
        .filter(parts -> step % parts == 0 && bytes(step / parts, parts) <= room)
        .boxed()
        .findFirst()
        .map(
            parts ->
                String.format(
                    Locale.ROOT,
                    "`accumulate` %d with a `batch` of %d fits and is the same step of %d images",
                    parts,
                    step / parts,
                    step));
  }

  private TrainingException refusal(long before, long available) {
    TrainingConfig.Optimisation o = config.optimisation();
    return new TrainingException(
        String.format(
            Locale.ROOT,
            "training needs %s of memory with a `batch` of %d, and there are %s: %s",
            Machine.readable(before + bytes(o.batch(), o.accumulate())),
            o.batch(),
            Machine.readable(available),
            fitting(available - before)
                .orElse("take smaller or fewer `crops`, or a smaller `architecture`")));
  }
}
