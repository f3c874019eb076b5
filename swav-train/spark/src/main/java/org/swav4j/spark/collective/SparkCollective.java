package org.swav4j.spark.collective;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ShortBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.DoubleBinaryOperator;
import java.util.function.UnaryOperator;
import org.apache.spark.SparkConf;
import org.apache.spark.network.sasl.SecretKeyHolder;
import org.bytedeco.javacpp.indexer.HalfIndexer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.model.plan.AllReduce;
import org.swav4j.sinkhorn.Reduction;
import org.swav4j.train.collective.Collective;
import org.swav4j.train.host.HostTensor;

/**
 * The workers of one training job, each in an executor of its own.
 *
 * <p>Numbers such as Sinkhorn's sums go from everyone to everyone, and each adds them. Arrays are
 * cut into as many segments as there are workers: worker k gets everybody's segment k, adds them in
 * the order of ranks and sends the result to all, chunk by chunk while it adds (reduce-scatter and
 * gather). Either way a worker sends and receives 2 (N − 1) / N times the array, whatever N is.
 *
 * <p>The second lane has messages of its own, with a mark, on the same connections.
 *
 * <p>A worker whose connection ends, or that doesn't come in time, is named by the exception of the
 * others. For one thread, and the lane for another one.
 */
public final class SparkCollective implements Collective {
  /** Bytes that are added and sent at a time: few, so that messages cost little. */
  private static final int CHUNK = 1 << 22;

  private final byte laneNumber;
  private final int rank;
  private final int size;
  private final Mailbox mailbox;
  private final Links links;
  private final SparkCollective lane;
  private float[] floatTotal = {};
  private float[] floats = {};
  private double[] doubleTotal = {};
  private double[] doubles = {};
  private long number;
  private long nanos;
  private final Apart norms = new Apart();
  private final Apart codes = new Apart();
  private long gradientsNanos;

  private SparkCollective(
      int laneNumber, int rank, int size, Mailbox mailbox, Links links, SparkCollective lane) {
    this.laneNumber = (byte) laneNumber;
    this.lane = lane;
    this.rank = rank;
    this.size = size;
    this.mailbox = mailbox;
    this.links = links;
  }

  /**
   * Opens this worker's end and connects it to the others.
   *
   * @param rank of this worker, from 0
   * @param size how many workers there are
   * @param host address to listen on, by which the others reach it
   * @param conf Spark's configuration: authentication, encryption, and {@code spark.swav.io.*} as
   *     Spark has {@code spark.shuffle.io.*}
   * @param secrets of the application
   * @param exchange is given this worker's address and returns everybody's, in the order of ranks,
   *     separated by spaces
   * @param patience how long one worker waits for another
   * @throws IllegalStateException if a worker can't be reached or doesn't know the secret
   */
  public static SparkCollective open(
      int rank,
      int size,
      String host,
      SparkConf conf,
      SecretKeyHolder secrets,
      UnaryOperator<String> exchange,
      Duration patience) {
    Mailbox first = new Mailbox(rank, size, patience);
    Mailbox second = new Mailbox(rank, size, patience);
    Links links = Links.listen(host, conf, secrets, first, second);
    try {
      String[] addresses = exchange.apply(links.address()).split(" ");
      if (addresses.length != size) {
        throw new IllegalStateException(
            addresses.length + " addresses for " + size + " workers, expected one of each");
      }
      links.connect(addresses);
      SparkCollective lane = new SparkCollective(1, rank, size, second, links, null);
      SparkCollective collective = new SparkCollective(0, rank, size, first, links, lane);
      // Everybody is connected before anybody begins.
      collective.sum(new double[1]);
      collective.nanos = 0;
      return collective;
    } catch (RuntimeException | Error e) {
      links.close();
      throw e;
    }
  }

  @Override
  public int rank() {
    return rank;
  }

  @Override
  public int size() {
    return size;
  }

  @Override
  public Optional<Collective> lane() {
    return Optional.ofNullable(lane);
  }

  /**
   * Where time went, in nanoseconds, waiting for slower workers included.
   *
   * @param sums all calls on this lane
   * @param norms those of them for the moments of batch norm
   * @param codes those of them for codes
   * @param gradients waiting for gradients that were left on the other lane when the backward pass
   *     was over; not among the sums
   */
  public record Times(long sums, long norms, long codes, long gradients) {
    /** What came to an earlier measurement. */
    public Times since(Times earlier) {
      return new Times(
          sums - earlier.sums,
          norms - earlier.norms,
          codes - earlier.codes,
          gradients - earlier.gradients);
    }
  }

  /** Where time went so far. For the thread that sums. */
  public Times times() {
    return new Times(nanos, norms.nanos, codes.nanos, gradientsNanos);
  }

  @Override
  public AllReduce norms() {
    return norms;
  }

  @Override
  public Reduction codes() {
    return codes;
  }

  @Override
  public void awaitGradients(Runnable waiting) {
    long start = System.nanoTime();
    waiting.run();
    gradientsNanos += System.nanoTime() - start;
  }

