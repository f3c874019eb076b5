package org.swav4j.benchmarks;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
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
import org.swav4j.model.Objective;
import org.swav4j.model.SwavEncoder;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.TrainingStep;
import org.swav4j.model.Views;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Engines;
import org.swav4j.sinkhorn.SwavCodes;
import org.swav4j.train.collective.Collective;
import org.swav4j.train.config.CropNotation;
import org.swav4j.train.config.Preset;
import org.swav4j.train.config.Settings;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.diagnostics.EpochDiagnostics;
import org.swav4j.train.diagnostics.TrainingDiagnostics;
import org.swav4j.train.evaluation.FeatureSet;
import org.swav4j.train.evaluation.KNearestNeighbours;
import org.swav4j.train.loop.MethodStep;
import org.swav4j.train.method.Method;
import org.swav4j.train.method.SwavMethod;
import org.swav4j.train.optimiser.LearningRateSchedule;
import org.swav4j.train.optimiser.Sgd;

/**
 * Does what SwAV claims hold here: does it learn faster than comparing images one by one, depend
 * less on the batch size, gain from small crops, and not collapse?
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
 *       must pick its first crop, detached, out of those of all B images.
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
  private static final int ASSIGNING = 2;
  private static final int REFERENCE_BATCH = 64;
  private static final int BANK = 2000;
  private static final int TEST = 1000;

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
    TrainingConfig.Optimisation o = preset.optimisation();
    SwavWeights weights = SwavWeights.initialise(preset.network().with(3), seed);
    int stepsPerEpoch = data.train().size() / batch;
    double rate = o.learningRate() * batch / REFERENCE_BATCH;
    LearningRateSchedule schedule =
        new LearningRateSchedule(
            Math.round(o.warmupEpochs() * stepsPerEpoch),
            (long) epochs * stepsPerEpoch,
            0,
            rate,
            rate / 1000);
    line(0, Double.NaN, accuracy(data, normalisation, weights), EpochDiagnostics.UNKNOWN);
    Case trained = target(weights, stepsPerEpoch);
    TrainingDiagnostics diagnostics =
        new TrainingDiagnostics(trained.classes(), weights.config().dim());
    try (MultiCropLoader loader =
            new MultiCropLoader(
                data.train(), crops, preset.augmentation(), normalisation, batch, seed, 1);
        MethodStep step =
            new MethodStep(
                weights,
                new Views(
                    crops.stream().map(c -> new CropGroup(c.count(), c.size())).toList(), batch),
                trained,
                new Sgd(o.momentum(), o.weightDecay()),
                engine,
                Collective.single())) {
      long t = 0;
      for (int epoch = 0; epoch < epochs; epoch++) {
        double sum = 0;
        for (MultiCropBatch made : loader.epoch(epoch)) {
          try (made) {
            for (int g = 0; g < made.groups(); g++) {
              step.crops(g).assign(made.crops(g));
            }
          }
          double loss = step.run(t, schedule.at(t));
          sum += loss;
          if (t % 10 == 0) {
            trained.inspect(diagnostics, loss, step.network());
          }
          t++;
        }
        line(
            epoch + 1,
            sum / stepsPerEpoch / trained.chanceLoss(),
            accuracy(data, normalisation, weights),
            diagnostics.finishEpoch(trained.directions(step.network())));
      }
    }
  }

  private Case target(SwavWeights weights, int stepsPerEpoch) {
    return switch (target) {
      case "codes" -> new Codes(weights, swav(weights, stepsPerEpoch));
      case "softmax" ->
          new Softmax(weights, swav(weights, stepsPerEpoch), preset.codes().epsilon());
      case "instances" ->
          new Instances(batch, weights.config().dim(), weights.config().temperature());
      default ->
          throw new IllegalArgumentException(
              "target '" + target + "' is unknown, expected codes, softmax or instances");
    };
  }

  /** With a queue where the batch is smaller than K. */
  private SwavMethod swav(SwavWeights weights, int stepsPerEpoch) {
    int k = weights.config().prototypes();
    return new SwavMethod(
        new SwavMethod.Settings(ASSIGNING, weights.config().temperature())
            .withFrozenPrototypes(Math.round(preset.optimisation().freezeEpochs() * stepsPerEpoch))
            .withQueue(batch >= k ? 0 : k / batch * batch, stepsPerEpoch),
        new SwavCodes(preset.codes().epsilon(), preset.codes().iterations()),
        engine);
  }

  /** A method, and what its health is read from. */
  private interface Case extends Method {
    /** How many things a crop is to be told apart from. */
    int classes();

    /** Looks into a step. */
    void inspect(TrainingDiagnostics diagnostics, double loss, TrainingStep step);

    /** {@code [classes, D]}. */
    INDArray directions(TrainingStep step);
  }

  /** SwAV's. */
  private static class Codes implements Case {
    private final SwavWeights weights;
    private final SwavMethod swav;

    Codes(SwavWeights weights, SwavMethod swav) {
      this.weights = weights;
      this.swav = swav;
    }

    @Override
    public Objective objective() {
      return swav.objective();
    }

    @Override
    public void begin(TrainingStep step, SwavWeights trained) {
      swav.begin(step, trained);
    }

    @Override
    public void beforeForward(SwavWeights trained) {
      swav.beforeForward(trained);
    }

    @Override
    public void targets(TrainingStep step, long number, Collective collective) {
      swav.targets(step, number, collective);
    }

    @Override
    public boolean trains(String parameter, long number) {
      return swav.trains(parameter, number);
    }

    @Override
    public double chanceLoss() {
      return swav.chanceLoss();
    }

    @Override
    public int classes() {
      return weights.config().prototypes();
    }

    @Override
    public void inspect(TrainingDiagnostics diagnostics, double loss, TrainingStep step) {
      diagnostics.inspect(loss, step.scores(), step.codes(), step.embeddings());
    }

    @Override
    public INDArray directions(TrainingStep step) {
      return weights.parameters().get(SwavMethod.PROTOTYPES);
    }

    @Override
    public void close() {
      swav.close();
    }
  }

  /** Codes of each row by itself. */
  private static final class Softmax extends Codes {
    private final double epsilon;

    Softmax(SwavWeights weights, SwavMethod swav, double epsilon) {
      super(weights, swav);
      this.epsilon = epsilon;
    }

    @Override
    public void targets(TrainingStep step, long number, Collective collective) {
      INDArray codes = step.codes();
      INDArray first = step.scores().get(NDArrayIndex.interval(0, codes.size(0)));
      codes.assign(Transforms.softmax(first.div(epsilon)));
    }
  }

  /** Every image a class of its own, known by its first crop. */
  private record Instances(int batch, int dim, double temperature) implements Case {
    private static final String FIRST = "first";

    /**
     * InfoNCE: the other crops of an image must pick its first crop out of those of all B images.
     */
    @Override
    public Objective objective() {
      return (sd, z, views) -> {
        int others = views.rows() - batch;
        SDVariable first = sd.placeHolder(FIRST, z.dataType(), batch, dim);
        SDVariable logits =
            sd.mmul(sd.slice(z, new int[] {batch, 0}, others, dim), first, false, true, false)
                .mul(1 / temperature);
        INDArray own = Nd4j.tile(Nd4j.eye(batch), others / batch, 1).castTo(z.dataType());
        return sd.nn().logSoftmax(logits).mul(sd.constant(own)).sum().mul(-1.0 / others);
      };
    }

    /** The first crops as they are: no gradient goes through them. */
    @Override
    public void targets(TrainingStep step, long number, Collective collective) {
      step.target(FIRST).assign(step.embeddings().get(NDArrayIndex.interval(0, batch)));
    }

    @Override
    public double chanceLoss() {
      return Math.log(batch);
    }

    @Override
    public int classes() {
      return batch;
    }

    /** Cosines of second and first crops stand for scores, the identity for codes. */
    @Override
    public void inspect(TrainingDiagnostics diagnostics, double loss, TrainingStep step) {
      INDArray second = step.embeddings().get(NDArrayIndex.interval(batch, 2 * batch));
      INDArray cosines = Nd4j.matmul(second, step.target(FIRST), false, true, false).dup('c');
      diagnostics.inspect(
          loss, cosines, Nd4j.eye(batch).castTo(cosines.dataType()), step.embeddings());
    }

    @Override
    public INDArray directions(TrainingStep step) {
      return step.target(FIRST);
    }
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
