package org.swav4j.train.conformance;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.model.GivenFeatures;
import org.swav4j.model.Objective;
import org.swav4j.model.SwappedPrediction;
import org.swav4j.model.TrainingStep;
import org.swav4j.model.Views;
import org.swav4j.model.engine.Engine;
import org.swav4j.sinkhorn.SwavCodes;
import org.swav4j.train.collective.Collective;
import org.swav4j.train.loop.MethodStep;
import org.swav4j.train.method.CodeKind;
import org.swav4j.train.method.EmbeddingQueue;
import org.swav4j.train.method.SwavMethod;
import org.swav4j.train.optimiser.Sgd;

/**
 * {@code swav_loss.json}: whole steps of training with SwAV, the trainer's own, on a network that
 * gives the file's features: prototypes normalised, features normalised and scored, queue, codes,
 * loss and gradients.
 */
final class LossSuite implements Suite {
  private final UnaryOperator<Objective> loss;

  /**
   * @param loss changes SwAV's; the identity but in tests of this
   */
  LossSuite(UnaryOperator<Objective> loss) {
    this.loss = loss;
  }

  @Override
  public boolean usesEngine() {
    return true;
  }

  @Override
  public void run(Fixture file, Comparisons to, Engine engine) {
    file.skip("meta");
    for (Fixture c : file.objects("cases")) {
      c.skip("note");
      to.run(c.text("name"), () -> single(c, to, engine));
    }
    if (file.has("queue_sequence")) {
      sequence(file.object("queue_sequence"), to, engine);
    }
  }

  /** The crops in the order training has them, the assigning ones first. */
  private record Crops(int[] order, int assigning) {
    static Crops of(int views, int[] assigning) throws NotCovered {
      if (IntStream.of(assigning).distinct().count() != assigning.length
          || IntStream.of(assigning).anyMatch(i -> i >= views)) {
        throw new NotCovered("crops_for_assign repeats a crop or names one that isn't there");
      }
      int[] rest =
          IntStream.range(0, views)
              .filter(v -> IntStream.of(assigning).noneMatch(i -> i == v))
              .toArray();
      return new Crops(
          IntStream.concat(IntStream.of(assigning), IntStream.of(rest)).toArray(),
          assigning.length);
    }

    /** The rows of all crops, crop by crop. */
    INDArray rows(List<INDArray> crops) {
      return Nd4j.concat(0, IntStream.of(order).mapToObj(crops::get).toArray(INDArray[]::new));
    }
  }

  /** SwAV's objective, with the gradients that the files have beside those of parameters. */
  private record Differentiated(Objective objective) implements Objective {
    @Override
    public SDVariable loss(SameDiff sd, SDVariable embeddings, Views views) {
      return objective.loss(sd, embeddings, views);
    }

    @Override
    public List<String> reads() {
      return objective.reads();
    }

    @Override
    public List<String> differentiates() {
      return List.of(EMBEDDINGS, SwappedPrediction.SCORES);
    }
  }

  /** SwAV's training step over features that are given; nothing moves by itself. */
  private final class GivenStep implements AutoCloseable {
    private final GivenFeatures given;
    private final SwavMethod method;
    private final MethodStep step;

    GivenStep(
        int views,
        int batch,
        INDArray prototypes,
        SwavMethod.Settings settings,
        Fixture solver,
        Engine engine) {
      given = new GivenFeatures(views, batch, prototypes, settings.temperature());
      method =
          new SwavMethod(
                  settings,
                  new SwavCodes(solver.number("epsilon"), solver.count("sinkhorn_iterations")),
                  engine)
              .withObjective(swav -> new Differentiated(loss.apply(swav)));
      step =
          new MethodStep(
              given.weights(), given.views(), method, new Sgd(0, 0), engine, Collective.single());
    }

    double run(long number, INDArray prototypes, INDArray features) {
      prototypes().assign(prototypes);
      given.give(features);
      step.crops(0).assign(given.images());
      return step.run(number, 0);
    }

