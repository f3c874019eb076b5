package org.swav4j.model;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.data.Normalisation;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Engines;
import org.swav4j.model.engine.Execution;
import org.swav4j.model.engine.Nd4jEngine;
import org.swav4j.model.plan.Value;

/**
 * A trained network in use: images in, features, embeddings or cluster numbers out. Batch norms are
 * folded into the convolutions, and a plan is compiled for each image size at its first use.
 *
 * <pre>{@code
 * try (SwavEncoder encoder = SwavEncoder.load(Path.of("weights.safetensors"))) {
 *   INDArray features = encoder.features(Path.of("cat.jpg"));
 * }
 * }</pre>
 *
 * <p>Pictures are given as files, streams or decoded images, which are resized to the size that the
 * weights ask for; or as arrays {@code [n, C, H, W]}, channels in the order red, green, blue, of
 * any size and number, of which those of about the size trained on give the best features. The
 * encoder keeps its own copy of the weights: training on doesn't change what it computes.
 *
 * <p>Safe for use by several threads, which wait for each other. Every thread that calls in makes
 * OpenMP keep a team of threads for it: a server with many threads gives the encoder one of its
 * own. Between calls those teams spin for a while, which costs whatever else runs their cores; they
 * sleep if the process was started with {@code OMP_WAIT_POLICY=passive} in its environment, which
 * nothing in the process can set later.
 */
public final class SwavEncoder implements AutoCloseable {
  /** Plans kept; each holds the memory of one run and the weights in the engine's layout. */
  private static final int PLANS = 6;

  /** Numbers of images that plans are made for; a batch is cut into such parts. */
  private static final int[] PARTS = {64, 16, 4, 1};

  /**
   * A part of more than one image has no more pixels, so that a run's memory stays small. With a
   * third of it networks were up to a third slower: the weights of the last stages, larger than the
   * caches, are read once for each part.
   */
  private static final long PIXELS = 64 * 96 * 96;

  /** Files that are read before the network runs on them. */
  private static final int FILES = 64;

  private record Key(long images, long height, long width) {}

  private record Compiled(FoldedNetwork.Inference inference, Execution execution) {}

  /** Something the network gives, and how many numbers that is for each image. */
  private record Result(long width, Function<FoldedNetwork.Inference, Value> value) {}

  private final SwavConfig config;
  private final DataType type;
  private final int features;
  private final boolean pixels;
  private final InputSize inputSize;
  private final Supplier<Normalisation> normalisation;
  private final FoldedNetwork network;
  private final Engine engine;
  private final Map<Key, Compiled> compiled = new LinkedHashMap<>(16, 0.75f, true);
  private PictureReader reader;
  private boolean closed;

  private SwavEncoder(SwavWeights weights, boolean pixels, Engine engine) {
    this.config = weights.config();
    this.type = weights.type();
    this.features = weights.features();
    this.pixels = pixels;
    this.inputSize = weights.inputSize().orElseGet(() -> InputSize.assumed(config));
    this.normalisation = normalisation(weights);
    this.network = new FoldedNetwork(weights, pixels);
    this.engine = engine;
  }

  /** What is done to pixels before this encoder is given them. */
  private Supplier<Normalisation> normalisation(SwavWeights weights) {
    List<Double> mean = pixels ? Collections.nCopies(config.channels(), 0.0) : weights.mean();
    List<Double> deviation =
        pixels ? Collections.nCopies(config.channels(), 1.0) : weights.deviation();
    return () -> {
      if (mean.isEmpty()) {
        throw new IllegalStateException(
            "the weights don't say how images are normalised, and this encoder takes normalised"
                + " ones: give the weights a withNormalisation(mean, deviation)");
      }
      return new Normalisation(mean, deviation);
    };
  }

  /**
   * An encoder of pixels in [0, 1] with the weights of a file.
   *
   * @throws IOException if it can't be read or is no file of {@link SwavWeights#save}
   * @throws IllegalArgumentException if it doesn't say how images were normalised
   */
  public static SwavEncoder load(Path file) throws IOException {
    return of(SwavWeights.load(file));
  }

