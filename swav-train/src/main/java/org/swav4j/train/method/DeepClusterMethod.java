package org.swav4j.train.method;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.model.Objective;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.TrainingStep;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Precision;
import org.swav4j.train.collective.Collective;
import org.swav4j.train.host.HostTensor;
import org.swav4j.train.optimiser.PrototypeNormaliser;

/**
 * DeepCluster-v2 (Caron et al. 2020, <a href="https://arxiv.org/abs/2006.09882">arXiv
 * 2006.09882</a>). All images are clustered at the start of each epoch, and every crop predicts the
 * cluster of its image:
 *
 * <pre>
 *   at each epoch's start   spherical k-means over the memory         {@link SphericalKMeans}
 *                           the centroids become the prototypes
 *   at each step            cross-entropy of all V crops              {@link LabelPrediction}
 *                           embeddings of large crops to the memory
 * </pre>
 *
 * <p>The memory holds the last embedding of each image, of the first min(A, H) crops. With H heads
 * there are H sets of K prototypes, each clustered from other first centroids; head h clusters the
 * embeddings of crop h mod A, and the loss is the mean over heads. Prototypes have no gradient
 * steps.
 *
 * <p>The first epoch only fills the memory: no parameter moves, as in the pass over the data that
 * precedes training in the paper; its loss is that of predicting all clusters alike. An image that
 * is not in the memory when it is clustered, since an epoch leaves out its last incomplete batch,
 * joins the nearest centroid when it turns up.
 */
public final class DeepClusterMethod implements Method {
  private static final int ITERATIONS = 10;
  private static final int NONE = -1;
  private static final String ASSIGNMENTS = "assignments";
  private static final String SEEN = "seen";
  private static final String EPOCH = "epoch";

  /**
   * DeepCluster-v2's settings.
   *
   * @param images N, in the source that is learned from
   * @param assigning A, crops whose embeddings may be clustered, from crop 0: usually 2
   * @param heads H: 3 in the paper
   * @param temperature τ of the prediction, usually 0.1
   * @param seed that the first centroids follow from, with the epoch and the head
   */
  public record Settings(int images, int assigning, int heads, double temperature, long seed) {
    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException naming the one that is out of range
     */
    public Settings {
      require(images >= 1, "images", images, "at least 1");
      require(assigning >= 1, "assigning", assigning, "at least 1, usually 2");
      require(heads >= 1, "heads", heads, "at least 1");
      require(temperature > 0 && temperature < 1e6, "temperature", temperature, "above 0");
    }

    private static void require(boolean right, String name, Object value, String expected) {
      if (!right) {
        throw new IllegalArgumentException("`" + name + "` is " + value + ", expected " + expected);
      }
    }
  }

  private final Settings settings;
  private final SphericalKMeans clustering;
  private final PrototypeNormaliser normaliser = new PrototypeNormaliser();
  private final HostTensor[] hostMemory;
  private final INDArray[] memory;
  private final int[][] assignments;
  private final boolean[] seen;
  private int[] images = {};
  private int epoch = -1;
  private boolean clustered;
  private INDArray prototypes;
  private INDArray[] centroids;
  private INDArray targets;
  private INDArray[][] embeddings;
  private HostTensor[][] hostEmbeddings;

  /**
   * DeepCluster-v2. Its memory is allocated by {@link #begin}.
   *
   * @param engine what multiplies memory and centroids, in floats whatever the network is computed
   *     in
   */
  public DeepClusterMethod(Settings settings, Engine engine) {
    this.settings = settings;
    this.clustering = new SphericalKMeans(ITERATIONS, engine.withPrecision(Precision.FLOAT));
    this.memory = new INDArray[Math.min(settings.assigning(), settings.heads())];
    this.hostMemory = new HostTensor[memory.length];
    this.assignments = new int[settings.heads()][settings.images()];
    for (int[] ofHead : assignments) {
      Arrays.fill(ofHead, NONE);
    }
    this.seen = new boolean[settings.images()];
  }

