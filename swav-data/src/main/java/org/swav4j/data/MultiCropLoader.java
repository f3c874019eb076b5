package org.swav4j.data;

import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Consumer;
import org.datavec.image.transform.ImageTransform;
import org.nd4j.linalg.dataset.api.MultiDataSetPreProcessor;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/**
 * Turns an image source into multi-crop batches on worker threads, ahead of the consumer.
 *
 * <p>It is an ND4J {@link MultiDataSetIterator}, so that {@code sd.fit(loader, epochs)} trains on
 * it. Its batches have no labels: {@code graph.fit(loader, epochs)} of a DL4J {@code
 * ComputationGraph} needs a {@link #setPreProcessor preprocessor} that adds them, a row for every
 * crop. {@link #next} gives the next batch of the epoch and takes back the one before; {@link
 * #reset} turns to the next epoch. Who wants a certain epoch, as a resumed run does, asks for it by
 * its number:
 *
 * <pre>{@code
 * try (MultiCropLoader loader = new MultiCropLoader(source, specs, augmentation, norm, 64, 0, 2)) {
 *   for (int epoch = 0; epoch < 100; epoch++) {
 *     for (MultiCropBatch batch : loader.epoch(epoch)) {
 *       try (batch) {
 *         step(batch.crops(0), batch.crops(1));
 *       }
 *     }
 *   }
 * }
 * }</pre>
 *
 * <p>The order of an epoch is a permutation keyed by (seed, epoch); each crop is keyed by (seed,
 * epoch, image, view). So the batches are the same, byte for byte, for any number of workers, and
 * epoch 7 is the same whether or not epoch 6 was run. The last images that don't fill a batch are
 * left out; another epoch leaves out others.
 *
 * <p>Two batches are prepared ahead, across the end of an epoch too, in three sets of buffers
 * allocated here. An image that can't be read is noted in {@link #skipped} and a readable one,
 * drawn at random by (seed, epoch, image), takes its place.
 *
 * <p>To be used by one consumer thread; {@link #skipped} and {@link #waitedNanos} by any.
 */
public final class MultiCropLoader implements MultiDataSetIterator, AutoCloseable {
  private static final long serialVersionUID = 1L;

  /** Batches prepared ahead of the one that the consumer holds. */
  private static final int AHEAD = 2;

  private final transient ImageSource source;
  private final transient List<CropPipeline> groups;
  private final transient Normalisation normalisation;
  private final transient int batch;
  private final transient int rows;
  private final transient long seed;
  private final transient ReadableImages images;
  private final transient BatchRing ring;
  private final transient CropWorkers workers;

  /** Transforms of workers made so far. */
  private final transient Set<ImageTransform> inUse =
      Collections.newSetFromMap(new IdentityHashMap<>());

  private transient MultiDataSetPreProcessor preProcessor;

  // Where the consumer is: the epoch begun last, its turn at the ring, the batch next() gave last.
  private transient int epoch = -1;
  private transient long turn = -1;
  private transient boolean taken;
  private transient MultiCropBatch held;

  /**
   * Crops by the published recipe.
   *
   * @param batch B, images per batch
   * @param seed of order and crops
   * @param workers threads that read and crop, at least 1
   * @throws IllegalArgumentException if a value is out of range, the batch is larger than the
   *     source, or the normalisation is for another number of channels
   */
  public MultiCropLoader(
      ImageSource source,
      List<CropSpec> specs,
      Augmentation augmentation,
      Normalisation normalisation,
      int batch,
      long seed,
      int workers) {
    this(source, CropPipeline.published(specs, augmentation), normalisation, batch, seed, workers);
  }

  /**
   * Allocates the buffers and starts the workers, which idle until the first batch is asked for.
   *
   * @param groups what is done to an image to make the crops of each group
   * @param batch B, images per batch
   * @param seed of order and crops
   * @param workers threads that read and crop, at least 1
   * @throws IllegalArgumentException if a value is out of range, the batch is larger than the
   *     source, or the normalisation is for another number of channels
   */
  public MultiCropLoader(
      ImageSource source,
      List<CropPipeline> groups,
      Normalisation normalisation,
      int batch,
      long seed,
      int workers) {
    this(source, groups, normalisation, batch, Share.WHOLE, seed, workers);
  }

