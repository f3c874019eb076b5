package org.swav4j.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Turns an image source into multi-crop batches on worker threads, ahead of the consumer.
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
 * allocated here. An image that can't be read is noted in {@link #skipped} and the next readable
 * one of the source takes its place.
 *
 * <p>To be used by one consumer thread; {@link #skipped} and {@link #waitedNanos} by any.
 */
public final class MultiCropLoader implements AutoCloseable {
  /** Batches prepared ahead of the one that the consumer holds. */
  private static final int AHEAD = 2;

  /** Counter that no image or view has, for the order of an epoch. */
  private static final long ORDER = -1;

  private final ImageSource source;
  private final List<CropSpec> specs;
  private final Augmentation augmentation;
  private final Normalisation normalisation;
  private final int batch;
  private final long seed;
  private final int sufficientSide;
  private final SkippedImages skipped = new SkippedImages();
  private final AtomicIntegerArray unreadable;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition work = lock.newCondition();
  private final Condition ready = lock.newCondition();
  private final List<MultiCropBatch> buffers = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();

  // Guarded by the lock: what the workers make next.
  private boolean started;
  private boolean closed;
  private long generation;
  private int nextEpoch;
  private int nextBatch;
  private int[] nextOrder;

  // Guarded by the lock: where the consumer is.
  private int consumedEpoch = -1;
  private int consumedBatch;
  private long iteration;

  private volatile long waited;

  /**
   * Allocates the buffers and starts the workers, which idle until the first {@link #epoch}.
   *
   * @param batch B, images per batch
   * @param seed of order and crops
   * @param workers threads that read and crop, at least 1
   * @throws IllegalArgumentException if a value is out of range, the batch is larger than the
   *     source, or the normalisation is for another number of channels
   */
  @SuppressWarnings("this-escape") // the batches only keep the reference
  public MultiCropLoader(
      ImageSource source,
      List<CropSpec> specs,
      Augmentation augmentation,
      Normalisation normalisation,
      int batch,
      long seed,
      int workers) {
    this.source = source;
    this.specs = List.copyOf(specs);
    this.augmentation = augmentation;
    this.normalisation = normalisation;
    this.batch = batch;
    this.seed = seed;
    check(workers);
    this.unreadable = new AtomicIntegerArray(source.size());
    this.sufficientSide = this.specs.stream().mapToInt(CropSpec::sufficientSide).max().orElse(1);
    for (int i = 0; i < AHEAD + 1; i++) {
      buffers.add(new MultiCropBatch(this, this.specs, batch, source.channels()));
    }
    for (int i = 0; i < workers; i++) {
      Thread thread = new Thread(this::run, "swav-crops-" + i);
      thread.setDaemon(true);
      threads.add(thread);
    }
    threads.forEach(Thread::start);
  }

  private void check(int workers) {
    if (specs.isEmpty()) {
      throw new IllegalArgumentException("no crop groups, expected at least one such as 2x224");
    }
    if (workers < 1) {
      throw new IllegalArgumentException(workers + " loader threads, expected at least 1");
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
              "batch %d is larger than %s, which holds %d images: an epoch would have no batch."
                  + " Choose a batch of at most %d",
              batch, source.name(), source.size(), source.size()));
    }
    normalisation.requireChannels(source.channels(), source.name());
  }

  /** Batches in every epoch: images / B, rounded down. */
  public int batchesPerEpoch() {
    return source.size() / batch;
  }

  /** The images that couldn't be read so far. */
  public SkippedImages skipped() {
    return skipped;
  }

  /** How long the consumer has waited for batches in all, in nanoseconds. */
  public long waitedNanos() {
    return waited;
  }

  /**
   * The batches of an epoch, in order, to be iterated once. Starting another epoch, or the same one
   * again, ends this one. Iterating throws {@link UncheckedIOException} if no image of the source
   * can be read, and {@link IllegalStateException} if the loader is closed, a worker failed (the
   * cause says why), the thread is interrupted, or three batches are held without being closed.
   *
   * @param epoch 0 or more
   */
  public Iterable<MultiCropBatch> epoch(int epoch) {
    if (epoch < 0) {
      throw new IllegalArgumentException("epoch " + epoch + ", expected 0 or more");
    }
    long mine;
    lock.lock();
    try {
      requireOpen();
      if (!started || !nextInLineIs(epoch)) {
        restart(epoch);
      }
      consumedEpoch = epoch;
      consumedBatch = 0;
      mine = ++iteration;
      work.signalAll();
    } finally {
      lock.unlock();
    }
    return () -> new EpochIterator(mine);
  }

  /** Throws away what was prepared; rows still being made free their batch when they are done. */
  private void restart(int epoch) {
    started = true;
    generation++;
    nextEpoch = epoch;
    nextBatch = 0;
    nextOrder = null;
    for (MultiCropBatch b : buffers) {
      boolean idle = b.state == MultiCropBatch.State.FILLING && b.rowsDone == b.nextRow;
      if (b.state == MultiCropBatch.State.READY || idle) {
        b.state = MultiCropBatch.State.FREE;
      }
    }
  }

  /** Whether what is being prepared starts with this epoch: nothing then has to be thrown away. */
  private boolean nextInLineIs(int epoch) {
    boolean finished = consumedBatch == batchesPerEpoch();
    return finished && epoch == consumedEpoch + 1;
  }

  private final class EpochIterator implements Iterator<MultiCropBatch> {
    private final long mine;

    EpochIterator(long mine) {
      this.mine = mine;
    }

    @Override
    public boolean hasNext() {
      lock.lock();
      try {
        return mine == iteration && consumedBatch < batchesPerEpoch();
      } finally {
        lock.unlock();
      }
    }

    @Override
    public MultiCropBatch next() {
      lock.lock();
      try {
        requireOpen();
        if (!hasNext()) {
          throw new NoSuchElementException("the epoch is over, or another has been started");
        }
        return await();
      } finally {
        lock.unlock();
      }
    }
  }

  private MultiCropBatch await() {
    long start = System.nanoTime();
    try {
      while (true) {
        MultiCropBatch b = current();
        if (b != null && b.state == MultiCropBatch.State.READY) {
          consumedBatch++;
          b.state = MultiCropBatch.State.HANDED_OUT;
          if (b.failure != null) {
            throw failed(b);
          }
          b.written();
          return b;
        }
        if (buffers.stream().allMatch(x -> x.state == MultiCropBatch.State.HANDED_OUT)) {
          throw new IllegalStateException(
              buffers.size() + " batches are held by the consumer: close() each after its use");
        }
        ready.await();
        requireOpen();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for a batch of crops", e);
    } finally {
      waited += System.nanoTime() - start;
    }
  }

  /** The batch that the consumer is due, if it has been begun. */
  private MultiCropBatch current() {
    for (MultiCropBatch b : buffers) {
      if (b.state != MultiCropBatch.State.FREE
          && b.state != MultiCropBatch.State.HANDED_OUT
          && b.generation == generation
          && b.epoch == consumedEpoch
          && b.number == consumedBatch) {
        return b;
      }
    }
    return null;
  }

  private RuntimeException failed(MultiCropBatch b) {
    b.state = MultiCropBatch.State.FREE;
    work.signalAll();
    if (b.failure instanceof UncheckedIOException e) {
      return new UncheckedIOException(e.getMessage(), e.getCause());
    }
    return new IllegalStateException(
        String.format(
            "making batch %d of epoch %d from %s failed: %s",
            b.number, b.epoch, source.name(), b.failure),
        b.failure);
  }

  void giveBack(MultiCropBatch b) {
    lock.lock();
    try {
      if (b.state == MultiCropBatch.State.HANDED_OUT) {
        b.state = MultiCropBatch.State.FREE;
        work.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the loader of " + source.name() + " is closed");
    }
  }

  /** What each worker does: take a row of a batch, make its crops, again. */
  private void run() {
    CropRenderer renderer = new CropRenderer(augmentation, normalisation);
    CounterRandom random = new CounterRandom();
    while (true) {
      MultiCropBatch b;
      int row;
      int index;
      int epoch;
      lock.lock();
      try {
        b = take();
        if (b == null) {
          return;
        }
        row = b.nextRow++;
        epoch = b.epoch;
        index = b.order[b.number * batch + row];
      } finally {
        lock.unlock();
      }
      Throwable failure = null;
      try {
        fill(b, row, index, epoch, renderer, random);
      } catch (Throwable e) { // the consumer's to handle, not this thread's
        failure = e;
      }
      lock.lock();
      try {
        finishRow(b, failure);
      } finally {
        lock.unlock();
      }
    }
  }

  /** Waits for a batch that has rows left to make; null when the loader is closed. */
  private MultiCropBatch take() {
    while (!closed) {
      if (started) {
        MultiCropBatch free = null;
        for (MultiCropBatch b : buffers) {
          if (b.state == MultiCropBatch.State.FILLING
              && b.generation == generation
              && b.nextRow < batch) {
            return b;
          }
          if (b.state == MultiCropBatch.State.FREE) {
            free = b;
          }
        }
        if (free != null) {
          begin(free);
          return free;
        }
      }
      work.awaitUninterruptibly();
    }
    return null;
  }

  private void begin(MultiCropBatch b) {
    if (nextBatch == batchesPerEpoch()) {
      nextEpoch++;
      nextBatch = 0;
      nextOrder = null;
    }
    if (nextOrder == null) {
      nextOrder = order(nextEpoch);
    }
    b.state = MultiCropBatch.State.FILLING;
    b.generation = generation;
    b.epoch = nextEpoch;
    b.number = nextBatch++;
    b.order = nextOrder;
    b.nextRow = 0;
    b.rowsDone = 0;
    b.failure = null;
    if (batch > 1) {
      work.signalAll();
    }
  }

  private void finishRow(MultiCropBatch b, Throwable failure) {
    b.rowsDone++;
    if (failure != null) {
      if (b.failure == null) {
        b.failure = failure;
      }
      // No use in the rest of a batch that can't be delivered.
      b.rowsDone += batch - b.nextRow;
      b.nextRow = batch;
    }
    boolean stale = b.generation != generation;
    if (stale) {
      b.rowsDone += batch - b.nextRow;
      b.nextRow = batch;
    }
    if (b.rowsDone == batch) {
      b.state = stale ? MultiCropBatch.State.FREE : MultiCropBatch.State.READY;
      if (stale) {
        work.signalAll();
      } else {
        ready.signalAll();
      }
    }
  }

  private int[] order(int epoch) {
    int[] order = new int[source.size()];
    CounterRandom random = new CounterRandom(seed, epoch, ORDER, ORDER);
    for (int i = 0; i < order.length; i++) { // Fisher-Yates, inside out
      int j = random.nextInt(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }

  private void fill(
      MultiCropBatch b,
      int row,
      int index,
      int epoch,
      CropRenderer renderer,
      CounterRandom random) {
    int used = index;
    Image image = null;
    for (int tried = 0; image == null && tried < source.size(); tried++) {
      used = (int) (((long) index + tried) % source.size());
      image = readOrSkip(used);
    }
    if (image == null) {
      throw new UncheckedIOException(
          new IOException(
              String.format("no image of %s can be read: %s", source.name(), skipped.summary())));
    }
    b.indices()[row] = used;
    int view = 0;
    for (int g = 0; g < specs.size(); g++) {
      CropSpec spec = specs.get(g);
      int length = renderer.length(spec);
      for (int k = 0; k < spec.count(); k++) {
        // Keyed by the image that was due: a stand-in's crops differ from its own.
        random.reset(seed, epoch, index, view++);
        renderer.render(image, spec, random, b.view(g), (k * batch + row) * length);
      }
    }
  }

  private Image readOrSkip(int index) {
    if (unreadable.get(index) != 0) {
      return null;
    }
    try {
      return source.read(index, sufficientSide);
    } catch (UnreadableImageException e) {
      unreadable.set(index, 1);
      skipped.add(e.image(), e.reason());
      return null;
    }
  }

  /**
   * Ends the workers, each after the image it is at, and frees the buffers, except those of a batch
   * still held. Closing twice does no harm.
   */
  @Override
  public void close() {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      work.signalAll();
      ready.signalAll();
    } finally {
      lock.unlock();
    }
    boolean interrupted = false;
    for (Thread thread : threads) {
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    for (MultiCropBatch b : buffers) {
      if (b.state != MultiCropBatch.State.HANDED_OUT) {
        b.free();
      }
    }
  }
}
