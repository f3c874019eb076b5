package org.swav4j.model;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.array.SingleThreadArrayHolder;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A network and its loss as one SameDiff graph: the trunk once per crop size over the same
 * variables, the head once on all rows, and an objective's loss over the embeddings. Caron et al.
 * 2020, section 3.
 *
 * <p>Placeholders: {@code crops0}, {@code crops1}, ... {@code [count·B, C, size, size]} and those
 * of the objective.
 */
final class SwavGraph {
  static final String LOSS = "loss";

  /**
   * A batch norm's pass over one group of rows.
   *
   * @param norm the layer's name: its statistics are {@code norm.running_mean} and {@code
   *     norm.running_var}
   * @param mean name of the batch's mean
   * @param variance name of the batch's biased variance
   */
  record Moments(String norm, String mean, String variance) {}

  private final SameDiff sd = SameDiff.create();
  private final Map<String, SDVariable> parameters = new LinkedHashMap<>();
  private final List<Moments> moments = new ArrayList<>();

  /**
   * The training graph.
   *
   * @param weights whose parameter arrays the graph shares
   * @param views the crops; they are numbered through the groups
   * @param objective what writes the loss
   */
  SwavGraph(SwavWeights weights, Views views, Objective objective) {
    SwavConfig config = weights.config();
    List<CropGroup> crops = views.groups();
    // SameDiff's own holder keeps a second copy of each array, for other devices' threads.
    sd.setVariablesArrays(new SingleThreadArrayHolder());
    weights.parameters().forEach((name, array) -> parameters.put(name, sd.var(name, array)));

    Backbone backbone = weights.backbone();
    List<SDVariable> features = new ArrayList<>();
    for (int g = 0; g < crops.size(); g++) {
      CropGroup group = crops.get(g);
      SDVariable images =
          sd.placeHolder(
              cropsName(g),
              weights.type(),
              (long) group.count() * views.batch(),
              config.channels(),
              group.size(),
              group.size());
      features.add(
          backbone.features(
              images, GraphLayers.training(sd, parameters, "group" + g + ".", moments)));
    }
    SDVariable rows =
        features.size() == 1
            ? features.get(0).rename(Objective.FEATURES)
            : sd.concat(Objective.FEATURES, 0, features.toArray(SDVariable[]::new));
    objective.parameters().forEach(sd::var);
    SDVariable loss = objective.loss(sd, head(rows), views);
    loss.rename(LOSS).markAsLoss();
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

  private SDVariable batchNorm(String norm, SDVariable x) {
    SDVariable[] y =
        BatchNormalization.apply(
            sd, norm, x, 2, parameters.get(norm + ".weight"), parameters.get(norm + ".bias"));
    moments.add(new Moments(norm, y[1].name(), y[2].name()));
    return y[0];
  }

  private SDVariable head(SDVariable features) {
    SDVariable hidden = linear(ParameterShapes.HEAD_FIRST, features);
    hidden = sd.nn().relu(batchNorm(ParameterShapes.HEAD_NORM, hidden), 0);
    SDVariable projection = linear(ParameterShapes.HEAD_SECOND, hidden);
    return normalizeRows(projection).rename(Objective.EMBEDDINGS);
  }

  /** Rows of x brought to unit length: x / max(‖x‖, 1e-12). */
  static SDVariable normalizeRows(SDVariable x) {
    SameDiff sd = x.getSameDiff();
    SDVariable norm = sd.math().sqrt(sd.math().squaredNorm(x, true, 1));
    return x.div(sd.math().max(norm, sd.constant(Nd4j.scalar(x.dataType(), 1e-12))));
  }

  private SDVariable linear(String name, SDVariable x) {
    return sd.mmul(name + ".product", x, parameters.get(name + ".weight"), false, true, false)
        .add(parameters.get(name + ".bias"));
  }
}
