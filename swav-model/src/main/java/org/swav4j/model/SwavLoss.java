package org.swav4j.model;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The loss of SwAV as a piece of any SameDiff graph: the code of one view of an image is predicted
 * from the other views (Caron et al. 2020, equation 2, over all pairs as in section 3.3).
 *
 * <pre>
 *   loss = -1 / (A (V-1) B) Σ_{i&lt;A} Σ_{v≠i} Σ_n Σ_k q_i[n,k] log softmax(s_v[n] / τ)[k]
 * </pre>
 *
 * <p>Written as one product, of log softmax(s / τ) with the targets t_v = Σ_{i≠v} q_i. For example
 * with scores from a network of one's own:
 *
 * <pre>{@code
 * SDVariable scores = sd.mmul(embeddings, prototypes, false, true, false);
 * SDVariable codes = sd.placeHolder("codes", DataType.FLOAT, 2 * batch, k);
 * Views views = new Views(List.of(new CropGroup(2, 32)), batch);
 * SwavLoss.of(scores, codes, views, 2, 0.1).markAsLoss();
 * }</pre>
 */
public final class SwavLoss {
  private SwavLoss() {}

  /**
   * Adds the loss to the graph of the scores.
   *
   * @param scores s, {@code [V·B, K]}, crop by crop
   * @param codes q of crops 0 to A-1, {@code [A·B, K]}, rows that sum to 1. They are targets: if
   *     they are computed in the graph, stop their gradient there
   * @param views V and B
   * @param assigning A, crops that have codes: from 1 to V, usually 2
   * @param temperature τ, above 0, usually 0.1
   * @return the loss in nats, a scalar
   * @throws IllegalArgumentException if there are fewer than two crops, or a number is out of range
   */
  public static SDVariable of(
      SDVariable scores, SDVariable codes, Views views, int assigning, double temperature) {
    check(views, assigning, temperature);
    SameDiff sd = scores.getSameDiff();
    int batch = views.batch();
    List<SDVariable> q = new ArrayList<>();
    for (int i = 0; i < assigning; i++) {
      q.add(sd.slice(codes, new int[] {i * batch, 0}, batch, -1));
    }
    List<SDVariable> targets = new ArrayList<>();
    for (int v = 0; v < views.count(); v++) {
      SDVariable sum = null;
      for (int i = 0; i < assigning; i++) {
        if (i != v) {
          sum = sum == null ? q.get(i) : sum.add(q.get(i));
        }
      }
      targets.add(sum == null ? sd.zerosLike(q.get(0)) : sum);
    }
    SDVariable logP = sd.nn().logSoftmax(scores.mul(1 / temperature));
    double terms = (double) assigning * (views.count() - 1) * batch;
    return sd.concat(0, targets.toArray(SDVariable[]::new)).mul(logP).sum().mul(-1 / terms);
  }

  static void check(Views views, int assigning, double temperature) {
    int count = views.count();
    if (count < 2) {
      throw new IllegalArgumentException(
          "there is "
              + count
              + " crop per image, expected at least 2: a crop's code is predicted from another");
    }
    if (assigning < 1 || assigning > count) {
      throw new IllegalArgumentException(
          "assigning crops are " + assigning + ", expected 1 to " + count + ", usually 2");
    }
    if (!(temperature > 0 && temperature < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "temperature is " + temperature + ", expected a number above 0, usually 0.1");
    }
  }
}
