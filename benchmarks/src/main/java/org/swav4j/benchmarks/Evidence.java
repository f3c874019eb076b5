package org.swav4j.benchmarks;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.swav4j.data.CropSpec;
import org.swav4j.data.DataSets;
import org.swav4j.data.DataSpec;
import org.swav4j.data.EvaluationView;
import org.swav4j.data.ImageSource;
import org.swav4j.data.MultiCropBatch;
import org.swav4j.data.MultiCropLoader;
import org.swav4j.data.Normalisation;
import org.swav4j.model.CropGroup;
import org.swav4j.model.SwavConfig;
import org.swav4j.model.SwavEncoder;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.TrainingStep;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Engines;
import org.swav4j.sinkhorn.SwavCodes;
import org.swav4j.train.config.CropNotation;
import org.swav4j.train.config.Preset;
import org.swav4j.train.config.Settings;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.diagnostics.EpochDiagnostics;
import org.swav4j.train.diagnostics.TrainingDiagnostics;
import org.swav4j.train.evaluation.FeatureSet;
import org.swav4j.train.evaluation.KNearestNeighbours;
import org.swav4j.train.method.EmbeddingQueue;
import org.swav4j.train.optimiser.LearningRateSchedule;
import org.swav4j.train.optimiser.Optimiser;
import org.swav4j.train.optimiser.PrototypeNormaliser;
import org.swav4j.train.optimiser.Sgd;

/**
 * Does what SwAV claims hold here: does it learn faster than comparing images one by one, mind the
 * batch size less, gain from small crops, and not collapse?
 *
 * <p>One network (the {@code quick} preset's), the same generated images, augmentations, optimiser,
 * schedule and seed throughout; what differs is the target that crops must predict, the batch, or
 * the crops:
 *
 * <ul>
 *   <li>{@code codes}: SwAV. Where the batch is smaller than K, a queue fills it up after the first
 *       epoch; from the start, embeddings are too young to be compared with their elders.
 *   <li>{@code softmax}, the control for collapse: codes as the network scores them, {@code
 *       softmax(scores / epsilon)}, not balanced over the batch.
 *   <li>{@code instances}, the control for speed and batch size: contrastive learning with the
 *       batch as its negatives (InfoNCE; van den Oord et al. 2018). The other crops of an image
 *       must pick its first crop out of those of all B images. In SwAV's terms the prototypes are
 *       the B embeddings of crop 0, detached, and codes are one-hot. Two forward passes a step, so
 *       compare epochs, not seconds.
 * </ul>
 *
 * <p>{@code benchmarks/evidence.sh} runs all cases and writes {@code benchmarks/EVIDENCE.md}. One
 * seed is one sample: look at how far seeds lie apart before believing a difference.
 *
 * <pre>
 * java -cp 'benchmarks/target/benchmarks.jar:benchmarks/target/lib/*' org.swav4j.benchmarks.Evidence codes 64 2x32,4x16
 * </pre>
 */
public final class Evidence {
  private static final String PROTOTYPES = "prototypes.weight";
  private static final int REFERENCE_BATCH = 64;
  private static final int BANK = 2000;
  private static final int TEST = 1000;

  /** What the crops of an image must predict. */
  private interface Target {
    /** Crops that give codes. */
    int assigning();

    /** Runs the forward pass and fills the step's codes. */
    void run(TrainingStep step, INDArray prototypes);

    /** Whether the prototypes are learned. */
    boolean learnsPrototypes();
  }

  private final TrainingConfig preset = Preset.QUICK.config();
  private final String target;
  private final int batch;
  private final List<CropSpec> crops;
  private final int epochs;
  private final long seed;
  private final Engine engine = Engines.best();

  private Evidence(String target, int batch, List<CropSpec> crops, int epochs, long seed) {
    this.target = target;
    this.batch = batch;
    this.crops = crops;
    this.epochs = epochs;
    this.seed = seed;
  }

