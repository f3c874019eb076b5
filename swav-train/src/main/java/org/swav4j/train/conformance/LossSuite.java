package org.swav4j.train.conformance;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.model.Layers;
import org.swav4j.model.engine.Engine;
import org.swav4j.sinkhorn.SwavCodes;
import org.swav4j.train.optimiser.PrototypeNormaliser;

/**
 * {@code swav_loss.json}: prototypes normalised, features normalised and scored, queue, codes, loss
 * and gradients, one after the other as in a training step.
 */
final class LossSuite implements Suite {
  private final EmbeddingMemory.Factory queues;

  LossSuite(EmbeddingMemory.Factory queues) {
    this.queues = queues;
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
    Precision precision = to.precision();
    List<INDArray> raw = c.arrays("features_raw", precision);
    Crops crops = Crops.of(c.count("crops"), c.counts("crops_for_assign"));
    int batch = raw.get(0).rows();
    INDArray prototypes = c.array("prototypes_raw", precision);
    new PrototypeNormaliser().normalise(prototypes);
    Fixture exact = c.object("f64");
    Fixture expected = c.object(precision.key());
    to.values("prototypes", prototypes, exact.array("prototypes_normalised", Precision.DOUBLE));
    double temperature = c.number("temperature");
    SwavCodes solver = new SwavCodes(c.number("epsilon"), c.count("sinkhorn_iterations"));
    EmbeddingMemory queue = c.flag("queue") ? filled(c, batch, precision) : null;
    try (Layers.Prediction prediction =
        new Layers.Prediction(
            engine, prototypes, raw.size(), crops.assigning, batch, temperature)) {
      prediction.features().assign(crops.rows(raw));
      prediction.forward();
      for (int i = 0; i < crops.assigning; i++) {
        INDArray scores = block(prediction.scores(), i, batch);
        assign(
            solver,
            queue == null ? scores : queue.scores(i, scores, prototypes),
            block(prediction.codes(), i, batch));
      }
      if (c.flag("hard_codes")) {
        harden(prediction.codes());
      }
      INDArray codes = prediction.codes().dup();
      to.codes("codes", codes, rows(exact.arrays("codes", Precision.DOUBLE)));
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
          expected.array("grad_prototypes", Precision.DOUBLE));
      if (exact.has("terms")) {
        terms(exact.table("terms"), raw, codes, crops, prototypes, temperature, to, engine);
      }
    } finally {
      if (queue != null) {
        queue.close();
      }
    }
  }

  private static List<INDArray> arrays(Fixture c, String name) {
    return c.arrays(name, Precision.DOUBLE);
  }

  /** A pair of crops alone: the second predicts the first one's code. */
  private static void terms(
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
        new Layers.Prediction(engine, prototypes, 2, 1, batch, temperature)) {
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

  private EmbeddingMemory filled(Fixture c, int batch, Precision precision) throws NotCovered {
    List<INDArray> content = c.arrays("queue_features", precision);
    int length = content.get(0).rows();
    requireWhole(length, batch);
    EmbeddingMemory queue =
        queues.create(content.size(), length, batch, content.get(0).columns(), precision.type());
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
    EmbeddingMemory[] queue = new EmbeddingMemory[1];
    try {
      for (Fixture step : file.objects("steps")) {
        to.run(
            "queue_sequence step " + step.count("step"), () -> step(step, meta, queue, to, engine));
      }
    } finally {
      if (queue[0] != null) {
        queue[0].close();
      }
    }
  }

  private void step(
      Fixture step, Fixture meta, EmbeddingMemory[] queue, Comparisons to, Engine engine)
      throws NotCovered {
    Precision precision = to.precision();
    List<INDArray> raw = step.arrays("features_raw", precision);
    Crops crops = Crops.of(raw.size(), meta.counts("crops_for_assign"));
    int batch = raw.get(0).rows();
    INDArray prototypes = step.array("prototypes_raw", precision);
    new PrototypeNormaliser().normalise(prototypes);
    int length = meta.count("queue_length");
    requireWhole(length, batch);
    if (queue[0] == null) {
      queue[0] =
          queues.create(crops.assigning, length, batch, raw.get(0).columns(), precision.type());
    }
    boolean used = step.flag("queue_used");
    SwavCodes solver = new SwavCodes(meta.number("epsilon"), meta.count("sinkhorn_iterations"));
    List<INDArray> contents = step.arrays("queue_after_f64", Precision.DOUBLE);
    try (Layers.Prediction prediction =
        new Layers.Prediction(
            engine, prototypes, raw.size(), crops.assigning, batch, meta.number("temperature"))) {
      prediction.features().assign(crops.rows(raw));
      prediction.forward();
      for (int i = 0; i < crops.assigning; i++) {
        boolean full = queue[0].full(i);
        to.same("queue " + (full ? "used" : "not used"), full == used);
        INDArray scores = block(prediction.scores(), i, batch);
        INDArray all = full ? queue[0].scores(i, scores, prototypes) : scores;
        queue[0].push(i, block(prediction.embeddings(), i, batch));
        assign(solver, all, block(prediction.codes(), i, batch));
        to.values("queue afterwards", queue[0].contents(i), contents.get(i));
      }
      to.codes("codes", prediction.codes(), rows(step.arrays("codes_f64", Precision.DOUBLE)));
      to.value("loss", prediction.backward(), step.number("loss_f64"));
      to.values(
          "gradient of the prototypes",
          prediction.gradientOfPrototypes(),
          step.array("grad_prototypes_f64", Precision.DOUBLE));
    }
  }

  private static void assign(SwavCodes solver, INDArray scores, INDArray codes) {
    solver.assign(scores, codes);
  }

  private static INDArray block(INDArray matrix, int index, int batch) {
    return matrix.get(
        NDArrayIndex.interval((long) index * batch, (index + 1L) * batch), NDArrayIndex.all());
  }

  private static INDArray rows(List<INDArray> blocks) {
    List<INDArray> all = new ArrayList<>(blocks);
    return Nd4j.concat(0, all.toArray(INDArray[]::new));
  }

  /** Every row's largest code becomes 1, the others 0. */
  private static void harden(INDArray codes) {
    INDArray best = codes.argMax(1);
    codes.assign(0);
    for (int b = 0; b < codes.rows(); b++) {
      codes.putScalar(b, best.getLong(b), 1);
    }
  }
}
