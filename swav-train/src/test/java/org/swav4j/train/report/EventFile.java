package org.swav4j.train.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.shade.protobuf.CodedInputStream;

/**
 * Reads event files for TensorBoard field by field, with a checksum that is computed bit by bit.
 */
public final class EventFile {
  /**
   * An event.
   *
   * @param version of the file, which the first event tells; empty in all others
   * @param scalars by tag
   */
  public record Event(double wallTime, long step, String version, Map<String, Float> scalars) {}

  private EventFile() {}

  /** All events; fails if a frame or a checksum is not what it should be. */
  public static List<Event> read(Path file) throws IOException {
    return read(Files.readAllBytes(file));
  }

  static List<Event> read(byte[] file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    List<Event> events = new ArrayList<>();
    while (bytes.hasRemaining()) {
      byte[] length = new byte[8];
      bytes.get(length);
      assertThat(bytes.getInt()).as("checksum of a length").isEqualTo(masked(length));
      byte[] message =
          new byte[(int) ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getLong()];
      bytes.get(message);
      assertThat(bytes.getInt()).as("checksum of an event").isEqualTo(masked(message));
      events.add(event(CodedInputStream.newInstance(message)));
    }
    return events;
  }

  private static int masked(byte[] data) {
    int crc = -1;
    for (byte b : data) {
      crc ^= b & 0xff;
      for (int bit = 0; bit < 8; bit++) {
        crc = (crc & 1) == 0 ? crc >>> 1 : crc >>> 1 ^ 0x82f63b78;
      }
    }
    crc = ~crc;
    return ((crc >>> 15) | (crc << 17)) + 0xa282ead8;
  }

  private static Event event(CodedInputStream in) throws IOException {
    double wallTime = Double.NaN;
    long step = 0;
    String version = "";
    Map<String, Float> scalars = new LinkedHashMap<>();
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      switch (tag) {
        case 1 << 3 | 1 -> wallTime = in.readDouble();
        case 2 << 3 -> step = in.readInt64();
        case 3 << 3 | 2 -> version = in.readString();
        case 5 << 3 | 2 -> summary(CodedInputStream.newInstance(in.readByteArray()), scalars);
        default -> throw new AssertionError("an event has no field " + (tag >> 3));
      }
    }
    return new Event(wallTime, step, version, scalars);
  }

  private static void summary(CodedInputStream in, Map<String, Float> scalars) throws IOException {
    while (!in.isAtEnd()) {
      assertThat(in.readTag()).as("value").isEqualTo(1 << 3 | 2);
      CodedInputStream value = CodedInputStream.newInstance(in.readByteArray());
      assertThat(value.readTag()).as("tag").isEqualTo(1 << 3 | 2);
      String name = value.readString();
      assertThat(value.readTag()).as("simple_value").isEqualTo(2 << 3 | 5);
      assertThat(scalars.put(name, value.readFloat())).as("once").isNull();
      assertThat(value.isAtEnd()).isTrue();
    }
  }
}
