package org.swav4j.spark.collective;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.IntPredicate;
import org.swav4j.spark.collective.SparkCollective.Header;
import org.swav4j.spark.collective.SparkCollective.Segments;

/**
 * What has come from the other workers on one lane. Spark's network threads put it here, the thread
 * whose lane it is waits for it. A worker can be one call ahead of another, not more: it ends a
 * call only when it has something from everyone. So there is room for two sets of numbers, and the
 * parts of an array, which are added before the total is sent, need room for one.
 */
final class Mailbox {
  private final int rank;
  private final int size;
  private final Duration patience;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition news = lock.newCondition();

  private final double[][][] numbers;
  private final long[][] numbersOf = new long[2][];
  private final ByteBuffer[] parts;
  private final long[] partOf;
  private final int[] partBytes;
  private final String[] gone;

  private ByteBuffer array;
  private Segments segments;
  private long arrayOf;
  private long current;
  private long totalBytes;
  private int unacknowledged;
  private String failure;
  private boolean closed;

  Mailbox(int rank, int size, Duration patience) {
    this.rank = rank;
    this.size = size;
    this.patience = patience;
    this.numbers = new double[2][size][];
    this.numbersOf[0] = new long[size];
    this.numbersOf[1] = new long[size];
    this.parts = new ByteBuffer[size];
    this.partOf = new long[size];
    this.partBytes = new int[size];
    this.gone = new String[size];
  }

  // The thread whose lane it is

  void begin(long number) {
    lock.lock();
    try {
      current = number;
    } finally {
      lock.unlock();
    }
  }

  void begin(long number, ByteBuffer memory, Segments cut) {
    lock.lock();
    try {
      current = number;
      array = memory;
      arrayOf = number;
      segments = cut;
      totalBytes = 0;
    } finally {
      lock.unlock();
    }
  }

  /** Everybody's numbers by rank; the own ones in their place. */
  double[][] numbers(long number, double[] own) {
    int slot = (int) (number & 1);
    await(() -> everyPeer(p -> numbersOf[slot][p] == number), p -> numbersOf[slot][p] != number);
    double[][] all = numbers[slot];
    all[rank] = own;
    for (int peer = 0; peer < size; peer++) {
      if (all[peer].length != own.length) {
        throw new IllegalStateException(
            String.format(
                Locale.ROOT,
                "worker %d sent %d numbers and this one has %d: workers must make the same calls",
                peer,
                all[peer].length,
                own.length));
      }
    }
    return all;
  }

  /** Waits until so many bytes of everybody's part have come. */
  void awaitParts(long number, int bytes) {
    IntPredicate missing = p -> partOf[p] != number || partBytes[p] < bytes;
    await(() -> everyPeer(p -> !missing.test(p)), missing);
  }

  /** A worker's part of the current sum. */
  ByteBuffer part(int peer) {
    return parts[peer];
  }

  /** Waits until so many bytes of totals have come into the array. */
  void awaitTotals(long bytes) {
    await(() -> totalBytes == bytes, p -> true);
  }

  /** Waits until all that was uploaded has arrived. */
  void awaitAcknowledged() {
    await(() -> unacknowledged == 0, p -> true);
  }

  private boolean everyPeer(IntPredicate test) {
    for (int peer = 0; peer < size; peer++) {
      if (peer != rank && !test.test(peer)) {
        return false;
      }
    }
    return true;
  }