  /**
   * An encoder of pixels in [0, 1], which it normalises as the weights say; on the fastest engine
   * of this machine.
   *
   * @throws IllegalArgumentException if the weights have no normalisation
   */
  public static SwavEncoder of(SwavWeights weights) {
    return of(weights, engineFor(weights));
  }

  /**
   * The same on an engine of one's choice.
   *
   * @throws IllegalArgumentException if the weights have no normalisation
   */
  public static SwavEncoder of(SwavWeights weights, Engine engine) {
    if (weights.mean().isEmpty()) {
      throw new IllegalArgumentException(
          "the weights don't say how images were normalised in training: give them a"
              + " withNormalisation(mean, deviation), for ImageNet's trunks usually (0.485, 0.456,"
              + " 0.406) and (0.229, 0.224, 0.225)");
    }
    return new SwavEncoder(weights, true, engine);
  }

  /** An encoder of images that the caller has normalised already; on the fastest engine. */
  public static SwavEncoder ofNormalised(SwavWeights weights) {
    return ofNormalised(weights, engineFor(weights));
  }

  /** The same on an engine of one's choice. */
  public static SwavEncoder ofNormalised(SwavWeights weights, Engine engine) {
    return new SwavEncoder(weights, false, engine);
  }

  private static Engine engineFor(SwavWeights weights) {
    return weights.type() == DataType.FLOAT ? Engines.best() : new Nd4jEngine();
  }

  /** What the network looks like. */
  public SwavConfig config() {
    return config;
  }

  /** How large it sees pictures: as the weights say, else as {@link InputSize#assumed} says. */
  public InputSize inputSize() {
    return inputSize;
  }

  /**
   * An image file as an array for this encoder: decoded, turned upright, resized and cut as in
   * training and by {@code swav embed}.
   *
   * @return a new array {@code [1, C, size, size]} of {@link #inputSize}: pixels in [0, 1], or
   *     normalised for {@link #ofNormalised}
   * @throws IOException if it can't be read or decoded, naming the file and the cause
   * @throws IllegalStateException if the weights of {@link #ofNormalised} have no normalisation
   */
  public INDArray pixels(Path image) throws IOException {
    return pixels(List.of(image));
  }

  /**
   * The same of an encoded image in memory or from elsewhere. The stream is read to its end and not
   * closed.
   *
   * @throws IOException if it can't be read or decoded
   */
  public INDArray pixels(InputStream image) throws IOException {
    return reader().read(image);
  }

  /**
   * The same of a picture that is decoded already, transparent parts white. It no longer says which
   * way up a camera held it (EXIF): where that may matter, give the file or the stream.
   */
  public INDArray pixels(BufferedImage image) {
    return reader().read(image);
  }

  /**
   * Several image files, read by several threads.
   *
   * @return a new array {@code [n, C, size, size]}, in the order given
   * @throws IOException if one can't be read or decoded, naming it
   * @throws IllegalArgumentException if the list is empty
   */
  public INDArray pixels(List<Path> images) throws IOException {
    if (images.isEmpty()) {
      throw new IllegalArgumentException("a list of no images, expected at least one");
    }
    return reader().read(images);
  }