    INDArray prototypes() {
      return given.weights().parameters().get(SwavMethod.PROTOTYPES);
    }

    TrainingStep network() {
      return step.network();
    }

    INDArray gradientOfPrototypes() {
      return network().gradients().get(SwavMethod.PROTOTYPES);
    }

    INDArray gradientOfFeatures() {
      return given.gradient(network().gradients());
    }

    @Override
    public void close() {
      step.close();
    }
  }

  private void single(Fixture c, Comparisons to, Engine engine) throws NotCovered {
    CodeKind kind = c.flag("hard_codes") ? CodeKind.HARD : CodeKind.SOFT;
    Arithmetic arithmetic = to.arithmetic();
    List<INDArray> raw = c.arrays("features_raw", arithmetic);
    Crops crops = Crops.of(c.count("crops"), c.counts("crops_for_assign"));
    int batch = raw.get(0).rows();
    INDArray prototypes = c.array("prototypes_raw", arithmetic);
    Fixture exact = c.object("f64");
    Fixture expected = c.object(arithmetic.key());
    double temperature = c.number("temperature");
    SwavMethod.Settings settings =
        new SwavMethod.Settings(crops.assigning, temperature).withCodes(kind);
    List<INDArray> queue = c.flag("queue") ? c.arrays("queue_features", arithmetic) : List.of();
    if (!queue.isEmpty()) {
      settings = settings.withQueue(whole(queue.get(0).rows(), batch), 0);
    }
    try (GivenStep step = new GivenStep(raw.size(), batch, prototypes, settings, c, engine)) {
      if (!queue.isEmpty()) {
        step.method.restore(filled(queue, batch, engine));
      }
      double value = step.run(0, prototypes, crops.rows(raw));
      to.values(
          "prototypes", step.prototypes(), exact.array("prototypes_normalised", Arithmetic.DOUBLE));
      INDArray codes = step.network().codes();
      to.codes("codes", codes, rows(exact.arrays("codes", Arithmetic.DOUBLE)));
      to.value("loss", value, expected.number("loss"));
      exact.number("loss");
      to.values("embeddings", step.network().embeddings(), crops.rows(arrays(exact, "z")));
      to.values(
          "gradient of the scores",
          step.network().gradient(SwappedPrediction.SCORES),
          crops.rows(arrays(exact, "grad_scores")));
      to.values(
          "gradient of the embeddings",
          step.network().gradient(Objective.EMBEDDINGS),
          crops.rows(arrays(expected, "grad_z")));
      to.values(
          "gradient of the features",
          step.gradientOfFeatures(),
          crops.rows(arrays(expected, "grad_features_raw")));
      to.values(
          "gradient of the prototypes",
          step.gradientOfPrototypes(),
          expected.array("grad_prototypes", Arithmetic.DOUBLE));
      if (exact.has("terms")) {
        terms(exact.table("terms"), raw, codes, crops, step.prototypes(), temperature, to, engine);
      }
    }
  }

  private static List<INDArray> arrays(Fixture c, String name) {
    return c.arrays(name, Arithmetic.DOUBLE);
  }

  /** A pair of crops alone: the second predicts the first one's code. */
  private void terms(
      double[][] expected,
      List<INDArray> raw,
      INDArray codes,
      Crops crops,
      INDArray prototypes,
      double temperature,
      Comparisons to,
      Engine engine) {
    int batch = raw.get(0).rows();
    GivenFeatures given = new GivenFeatures(2, batch, prototypes, temperature);
    try (TrainingStep pair =
        new TrainingStep(
            given.weights(),
            given.views().groups(),
            batch,
            loss.apply(new SwappedPrediction(1, temperature)),
            engine)) {
      for (int i = 0; i < crops.assigning; i++) {
        for (int v = 0; v < raw.size(); v++) {
          if (v != crops.order[i]) {
            given.give(Nd4j.concat(0, raw.get(crops.order[i]), raw.get(v)));
            pair.crops(0).assign(given.images());
            pair.forward();
            pair.codes().assign(block(codes, i, batch));
            String what = "loss of crop " + v + " against the code of crop " + crops.order[i];
            to.value(what, pair.backward(), expected[i][v]);
          }
        }
      }
    }
  }

