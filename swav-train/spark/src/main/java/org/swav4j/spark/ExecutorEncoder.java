package org.swav4j.spark;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.data.UnreadableImageException;
import org.swav4j.model.SwavEncoder;

/**
 * The encoder that all tasks of an executor share: made at first use, kept while it is used and
 * until two others were. It has one thread for the network, because every thread that runs one
 * makes OpenMP keep a team of threads, and a thread per core that reads and decodes. Thread-safe.
 */
final class ExecutorEncoder {
  /** A pipeline seldom has more models, and each holds its weights twice. */
  private static final int IDLE = 2;

  private static final Map<String, ExecutorEncoder> OPEN = new LinkedHashMap<>();

  /** An image as the network takes it, or the reason why there is none. */
  record Decoded(INDArray pixels, String reason) {}

  /** Where the content of an image comes from. */
  @FunctionalInterface
  interface Content {
    byte[] bytes() throws IOException;
  }

  private final SwavEncoder encoder;
  private final ExecutorService network;
  private final ExecutorService decoders;
  private int users;

  private ExecutorEncoder(byte[] weights) {
    this.encoder = SwavEncoder.of(StoredWeights.open(weights));
    this.network = threads(1, "swav-network-");
    this.decoders = threads(Runtime.getRuntime().availableProcessors(), "swav-decode-");
  }

  private static ExecutorService threads(int count, String name) {
    AtomicInteger number = new AtomicInteger();
    return Executors.newFixedThreadPool(
        count,
        task -> {
          Thread thread = new Thread(task, name + number.getAndIncrement());
          thread.setDaemon(true);
          return thread;
        });
  }

  /**
   * The encoder of this process for these weights, to be given back.
   *
   * @param digest by which they are known
   * @param weights the content of their file
   */
  static synchronized ExecutorEncoder acquire(String digest, Supplier<byte[]> weights) {
    ExecutorEncoder encoder = OPEN.remove(digest);
    if (encoder == null) {
      encoder = new ExecutorEncoder(weights.get());
    }
    OPEN.put(digest, encoder);
    encoder.users++;
    return encoder;
  }

  /** Gives an encoder back, once for each time it was acquired. */
  static synchronized void release(ExecutorEncoder encoder) {
    encoder.users--;
    long idle = OPEN.values().stream().filter(e -> e.users == 0).count();
    if (idle > IDLE) {
      ExecutorEncoder oldest =
          OPEN.values().stream().filter(e -> e.users == 0).findFirst().orElseThrow();
      OPEN.values().remove(oldest);
      oldest.close();
    }
  }

  private void close() {
    network.shutdown();
    decoders.shutdown();
    encoder.close();
  }

  /** Begins to read and decode an image. */
  Future<Decoded> decode(Content content) {
    return decoders.submit(
        () -> {
          try {
            byte[] bytes = content.bytes();
            if (bytes == null) {
              return new Decoded(null, "there is no content (null)");
            }
            return new Decoded(encoder.pixels(new ByteArrayInputStream(bytes)), null);
          } catch (IOException e) {
            return new Decoded(null, reason(e));
          }
        });
  }

  private static String reason(IOException e) {
    return e.getCause() instanceof UnreadableImageException unreadable
        ? unreadable.reason()
        : "can't be read: " + (e.getMessage() == null ? e.toString() : e.getMessage());
  }

  /**
   * Features and clusters of images.
   *
   * @param images each {@code [1, C, size, size]}, at least one; closed here
   */
  SwavEncoder.Encoding encode(List<INDArray> images) throws InterruptedException {
    INDArray batch = Nd4j.concat(0, images.toArray(INDArray[]::new));
    if (images.size() > 1) {
      images.forEach(INDArray::close);
    }
    return await(
        network.submit(
            () -> {
              try (batch) {
                return encoder.encode(batch);
              }
            }));
  }

  /** The result of work that was begun here. */
  static <T> T await(Future<T> work) throws InterruptedException {
    try {
      return work.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      if (e.getCause() instanceof Error failure) {
        throw failure;
      }
      throw new IllegalStateException(e.getCause());
    }
  }
}
