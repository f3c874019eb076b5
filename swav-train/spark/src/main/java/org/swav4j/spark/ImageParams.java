package org.swav4j.spark;

import java.io.Serializable;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.Params;

/**
 * The columns of images and of what becomes of them, which {@link SwavEstimator} and {@link
 * SwavModel} have in common.
 *
 * @param <T> who has them
 */
public interface ImageParams<T extends ImageParams<T>> extends Params {
  /** The parameters themselves, made once the owner has its {@code uid}. */
  final class Columns implements Serializable {
    private static final long serialVersionUID = 1L;

    private final Param<String> input;
    private final Param<String> output;
    private final Param<String> cluster;
    private final Param<String> reason;

    Columns(Params owner) {
      input =
          new Param<>(
              owner,
              "inputCol",
              "column of the images: binary, the content of image files as the binaryFile source"
                  + " gives it, or string, their paths on any file system of Hadoop's");
      output =
          new Param<>(
              owner,
              "outputCol",
              "column that gets the features, a vector; null where an image can't be read");
      cluster =
          new Param<>(
              owner,
              "clusterCol",
              "column that gets the number of the nearest prototype, from 0; empty for no such"
                  + " column");
      reason =
          new Param<>(
              owner,
              "reasonCol",
              "column that gets the reason why an image can't be read, null where it can; empty"
                  + " for no such column");
      owner.setDefault(input, "content");
      owner.setDefault(output, "features");
      owner.setDefault(cluster, "cluster");
      owner.setDefault(reason, "reason");
    }
  }

  /** The parameters below. */
  Columns columns();

  /** The column of the images; {@code content} by default. */
  default Param<String> inputCol() {
    return columns().input;
  }

  /** The model's column for the features; {@code features} by default. */
  default Param<String> outputCol() {
    return columns().output;
  }

  /** The model's column for the cluster; {@code cluster} by default. */
  default Param<String> clusterCol() {
    return columns().cluster;
  }

  /** The model's column for the reason of failure; {@code reason} by default. */
  default Param<String> reasonCol() {
    return columns().reason;
  }

  /** Sets {@link #inputCol}. */
  default T setInputCol(String column) {
    return with(inputCol(), column);
  }

  /** Sets {@link #outputCol}. */
  default T setOutputCol(String column) {
    return with(outputCol(), column);
  }

  /** Sets {@link #clusterCol}. */
  default T setClusterCol(String column) {
    return with(clusterCol(), column);
  }

  /** Sets {@link #reasonCol}. */
  default T setReasonCol(String column) {
    return with(reasonCol(), column);
  }

  @SuppressWarnings("unchecked") // T is the class that has them
  private T with(Param<String> param, String column) {
    set(param, column);
    return (T) this;
  }
}
