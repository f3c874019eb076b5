package org.swav4j.model;

import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ops.impl.layers.convolution.config.Conv2DConfig;
import org.nd4j.linalg.api.ops.impl.layers.convolution.config.PaddingMode;
import org.nd4j.linalg.api.ops.impl.layers.convolution.config.Pooling2DConfig;

/**
 * A backbone's layers in a SameDiff graph. What is trained and what is exported differ in where
 * parameters come from and in batch norm; the rest is here.
 */
abstract class GraphLayers implements Backbone.Layers<SDVariable> {
  private final SameDiff sd;

  GraphLayers(SameDiff sd) {
    this.sd = sd;
  }

  /** The layers in training: batch norm by the moments of what passes through. */
  static GraphLayers training(
      SameDiff sd,
      Map<String, SDVariable> parameters,
      String prefix,
      List<SwavGraph.Moments> moments) {
    return new GraphLayers(sd) {
      @Override
      SDVariable parameter(String name) {
        return parameters.get(name);
      }

      @Override
      SDVariable convolution(
          Backbone.Convolution c, SDVariable x, SDVariable kernel, Conv2DConfig window) {
        return sd.cnn().conv2d(prefix + c.name(), x, kernel, window);
      }

      @Override
      public SDVariable norm(SDVariable x, String name) {
        SDVariable[] y =
            BatchNormalization.apply(
                sd, prefix + name, x, 4, parameter(name + ".weight"), parameter(name + ".bias"));
        moments.add(new SwavGraph.Moments(name, y[1].name(), y[2].name()));
        return y[0];
      }
    };
  }

  /** The layers after training, of stock ops over copies of the weights: for any program. */
  static GraphLayers inference(SameDiff sd, SwavWeights weights) {
    return new GraphLayers(sd) {
      @Override
      SDVariable parameter(String name) {
        return sd.constant(name, weights.array(name).dup('c'));
      }

      @Override
      SDVariable convolution(
          Backbone.Convolution c, SDVariable x, SDVariable kernel, Conv2DConfig window) {
        return sd.cnn().conv2d(x, kernel, window);
      }

      @Override
      public SDVariable norm(SDVariable x, String name) {
        return sd.nn()
            .batchNorm(
                x,
                parameter(name + ".running_mean"),
                parameter(name + ".running_var"),
                parameter(name + ".weight"),
                parameter(name + ".bias"),
                ParameterShapes.EPSILON,
                1);
      }
    };
  }

  abstract SDVariable parameter(String name);

  abstract SDVariable convolution(
      Backbone.Convolution c, SDVariable x, SDVariable kernel, Conv2DConfig window);

  @Override
  public SDVariable convolution(SDVariable x, Backbone.Convolution c) {
    Backbone.Window w = c.window();
    Conv2DConfig window =
        Conv2DConfig.builder()
            .kH(w.kernel())
            .kW(w.kernel())
            .sH(w.stride())
            .sW(w.stride())
            .pH(w.padding())
            .pW(w.padding())
            .paddingMode(PaddingMode.VALID)
            .dataFormat("NCHW")
            .build();
    SDVariable y = convolution(c, x, parameter(c.name() + ".weight"), window);
    return c.bias() ? y.add(sd.reshape(parameter(c.name() + ".bias"), 1, c.out(), 1, 1)) : y;
  }

  @Override
  public SDVariable relu(SDVariable x) {
    return sd.nn().relu(x, 0);
  }

  @Override
  public SDVariable leakyRelu(SDVariable x, double slope) {
    return sd.nn().leakyRelu(x, slope);
  }

  @Override
  public SDVariable add(SDVariable a, SDVariable b) {
    return a.add(b);
  }

  @Override
  public SDVariable concat(SDVariable a, SDVariable b) {
    return sd.concat(1, a, b);
  }

  @Override
  public SDVariable maxPool(SDVariable x, Backbone.Window window) {
    return sd.cnn().maxPooling2d(x, pooling(window));
  }

  @Override
  public SDVariable averagePool(SDVariable x, Backbone.Window window) {
    return sd.cnn().avgPooling2d(x, pooling(window));
  }

  private static Pooling2DConfig pooling(Backbone.Window w) {
    int padding = w.same() ? 0 : w.padding();
    return Pooling2DConfig.builder()
        .kH(w.kernel())
        .kW(w.kernel())
        .sH(w.stride())
        .sW(w.stride())
        .pH(padding)
        .pW(padding)
        .paddingMode(w.same() ? PaddingMode.SAME : PaddingMode.VALID)
        .isNHWC(false)
        .build();
  }

  @Override
  public SDVariable mean(SDVariable x) {
    return x.mean(2, 3);
  }
}