  private void await(BooleanSupplier come, IntPredicate missing) {
    long left = patience.toNanos();
    lock.lock();
    try {
      while (!come.getAsBoolean()) {
        requireAll(missing);
        if (left <= 0) {
          throw new IllegalStateException(
              String.format(
                  Locale.ROOT,
                  "waited %d s for worker %s at sum %d: it hangs or is cut off from the network",
                  patience.toSeconds(),
                  names(missing),
                  current));
        }
        left = news.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for worker " + names(missing), e);
    } finally {
      lock.unlock();
    }
  }

  private void requireAll(IntPredicate missing) {
    if (closed) {
      throw new IllegalStateException("this worker's connections were closed");
    }
    for (int peer = 0; peer < size; peer++) {
      if (gone[peer] != null && missing.test(peer)) {
        throw new IllegalStateException(
            "worker " + peer + " is gone (" + gone[peer] + "): its own error, if any, says why");
      }
    }
    if (failure != null) {
      throw new IllegalStateException(failure);
    }
  }

  private String names(IntPredicate missing) {
    List<String> names = new ArrayList<>();
    for (int peer = 0; peer < size; peer++) {
      if (peer != rank && missing.test(peer)) {
        names.add(Integer.toString(peer));
      }
    }
    return String.join(", ", names);
  }

  // Spark's network threads

  /** Numbers have come. */
  void put(Header header, ByteBuffer content) throws IOException {
    requirePeer(header.rank());
    lock.lock();
    try {
      int slot = (int) (header.number() & 1);
      double[] to = numbers[slot][header.rank()];
      if (to == null || to.length != header.length()) {
        to = header.values(content);
      } else {
        content.asDoubleBuffer().get(to);
      }
      numbers[slot][header.rank()] = to;
      numbersOf[slot][header.rank()] = header.number();
      news.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Where a piece of an array is to go: bytes from {@code at} on. */
  interface Piece {
    /** More bytes have come. */
    void put(ByteBuffer bytes) throws IOException;
  }

  /** A part or a total begins to come. */
  Piece piece(Header header) throws IOException {
    requirePeer(header.rank());
    return header.kind() == Header.PART ? part(header) : total(header);
  }

  private Piece part(Header header) {
    int peer = header.rank();
    lock.lock();
    try {
      if (parts[peer] == null || parts[peer].capacity() < header.length()) {
        parts[peer] = ByteBuffer.allocateDirect(header.length()).order(ByteOrder.nativeOrder());
      }
      parts[peer].clear();
      partOf[peer] = header.number();
      partBytes[peer] = 0;
    } finally {
      lock.unlock();
    }
    return bytes -> {
      int count = bytes.remaining();
      parts[peer].put(bytes); // nobody else looks beyond partBytes
      lock.lock();
      try {
        partBytes[peer] += count;
        news.signal();
      } finally {
        lock.unlock();
      }
    };
  }

  private Piece total(Header header) throws IOException {
    ByteBuffer to;
    lock.lock();
    try {
      if (header.number() != arrayOf
          || segments == null
          || header.at() < segments.at(header.rank())
          || header.at() + header.length() > segments.at(header.rank() + 1)) {
        throw new IOException(
            "worker "
                + header.rank()
                + " sent a total of sum "
                + header.number()
                + " during sum "
                + current
                + ": workers must make the same calls with arrays of the same size");
      }
      to = array.slice(header.at(), header.length());
    } finally {
      lock.unlock();
    }
    return bytes -> {
      int count = bytes.remaining();
      to.put(bytes);
      lock.lock();
      try {
        totalBytes += count;
        news.signal();
      } finally {
        lock.unlock();
      }
    };
  }

  private void requirePeer(int peer) throws IOException {
    if (peer < 0 || peer >= size || peer == rank) {
      throw new IOException("a message of worker " + peer + ", and there are " + size);
    }
  }

  /** Something is on its way. */
  void uploading() {
    lock.lock();
    try {
      unacknowledged++;
    } finally {
      lock.unlock();
    }
  }

  /** It has arrived. */
  void acknowledged() {
    lock.lock();
    try {
      unacknowledged--;
      news.signal();
    } finally {
      lock.unlock();
    }
  }

  /** A connection has ended. */
  void gone(int peer, String reason) {
    lock.lock();
    try {
      if (gone[peer] == null) {
        gone[peer] = reason;
      }
      news.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Something came that makes no sense. */
  void failed(String reason) {
    lock.lock();
    try {
      if (failure == null) {
        failure = reason;
      }
      news.signal();
    } finally {
      lock.unlock();
    }
  }

  void close() {
    lock.lock();
    try {
      closed = true;
      news.signal();
    } finally {
      lock.unlock();
    }
  }
}
