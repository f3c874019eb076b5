package org.swav4j.model;

import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a network is trained for: a loss, written in SameDiff over the embeddings of a batch.
 * SameDiff differentiates it and {@link TrainingStep} runs both; any op SameDiff can differentiate
 * may be used. {@link SwappedPrediction} is SwAV's. In a few lines, embeddings of 64 numbers drawn
 * to given points:
 *
 * <pre>{@code
 * Objective objective =
 *     (sd, embeddings, views) -> {
 *       SDVariable points =
 *           sd.placeHolder("points", embeddings.dataType(), views.rows(), 64);
 *       return sd.math().square(embeddings.sub(points)).mean();
 *     };
 * }</pre>
 */
@FunctionalInterface
public interface Objective {
  /** Name of the graph's variable that holds the trunk's features, {@code [V·B, F]}. */
  String FEATURES = "features";

  /** Name of the graph's variable that holds the embeddings, {@code [V·B, D]}. */
  String EMBEDDINGS = "embeddings";

  /**
   * Writes the loss into a graph.
   *
   * <p>Placeholders it makes, of fixed shape, are the step's targets, filled between the step's two
   * halves. Parameters of the weights are the graph's variables of their names, for example {@code
   * sd.getVariable("prototypes.weight")}; those the loss does not reach have no gradient.
   *
   * @param sd the graph, with the network in it
   * @param embeddings {@code [V·B, D]}, rows of unit length, crop by crop
   * @param views V and B
   * @return the loss, a scalar of the embeddings' type
   */
  SDVariable loss(SameDiff sd, SDVariable embeddings, Views views);

  /**
   * Names of the variables {@link #loss} made that are read after {@link TrainingStep#forward},
   * before the targets are known; they may not depend on these.
   */
  default List<String> reads() {
    return List.of();
  }

  /**
   * Names of the variables whose gradients are wanted beside those of the parameters: {@link
   * #EMBEDDINGS}, {@link #FEATURES}, or what {@link #loss} made. See {@link TrainingStep#gradient}.
   */
  default List<String> differentiates() {
    return List.of();
  }

  /**
   * Parameters of its own beside the network's, such as a classifier's, by name: variables of the
   * graph before {@link #loss} is called, with gradients among {@link TrainingStep#gradients}. The
   * arrays are read at each run: update them in place. None has the name of one of the network's.
   */
  default Map<String, INDArray> parameters() {
    return Map.of();
  }
}
