package org.swav4j.spark.collective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkConf;
import org.apache.spark.network.sasl.SecretKeyHolder;
import org.bytedeco.javacpp.indexer.HalfIndexer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Workers in threads, each with its own end of Spark's transport. */
class SparkCollectiveTest {
  private static final String HOST = "127.0.0.1";

  private final ExecutorService threads = Executors.newCachedThreadPool();

  private record Secret(String secret) implements SecretKeyHolder {
    @Override
    public String getSaslUser(String application) {
      return "workers";
    }

    @Override
    public String getSecretKey(String application) {
      return secret;
    }
  }

  private interface Work<T> {
    T with(SparkCollective worker) throws Exception;
  }

  /** Loads ND4J in one thread, before several use it. */
  @BeforeAll
  static void loadNd4j() {
    assertThat(Nd4j.ones(1).getDouble(0)).isEqualTo(1);
  }

  @AfterEach
  void endThreads() throws InterruptedException {
    threads.shutdownNow();
    assertThat(threads.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
  }

  private static SparkConf conf(boolean authenticate, boolean encrypt) {
    return new SparkConf(false)
        .set("spark.authenticate", Boolean.toString(authenticate))
        .set("spark.network.crypto.enabled", Boolean.toString(encrypt));
  }

  private <T> List<Future<T>> begin(
      int size, SparkConf conf, List<String> secrets, Duration patience, Work<T> work) {
    String[] addresses = new String[size];
    CyclicBarrier barrier = new CyclicBarrier(size);
    List<Future<T>> workers = new ArrayList<>();
    for (int rank = 0; rank < size; rank++) {
      int r = rank;
      Callable<T> task =
          () -> {
            try (SparkCollective worker =
                SparkCollective.open(
                    r,
                    size,
                    HOST,
                    conf,
                    new Secret(secrets.get(r % secrets.size())),
                    mine -> exchange(addresses, r, mine, barrier),
                    patience)) {
              return work.with(worker);
            }
          };
      workers.add(threads.submit(task));
    }
    return workers;
  }

  private static String exchange(String[] addresses, int rank, String mine, CyclicBarrier barrier) {
    addresses[rank] = mine;
    try {
      barrier.await(30, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    return String.join(" ", addresses);
  }

  private <T> List<T> all(int size, Work<T> work) throws Exception {
    List<T> results = new ArrayList<>();
    for (Future<T> worker :
        begin(
            size,
            conf(false, false),
            List.of(""),
            Duration.ofSeconds(60),
            w -> {
              T result = work.with(w);
              w.finish();
              return result;
            })) {
      results.add(worker.get(60, TimeUnit.SECONDS));
    }
    return results;
  }

  private static float[] random(int rank, int length) {
    float[] values = new float[length];
    Random random = new Random(31 * rank + length);
    for (int i = 0; i < length; i++) {
      values[i] = (float) (random.nextGaussian() * Math.pow(10, random.nextInt(9) - 4));
    }
    return values;
  }

  @ParameterizedTest
  @CsvSource({"1,5", "2,1", "3,2", "2,1000003", "3,400001", "4,70001"})
  void sumsOfArraysAreAddedInTheOrderOfRanksBitForBit(int size, int length) throws Exception {
    float[] expected = random(0, length);
    for (int rank = 1; rank < size; rank++) {
      float[] more = random(rank, length);
      for (int i = 0; i < length; i++) {
        expected[i] += more[i];
      }
    }
    for (float[] sum :
        all(
            size,
            worker -> {
              float[] last = null;
              // Again and again, so that one worker runs ahead of another.
              for (int repeat = 0; repeat < 5; repeat++) {
                INDArray array = Nd4j.createFromArray(random(worker.rank(), length));
                worker.sum(array);
                last = array.data().asFloat();
              }
              return last;
            })) {
      assertThat(sum).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @CsvSource({"2,1", "3,5", "2,2100001", "4,70001"})
  void halfFloatsAreAddedAsFloatsInTheOrderOfRanksAndRoundedOnce(int size, int length)
      throws Exception {
    float[] total = halves(0, length);
    for (int rank = 1; rank < size; rank++) {
      float[] more = halves(rank, length);
      for (int i = 0; i < length; i++) {
        total[i] += more[i];
      }
    }
    float[] expected = new float[length];
    for (int i = 0; i < length; i++) {
      expected[i] = HalfIndexer.toFloat(HalfIndexer.fromFloat(total[i]));
    }
    for (float[] sum :
        all(
            size,
            worker -> {
              INDArray array =
                  Nd4j.createFromArray(halves(worker.rank(), length)).castTo(DataType.HALF);
              worker.sum(array);
              return array.castTo(DataType.FLOAT).data().asFloat();
            })) {
      assertThat(sum).isEqualTo(expected);
    }
  }

  /** Numbers that half floats hold. */
  private static float[] halves(int rank, int length) {
    float[] values = new float[length];
    Random random = new Random(17 * rank + length);
    for (int i = 0; i < length; i++) {
      values[i] = HalfIndexer.toFloat(HalfIndexer.fromFloat((float) random.nextGaussian() * 100));
    }
    return values;
  }

  @Test
  void doublesAndViewsAreSummedToo() throws Exception {
    for (INDArray sums :
        all(
            3,
            worker -> {
              INDArray whole = Nd4j.zeros(DataType.FLOAT, 4, 6);
              whole.get(NDArrayIndex.all(), NDArrayIndex.interval(1, 3)).assign(worker.rank() + 1);
              worker.sum(whole.get(NDArrayIndex.all(), NDArrayIndex.interval(1, 3)));
              INDArray doubles = Nd4j.valueArrayOf(new long[] {50_001}, 0.1, DataType.DOUBLE);
              worker.sum(doubles);
              assertThat(doubles.toDoubleVector()).containsOnly(0.1 + 0.1 + 0.1);
              return whole;
            })) {
      assertThat(sums.getColumn(0).sumNumber().doubleValue()).isZero();
      assertThat(sums.getColumn(1).toDoubleVector()).containsOnly(6);
      assertThat(sums.getColumn(2).toDoubleVector()).containsOnly(6);
      assertThat(sums.getColumn(3).sumNumber().doubleValue()).isZero();
    }
  }

  @Test
  void numbersAreSummedAndComparedAndRowsGatheredInTheOrderOfRanks() throws Exception {
    double expected = (1e16 + 1) + 1;
    for (Object[] result :
        all(
            3,
            worker -> {
              double[] sums = {worker.rank() == 0 ? 1e16 : 1, worker.rank()};
              double[] largest = {-worker.rank(), worker.rank()};
              for (int i = 0; i < 100; i++) {
                sums = new double[] {worker.rank() == 0 ? 1e16 : 1, worker.rank()};
                worker.sum(sums);
              }
              worker.max(largest);
              INDArray rows =
                  worker.gather(Nd4j.createFromArray(new float[][] {{worker.rank(), -0f}}));
              return new Object[] {sums, largest, rows};
            })) {
      assertThat((double[]) result[0]).containsExactly(expected, 3);
      assertThat((double[]) result[1]).containsExactly(0, 2);
      INDArray rows = (INDArray) result[2];
      assertThat(rows.shape()).containsExactly(3, 2);
      assertThat(rows.getColumn(0).toDoubleVector()).containsExactly(0, 1, 2);
      assertThat(Float.floatToRawIntBits(rows.getFloat(2, 1)))
          .isEqualTo(Float.floatToRawIntBits(-0f));
    }
  }

  /** Small sums on one lane while arrays are summed on the other, in any mixture. */
  @ParameterizedTest
  @CsvSource({"2,false", "3,true"})
  void lanesDoNotDisturbEachOther(int size, boolean encrypt) throws Exception {
    int length = 300_001;
    float[] expected = random(0, length);
    for (int rank = 1; rank < size; rank++) {
      float[] more = random(rank, length);
      for (int i = 0; i < length; i++) {
        expected[i] += more[i];
      }
    }
    Work<Void> work =
        worker -> {
          Future<?> aside =
              threads.submit(
                  () -> {
                    for (int repeat = 0; repeat < 20; repeat++) {
                      INDArray array = Nd4j.createFromArray(random(worker.rank(), length));
                      double[] largest = {worker.rank(), repeat};
                      worker.lane().orElseThrow().max(largest);
                      worker.lane().orElseThrow().sum(array);
                      assertThat(largest).containsExactly(size - 1, repeat);
                      assertThat(array.data().asFloat()).isEqualTo(expected);
                    }
                  });
          for (int repeat = 0; repeat < 300; repeat++) {
            double[] sums = {repeat, worker.rank()};
            worker.sum(sums);
            assertThat(sums).containsExactly(size * repeat, size * (size - 1) / 2.0);
          }
          INDArray array = Nd4j.createFromArray(random(worker.rank(), length));
          worker.sum(array);
          assertThat(array.data().asFloat()).isEqualTo(expected);
          assertThat(worker.gather(Nd4j.ones(1, 2)).sumNumber().intValue()).isEqualTo(2 * size);
          aside.get(60, TimeUnit.SECONDS);
          worker.finish();
          return null;
        };
    for (Future<Void> worker :
        begin(size, conf(encrypt, encrypt), List.of("a secret"), Duration.ofSeconds(60), work)) {
      worker.get(60, TimeUnit.SECONDS);
    }
  }

  @Test
  void aWorkerThatLeavesIsMissedOnBothLanes() throws Exception {
    List<Future<List<String>>> workers =
        begin(
            3,
            conf(false, false),
            List.of(""),
            Duration.ofSeconds(60),
            worker -> {
              if (worker.rank() == 1) {
                Thread.sleep(500);
                throw new IOException("disk full");
              }
              Future<String> aside =
                  threads.submit(
                      () ->
                          failure(
                              () ->
                                  worker
                                      .lane()
                                      .orElseThrow()
                                      .sum(Nd4j.ones(DataType.FLOAT, 1_000_000))));
              String own = failure(() -> worker.sum(new double[1]));
              return List.of(own, aside.get(30, TimeUnit.SECONDS));
            });
    for (int rank : new int[] {0, 2}) {
      // The one that fails first may have closed before the other noticed.
      assertThat(workers.get(rank).get(60, TimeUnit.SECONDS))
          .allSatisfy(said -> assertThat(said).contains(" is gone ("));
    }
  }

  private static String failure(Runnable call) {
    try {
      call.run();
      return "none";
    } catch (IllegalStateException e) {
      return e.getMessage();
    }
  }

  @ParameterizedTest
  @CsvSource({"true,true", "true,false"})
  void workersWithTheSecretAgreeAndAStrangerIsRefused(boolean authenticate, boolean encrypt)
      throws Exception {
    SparkConf conf = conf(authenticate, encrypt);
    Work<Double> work =
        worker -> {
          double[] one = {1};
          INDArray array = Nd4j.ones(DataType.FLOAT, 300_000);
          worker.sum(one);
          worker.sum(array);
          worker.finish();
          return one[0] + array.getDouble(299_999);
        };
    for (Future<Double> worker :
        begin(2, conf, List.of("a secret"), Duration.ofSeconds(60), work)) {
      assertThat(worker.get(60, TimeUnit.SECONDS)).isEqualTo(4);
    }
    List<Future<Double>> strangers =
        begin(2, conf, List.of("a secret", "another"), Duration.ofSeconds(5), work);
    for (Future<Double> worker : strangers) {
      assertThatThrownBy(() -> worker.get(60, TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class)
          .cause()
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("spark.authenticate.secret");
    }
  }

  @Test
  void whatAStrangerSendsIsNotRead() throws Exception {
    List<Future<Double>> workers =
        begin(
            2,
            conf(true, true),
            List.of("a secret"),
            Duration.ofSeconds(60),
            worker -> {
              // Numbers as another worker would send them, framed as Spark frames a message.
              if (worker.rank() == 0) {
                ByteBuffer forged =
                    SparkCollective.Header.numbers((byte) 0, 2, 1, new double[] {1000});
                ByteBuffer frame = ByteBuffer.allocate(13 + forged.remaining());
                frame.putLong(13 + forged.remaining()).put((byte) 9).putInt(forged.remaining());
                frame.put(forged);
                String address =
                    worker.toString().replaceFirst(".*\\[", "").replaceFirst(",.*", "");
                try (Socket socket = new Socket(HOST, port(address))) {
                  socket.getOutputStream().write(frame.array());
                  socket.getOutputStream().flush();
                  Thread.sleep(300);
                }
              } else {
                Thread.sleep(600);
              }
              double[] one = {1};
              worker.sum(one);
              worker.finish();
              return one[0];
            });
    for (Future<Double> worker : workers) {
      assertThat(worker.get(60, TimeUnit.SECONDS)).isEqualTo(2);
    }
  }

  private static int port(String address) {
    return Integer.parseInt(address.replaceFirst(".*:", "").replaceAll("\\D", ""));
  }

  @Test
  void nothingListensBeyondTheAddressGiven() throws Exception {
    InetAddress other =
        Collections.list(NetworkInterface.getNetworkInterfaces()).stream()
            .flatMap(NetworkInterface::inetAddresses)
            .filter(a -> !a.isLoopbackAddress())
            .findFirst()
            .orElse(InetAddress.getByAddress(new byte[] {127, 0, 0, 2}));
    all(
        2,
        worker -> {
          int port = port(worker.toString().replaceFirst(".*\\[", "").replaceFirst(",.*", ""));
          try (Socket socket = new Socket()) {
            assertThatThrownBy(() -> socket.connect(new InetSocketAddress(other, port), 1000))
                .isInstanceOf(IOException.class);
          }
          worker.sum(new double[1]);
          return null;
        });
  }

  @Test
  void aWorkerThatFailsIsNamedByTheOthers() {
    List<Future<Double>> workers =
        begin(
            3,
            conf(false, false),
            List.of(""),
            Duration.ofSeconds(60),
            worker -> {
              if (worker.rank() == 1) {
                throw new IOException("disk full");
              }
              worker.sum(Nd4j.ones(DataType.FLOAT, 1_000_000));
              return 0.0;
            });
    assertThatThrownBy(() -> workers.get(1).get(30, TimeUnit.SECONDS)).hasMessageContaining("disk");
    assertThatThrownBy(() -> workers.get(0).get(30, TimeUnit.SECONDS))
        .hasMessageContaining("worker 1 is gone");
  }

  @Test
  void aWorkerThatDoesNotComeIsNamedWhenPatienceEnds() {
    List<Future<Double>> workers =
        begin(
            3,
            conf(false, false),
            List.of(""),
            Duration.ofSeconds(2),
            worker -> {
              if (worker.rank() == 2) {
                Thread.sleep(6000);
              }
              worker.sum(new double[] {1});
              return 0.0;
            });
    assertThatThrownBy(() -> workers.get(0).get(30, TimeUnit.SECONDS))
        .hasMessageContaining("waited 2 s for worker 2");
  }

  @Test
  void tlsThatWouldBeLeftOutIsRefused() {
    assertThatThrownBy(
            () ->
                SparkCollective.open(
                    0,
                    1,
                    HOST,
                    conf(true, false).set("spark.ssl.rpc.enabled", "true"),
                    new Secret("a secret"),
                    mine -> mine,
                    Duration.ofSeconds(1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("spark.network.crypto.enabled");
  }
}