  /**
   * Trains one case and prints a line of Markdown per epoch: target, batch, crops, seed, epoch,
   * loss, k-NN accuracy, spread of the embeddings, share of prototypes used.
   *
   * @param arguments target, batch, crops, and optionally epochs (4), images (6000) and seed (1)
   */
  public static void main(String[] arguments) {
    if (arguments.length < 3) {
      System.err.println("expected: codes|softmax|instances BATCH CROPS [EPOCHS [IMAGES [SEED]]]");
      System.exit(2);
    }
    String crops = arguments[2];
    String scales = crops.contains(",") ? "0.3-1,0.2-0.6" : "0.3-1"; // the preset's
    new Evidence(
            arguments[0],
            Integer.parseInt(arguments[1]),
            Settings.change(Preset.QUICK.config(), Map.of("crops", crops, "scales", scales))
                .crops(),
            arguments.length > 3 ? Integer.parseInt(arguments[3]) : 4,
            arguments.length > 5 ? Long.parseLong(arguments[5]) : 1)
        .run(arguments.length > 4 ? arguments[4] : "6000");
  }

  private void run(String images) {
    DataSets data = DataSpec.parse("shapes:" + images).open();
    Normalisation normalisation = Normalisation.of(data.train(), 1000);
    TrainingConfig.Network n = preset.network();
    SwavConfig network =
        new SwavConfig(
            n.architecture(),
            n.width(),
            n.stem(),
            3,
            n.hidden(),
            n.dim(),
            target.equals("instances") ? batch : n.prototypes(),
            n.temperature());
    SwavWeights weights = SwavWeights.initialise(network, seed);
    int stepsPerEpoch = data.train().size() / batch;
    Target rule = target(network, stepsPerEpoch);
    TrainingConfig.Optimisation o = preset.optimisation();
    double rate = o.learningRate() * batch / REFERENCE_BATCH;
    LearningRateSchedule schedule =
        new LearningRateSchedule(
            Math.round(o.warmupEpochs() * stepsPerEpoch),
            (long) epochs * stepsPerEpoch,
            0,
            rate,
            rate / 1000);
    Optimiser optimiser = new Sgd(o.momentum(), o.weightDecay());
    PrototypeNormaliser normaliser = new PrototypeNormaliser();
    INDArray prototypes = weights.parameters().get(PROTOTYPES);
    long frozen =
        rule.learnsPrototypes() ? Math.round(o.freezeEpochs() * stepsPerEpoch) : Long.MAX_VALUE;
    TrainingDiagnostics diagnostics = new TrainingDiagnostics(network.prototypes(), network.dim());
    line(0, Double.NaN, accuracy(data, normalisation, weights), EpochDiagnostics.UNKNOWN);
    try (MultiCropLoader loader =
            new MultiCropLoader(
                data.train(), crops, preset.augmentation(), normalisation, batch, seed, 1);
        TrainingStep step =
            new TrainingStep(
                weights,
                crops.stream().map(c -> new CropGroup(c.count(), c.size())).toList(),
                batch,
                rule.assigning(),
                engine)) {
      Map<String, INDArray> thawed = step.gradients();
      Map<String, INDArray> held = new LinkedHashMap<>(thawed);
      held.remove(PROTOTYPES);
      long t = 0;
      for (int epoch = 0; epoch < epochs; epoch++) {
        double sum = 0;
        for (MultiCropBatch made : loader.epoch(epoch)) {
          try (made) {
            for (int g = 0; g < made.groups(); g++) {
              step.crops(g).assign(made.crops(g));
            }
          }
          normaliser.normalise(prototypes);
          rule.run(step, prototypes);
          double loss = step.backward();
          sum += loss;
          if (t % 10 == 0) {
            diagnostics.inspect(loss, step.scores(), step.codes(), step.embeddings());
          }
          optimiser.step(weights.parameters(), t < frozen ? held : thawed, schedule.at(t));
          t++;
        }
        line(
            epoch + 1,
            sum / stepsPerEpoch / Math.log(network.prototypes()),
            accuracy(data, normalisation, weights),
            diagnostics.finishEpoch(prototypes));
      }
    }
  }

  private Target target(SwavConfig network, int stepsPerEpoch) {
    TrainingConfig.Codes c = preset.codes();
    return switch (target) {
      case "codes" -> new Codes(network, batch, c.epsilon(), c.iterations(), stepsPerEpoch, engine);
      case "softmax" -> new Softmax(c.epsilon());
      case "instances" -> new Instances(batch);
      default ->
          throw new IllegalArgumentException(
              "target '" + target + "' is unknown, expected codes, softmax or instances");
    };
  }