  /** The same calls, whose time is also counted by itself. */
  private final class Apart implements AllReduce, Reduction {
    private long nanos;

    @Override
    public int size() {
      return size;
    }

    @Override
    public void sum(double[] values) {
      count(values, Double::sum);
    }

    @Override
    public void max(double[] values) {
      count(values, Math::max);
    }

    private void count(double[] values, DoubleBinaryOperator operator) {
      long before = SparkCollective.this.nanos;
      combine(values, operator);
      nanos += SparkCollective.this.nanos - before;
    }
  }

  @Override
  public void sum(double[] values) {
    combine(values, Double::sum);
  }

  @Override
  public void max(double[] values) {
    combine(values, Math::max);
  }

  private void combine(double[] values, DoubleBinaryOperator operator) {
    if (size == 1) {
      return;
    }
    long start = System.nanoTime();
    number++;
    mailbox.begin(number);
    for (int peer = 0; peer < size; peer++) {
      if (peer != rank) {
        links.send(peer, Header.numbers(laneNumber, number, rank, values));
      }
    }
    double[][] all = mailbox.numbers(number, values);
    for (int i = 0; i < values.length; i++) {
      double total = all[0][i];
      for (int peer = 1; peer < size; peer++) {
        total = operator.applyAsDouble(total, all[peer][i]);
      }
      values[i] = total;
    }
    nanos += System.nanoTime() - start;
  }

  @Override
  public void sum(INDArray array) {
    if (size == 1) {
      return;
    }
    if (!HostTensor.supports(array) && !isHalves(array)) {
      DataType type = array.dataType() == DataType.DOUBLE ? DataType.DOUBLE : DataType.FLOAT;
      try (INDArray copy = array.castTo(type).dup('c')) {
        sum(copy);
        array.assign(copy);
      }
      return;
    }
    long start = System.nanoTime();
    number++;
    int width = array.dataType().width();
    ByteBuffer memory = HostTensor.memory(array);
    Segments segments = new Segments((int) array.length(), width, size);
    mailbox.begin(number, memory, segments);
    for (int i = 1; i < size; i++) {
      int peer = (rank + i) % size; // not everybody to the same one first
      links.upload(
          laneNumber,
          peer,
          Header.array(laneNumber, number, rank, false, segments.at(peer), segments.bytes(peer)),
          slice(memory, segments.at(peer), segments.bytes(peer)));
    }
    for (int done = 0; done < segments.bytes(rank); ) {
      int most = width == Short.BYTES ? CHUNK / 2 : CHUNK; // numbers are added as floats
      int count = Math.min(most, segments.bytes(rank) - done);
      int at = segments.at(rank) + done;
      mailbox.awaitParts(number, done + count);
      if (width == Float.BYTES) {
        addFloats(memory, at, done, count);
      } else if (width == Short.BYTES) {
        addHalves(memory, at, done, count);
      } else {
        addDoubles(memory, at, done, count);
      }
      for (int i = 1; i < size; i++) {
        links.upload(
            laneNumber,
            (rank + i) % size,
            Header.array(laneNumber, number, rank, true, at, count),
            slice(memory, at, count));
      }
      done += count;
    }
    mailbox.awaitTotals(memory.capacity() - segments.bytes(rank));
    // What was sent from the array's memory must have left it before the caller changes it.
    mailbox.awaitAcknowledged();
    nanos += System.nanoTime() - start;
  }

  private void addFloats(ByteBuffer memory, int at, int done, int bytes) {
    int count = bytes / Float.BYTES;
    roomForFloats(count);
    for (int peer = 0; peer < size; peer++) {
      ByteBuffer from = peer == rank ? memory : mailbox.part(peer);
      float[] to = peer == 0 ? floatTotal : floats;
      slice(from, peer == rank ? at : done, bytes).asFloatBuffer().get(to, 0, count);
      if (peer > 0) {
        for (int i = 0; i < count; i++) {
          floatTotal[i] += floats[i];
        }
      }
    }
    slice(memory, at, bytes).asFloatBuffer().put(floatTotal, 0, count);
  }

  private void roomForFloats(int count) {
    if (floats.length < count) {
      floats = new float[count];
      floatTotal = new float[count];
    }
  }

  private void addHalves(ByteBuffer memory, int at, int done, int bytes) {
    int count = bytes / Short.BYTES;
    roomForFloats(count);
    for (int peer = 0; peer < size; peer++) {
      ByteBuffer from = peer == rank ? memory : mailbox.part(peer);
      ShortBuffer halves = slice(from, peer == rank ? at : done, bytes).asShortBuffer();
      for (int i = 0; i < count; i++) {
        float value = HalfIndexer.toFloat(halves.get(i));
        floatTotal[i] = peer == 0 ? value : floatTotal[i] + value;
      }
    }
    ShortBuffer to = slice(memory, at, bytes).asShortBuffer();
    for (int i = 0; i < count; i++) {
      to.put(i, (short) HalfIndexer.fromFloat(floatTotal[i]));
    }
  }