  private synchronized PictureReader reader() {
    requireOpen();
    if (reader == null) {
      reader = new PictureReader(inputSize, normalisation.get());
    }
    return reader;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("this encoder was closed: make another");
    }
  }

  /**
   * The trunk's features of an image file, those that {@code swav embed} writes.
   *
   * @return a new array {@code [1, features]}
   * @throws IOException if it can't be read or decoded, naming the file and the cause
   */
  public INDArray features(Path image) throws IOException {
    return features(List.of(image));
  }

  /**
   * The same of an encoded image in memory or from elsewhere; see {@link #pixels(InputStream)}.
   *
   * @throws IOException if it can't be read or decoded
   */
  public INDArray features(InputStream image) throws IOException {
    try (INDArray pixels = pixels(image)) {
      return features(pixels);
    }
  }

  /** The same of a picture that is decoded already; see {@link #pixels(BufferedImage)}. */
  public INDArray features(BufferedImage image) {
    try (INDArray pixels = pixels(image)) {
      return features(pixels);
    }
  }

  /**
   * The same of several image files. Memory is that of {@value #FILES} images at a time, and of the
   * result.
   *
   * @return a new array {@code [n, features]}, in the order given
   * @throws IOException if one can't be read or decoded, naming it
   * @throws IllegalArgumentException if the list is empty
   */
  public INDArray features(List<Path> images) throws IOException {
    if (images.size() <= FILES) {
      try (INDArray pixels = pixels(images)) {
        return features(pixels);
      }
    }
    INDArray out = Nd4j.createUninitialized(type, images.size(), features);
    for (int at = 0; at < images.size(); at += FILES) {
      List<Path> part = images.subList(at, Math.min(images.size(), at + FILES));
      try (INDArray rows = features(part)) {
        slice(out, at, part.size()).assign(rows);
      }
    }
    return out;
  }

  /**
   * The trunk's features, before the projection head: what other tasks are built on.
   *
   * @param images {@code [n, C, H, W]}
   * @return a new array {@code [n, features]}
   * @throws IllegalArgumentException if the shape is another, or pixels aren't in [0, 1]
   * @throws IllegalStateException after {@link #close}
   */
  public INDArray features(INDArray images) {
    return rows(images, List.of(features()));
  }

  /**
   * The embeddings: features behind the projection head, at unit length. Their inner products are
   * the cosines that training compares.
   *
   * @param images {@code [n, C, H, W]}
   * @return a new array {@code [n, D]}
   * @throws IllegalArgumentException if the shape is another, or pixels aren't in [0, 1]
   * @throws IllegalStateException after {@link #close}
   */
  public INDArray embeddings(INDArray images) {
    return rows(images, List.of(embeddings()));
  }

  /**
   * Features and embeddings from one run of the network, side by side.
   *
   * @param images {@code [n, C, H, W]}
   * @return a new array {@code [n, features + D]}: {@link #features}, and to the right of them
   *     {@link #embeddings}
   * @throws IllegalArgumentException if the shape is another, or pixels aren't in [0, 1]
   * @throws IllegalStateException after {@link #close}
   */
  public INDArray featuresAndEmbeddings(INDArray images) {
    return rows(images, List.of(features(), embeddings()));
  }

  /**
   * The cosines of the embeddings with the prototypes.
   *
   * @param images {@code [n, C, H, W]}
   * @return a new array {@code [n, K]}
   * @throws IllegalArgumentException if the shape is another, or pixels aren't in [0, 1]
   * @throws IllegalStateException after {@link #close}
   */
  public INDArray scores(INDArray images) {
    return rows(images, List.of(scores()));
  }

  /**
   * The number of each image's nearest prototype: a clustering into K parts.
   *
   * @param images {@code [n, C, H, W]}
   * @return n numbers from 0 to K − 1; the lowest of equals
   * @throws IllegalArgumentException if the shape is another, or pixels aren't in [0, 1]
   * @throws IllegalStateException after {@link #close}
   */
  public int[] assign(INDArray images) {
    try (INDArray scores = scores(images)) {
      return scores.argMax(1).toIntVector();
    }
  }

  /**
   * What one pass through the network gives of each image.
   *
   * @param features as {@link SwavEncoder#features(INDArray)} gives them, {@code [n, features]}
   * @param clusters as {@link SwavEncoder#assign} gives them
   */
  public record Encoding(INDArray features, int[] clusters) {}

  /**
   * Features and clusters of one pass, in half the time of asking for both.
   *
   * @param images {@code [n, C, H, W]}
   * @return new arrays
   * @throws IllegalArgumentException if the shape is another, or pixels aren't in [0, 1]
   * @throws IllegalStateException after {@link #close}
   */
  public Encoding encode(INDArray images) {
    try (INDArray both = rows(images, List.of(features(), scores()))) {
      INDArray rows = both.get(NDArrayIndex.all(), NDArrayIndex.interval(0, features)).dup();
      INDArray scores =
          both.get(
              NDArrayIndex.all(), NDArrayIndex.interval(features, features + config.prototypes()));
      return new Encoding(rows, scores.argMax(1).toIntVector());
    }
  }

  /** Gives the plans' memory back. The encoder can't be used any more; results can. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      compiled.values().forEach(c -> c.execution().close());
      compiled.clear();
      network.close();
      if (reader != null) {
        reader.close();
      }
    }
  }

  private Result features() {
    return new Result(features, FoldedNetwork.Inference::features);
  }

  private Result embeddings() {
    return new Result(config.dim(), FoldedNetwork.Inference::embeddings);
  }

  private Result scores() {
    return new Result(config.prototypes(), FoldedNetwork.Inference::scores);
  }

  /** Results of one run of the network, side by side. */
  private synchronized INDArray rows(INDArray images, List<Result> results) {
    requireOpen();
    check(images);
    long n = images.size(0);
    long width = results.stream().mapToLong(Result::width).sum();
    INDArray out = Nd4j.createUninitialized(type, n, width);
    long at = 0;
    for (long part : parts(n, images.size(2), images.size(3))) {
      Compiled c = compiled(new Key(part, images.size(2), images.size(3)));
      c.execution().array(c.inference().images()).assign(slice(images, at, part));
      c.execution().forward();
      INDArray rows = slice(out, at, part);
      long column = 0;
      for (Result result : results) {
        long end = column + result.width();
        INDArray place =
            results.size() == 1
                ? rows
                : rows.get(NDArrayIndex.all(), NDArrayIndex.interval(column, end));
        place.assign(c.execution().array(result.value().apply(c.inference())));
        column = end;
      }
      at += part;
    }
    return out;
  }

  private static INDArray slice(INDArray array, long from, long count) {
    return array.get(NDArrayIndex.interval(from, from + count));
  }

  /**
   * How many images of a size go through the network at once, at most. A multiple of it is computed
   * by a single plan; other numbers have the network compiled for smaller parts, too.
   */
  public static int imagesAtOnce(long height, long width) {
    return Arrays.stream(PARTS).filter(p -> fits(p, height, width)).findFirst().orElseThrow();
  }

  private static boolean fits(int part, long height, long width) {
    return part == 1 || part * height * width <= PIXELS;
  }

  /** Numbers of images per run, the largest parts first. */
  static List<Long> parts(long n, long height, long width) {
    List<Long> parts = new ArrayList<>();
    long left = n;
    for (int part : PARTS) {
      if (fits(part, height, width)) {
        for (; left >= part; left -= part) {
          parts.add((long) part);
        }
      }
    }
    return parts;
  }

  private Compiled compiled(Key key) {
    Compiled known = compiled.get(key);
    if (known != null) {
      return known;
    }
    if (compiled.size() == PLANS) {
      Key oldest = compiled.keySet().iterator().next();
      compiled.remove(oldest).execution().close();
    }
    FoldedNetwork.Inference inference = network.plan(key.images(), key.height(), key.width());
    Compiled fresh = new Compiled(inference, engine.prepare(inference.plan()));
    compiled.put(key, fresh);
    return fresh;
  }

  private void check(INDArray images) {
    if (images.rank() != 4 || images.size(1) != config.channels() || images.isEmpty()) {
      throw new IllegalArgumentException(
          "images of shape "
              + Arrays.toString(images.shape())
              + ", expected [n, "
              + config.channels()
              + ", height, width]: one image is [1, C, H, W], channels come before rows");
    }
    if (!Double.isFinite(images.sumNumber().doubleValue())) {
      throw new IllegalArgumentException(
          "images hold NaN or infinite values, expected finite ones: look at what made them");
    }
    if (pixels) {
      double least = images.minNumber().doubleValue();
      double greatest = images.maxNumber().doubleValue();
      if (least < -1e-3 || greatest > 1 + 1e-3) {
        throw new IllegalArgumentException(
            "pixels from "
                + least
                + " to "
                + greatest
                + ", expected 0 to 1: divide bytes by 255, and don't normalise (SwavEncoder."
                + "ofNormalised takes images that are normalised already)");
      }
    }
  }
}