  /** SwAV's, with a queue where the batch is smaller than K. */
  private static final class Codes implements Target {
    private static final int ASSIGNING = 2;
    private final int batch;
    private final SwavCodes solver;
    private final SwavCodes queued;
    private final EmbeddingQueue queue;
    private int stepsToQueue;

    Codes(
        SwavConfig network,
        int batch,
        double epsilon,
        int iterations,
        int stepsToQueue,
        Engine engine) {
      this.batch = batch;
      this.stepsToQueue = stepsToQueue;
      solver = new SwavCodes(epsilon, iterations);
      queued = new SwavCodes(epsilon, iterations);
      int k = network.prototypes();
      queue =
          batch >= k
              ? null
              : new EmbeddingQueue(
                  ASSIGNING, (k / batch) * batch, batch, network.dim(), DataType.FLOAT, engine);
    }

    @Override
    public int assigning() {
      return ASSIGNING;
    }

    @Override
    public boolean learnsPrototypes() {
      return true;
    }

    @Override
    public void run(TrainingStep step, INDArray prototypes) {
      step.forward();
      boolean queueing = queue != null && --stepsToQueue < 0;
      for (int i = 0; i < ASSIGNING; i++) {
        INDArray scores = rows(step.scores(), i, batch);
        INDArray codes = rows(step.codes(), i, batch);
        if (queueing && queue.full(i)) {
          queued.assign(queue.scores(i, scores, prototypes), codes);
        } else {
          solver.assign(scores, codes);
        }
        if (queueing) {
          queue.push(i, rows(step.embeddings(), i, batch));
        }
      }
    }
  }

  /** Each row by itself. */
  private record Softmax(double epsilon) implements Target {
    @Override
    public int assigning() {
      return 2;
    }

    @Override
    public boolean learnsPrototypes() {
      return true;
    }

    @Override
    public void run(TrainingStep step, INDArray prototypes) {
      step.forward();
      INDArray codes = step.codes();
      INDArray first = step.scores().get(NDArrayIndex.interval(0, codes.size(0)));
      codes.assign(Transforms.softmax(first.div(epsilon)));
    }
  }

  /** Every image a class of its own, known by its first crop. */
  private record Instances(int batch) implements Target {
    @Override
    public int assigning() {
      return 1;
    }

    @Override
    public boolean learnsPrototypes() {
      return false;
    }

    @Override
    public void run(TrainingStep step, INDArray prototypes) {
      step.forward();
      prototypes.assign(rows(step.embeddings(), 0, batch));
      step.forward();
      step.codes().assign(Nd4j.eye(batch));
    }
  }

  private static INDArray rows(INDArray matrix, int crop, int batch) {
    return matrix.get(NDArrayIndex.interval((long) crop * batch, (crop + 1L) * batch));
  }

  private double accuracy(DataSets data, Normalisation normalisation, SwavWeights weights) {
    int size = crops.get(0).size();
    try (EvaluationView view = new EvaluationView(size, size, normalisation, 1);
        SwavEncoder encoder = SwavEncoder.ofNormalised(weights, engine)) {
      FeatureSet bank = features(view, encoder, data.train(), BANK);
      FeatureSet test = features(view, encoder, data.test(), TEST);
      return new KNearestNeighbours().accuracy(bank, test);
    }
  }

  private static FeatureSet features(
      EvaluationView view, SwavEncoder encoder, ImageSource source, int count) {
    int n = Math.min(count, source.size());
    INDArray images = Nd4j.create(DataType.FLOAT, n, 3, view.size(), view.size());
    int[] indices = view.fill(source, 0, n, images);
    return new FeatureSet(
        encoder.features(images), Arrays.stream(indices).map(source::label).toArray());
  }

  private void line(int epoch, double loss, double knn, EpochDiagnostics health) {
    System.out.printf(
        Locale.ROOT,
        "| %s | %d | %s | %d | %d | %s | %s | %s | %s |%n",
        target,
        batch,
        CropNotation.format(crops),
        seed,
        epoch,
        cell("%.2f", loss),
        cell("%.1f", 100 * knn),
        cell("%.2f", health.spread()),
        cell("%.0f", 100 * health.used()));
  }

  /** Empty for what isn't known, such as the loss before training. */
  private static String cell(String format, double value) {
    return Double.isNaN(value) ? "" : String.format(Locale.ROOT, format, value);
  }
}
