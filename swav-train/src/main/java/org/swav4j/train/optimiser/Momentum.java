package org.swav4j.train.optimiser;

import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.train.host.HostTensor;

/**
 * Heavy-ball momentum over named parameters, the part SGD and LARS share:
 *
 * <pre>
 * m = mu m + scale (g + decay w)      (m = scale (g + decay w) the first time)
 * w = w - lr m
 * </pre>
 *
 * <p>One read and at most one write of each array per step, at memory speed. Arrays that are not in
 * host memory, or whose gradient lies in another order, go through ND4J's ops, which allocate.
 */
final class Momentum {
  /** What one rule makes of a tensor before the common update. */
  @FunctionalInterface
  interface Rule {
    /** Sets {@link Tensor#scale} and {@link Tensor#decay}; may ask for the norms. */
    void apply(Tensor tensor, double learningRate);
  }

  private final double mu;
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();
  private final Map<String, INDArray> state = new LinkedHashMap<>();

  // Of a step; a field each, for an iterator or a lambda would be an object a step.
  private final BiConsumer<String, INDArray> update = this::update;
  private Map<String, INDArray> gradients;
  private double learningRate;
  private Rule rule;
  private int known;

  Momentum(double mu) {
    if (!(mu >= 0 && mu < 1)) {
      throw new IllegalArgumentException(
          "momentum " + mu + " is outside [0, 1): 0.9 is the usual value");
    }
    this.mu = mu;
  }

  static double checkDecay(double weightDecay) {
    if (!(weightDecay >= 0 && weightDecay < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "weight decay " + weightDecay + " is not a number of at least 0: 1e-6 is usual for SwAV");
    }
    return weightDecay;
  }

  void step(
      Map<String, INDArray> parameters,
      Map<String, INDArray> gradients,
      double learningRate,
      Rule rule) {
    if (!(learningRate >= 0 && learningRate < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "learning rate "
              + learningRate
              + " is not a number of at least 0: check the schedule's base, start and final rates");
    }
    this.gradients = gradients;
    this.learningRate = learningRate;
    this.rule = rule;
    this.known = 0;
    parameters.forEach(update);
    if (known != gradients.size()) {
      throw strayGradients(parameters, gradients);
    }
  }

  private void update(String name, INDArray parameter) {
    INDArray gradient = gradients.get(name);
    if (gradient == null) {
      return;
    }
    known++;
    Tensor tensor = tensor(name, parameter);
    tensor.bind(parameter, gradient);
    rule.apply(tensor, learningRate);
    tensor.update(mu, learningRate);
  }

  private static IllegalArgumentException strayGradients(
      Map<String, INDArray> parameters, Map<String, INDArray> gradients) {
    String names =
        gradients.entrySet().stream()
            .filter(e -> e.getValue() == null || !parameters.containsKey(e.getKey()))
            .map(Map.Entry::getKey)
            .toList()
            .toString();
    return new IllegalArgumentException(
        "gradients "
            + names
            + " belong to no parameter or are null: leave a frozen parameter's gradient out");
  }