  /** Those of the memory and the assignments. */
  @Override
  public long bytes() {
    long width = prototypes.dataType().width() * prototypes.size(1);
    return settings.images() * (memory.length * width + (long) Integer.BYTES * assignments.length);
  }

  @Override
  public Objective objective() {
    return new LabelPrediction(settings.heads(), settings.temperature());
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException if the prototypes are no multiple of the heads, or an epoch
   *     has fewer images than clusters
   */
  @Override
  public void begin(TrainingStep step, SwavWeights weights) {
    prototypes = weights.parameters().get(SwavMethod.PROTOTYPES);
    targets = step.target(LabelPrediction.TARGETS);
    int batch = Math.toIntExact(targets.size(0));
    centroids = headsOf(prototypes, batch);
    embeddings = new INDArray[memory.length][batch];
    hostEmbeddings = new HostTensor[memory.length][batch];
    for (int crop = 0; crop < memory.length; crop++) {
      memory[crop] = Nd4j.zeros(prototypes.dataType(), settings.images(), (int) prototypes.size(1));
      hostMemory[crop] = new HostTensor();
      for (int i = 0; i < batch; i++) {
        embeddings[crop][i] = row(step.embeddings(), (long) crop * batch + i);
        hostEmbeddings[crop][i] = new HostTensor();
      }
    }
  }

  /** The prototypes of each head, as views. */
  private INDArray[] headsOf(INDArray prototypes, int batch) {
    int heads = settings.heads();
    long k = prototypes.size(0) / heads;
    int inEpoch = settings.images() / batch * batch;
    if (prototypes.size(0) % heads != 0 || k > inEpoch) {
      throw new IllegalArgumentException(
          "`prototypes` is "
              + k
              + (prototypes.size(0) % heads == 0 ? "" : " and a rest for each of " + heads)
              + ", expected a whole number up to "
              + inEpoch
              + " with deepcluster-v2, which finds as many clusters among the images of an epoch");
    }
    return IntStream.range(0, heads)
        .mapToObj(h -> prototypes.get(NDArrayIndex.interval(h * k, (h + 1) * k)))
        .toArray(INDArray[]::new);
  }

  private static INDArray row(INDArray matrix, long index) {
    return matrix.get(NDArrayIndex.interval(index, index + 1));
  }

  @Override
  public boolean knowsImages() {
    return true;
  }

  @Override
  public void images(int[] indices) {
    images = indices;
  }

  @Override
  public void epochBegins(int next) {
    boolean first = epoch < 0;
    if (next != epoch && !first) {
      cluster(next);
    }
    epoch = next;
  }

  private void cluster(int next) {
    int[] which = IntStream.range(0, seen.length).filter(i -> seen[i]).toArray();
    SplittableRandom ofEpoch = new SplittableRandom(settings.seed() ^ ((long) next << 32));
    for (int head = 0; head < centroids.length; head++) {
      INDArray all = memory[head % memory.length];
      INDArray rows = which.length == seen.length ? all : Nd4j.pullRows(all, 1, which);
      int k = Math.toIntExact(centroids[head].size(0));
      SphericalKMeans.Clusters clusters = clustering.cluster(rows, k, ofEpoch.split());
      centroids[head].assign(clusters.centroids());
      Arrays.fill(assignments[head], NONE);
      for (int i = 0; i < which.length; i++) {
        assignments[head][which[i]] = clusters.assignments()[i];
      }
    }
    clustered = true;
  }

  /** Prototypes as they were drawn are of no length in particular; centroids are unit vectors. */
  @Override
  public void beforeForward(SwavWeights weights) {
    if (!clustered) {
      normaliser.normalise(prototypes);
    }
  }

  @Override
  public void beforeSaving(SwavWeights copy) {
    new PrototypeNormaliser().normalise(copy.parameters().get(SwavMethod.PROTOTYPES));
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException always: the memory is one worker's
   */
  @Override
  public void workers(Collective collective) {
    throw new IllegalArgumentException(
        "deepcluster-v2 clusters the memory of one worker, and there are "
            + collective.size()
            + ": train with one, or with another method");
  }

  @Override
  public void targets(TrainingStep step, long number, Collective collective) {
    for (int crop = 0; crop < memory.length; crop++) {
      for (int i = 0; i < images.length; i++) {
        HostTensor.copyRows(
            hostEmbeddings[crop][i],
            embeddings[crop][i],
            hostMemory[crop],
            memory[crop],
            images[i]);
      }
    }
    for (int image : images) {
      seen[image] = true;
    }
    targets.assign(clustered ? 0 : settings.heads() / (double) targets.size(1));
    if (clustered) {
      for (int head = 0; head < centroids.length; head++) {
        long first = head * centroids[head].size(0);
        for (int i = 0; i < images.length; i++) {
          targets.putScalar(i, first + assignment(head, images[i]), 1);
        }
      }
    }
  }

  private int assignment(int head, int image) {
    int[] ofHead = assignments[head];
    if (ofHead[image] == NONE) {
      // The only allocation in a step, for the few images that the clustering missed.
      INDArray scores = row(memory[head % memory.length], image).mmul(centroids[head].transpose());
      ofHead[image] = scores.argMax(1).getInt(0);
    }
    return ofHead[image];
  }

  /** Nothing moves in the first epoch, and prototypes never do: they are centroids. */
  @Override
  public boolean trains(String parameter, long number) {
    return clustered && !parameter.equals(SwavMethod.PROTOTYPES);
  }

  /** True: the loss is a mean over images. */
  @Override
  public boolean allowsParts() {
    return true;
  }

  /** ln K: every cluster predicted alike. */
  @Override
  public double chanceLoss() {
    return Math.log(targets.size(1) / (double) settings.heads());
  }

  /**
   * The memory, {@code crop<i> [N, D]}; {@code assignments [H, N]}, -1 for none; {@code seen [N]},
   * 1 for images in the memory; and the epoch last begun.
   */
  @Override
  public Map<String, INDArray> state() {
    Map<String, INDArray> state = new LinkedHashMap<>();
    for (int crop = 0; crop < memory.length; crop++) {
      state.put("crop" + crop, memory[crop]);
    }
    state.put(ASSIGNMENTS, Nd4j.createFromArray(assignments));
    state.put(
        SEEN,
        Nd4j.createFromArray(IntStream.range(0, seen.length).map(i -> seen[i] ? 1 : 0).toArray()));
    state.put(EPOCH, Nd4j.createFromArray(new int[] {epoch}));
    return state;
  }

  @Override
  public void restore(Map<String, INDArray> state) {
    Map<String, INDArray> own = state();
    own.forEach(
        (name, array) -> {
          INDArray saved = state.get(name);
          if (saved == null
              || !saved.equalShapes(array)
              || saved.dataType() != array.dataType()
              || state.size() != own.size()) {
            throw new IllegalArgumentException(
                "the checkpoint keeps "
                    + describe(state)
                    + " for its method, expected "
                    + describe(own)
                    + ": was it written with another method, other heads or other images?");
          }
        });
    for (int crop = 0; crop < memory.length; crop++) {
      memory[crop].assign(state.get("crop" + crop));
    }
    int[] all = state.get(ASSIGNMENTS).dup('c').data().asInt();
    for (int head = 0; head < assignments.length; head++) {
      System.arraycopy(all, head * seen.length, assignments[head], 0, seen.length);
    }
    int[] ones = state.get(SEEN).toIntVector();
    for (int i = 0; i < seen.length; i++) {
      seen[i] = ones[i] == 1;
    }
    epoch = state.get(EPOCH).getInt(0);
    clustered = IntStream.of(assignments[0]).anyMatch(a -> a != NONE);
  }

  private static String describe(Map<String, INDArray> state) {
    Map<String, String> shapes = new LinkedHashMap<>();
    state.forEach((name, a) -> shapes.put(name, a.dataType() + Arrays.toString(a.shape())));
    return shapes.toString();
  }

  @Override
  public void close() {
    for (INDArray crop : memory) {
      if (crop != null && crop.closeable()) {
        crop.close();
      }
    }
  }
}
