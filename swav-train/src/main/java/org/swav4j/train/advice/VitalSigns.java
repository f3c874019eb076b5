package org.swav4j.train.advice;

import java.nio.FloatBuffer;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.TrainingStep;
import org.swav4j.train.host.HostTensor;

/**
 * Collects {@link Vitals} of a run of SwAV from some of its steps. Allocates nothing per step after
 * the first. Not thread-safe.
 */
public final class VitalSigns {
  /** Images whose pixels, and whose scores, are looked at. */
  private static final int LOOKED_AT = 16;

  private final TrainingStep network;
  private final int batch;
  private final INDArray prototypes;
  private final INDArray trunk;
  private final float[] trunkBefore;
  private final float[] prototypesBefore;
  private final int dim;
  private final double[] sum;
  private final double[] squares;
  private final HostTensor codes = new HostTensor();
  private final HostTensor scores = new HostTensor();
  private final HostTensor embeddings = new HostTensor();
  private final HostTensor crops = new HostTensor();
  private final HostTensor directions = new HostTensor();
  private final HostTensor weights = new HostTensor();
  private boolean prototypesKept;
  private int inspected;
  private long rows;
  private double loss;
  private double entropy;
  private double likeness;
  private double highest;
  private double contrast;

  /**
   * Of a step that trains these weights.
   *
   * @param network with SwAV's scores and codes
   * @param batch B; of several workers, the rows of this one
   */
  public VitalSigns(TrainingStep network, int batch, SwavWeights trained) {
    this.batch = batch;
    this.network = network;
    this.prototypes = trained.parameters().get("prototypes.weight");
    this.trunk = trained.parameters().values().iterator().next();
    this.dim = trained.config().dim();
    this.sum = new double[dim];
    this.squares = new double[dim];
    this.trunkBefore = new float[(int) trunk.length()];
    this.prototypesBefore = new float[(int) prototypes.length()];
    keepTrunk();
  }

  private void keepTrunk() {
    weights.read(trunk).get(0, trunkBefore);
  }

  /**
   * Keeps the prototypes as a step left them. After the next one, which is to be the last before
   * {@link #finish}, its scores tell whether it took them at unit length.
   */
  public void keepPrototypes() {
    directions.read(prototypes).get(0, prototypesBefore);
    prototypesKept = true;
  }

  /**
   * Looks into the step that was just done.
   *
   * @param stepLoss in nats
   */
  public void inspect(double stepLoss) {
    INDArray q = network.codes();
    int assigned = (int) q.size(0);
    entropy += entropy(codes.read(q), assigned * (int) q.size(1));
    highest = Math.max(highest, largestScore());
    FloatBuffer z = embeddings.read(network.embeddings());
    double alike = 0;
    for (int row = 0; row < batch; row++) {
      for (int d = 0; d < dim; d++) {
        double first = z.get(row * dim + d);
        alike += first * z.get((row + batch) * dim + d);
        sum[d] += first;
        squares[d] += first * first;
      }
    }
    likeness += alike / batch;
    contrast += contrast();
    loss += stepLoss;
    rows += batch;
    inspected++;
  }

  /** The largest magnitude among the last step's scores. */
  public double largestScore() {
    FloatBuffer s = scores.read(network.scores());
    int count = (int) network.codes().length();
    double largest = 0;
    for (int i = 0; i < count; i++) {
      largest = Math.max(largest, Math.abs(s.get(i)));
    }
    return largest;
  }

  /** Mean entropy of the codes, of which a row holds one for each head. */
  private static double entropy(FloatBuffer q, int count) {
    double total = 0;
    double mass = 0;
    for (int i = 0; i < count; i++) {
      float p = q.get(i);
      if (p > 1e-12f) {
        total -= p * Math.log(p);
        mass += p;
      }
    }
    return total / mass;
  }

  /** Mean standard deviation within a channel of a crop, of the first images. */
  private double contrast() {
    INDArray images = network.crops(0);
    int pixels = (int) (images.size(2) * images.size(3));
    int planes = (int) (Math.min(LOOKED_AT, images.size(0)) * images.size(1));
    FloatBuffer x = crops.read(images);
    double total = 0;
    for (int plane = 0; plane < planes; plane++) {
      double mean = 0;
      double square = 0;
      for (int i = 0; i < pixels; i++) {
        double value = x.get(plane * pixels + i);
        mean += value;
        square += value * value;
      }
      mean /= pixels;
      total += Math.sqrt(Math.max(0, square / pixels - mean * mean));
    }
    return total / planes;
  }

  /**
   * What the steps since the last call say.
   *
   * @param step steps completed
   */
  public Vitals finish(long step) {
    double deviation = 0;
    for (int d = 0; d < dim; d++) {
      double mean = sum[d] / rows;
      deviation += Math.sqrt(Math.max(0, squares[d] / rows - mean * mean));
    }
    Vitals vitals =
        new Vitals(
            step,
            loss / inspected,
            entropy / inspected,
            deviation / dim * Math.sqrt(dim),
            likeness / inspected,
            highest,
            offSphere(),
            movement(),
            contrast / inspected);
    Arrays.fill(sum, 0);
    Arrays.fill(squares, 0);
    inspected = 0;
    rows = 0;
    loss = 0;
    entropy = 0;
    likeness = 0;
    highest = 0;
    contrast = 0;
    keepTrunk();
    return vitals;
  }

  /**
   * By how much the lengths that the last step took the prototypes at differ from 1; 0 if they were
   * not kept. An update leaves them somewhat off the sphere, and {@code beforeForward} brings them
   * back: only the scores know whether it did. Of z·c and the score s = z·c·length/|c|, over some
   * images, length = |c| Σ s (z·c) / Σ (z·c)².
   */
  private double offSphere() {
    if (!prototypesKept) {
      return 0;
    }
    prototypesKept = false;
    FloatBuffer s = scores.read(network.scores());
    FloatBuffer z = embeddings.read(network.embeddings());
    int count = (int) prototypes.size(0);
    int images = Math.min(LOOKED_AT, batch);
    double total = 0;
    for (int k = 0; k < count; k++) {
      double norm = 0;
      for (int d = 0; d < dim; d++) {
        norm += (double) prototypesBefore[k * dim + d] * prototypesBefore[k * dim + d];
      }
      double both = 0;
      double square = 0;
      for (int row = 0; row < images; row++) {
        double product = 0;
        for (int d = 0; d < dim; d++) {
          product += (double) z.get(row * dim + d) * prototypesBefore[k * dim + d];
        }
        both += s.get(row * count + k) * product;
        square += product * product;
      }
      if (square > 0) {
        total += Math.abs(Math.sqrt(norm) * both / square - 1);
      }
    }
    return total / count;
  }

  private double movement() {
    FloatBuffer now = weights.read(trunk);
    double moved = 0;
    double norm = 0;
    for (int i = 0; i < trunkBefore.length; i++) {
      double before = trunkBefore[i];
      moved += (now.get(i) - before) * (now.get(i) - before);
      norm += before * before;
    }
    return Math.sqrt(moved / norm);
  }
}
