package org.swav4j.train.report;

import static java.util.Comparator.naturalOrder;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.nd4j.shade.protobuf.CodedOutputStream;
import org.swav4j.model.AtomicFile;
import org.swav4j.train.loop.EpochMetrics;
import org.swav4j.train.run.MetricsLog;
import org.swav4j.train.run.RunFolder;
import org.tensorflow.framework.Summary;

/**
 * The figures of a run for TensorBoard, {@code tensorboard/events.out.tfevents.swav4j}. Every
 * number that {@code metrics.jsonl} has of an epoch is a scalar of the same name and unit at the
 * steps completed, so 0 before training; so is {@code lr}, the learning rate of the epoch's last
 * step.
 *
 * <p>A TensorBoard that is open goes on reading where the file ended and doesn't notice that
 * another took its place. So the file is added to where it begins what is to be written, which it
 * does unless epochs were taken back on resume; then it is replaced.
 *
 * <p>The file is a row of records: the length of a message in 8 bytes, its checksum in 4, the
 * message, its checksum in 4, all little-endian (<a
 * href="https://www.tensorflow.org/tutorials/load_data/tfrecord">TFRecord</a>). Messages are {@code
 * Event} of TensorFlow's {@code event.proto}, the first of which tells the version. Thread-safe,
 * but for two writers of one run.
 */
public final class TensorBoardReport implements RunReport {
  /** The name of the file; TensorBoard knows it by the word in the middle. */
  public static final String FILE = "events.out.tfevents.swav4j";

  /** For runs that ask for it. */
  public static final class Provider implements ReportProvider {
    @Override
    public String file() {
      return RunFolder.TENSORBOARD + "/" + FILE;
    }

    @Override
    public Optional<RunReport> report(ReportedRun run) {
      return run.config().evaluation().tensorboard()
          ? Optional.of(new TensorBoardReport())
          : Optional.empty();
    }
  }

  /** Fields of {@code Event}. */
  private static final int WALL_TIME = 1;

  private static final int STEP = 2;
  private static final int FILE_VERSION = 3;
  private static final int SUMMARY = 5;

  /** What an event holds beside its time. */
  @FunctionalInterface
  private interface What {
    void writeTo(CodedOutputStream event) throws IOException;
  }

  @Override
  public void write(Path folder, RunRecord run) throws IOException {
    RunFolder of = new RunFolder(folder);
    Path file = Files.createDirectories(of.tensorboard()).resolve(FILE);
    Path metrics = of.metrics();
    byte[] now = records(run, Files.exists(metrics) ? MetricsLog.entries(metrics) : List.of());
    byte[] before = Files.exists(file) ? Files.readAllBytes(file) : new byte[0];
    int differs = Arrays.mismatch(before, now);
    if (differs == -1 || differs == before.length) {
      byte[] rest = Arrays.copyOfRange(now, before.length, now.length);
      Files.write(
          file,
          rest,
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND,
          StandardOpenOption.SYNC);
    } else {
      AtomicFile.write(file, out -> Channels.newOutputStream(out).write(now));
    }
  }

  /**
   * All of the file.
   *
   * @param log knows the learning rates and when epochs ended; of one that it doesn't tell, the
   *     rate is left out, and the time is that of the first it tells, or now
   */
  private static byte[] records(RunRecord run, List<JsonObject> log) throws IOException {
    Map<Long, Instant> ended = new HashMap<>(); // by steps completed, as the rates
    Map<Long, Double> rates = new HashMap<>();
    for (JsonObject entry : log) {
      long step = entry.get("step").getAsLong();
      if (entry.has("time")) {
        ended.put(step, Instant.parse(entry.get("time").getAsString()));
      }
      if (entry.has("lr")) {
        rates.put(step + 1, entry.get("lr").getAsDouble());
      }
    }
    // The same whenever it is asked, so that what is written stays as it is.
    Instant unknown = ended.values().stream().min(naturalOrder()).orElseGet(Instant::now);
    ByteArrayOutputStream records = new ByteArrayOutputStream();
    for (EpochMetrics epoch : run.epochs()) {
      Instant time = ended.getOrDefault(epoch.step(), unknown);
      if (records.size() == 0) {
        records.write(record(time, event -> event.writeString(FILE_VERSION, "brain.Event:2")));
      }
      JsonObject figures = MetricsLog.json(epoch);
      if (rates.containsKey(epoch.step())) {
        figures.addProperty("lr", rates.get(epoch.step()));
      }
      Summary summary = summary(figures);
      records.write(
          record(
              time,
              event -> {
                event.writeInt64(STEP, epoch.step());
                event.writeMessage(SUMMARY, summary);
              }));
    }
    return records.toByteArray();
  }

  private static Summary summary(JsonObject figures) {
    Summary.Builder summary = Summary.newBuilder();
    for (Map.Entry<String, JsonElement> figure : figures.entrySet()) {
      boolean number =
          figure.getValue().isJsonPrimitive() && figure.getValue().getAsJsonPrimitive().isNumber();
      if (number && !figure.getKey().equals("step")) {
        summary.addValue(
            Summary.Value.newBuilder()
                .setTag(figure.getKey())
                .setSimpleValue(figure.getValue().getAsFloat()));
      }
    }
    return summary.build();
  }

  private static byte[] record(Instant time, What what) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream event = CodedOutputStream.newInstance(bytes);
    event.writeDouble(WALL_TIME, time.toEpochMilli() / 1e3);
    what.writeTo(event);
    event.flush();
    byte[] message = bytes.toByteArray();
    byte[] length = little(Long.BYTES).putLong(message.length).array();
    return little(length.length + message.length + 2 * Integer.BYTES)
        .put(length)
        .putInt(checksum(length))
        .put(message)
        .putInt(checksum(message))
        .array();
  }

  private static ByteBuffer little(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** CRC-32C, masked so that the checksum of data that hold checksums is as good. */
  private static int checksum(byte[] data) {
    CRC32C crc = new CRC32C();
    crc.update(data);
    return Integer.rotateRight((int) crc.getValue(), 15) + 0xa282ead8;
  }
}
