package org.swav4j.model;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import java.io.EOFException;
import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.bytedeco.javacpp.indexer.Bfloat16Indexer;
import org.bytedeco.javacpp.indexer.HalfIndexer;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A safetensors file: named arrays and text, no code. Eight bytes of header length, a JSON header
 * {@code {name: {dtype, shape, data_offsets}}}, then the arrays, row-major and little-endian, one
 * after the other (<a href="https://github.com/huggingface/safetensors">format</a>).
 *
 * @param tensors by name, dense, in c order, in the file's order
 * @param metadata what the file says about itself; empty if it says nothing
 * @param unread tensors whose type isn't read, such as BOOL, by name: their type
 */
public record SafeTensors(
    Map<String, INDArray> tensors, Map<String, String> metadata, Map<String, String> unread) {
  private static final String METADATA = "__metadata__";
  private static final long LONGEST_HEADER = 100_000_000;
  private static final int LONGEST_REASON = 160;
  private static final int CHUNK = 1 << 20;
  private static final Gson JSON = new GsonBuilder().disableHtmlEscaping().create();

  public SafeTensors {
    tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
    unread = Collections.unmodifiableMap(new LinkedHashMap<>(unread));
  }

  /** How a type is written, and how wide it is. */
  private enum Encoding {
    F64(8, DataType.DOUBLE),
    F32(4, DataType.FLOAT),
    F16(2, DataType.FLOAT),
    BF16(2, DataType.FLOAT),
    I64(8, DataType.LONG),
    I32(4, DataType.INT);

    private final int width;
    private final DataType type;

    Encoding(int width, DataType type) {
      this.width = width;
      this.type = type;
    }
  }

  /** Types that are passed over, and the bits of each number. */
  private static final Map<String, Integer> UNREAD =
      Map.ofEntries(
          Map.entry("BOOL", 8),
          Map.entry("U8", 8),
          Map.entry("I8", 8),
          Map.entry("U16", 16),
          Map.entry("I16", 16),
          Map.entry("U32", 32),
          Map.entry("U64", 64),
          Map.entry("C64", 64),
          Map.entry("F8_E4M3", 8),
          Map.entry("F8_E5M2", 8),
          Map.entry("F8_E8M0", 8),
          Map.entry("F6_E2M3", 6),
          Map.entry("F6_E3M2", 6),
          Map.entry("F4", 4));

  /** One line of the header; the encoding is null for a type that isn't read. */
  private record Entry(
      String name, String dtype, Encoding encoding, long[] shape, long begin, long end) {
    int bits() {
      return encoding == null ? UNREAD.get(dtype) : 8 * encoding.width;
    }

    long length() {
      return (end - begin) / encoding.width;
    }
  }

  /**
   * Reads a file. F32 becomes FLOAT, F64 DOUBLE, I64 LONG, I32 INT; F16 and BF16 become FLOAT.
   * Tensors of the format's other types are named in {@link #unread}.
   *
   * @throws IOException if it can't be read, is no safetensors file, was cut off, or its header
   *     contradicts itself; the message says which, in one line
   */
  public static SafeTensors read(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new IOException(file + " is a folder, expected a safetensors file");
    }
    try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer first = fill(in, allocate((int) Math.min(8, in.size())));
      long headerLength = first.capacity() == 8 ? first.getLong() : -1;
      if (headerLength < 2 || headerLength > LONGEST_HEADER) {
        throw new IOException(
            file
                + " is not a safetensors file: it doesn't begin with the length of a header;"
                + " expected such a file, or for `init` one of PyTorch's (.pth, .pt)");
      }
      if (8 + headerLength > in.size()) {
        throw cutOff(file, in.size(), "at least " + (8 + headerLength));
      }
      byte[] header = fill(in, allocate((int) headerLength)).array();
      LinkedHashMap<String, String> metadata = new LinkedHashMap<>();
      List<Entry> entries = parse(file, header, metadata);
      checkOffsets(file, entries, 8 + headerLength, in.size());
      LinkedHashMap<String, INDArray> tensors = new LinkedHashMap<>();
      LinkedHashMap<String, String> unread = new LinkedHashMap<>();
      for (Entry entry : entries) {
        if (entry.encoding() == null) {
          unread.put(entry.name(), entry.dtype());
        } else {
          in.position(8 + headerLength + entry.begin());
          tensors.put(entry.name(), readArray(in, entry));
        }
      }
      return new SafeTensors(tensors, metadata, unread);
    } catch (NoSuchFileException e) {
      throw new IOException("there is no file " + file, e);
    } catch (AccessDeniedException e) {
      throw new IOException(file + " can't be read: permission denied", e);
    }
  }

  private static List<Entry> parse(Path file, byte[] header, Map<String, String> metadata)
      throws IOException {
    List<Entry> entries = new ArrayList<>();
    String name = METADATA;
    try {
      JsonReader json =
          new JsonReader(new StringReader(new String(header, StandardCharsets.UTF_8)));
      Set<String> names = new HashSet<>();
      json.beginObject();
      while (json.hasNext()) {
        name = json.nextName();
        requireNew(names, name);
        names.add(name);
        JsonObject value = object(json);
        if (name.equals(METADATA)) {
          value.entrySet().forEach(m -> metadata.put(m.getKey(), m.getValue().getAsString()));
        } else {
          entries.add(entry(file, name, value));
        }
      }
      json.endObject();
      if (json.peek() != JsonToken.END_DOCUMENT) {
        throw new JsonParseException("something follows its end");
      }
    } catch (JsonParseException
        | MalformedJsonException
        | EOFException
        | IllegalStateException
        | UnsupportedOperationException
        | NumberFormatException
        | NullPointerException e) {
      throw new IOException(
          file + " has a damaged safetensors header at '" + name + "': " + firstLine(e), e);
    } catch (StackOverflowError e) {
      throw new IOException(
          file + " has a damaged safetensors header at '" + name + "': it is nested too deeply", e);
    }
    entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    return entries;
  }

  /** An object in which no key is given twice: readers disagree on which of the two counts. */
  private static JsonObject object(JsonReader json) throws IOException {
    JsonObject object = new JsonObject();
    json.beginObject();
    while (json.hasNext()) {
      String key = requireNew(object.keySet(), json.nextName());
      object.add(key, JsonParser.parseReader(json));
    }
    json.endObject();
    return object;
  }

  private static String requireNew(Set<String> known, String key) {
    if (known.contains(key)) {
      throw new JsonParseException("the key '" + key + "' is given twice");
    }
    return key;
  }

  private static Entry entry(Path file, String name, JsonObject value) throws IOException {
    String dtype = value.get("dtype").getAsString();
    Encoding encoding =
        Arrays.stream(Encoding.values())
            .filter(e -> e.name().equals(dtype))
            .findFirst()
            .orElse(null);
    if (encoding == null && !UNREAD.containsKey(dtype)) {
      throw new IOException(
          file
              + ": tensor '"
              + name
              + "' has dtype "
              + dtype
              + ", expected one of "
              + Arrays.toString(Encoding.values())
              + ", or of those that are passed over: "
              + String.join(", ", new TreeSet<>(UNREAD.keySet())));
    }
    long[] shape = longs(value.getAsJsonArray("shape"));
    long[] offsets = longs(value.getAsJsonArray("data_offsets"));
    if (offsets.length != 2 || Arrays.stream(shape).anyMatch(s -> s < 0)) {
      throw new IOException(
          file
              + ": tensor '"
              + name
              + "' has shape "
              + Arrays.toString(shape)
              + " and offsets "
              + Arrays.toString(offsets)
              + ", expected sizes of at least 0 and two offsets");
    }
    return new Entry(name, dtype, encoding, shape, offsets[0], offsets[1]);
  }

  private static long[] longs(JsonArray array) {
    return array.asList().stream().mapToLong(JsonElement::getAsLong).toArray();
  }

  /** The arrays must lie one behind the other from 0 to the file's end, each as long as it says. */
  private static void checkOffsets(Path file, List<Entry> entries, long start, long size)
      throws IOException {
    long position = 0;
    for (Entry entry : entries) {
      long bytes = entry.bits();
      try {
        for (long s : entry.shape()) {
          bytes = Math.multiplyExact(bytes, s);
        }
        bytes = bytes % 8 == 0 ? bytes / 8 : -1;
      } catch (ArithmeticException e) {
        bytes = -1;
      }
      if (entry.begin() != position || entry.end() - entry.begin() != bytes) {
        throw new IOException(
            file
                + ": tensor '"
                + entry.name()
                + "' of shape "
                + Arrays.toString(entry.shape())
                + " and dtype "
                + entry.dtype()
                + " lies at bytes "
                + entry.begin()
                + " to "
                + entry.end()
                + ", expected "
                + (bytes < 0 ? "more than can be counted" : position + " to " + (position + bytes))
                + ": the header is damaged");
      }
      position = entry.end();
    }
    if (start + position > size) {
      throw cutOff(file, size, "" + (start + position));
    }
    if (start + position < size) {
      throw new IOException(
          file
              + " has "
              + size
              + " bytes, expected "
              + (start + position)
              + ": something was appended to it, or its header is damaged");
    }
  }

  private static IOException cutOff(Path file, long actual, String expected) {
    return new IOException(
        file
            + " is cut off: it has "
            + actual
            + " bytes, its header asks for "
            + expected
            + ". Was the copy or download complete? Copy it again, or use another checkpoint");
  }

  private static INDArray readArray(FileChannel in, Entry entry) throws IOException {
    if (entry.length() > Integer.MAX_VALUE - 8) {
      throw new IOException("tensor '" + entry.name() + "' has more than 2^31 elements");
    }
    int n = (int) entry.length();
    if (n == 0) {
      return Nd4j.create(entry.encoding().type, entry.shape());
    }
    int width = entry.encoding().width;
    ByteBuffer chunk = allocate((int) Math.min(CHUNK, (long) n * width));
    float[] floats = entry.encoding().type == DataType.FLOAT ? new float[n] : null;
    double[] doubles = entry.encoding() == Encoding.F64 ? new double[n] : null;
    long[] longs = entry.encoding() == Encoding.I64 ? new long[n] : null;
    int[] ints = entry.encoding() == Encoding.I32 ? new int[n] : null;
    int count;
    for (int at = 0; at < n; at += count) {
      count = Math.min(chunk.capacity() / width, n - at);
      chunk.clear().limit(count * width);
      fill(in, chunk);
      switch (entry.encoding()) {
        case F64 -> chunk.asDoubleBuffer().get(doubles, at, count);
        case F32 -> chunk.asFloatBuffer().get(floats, at, count);
        case I64 -> chunk.asLongBuffer().get(longs, at, count);
        case I32 -> chunk.asIntBuffer().get(ints, at, count);
        case F16 -> {
          for (int i = 0; i < count; i++) {
            floats[at + i] = HalfIndexer.toFloat(chunk.getShort(2 * i));
          }
        }
        case BF16 -> {
          for (int i = 0; i < count; i++) {
            floats[at + i] = Bfloat16Indexer.toFloat(chunk.getShort(2 * i));
          }
        }
      }
    }
    INDArray flat =
        switch (entry.encoding()) {
          case F64 -> Nd4j.createFromArray(doubles);
          case F32, F16, BF16 -> Nd4j.createFromArray(floats);
          case I64 -> Nd4j.createFromArray(longs);
          case I32 -> Nd4j.createFromArray(ints);
        };
    return flat.reshape('c', entry.shape());
  }

  /**
   * The first tensor that holds NaN or infinity and where, such as {@code tensor 'conv1.weight'
   * holds NaN at index 17}; empty if all numbers are finite.
   *
   * @param tensors of any type and strides; the index counts in row-major order
   */
  public static Optional<String> notFinite(Map<String, INDArray> tensors) {
    for (Map.Entry<String, INDArray> e : tensors.entrySet()) {
      INDArray array = e.getValue();
      if (array.dataType().isFPType() && !array.isEmpty()) {
        try (INDArray dense = array.dup('c')) {
          long i = firstNotFinite(dense.data(), dense.length());
          if (i >= 0) {
            return Optional.of(
                "tensor '"
                    + e.getKey()
                    + "' holds "
                    + dense.data().getDouble(i)
                    + " at index "
                    + i);
          }
        }
      }
    }
    return Optional.empty();
  }

  private static long firstNotFinite(DataBuffer values, long n) {
    if (values.dataType() == DataType.FLOAT) {
      FloatBuffer floats = values.asNioFloat();
      for (int i = 0; i < n; i++) {
        if (!Float.isFinite(floats.get(i))) {
          return i;
        }
      }
    } else {
      for (long i = 0; i < n; i++) {
        if (!Double.isFinite(values.getDouble(i))) {
          return i;
        }
      }
    }
    return -1;
  }

  /**
   * Writes a file: all of it or nothing, see {@link AtomicFile}; a full disk or a crash leaves an
   * older file as it was.
   *
   * @param tensors FLOAT (as F32), DOUBLE (F64), LONG (I64) or INT (I32), of any strides
   * @throws IllegalArgumentException if an array is of another type
   * @throws IOException if the file can't be written; one line with the likely cause
   */
  public static void write(Path file, Map<String, INDArray> tensors, Map<String, String> metadata)
      throws IOException {
    byte[] header = header(tensors, metadata);
    Path target = file.toAbsolutePath();
    if (Files.isDirectory(target)) {
      throw new IOException("can't write " + file + ": it is a folder, expected a file name");
    }
    if (!Files.isDirectory(target.getParent())) {
      throw new IOException(
          "can't write " + file + ": there is no folder " + target.getParent() + ", make it first");
    }
    try {
      AtomicFile.write(
          target,
          out -> {
            ByteBuffer length = allocate(8);
            drain(out, length.putLong(header.length).flip());
            drain(out, ByteBuffer.wrap(header));
            for (INDArray array : tensors.values()) {
              writeArray(out, array);
            }
          });
    } catch (IOException e) {
      throw new IOException(
          "can't write "
              + file
              + " ("
              + (8 + header.length + bytes(tensors))
              + " bytes; "
              + Files.getFileStore(target.getParent()).getUsableSpace()
              + " free): "
              + cause(e)
              + ". "
              + (Files.exists(target)
                  ? "The file that was there is unchanged"
                  : "No file was left"),
          e);
    }
  }

  private static byte[] header(Map<String, INDArray> tensors, Map<String, String> metadata) {
    JsonObject root = new JsonObject();
    if (!metadata.isEmpty()) {
      root.add(METADATA, JSON.toJsonTree(metadata));
    }
    long position = 0;
    for (Map.Entry<String, INDArray> e : tensors.entrySet()) {
      INDArray array = e.getValue();
      Encoding encoding = encoding(e.getKey(), array.dataType());
      JsonObject entry = new JsonObject();
      entry.addProperty("dtype", encoding.name());
      entry.add("shape", JSON.toJsonTree(array.shape()));
      long end = position + array.length() * encoding.width;
      entry.add("data_offsets", JSON.toJsonTree(new long[] {position, end}));
      root.add(e.getKey(), entry);
      position = end;
    }
    byte[] json = JSON.toJson(root).getBytes(StandardCharsets.UTF_8);
    // spaces up to a multiple of 8, so that readers that map the file find aligned numbers
    byte[] padded = Arrays.copyOf(json, (json.length + 7) / 8 * 8);
    Arrays.fill(padded, json.length, padded.length, (byte) ' ');
    return padded;
  }

  private static Encoding encoding(String name, DataType type) {
    return switch (type) {
      case FLOAT -> Encoding.F32;
      case DOUBLE -> Encoding.F64;
      case LONG -> Encoding.I64;
      case INT -> Encoding.I32;
      default ->
          throw new IllegalArgumentException(
              "tensor '" + name + "' is " + type + ", expected FLOAT, DOUBLE, LONG or INT");
    };
  }

  private static long bytes(Map<String, INDArray> tensors) {
    return tensors.values().stream().mapToLong(a -> a.length() * a.dataType().width()).sum();
  }

  private static void writeArray(FileChannel out, INDArray array) throws IOException {
    int n = Math.toIntExact(array.length());
    int width = array.dataType().width();
    ByteBuffer chunk = allocate((int) Math.min(CHUNK, (long) n * width));
    // Nothing is left to the collector: what waits for it makes the process grow with every file.
    try (INDArray dense = array.dup('c')) {
      DataBuffer values = dense.data();
      int count;
      for (int at = 0; at < n; at += count) {
        count = Math.min(CHUNK / width, n - at);
        chunk.clear().limit(count * width);
        switch (dense.dataType()) {
          case FLOAT -> chunk.asFloatBuffer().put(values.asNioFloat().slice(at, count));
          case DOUBLE -> chunk.asDoubleBuffer().put(values.asNioDouble().slice(at, count));
          case LONG -> chunk.asLongBuffer().put(values.asNioLong().slice(at, count));
          default -> chunk.asIntBuffer().put(values.asNioInt().slice(at, count));
        }
        drain(out, chunk);
      }
    }
  }

  private static ByteBuffer allocate(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static ByteBuffer fill(FileChannel in, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (in.read(buffer) < 0) {
        throw new EOFException("the file got shorter while it was read");
      }
    }
    return buffer.flip();
  }

  private static void drain(FileChannel out, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      out.write(buffer);
    }
  }

  private static String cause(IOException e) {
    if (e instanceof AccessDeniedException) {
      return "permission denied, choose a folder you may write to";
    }
    String reason = firstLine(e);
    if (reason.contains("No space left")) {
      return "the disk is full, free some space";
    }
    if (reason.contains("File too large")) {
      return "it passes the limit on the size of files, see ulimit -f";
    }
    return reason;
  }

  private static String firstLine(Exception e) {
    String line = String.valueOf(e.getMessage()).lines().findFirst().orElse("no reason given");
    // A JSON parser's message holds the path to the place, which may be as long as the file.
    return line.length() > LONGEST_REASON ? line.substring(0, LONGEST_REASON) + "..." : line;
  }
}