  /** The state of a queue with that content, the newest rows first. */
  private static Map<String, INDArray> filled(List<INDArray> content, int batch, Engine engine) {
    INDArray first = content.get(0);
    try (EmbeddingQueue queue =
        new EmbeddingQueue(
            content.size(), first.rows(), batch, first.columns(), first.dataType(), engine)) {
      for (int i = 0; i < content.size(); i++) {
        for (int age = first.rows() / batch - 1; age >= 0; age--) {
          queue.push(i, block(content.get(i), age, batch));
        }
      }
      return queue.state();
    }
  }

  private static int whole(int length, int batch) throws NotCovered {
    if (length % batch != 0) {
      throw new NotCovered(
          "a queue of " + length + " rows, which is no multiple of the batch of " + batch);
    }
    return length;
  }

  private void sequence(Fixture file, Comparisons to, Engine engine) {
    Fixture meta = file.object("meta");
    meta.skip("layout");
    GivenStep[] step = new GivenStep[1];
    try {
      List<Fixture> steps = file.objects("steps");
      for (int i = 0; i < steps.size(); i++) {
        Fixture c = steps.get(i);
        int number = i;
        to.run(
            "queue_sequence step " + c.count("step"),
            () -> step[0] = step(c, number, meta, step[0], to, engine));
      }
    } finally {
      if (step[0] != null) {
        step[0].close();
      }
    }
  }

  /** One step of a sequence; the first makes what runs them all. */
  private GivenStep step(
      Fixture c, int number, Fixture meta, GivenStep running, Comparisons to, Engine engine)
      throws NotCovered {
    Arithmetic arithmetic = to.arithmetic();
    List<INDArray> raw = c.arrays("features_raw", arithmetic);
    Crops crops = Crops.of(raw.size(), meta.counts("crops_for_assign"));
    int batch = raw.get(0).rows();
    INDArray prototypes = c.array("prototypes_raw", arithmetic);
    GivenStep step = running;
    if (step == null) {
      SwavMethod.Settings settings =
          new SwavMethod.Settings(crops.assigning, meta.number("temperature"))
              .withQueue(whole(meta.count("queue_length"), batch), 0);
      step = new GivenStep(raw.size(), batch, prototypes, settings, meta, engine);
    }
    double value = step.run(number, prototypes, crops.rows(raw));
    boolean full = step.method.queueRows() > 0;
    to.same("queue " + (full ? "used" : "not used"), full == c.flag("queue_used"));
    List<INDArray> contents = c.arrays("queue_after_f64", Arithmetic.DOUBLE);
    for (int i = 0; i < crops.assigning; i++) {
      to.values("queue afterwards", step.method.state().get("crop" + i), contents.get(i));
    }
    to.codes("codes", step.network().codes(), rows(c.arrays("codes_f64", Arithmetic.DOUBLE)));
    to.value("loss", value, c.number("loss_f64"));
    to.values(
        "gradient of the prototypes",
        step.gradientOfPrototypes(),
        c.array("grad_prototypes_f64", Arithmetic.DOUBLE));
    return step;
  }

  private static INDArray block(INDArray matrix, int index, int batch) {
    return matrix.get(
        NDArrayIndex.interval((long) index * batch, (index + 1L) * batch), NDArrayIndex.all());
  }

  private static INDArray rows(List<INDArray> blocks) {
    List<INDArray> all = new ArrayList<>(blocks);
    return Nd4j.concat(0, all.toArray(INDArray[]::new));
  }
}
