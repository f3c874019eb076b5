package org.swav4j.model;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The SwAV network and its loss as one SameDiff graph: the trunk once per crop size over the same
 * variables, the head and the prototypes once on all rows, and the swapped prediction against codes
 * that come in by a placeholder. Caron et al. 2020, section 3.
 *
 * <p>Placeholders: {@code crops0}, {@code crops1}, ... {@code [count·B, C, size, size]} and {@code
 * codes [A·B, K]}. Results by name: {@code embeddings [V·B, D]}, {@code scores [V·B, K]}, {@code
 * loss []}.
 */
final class SwavGraph {
  static final String EMBEDDINGS = "embeddings";
  static final String SCORES = "scores";
  static final String CODES = "codes";
  static final String LOSS = "loss";

  /** What embeddings are before they are brought to unit length. */
  static final String PROJECTION = "projection";

  /**
   * A batch norm's pass over one group of rows.
   *
   * @param norm the layer's name: its statistics are {@code norm.running_mean} and {@code
   *     norm.running_var}
   * @param mean name of the batch's mean
   * @param variance name of the batch's biased variance
   * @param y name of what comes out, before any rectifier
   */
  record Moments(String norm, String mean, String variance, String y) {}

  private final SameDiff sd = SameDiff.create();
  private final Map<String, SDVariable> parameters = new LinkedHashMap<>();
  private final List<Moments> moments = new ArrayList<>();
  private final SwavConfig config;
  private final int views;
  private final int assigning;

  /**
   * The training graph.
   *
   * @param weights whose parameter arrays the graph shares
   * @param crops groups in order; crops are numbered through them
   * @param batch B
   * @param assigning A: crops 0 to A-1 get codes
   */
  SwavGraph(SwavWeights weights, List<CropGroup> crops, int batch, int assigning) {
    config = weights.config();
    views = crops.stream().mapToInt(CropGroup::count).sum();
    this.assigning = assigning;
    weights.parameters().forEach((name, array) -> parameters.put(name, sd.var(name, array)));

    Backbone backbone = weights.backbone();
    List<SDVariable> features = new ArrayList<>();
    for (int g = 0; g < crops.size(); g++) {
      CropGroup group = crops.get(g);
      SDVariable images =
          sd.placeHolder(
              cropsName(g),
              weights.type(),
              (long) group.count() * batch,
              config.channels(),
              group.size(),
              group.size());
      features.add(
          backbone.features(
              images, GraphLayers.training(sd, parameters, "group" + g + ".", moments)));
    }
    SDVariable rows =
        features.size() == 1
            ? features.get(0)
            : sd.concat("features", 0, features.toArray(SDVariable[]::new));
    SDVariable scores = head(rows);
    SDVariable codes =
        sd.placeHolder(CODES, weights.type(), (long) assigning * batch, config.prototypes());
    swappedPrediction(scores, codes, batch).markAsLoss();
  }

  static String cropsName(int group) {
    return "crops" + group;
  }

  SameDiff sameDiff() {
    return sd;
  }

  /** In the order the batch norms see rows: group by group, the head's last. */
  List<Moments> moments() {
    return moments;
  }

  int views() {
    return views;
  }

  int assigning() {
    return assigning;
  }

  SwavConfig config() {
    return config;
  }

  private SDVariable batchNorm(String norm, SDVariable x) {
    SDVariable[] y =
        BatchNormalization.apply(
            sd, norm, x, 2, parameters.get(norm + ".weight"), parameters.get(norm + ".bias"));
    moments.add(new Moments(norm, y[1].name(), y[2].name(), y[0].name()));
    return y[0];
  }

  private SDVariable head(SDVariable features) {
    SDVariable hidden = linear(ParameterShapes.HEAD_FIRST, features);
    hidden = sd.nn().relu(batchNorm(ParameterShapes.HEAD_NORM, hidden), 0);
    SDVariable projection = linear(ParameterShapes.HEAD_SECOND, hidden).rename(PROJECTION);
    SDVariable norm = sd.math().sqrt(sd.math().squaredNorm(projection, true, 1));
    SDVariable embeddings =
        projection
            .div(sd.math().max(norm, sd.constant(Nd4j.scalar(projection.dataType(), 1e-12))))
            .rename(EMBEDDINGS);
    return sd.mmul(
        SCORES, embeddings, parameters.get(ParameterShapes.PROTOTYPES), false, true, false);
  }

  private SDVariable linear(String name, SDVariable x) {
    return sd.mmul(name + ".product", x, parameters.get(name + ".weight"), false, true, false)
        .add(parameters.get(name + ".bias"));
  }

  /** The mean over pairs (i assigning, v ≠ i) and samples of -Σ_k q_i log softmax(s_v / tau). */
  private SDVariable swappedPrediction(SDVariable scores, SDVariable codes, int batch) {
    SDVariable logP = sd.nn().logSoftmax(scores.mul(1 / config.temperature()));
    SDVariable total = null;
    for (int i = 0; i < assigning; i++) {
      SDVariable q = rows(codes, i, batch);
      for (int v = 0; v < views; v++) {
        if (v != i) {
          SDVariable term = q.mul(rows(logP, v, batch)).sum();
          total = total == null ? term : total.add(term);
        }
      }
    }
    return total.mul(-1.0 / ((double) assigning * (views - 1) * batch)).rename(LOSS);
  }

  private SDVariable rows(SDVariable x, int crop, int batch) {
    return sd.slice(x, new int[] {crop * batch, 0}, batch, config.prototypes());
  }
}