  private Tensor tensor(String name, INDArray parameter) {
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      INDArray m = state.get(name);
      if (m == null) {
        m = parameter.ulike();
        m.assign(0);
        state.put(name, m);
      } else if (!Arrays.equals(m.shape(), parameter.shape())
          || m.dataType() != parameter.dataType()) {
        throw new IllegalArgumentException(
            describe("momentum", m)
                + " does not fit "
                + describe("parameter " + name, parameter)
                + ": is the checkpoint of another architecture?");
      } else if (!HostTensor.sameLayout(m, parameter)) {
        INDArray laidOut = parameter.ulike();
        laidOut.assign(m);
        state.put(name, m = laidOut);
      }
      tensor = new Tensor(name, m);
      tensors.put(name, tensor);
    }
    return tensor;
  }

  Map<String, INDArray> state() {
    return Collections.unmodifiableMap(state);
  }

  void restore(Map<String, INDArray> saved) {
    Map<String, INDArray> copies = new LinkedHashMap<>();
    saved.forEach((name, m) -> copies.put(name, m.dup()));
    tensors.clear();
    state.clear();
    state.putAll(copies);
  }

  private static String describe(String what, INDArray array) {
    return what + " " + array.dataType() + Arrays.toString(array.shape());
  }

  /** One parameter with its gradient and momentum. */
  static final class Tensor {
    private final String name;
    private final INDArray m;
    private final HostTensor hostW = new HostTensor();
    private final HostTensor hostG = new HostTensor();
    private final HostTensor hostM = new HostTensor();
    private final Norm norm = new Norm();
    private INDArray w;
    private INDArray g;
    private boolean host;

    double scale;
    double decay;

    Tensor(String name, INDArray m) {
      this.name = name;
      this.m = m;
    }

    private void bind(INDArray parameter, INDArray gradient) {
      if (parameter != w || gradient != g) {
        if (!Arrays.equals(gradient.shape(), parameter.shape())
            || gradient.dataType() != parameter.dataType()) {
          throw new IllegalArgumentException(
              describe("gradient", gradient)
                  + " does not fit "
                  + describe("parameter " + name, parameter)
                  + ": both must come from the same network");
        }
        w = parameter;
        g = gradient;
        host =
            HostTensor.supports(w)
                && HostTensor.supports(g)
                && HostTensor.supports(m)
                && HostTensor.sameLayout(w, g)
                && HostTensor.sameLayout(w, m);
      }
      if (host) {
        hostW.bind(w);
        hostG.bind(g);
        hostM.bind(m);
      }
    }

    int rank() {
      return w.rank();
    }

    double parameterNorm() {
      return finite(host ? norm.of(hostW) : Norm.of(w), "parameter");
    }

    double gradientNorm() {
      return finite(host ? norm.of(hostG) : Norm.of(g), "gradient");
    }

    private double finite(double value, String what) {
      if (!(value < Double.POSITIVE_INFINITY)) {
        throw new ArithmeticException(
            "the "
                + what
                + " of "
                + name
                + " has norm "
                + value
                + ", expected a finite number: training has diverged, or an input image holds"
                + " values that are not finite; lower the learning rate and start from the last"
                + " checkpoint");
      }
      return value;
    }

    private void update(double mu, double lr) {
      if (!host) {
        m.muli(mu).addi(g.mul(scale));
        if (decay != 0) {
          m.addi(w.mul(scale * decay));
        }
        w.subi(m.mul(lr));
      } else if (hostW.isFloat()) {
        update(
            hostW.floats(),
            hostG.floats(),
            hostM.floats(),
            hostW.length(),
            (float) mu,
            (float) scale,
            (float) decay,
            (float) lr);
      } else {
        update(
            hostW.doubles(),
            hostG.doubles(),
            hostM.doubles(),
            hostW.length(),
            mu,
            scale,
            decay,
            lr);
      }
    }

    private static void update(
        FloatBuffer w,
        FloatBuffer g,
        FloatBuffer m,
        int n,
        float mu,
        float scale,
        float decay,
        float lr) {
      for (int i = 0; i < n; i++) {
        float x = w.get(i);
        float v = mu * m.get(i) + scale * (g.get(i) + decay * x);
        m.put(i, v);
        w.put(i, x - lr * v);
      }
    }

    private static void update(
        DoubleBuffer w,
        DoubleBuffer g,
        DoubleBuffer m,
        int n,
        double mu,
        double scale,
        double decay,
        double lr) {
      for (int i = 0; i < n; i++) {
        double x = w.get(i);
        double v = mu * m.get(i) + scale * (g.get(i) + decay * x);
        m.put(i, v);
        w.put(i, x - lr * v);
      }
    }
  }

  /**
   * Euclidean norms good to a millionth. ND4J's own {@code norm2} adds floats one after the other:
   * half a per cent off for eleven million numbers.
   */
  private static final class Norm {
    /** Numbers added side by side, so that the loop vectorises. */
    private static final int LANES = 256;

    /** Floats taken in by one run over the lanes. */
    private static final int ROWS = 4 * LANES;

    /** Floats copied at a time: loops that add up vectorise over a Java array only. */
    private static final int CHUNK = 4 * ROWS;

    /** Chunks whose float sums are taken together before they move on to a double. */
    private static final int DEPTH = 16;

    private float[] chunk;
    private float[] floatLanes;
    private double[] doubleLanes;

    static double of(INDArray array) {
      INDArray flat = array.dup('c');
      double norm = Nd4j.getBlasWrapper().level1().nrm2(flat);
      flat.close();
      return norm;
    }

    double of(HostTensor x) {
      return Math.sqrt(x.isFloat() ? squares(x.floats(), x.length()) : squares(x.doubles(), x));
    }

    private double squares(FloatBuffer x, int n) {
      if (floatLanes == null) {
        floatLanes = new float[LANES];
        chunk = new float[CHUNK];
      }
      double total = 0;
      for (int start = 0; start < n; ) {
        Arrays.fill(floatLanes, 0);
        for (int i = 0; i < DEPTH && start < n; i++, start += CHUNK) {
          int count = Math.min(CHUNK, n - start);
          x.get(start, chunk, 0, count);
          int end = (count + ROWS - 1) / ROWS * ROWS;
          Arrays.fill(chunk, count, end, 0);
          add(chunk, end, floatLanes);
        }
        for (float lane : floatLanes) {
          total += lane;
        }
      }
      return total;
    }

    private static void add(float[] chunk, int end, float[] lanes) {
      for (int start = 0; start < end; start += ROWS) {
        for (int k = 0; k < LANES; k++) {
          float a = chunk[start + k];
          float b = chunk[start + LANES + k];
          float c = chunk[start + 2 * LANES + k];
          float d = chunk[start + 3 * LANES + k];
          lanes[k] += a * a + b * b + c * c + d * d;
        }
      }
    }

    private double squares(DoubleBuffer x, HostTensor tensor) {
      if (doubleLanes == null) {
        doubleLanes = new double[LANES];
      }
      double[] lanes = doubleLanes;
      Arrays.fill(lanes, 0);
      int n = tensor.length();
      for (int start = 0; start < n; start += LANES) {
        add(x, start, Math.min(LANES, n - start), lanes);
      }
      double total = 0;
      for (double lane : lanes) {
        total += lane;
      }
      return total;
    }

    private static void add(DoubleBuffer x, int start, int count, double[] lanes) {
      for (int k = 0; k < count; k++) {
        double v = x.get(start + k);
        lanes[k] += v * v;
      }
    }
  }
}