  /**
   * A loader of some rows of every batch, for one of several workers that train together. Order,
   * crops and stand-ins are those of the whole batches; {@link MultiCropBatch#size} is the share's.
   *
   * @param groups what is done to an image to make the crops of each group
   * @param batch B, images per batch of all workers together, a multiple of their number
   * @param share the rows that are made here
   * @param seed of order and crops
   * @param workers threads that read and crop, at least 1
   * @throws IllegalArgumentException if a value is out of range, the batch is larger than the
   *     source or can't be shared out, or the normalisation is for another number of channels
   */
  @SuppressWarnings("this-escape") // the batches only keep the reference
  public MultiCropLoader(
      ImageSource source,
      List<CropPipeline> groups,
      Normalisation normalisation,
      int batch,
      Share share,
      long seed,
      int workers) {
    this.source = source;
    this.groups = List.copyOf(groups);
    this.normalisation = normalisation;
    this.batch = batch;
    this.seed = seed;
    check(workers);
    this.rows = share.rows(batch);
    this.images =
        new ReadableImages(
            source,
            this.groups.stream().mapToInt(CropPipeline::sufficientSide).max().orElse(1),
            seed);
    List<MultiCropBatch> batches = new ArrayList<>();
    for (int i = 0; i < AHEAD + 1; i++) {
      batches.add(new MultiCropBatch(this, this.groups, rows, source.channels()));
    }
    this.ring =
        new BatchRing(
            source.name(),
            batches,
            batchesPerEpoch(),
            e -> share.of(EpochOrder.of(source.size(), seed, e), batch));
    this.workers = new CropWorkers(workers, ring, RowMaker::new);
  }

