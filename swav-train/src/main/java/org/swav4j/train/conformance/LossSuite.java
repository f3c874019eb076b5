package org.swav4j.train.conformance;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.model.Layers;
import org.swav4j.model.Objective;
import org.swav4j.model.engine.Engine;
import org.swav4j.sinkhorn.Reduction;
import org.swav4j.sinkhorn.SwavCodes;
import org.swav4j.train.method.CodeAssigner;
import org.swav4j.train.method.CodeKind;
import org.swav4j.train.method.EmbeddingQueue;
import org.swav4j.train.optimiser.PrototypeNormaliser;

/**
 * {@code swav_loss.json}: prototypes normalised, features normalised and scored, queue, codes, loss
 * and gradients, one after the other as in a training step, by what a training step consists of:
 * the method's codes and queue, and the objective read from SameDiff.
 */
final class LossSuite implements Suite {
  private final Conformance.Objectives objectives;

  LossSuite(Conformance.Objectives objectives) {
    this.objectives = objectives;
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
      to.run(c.text("name"), () -> loss(c, to, engine));
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

  private void loss(Fixture c, Comparisons to, Engine engine) throws NotCovered {
    CodeKind kind = c.flag("hard_codes") ? CodeKind.HARD : CodeKind.SOFT;
    Arithmetic arithmetic = to.arithmetic();
    List<INDArray> raw = c.arrays("features_raw", arithmetic);
    Crops crops = Crops.of(c.count("crops"), c.counts("crops_for_assign"));
    int batch = raw.get(0).rows();
    INDArray prototypes = c.array("prototypes_raw", arithmetic);
    new PrototypeNormaliser().normalise(prototypes);
    Fixture exact = c.object("f64");
    Fixture expected = c.object(arithmetic.key());
    to.values("prototypes", prototypes, exact.array("prototypes_normalised", Arithmetic.DOUBLE));
    double temperature = c.number("temperature");
    Objective objective = objectives.of(crops.assigning, temperature);
    try (CodeAssigner assigner = assigner(c, kind);
        Layers.Prediction prediction =
            new Layers.Prediction(engine, prototypes, raw.size(), batch, objective)) {
      if (c.flag("queue")) {
        assigner.use(filled(c, batch, arithmetic, engine));
      }
      prediction.features().assign(crops.rows(raw));
      prediction.forward();
      for (int i = 0; i < crops.assigning; i++) {
        assign(assigner, i, prediction, prototypes, batch);
      }
      INDArray codes = prediction.codes().dup();
      to.codes("codes", codes, rows(exact.arrays("codes", Arithmetic.DOUBLE)));
      to.value("loss", prediction.backward(), expected.number("loss"));
      exact.number("loss");
      to.values("embeddings", prediction.embeddings(), crops.rows(arrays(exact, "z")));
      to.values(
          "gradient of the scores",
          prediction.gradientOfScores(),
          crops.rows(arrays(exact, "grad_scores")));
      to.values(
          "gradient of the embeddings",
          prediction.gradientOfEmbeddings(),
          crops.rows(arrays(expected, "grad_z")));
      to.values(
          "gradient of the features",
          prediction.gradientOfFeatures(),
          crops.rows(arrays(expected, "grad_features_raw")));
      to.values(
          "gradient of the prototypes",
          prediction.gradientOfPrototypes(),
          expected.array("grad_prototypes", Arithmetic.DOUBLE));
      if (exact.has("terms")) {
        terms(exact.table("terms"), raw, codes, crops, prototypes, temperature, to, engine);
      }
    }
  }

  private static CodeAssigner assigner(Fixture c, CodeKind kind) {
    return new CodeAssigner(
        new SwavCodes(c.number("epsilon"), c.count("sinkhorn_iterations")),
        Reduction.whole(),
        kind);
  }

  private static int assign(
      CodeAssigner assigner,
      int crop,
      Layers.Prediction prediction,
      INDArray prototypes,
      int batch) {
    return assigner.assign(
        crop,
        block(prediction.scores(), crop, batch),
        block(prediction.embeddings(), crop, batch),
        prototypes,
        block(prediction.codes(), crop, batch));
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
    try (Layers.Prediction pair =
        new Layers.Prediction(engine, prototypes, 2, batch, objectives.of(1, temperature))) {
      for (int i = 0; i < crops.assigning; i++) {
        for (int v = 0; v < raw.size(); v++) {
          if (v != crops.order[i]) {
            pair.features().assign(Nd4j.concat(0, raw.get(crops.order[i]), raw.get(v)));
            pair.forward();
            pair.codes().assign(block(codes, i, batch));
            String what = "loss of crop " + v + " against the code of crop " + crops.order[i];
            to.value(what, pair.backward(), expected[i][v]);
          }
        }
      }
    }
  }

  private static EmbeddingQueue filled(Fixture c, int batch, Arithmetic arithmetic, Engine engine)
      throws NotCovered {
    List<INDArray> content = c.arrays("queue_features", arithmetic);
    int length = content.get(0).rows();
    requireWhole(length, batch);
    EmbeddingQueue queue =
        new EmbeddingQueue(
            content.size(), length, batch, content.get(0).columns(), arithmetic.type(), engine);
    for (int i = 0; i < content.size(); i++) {
      for (int age = length / batch - 1; age >= 0; age--) {
        queue.push(i, block(content.get(i), age, batch));
      }
    }
    return queue;
  }

  private static void requireWhole(int length, int batch) throws NotCovered {
    if (length % batch != 0) {
      throw new NotCovered(
          "a queue of " + length + " rows, which is no multiple of the batch of " + batch);
    }
  }

  private void sequence(Fixture file, Comparisons to, Engine engine) {
    Fixture meta = file.object("meta");
    meta.skip("layout");
    try (CodeAssigner assigner = assigner(meta, CodeKind.SOFT)) {
      for (Fixture step : file.objects("steps")) {
        to.run(
            "queue_sequence step " + step.count("step"),
            () -> step(step, meta, assigner, to, engine));
      }
    }
  }

  private void step(
      Fixture step, Fixture meta, CodeAssigner assigner, Comparisons to, Engine engine)
      throws NotCovered {
    Arithmetic arithmetic = to.arithmetic();
    List<INDArray> raw = step.arrays("features_raw", arithmetic);
    Crops crops = Crops.of(raw.size(), meta.counts("crops_for_assign"));
    int batch = raw.get(0).rows();
    INDArray prototypes = step.array("prototypes_raw", arithmetic);
    new PrototypeNormaliser().normalise(prototypes);
    int length = meta.count("queue_length");
    requireWhole(length, batch);
    if (assigner.queue() == null) {
      assigner.use(
          new EmbeddingQueue(
              crops.assigning, length, batch, raw.get(0).columns(), arithmetic.type(), engine));
    }
    boolean used = step.flag("queue_used");
    List<INDArray> contents = step.arrays("queue_after_f64", Arithmetic.DOUBLE);
    Objective objective = objectives.of(crops.assigning, meta.number("temperature"));
    try (Layers.Prediction prediction =
        new Layers.Prediction(engine, prototypes, raw.size(), batch, objective)) {
      prediction.features().assign(crops.rows(raw));
      prediction.forward();
      for (int i = 0; i < crops.assigning; i++) {
        boolean full = assign(assigner, i, prediction, prototypes, batch) > 0;
        to.same("queue " + (full ? "used" : "not used"), full == used);
        to.values("queue afterwards", assigner.queue().contents(i), contents.get(i));
      }
      to.codes("codes", prediction.codes(), rows(step.arrays("codes_f64", Arithmetic.DOUBLE)));
      to.value("loss", prediction.backward(), step.number("loss_f64"));
      to.values(
          "gradient of the prototypes",
          prediction.gradientOfPrototypes(),
          step.array("grad_prototypes_f64", Arithmetic.DOUBLE));
    }
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
