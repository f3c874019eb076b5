package org.swav4j.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.data.ImageSource;
import org.swav4j.data.ShapesSource;
import org.swav4j.model.SwavEncoder;

/**
 * Spark's own master, two of its workers and {@code SparkSubmit}, each a process as on a cluster,
 * on the loopback interface.
 */
class StandaloneTest {
  private static final String HOST = "127.0.0.1";
  private static final int IMAGES = 32;

  /** Processes, whose output goes to files in a folder. */
  private static final class Cluster implements AutoCloseable {
    private final Path folder;
    private final List<Process> processes = new ArrayList<>();
    private final String master;

    Cluster(Path folder) throws Exception {
      LocalCluster.home();
      this.folder = folder;
      int port;
      try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getByName(HOST))) {
        port = free.getLocalPort();
      }
      master = "spark://" + HOST + ":" + port;
      service("master.Master", "--port", "" + port);
      awaitOpen(port);
      for (int i = 0; i < 2; i++) {
        service(
            "worker.Worker",
            "--port=0",
            "--cores=1",
            "--memory=1g",
            "--work-dir=" + folder.resolve("work-" + i),
            master);
      }
    }

    private void service(String name, String... arguments) throws IOException {
      List<String> all = new ArrayList<>(List.of("--host", HOST, "--webui-port", "0"));
      for (String argument : arguments) {
        all.addAll(List.of(argument.split("=", 2)));
      }
      processes.add(java(folder.resolve(name + ".log"), "org.apache.spark.deploy." + name, all));
    }

    /** A process of this test's class path and of what it may look into. */
    private static Process java(Path log, String main, List<String> arguments) throws IOException {
      List<String> line = new ArrayList<>();
      line.add(ProcessHandle.current().info().command().orElse("java"));
      line.addAll(List.of("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
      ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
          .filter(flag -> flag.startsWith("--add-"))
          .forEach(line::add);
      line.addAll(List.of("-cp", System.getProperty("java.class.path"), main));
      line.addAll(arguments);
      return new ProcessBuilder(line)
          .redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
          .start();
    }

    private static void awaitOpen(int port) throws InterruptedException {
      for (int i = 0; i < 600; i++) {
        try (Socket socket = new Socket()) {
          socket.connect(new InetSocketAddress(HOST, port), 1000);
          return;
        } catch (IOException e) {
          Thread.sleep(100);
        }
      }
      throw new AssertionError("no master in a minute");
    }

    /** Exit status and all that was printed. */
    String submit(String... command) throws Exception {
      List<String> arguments = new ArrayList<>(List.of("--master", master));
      Stream.of(
              "spark.executor.extraClassPath=" + System.getProperty("java.class.path"),
              "spark.executor.memory=1g",
              "spark.executor.cores=1",
              "spark.executor.extraJavaOptions=-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
                  + " --add-modules=jdk.incubator.vector -Dorg.bytedeco.javacpp.maxbytes=2g"
                  + " -Dorg.bytedeco.javacpp.maxphysicalbytes=6g",
              "spark.executorEnv.OMP_NUM_THREADS=1",
              "spark.cores.max=2",
              "spark.driver.host=" + HOST,
              "spark.ui.enabled=false",
              "spark.sql.codegen.wholeStage=false", // compiling takes longer than so few rows
              "spark.scheduler.barrier.maxConcurrentTasksCheck.interval=1s")
          .forEach(setting -> arguments.addAll(List.of("--conf", setting)));
      arguments.addAll(List.of("--class", SwavSpark.class.getName(), "spark-internal"));
      arguments.addAll(List.of(command));
      Path log = folder.resolve(command[0] + ".log");
      Process driver = java(log, "org.apache.spark.deploy.SparkSubmit", arguments);
      processes.add(driver);
      assertThat(driver.waitFor(240, TimeUnit.SECONDS)).as(command[0] + " ends").isTrue();
      return driver.exitValue() + " " + Files.readString(log);
    }

    /** Ends all, executors too; refuses one that has to be forced. */
    @Override
    public void close() throws InterruptedException {
      List<ProcessHandle> all =
          processes.stream()
              .flatMap(p -> Stream.concat(Stream.of(p.toHandle()), p.descendants()))
              .toList();
      processes.forEach(Process::destroy);
      for (int i = 0; i < 300 && all.stream().anyMatch(ProcessHandle::isAlive); i++) {
        Thread.sleep(100);
      }
      List<ProcessHandle> left = all.stream().filter(ProcessHandle::destroyForcibly).toList();
      assertThat(left).as("processes that did not end").isEmpty();
    }
  }

  private static List<Float> floats(INDArray features) {
    return Arrays.stream(features.toDoubleVector()).mapToObj(v -> (float) v).toList();
  }

  @Test
  void trainsByTwoExecutorsAndEmbedsAsOneProcessDoes(@TempDir Path folder) throws Exception {
    Path images = Files.createDirectory(folder.resolve("images"));
    ImageSource shapes = ShapesSource.open(IMAGES).train();
    for (int i = 0; i < IMAGES; i++) {
      Files.write(images.resolve("shape-" + i + ".png"), SwavModelTest.png(shapes, i));
    }
    String data = "file://" + images.toUri().getPath();
    String run = folder.resolve("run").toUri().toString();
    String table = folder.resolve("features").toUri().toString();
    try (Cluster cluster = new Cluster(folder)) {
      assertThat(
              cluster.submit(
                  "train",
                  "--preset=quick",
                  "--data=" + data,
                  "--out=" + run,
                  "--num-workers=2",
                  "--crops=2x16",
                  "--scales=0.3-1",
                  "--width=0.25",
                  "--hidden=32",
                  "--dim=16",
                  "--prototypes=8",
                  "--queue=0",
                  "--batch=16",
                  "--epochs=1",
                  "--workers=1"))
          .startsWith("0 ")
          .contains("weights in ");
      assertThat(Files.readAllLines(folder.resolve("run/workers.csv"))).hasSize(1 + 2);
      assertThat(cluster.submit("embed", "--run=" + run, "--data=" + data, "--out=" + table))
          .startsWith("0 ")
          .contains(IMAGES + " images of");
    }
    List<Row> rows = LocalCluster.session().read().parquet(table).collectAsList();
    assertThat(rows).hasSize(IMAGES);
    try (SwavEncoder encoder = SwavEncoder.load(folder.resolve("run/weights.safetensors"))) {
      for (Row row : rows) {
        String name = row.<String>getAs("path").replaceFirst(".*/", "");
        try (INDArray pixels = encoder.pixels(images.resolve(name));
            INDArray features = encoder.features(pixels)) {
          assertThat(row.<Float>getList(row.fieldIndex("vector")))
              .containsExactlyElementsOf(floats(features));
          assertThat(row.<Integer>getAs("cluster")).isEqualTo(encoder.assign(pixels)[0]);
        }
      }
    }
  }
}