  private void check(int workers) {
    if (groups.isEmpty()) {
      throw new IllegalArgumentException("no crop groups, expected at least one such as 2x224");
    }
    if (workers < 1) {
      throw new IllegalArgumentException(workers + " workers, expected at least 1");
    }
    if (batch < 1) {
      throw new IllegalArgumentException("batch " + batch + ", expected at least 1 image");
    }
    if (source.size() == 0) {
      throw new IllegalArgumentException(source.name() + " holds no image");
    }
    if (batch > source.size()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "batch %d is larger than %s, which holds %d images: an epoch would have no batch."
                  + " Choose a batch of at most %d",
              batch,
              source.name(),
              source.size(),
              source.size()));
    }
    normalisation.requireChannels(source.channels(), source.name());
  }

  /** Batches in every epoch: images / B, rounded down. */
  public int batchesPerEpoch() {
    return source.size() / batch;
  }

  /** The images that couldn't be read so far. */
  public SkippedImages skipped() {
    return images.skipped();
  }

  /** How long the consumer has waited for batches in all, in nanoseconds. */
  public long waitedNanos() {
    return ring.waitedNanos();
  }

  /**
   * The batches of an epoch, in order, to be iterated once; each is to be closed after its use.
   * Starting another epoch, or the same one again, ends this one. Iterating throws {@link
   * UncheckedIOException} if no image of the source can be read, and {@link IllegalStateException}
   * if the loader is closed, a worker failed (the cause says why), the thread is interrupted, or
   * three batches are held without being closed.
   *
   * @param epoch 0 or more
   */
  public Iterable<MultiCropBatch> epoch(int epoch) {
    return epoch(epoch, 0);
  }

  /**
   * The batches of an epoch but for the first ones, whose images are not read: for a run that goes
   * on in the middle of an epoch. Otherwise as {@link #epoch(int)}.
   *
   * @param epoch 0 or more
   * @param first number of the first batch wanted, from 0 to {@link #batchesPerEpoch}
   */
  public Iterable<MultiCropBatch> epoch(int epoch, int first) {
    if (epoch < 0) {
      throw new IllegalArgumentException("epoch " + epoch + ", expected 0 or more");
    }
    if (first < 0 || first > batchesPerEpoch()) {
      throw new IllegalArgumentException(
          "batch " + first + " of an epoch, expected 0 to " + batchesPerEpoch());
    }
    begin(epoch, first);
    long mine = turn;
    return () ->
        new Iterator<>() {
          @Override
          public boolean hasNext() {
            return ring.hasNext(mine);
          }

          @Override
          public MultiCropBatch next() {
            return take(mine);
          }
        };
  }

  private void begin(int epoch, int first) {
    turn = ring.begin(epoch, first);
    this.epoch = epoch;
    taken = false;
  }

  private MultiCropBatch take(long turn) {
    MultiCropBatch b = ring.next(turn);
    taken = true;
    b.written();
    if (preProcessor != null) {
      preProcessor.preProcess(b);
    }
    return b;
  }

  void giveBack(MultiCropBatch b) {
    ring.giveBack(b);
  }

  /** Whether the epoch has a batch left; before the first batch, whether epoch 0 has one: true. */
  @Override
  public boolean hasNext() {
    return turn < 0 || ring.hasNext(turn);
  }

  /**
   * The next batch of the epoch, of epoch 0 to begin with. It is good until the next call, which
   * takes its buffers back whether or not it was closed.
   *
   * @throws java.util.NoSuchElementException if the epoch is over: {@link #reset} turns to the next
   * @throws UncheckedIOException if no image of the source can be read
   * @throws IllegalStateException if the loader is closed, a worker failed or the thread is
   *     interrupted
   */
  @Override
  public MultiCropBatch next() {
    if (turn < 0) {
      begin(0, 0);
    }
    if (held != null) {
      held.close();
      held = null;
    }
    held = take(turn);
    return held;
  }

  /**
   * The next batch.
   *
   * @param images must be B, or the share's rows of it: batches are of one size
   * @throws IllegalArgumentException if it is another number
   */
  @Override
  public MultiCropBatch next(int images) {
    if (images != rows) {
      throw new IllegalArgumentException(
          "next(" + images + ") of batches of " + rows + " images: make a loader of that batch");
    }
    return next();
  }

  /**
   * Turns to the epoch after the one begun last, which brings another order and other crops. Before
   * the first batch of an epoch there is nothing to do: a loader that is reset before its first use
   * starts with epoch 0 all the same.
   */
  @Override
  public void reset() {
    if (taken) {
      begin(epoch + 1, 0);
    }
  }

  @Override
  public boolean resetSupported() {
    return true;
  }

  /** False: batches are prepared ahead here already, in buffers that are used again. */
  @Override
  public boolean asyncSupported() {
    return false;
  }

  /**
   * What to do to every batch before it is handed out, on the consumer's thread; null for nothing.
   * It may change the arrays, replace them, or add labels and masks; the next batch starts anew.
   */
  @Override
  public void setPreProcessor(MultiDataSetPreProcessor preProcessor) {
    this.preProcessor = preProcessor;
  }

  @Override
  public MultiDataSetPreProcessor getPreProcessor() {
    return preProcessor;
  }

  private void writeObject(ObjectOutputStream out) throws NotSerializableException {
    throw new NotSerializableException(
        "a MultiCropLoader has threads and buffers and can't be written: make one where it is used");
  }

  /** Makes the crops of one image; each worker has its own. */
  private final class RowMaker implements Consumer<BatchRing.Row> {
    private final List<CropMaker> makers;
    private final CounterRandom random = new CounterRandom();

    RowMaker() {
      CropRenderer renderer = new CropRenderer(normalisation);
      Set<ImageTransform> mine = Collections.newSetFromMap(new IdentityHashMap<>());
      this.makers =
          groups.stream().map(g -> g.maker(renderer, normalisation, inUse, mine)).toList();
      inUse.addAll(mine);
    }

    @Override
    public void accept(BatchRing.Row row) {
      ReadableImages.Found found = images.at(row.epoch(), row.index());
      MultiCropBatch b = row.batch();
      b.indices()[row.row()] = found.index();
      int view = 0;
      for (int g = 0; g < makers.size(); g++) {
        CropPipeline group = groups.get(g);
        int length = normalisation.channels() * group.size() * group.size();
        for (int k = 0; k < group.count(); k++) {
          // Keyed by the image that was due: a stand-in's crops differ from its own.
          random.reset(seed, row.epoch(), row.index(), view++);
          makers.get(g).make(found.image(), random, b.view(g), (k * rows + row.row()) * length);
        }
      }
    }
  }

  /**
   * Ends the workers, each after the image it is at, and frees the buffers; those of a batch still
   * held when it is closed. Closing twice does no harm.
   */
  @Override
  public void close() {
    if (ring.close()) {
      workers.join();
      ring.free();
    }
  }
}