  private void addDoubles(ByteBuffer memory, int at, int done, int bytes) {
    int count = bytes / Double.BYTES;
    if (doubles.length < count) {
      doubles = new double[count];
      doubleTotal = new double[count];
    }
    for (int peer = 0; peer < size; peer++) {
      ByteBuffer from = peer == rank ? memory : mailbox.part(peer);
      double[] to = peer == 0 ? doubleTotal : doubles;
      slice(from, peer == rank ? at : done, bytes).asDoubleBuffer().get(to, 0, count);
      if (peer > 0) {
        for (int i = 0; i < count; i++) {
          doubleTotal[i] += doubles[i];
        }
      }
    }
    slice(memory, at, bytes).asDoubleBuffer().put(doubleTotal, 0, count);
  }

  @Override
  public INDArray gather(INDArray rows) {
    long[] shape = rows.shape().clone();
    shape[0] *= size;
    INDArray all = Nd4j.createUninitialized(rows.dataType(), shape);
    long each = rows.size(0);
    all.get(NDArrayIndex.interval(rank * each, (rank + 1) * each)).assign(rows);
    if (size > 1) {
      gatherSegments(all);
    }
    return all;
  }

  private void gatherSegments(INDArray all) {
    long before = nanos;
    long start = System.nanoTime();
    // The sum comes first: numbers of successive calls have places of their own in the mailbox.
    long gathering = number + 2;
    ByteBuffer memory = HostTensor.memory(all);
    Segments segments = new Segments((int) all.length(), all.dataType().width(), size);
    mailbox.begin(gathering, memory, segments);
    sum(new double[1]); // everybody has room for what comes
    number = gathering;
    for (int i = 1; i < size; i++) {
      links.upload(
          laneNumber,
          (rank + i) % size,
          Header.array(laneNumber, gathering, rank, true, segments.at(rank), segments.bytes(rank)),
          slice(memory, segments.at(rank), segments.bytes(rank)));
    }
    mailbox.awaitTotals(memory.capacity() - segments.bytes(rank));
    mailbox.awaitAcknowledged();
    nanos = before + System.nanoTime() - start;
  }

  /** Whether an array is a row of half floats without gaps, which is summed where it lies. */
  private static boolean isHalves(INDArray array) {
    return array.dataType() == DataType.HALF
        && array.rank() == 1
        && array.stride(0) == 1
        && array.length() <= Integer.MAX_VALUE / Short.BYTES
        && Nd4j.getEnvironment().isCPU();
  }

  private static ByteBuffer slice(ByteBuffer buffer, int at, int length) {
    return buffer.slice(at, length).order(buffer.order());
  }

  /**
   * Waits until all workers are done and closes. To be called where all went well: a worker that
   * closes without a word looks to the others as if it had failed.
   */
  public void finish() {
    sum(new double[1]);
    close();
  }

  /** Closes the connections; the others then fail in their next call. */
  @Override
  public void close() {
    links.close();
  }

  /**
   * How an array is cut: into parts as equal as whole elements allow, the first being the larger.
   *
   * @param length of the array, in elements
   * @param width of an element in bytes
   * @param count of segments
   */
  record Segments(int length, int width, int count) {
    /** Where a segment begins, in bytes. */
    int at(int index) {
      return width * (index * (length / count) + Math.min(index, length % count));
    }

    /** How long it is, in bytes; 0 for some where there are fewer elements than segments. */
    int bytes(int index) {
      return at(index + 1) - at(index);
    }
  }

  /** What stands before the content of a message. */
  record Header(byte kind, byte lane, long number, int rank, int at, int length) {
    static final byte NUMBERS = 1;
    static final byte PART = 2;
    static final byte TOTAL = 3;
    static final int BYTES = 2 + Long.BYTES + 3 * Integer.BYTES;

    static ByteBuffer numbers(byte lane, long number, int rank, double[] values) {
      ByteBuffer message = ByteBuffer.allocate(BYTES + values.length * Double.BYTES);
      put(message, NUMBERS, lane, number, rank, 0, values.length);
      message.asDoubleBuffer().put(values);
      return message.rewind();
    }

    static ByteBuffer array(byte lane, long number, int rank, boolean total, int at, int length) {
      ByteBuffer header = ByteBuffer.allocate(BYTES);
      put(header, total ? TOTAL : PART, lane, number, rank, at, length);
      return header.rewind();
    }

    private static void put(
        ByteBuffer to, byte kind, byte lane, long number, int rank, int at, int length) {
      to.put(kind).put(lane).putLong(number).putInt(rank).putInt(at).putInt(length);
    }

    /** Reads one, and leaves the message at its content. */
    static Header read(ByteBuffer message) throws IOException {
      if (message.remaining() < BYTES) {
        throw new IOException("a message of " + message.remaining() + " bytes, cut off");
      }
      return new Header(
          message.get(),
          message.get(),
          message.getLong(),
          message.getInt(),
          message.getInt(),
          message.getInt());
    }

    double[] values(ByteBuffer content) {
      double[] values = new double[length];
      content.asDoubleBuffer().get(values);
      return values;
    }
  }

  @Override
  public String toString() {
    return "worker " + rank + " of " + size + ", " + Arrays.toString(links.addresses());
  }
}
