package org.swav4j.model.torch;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The tensors of a file that {@code torch.save} wrote: a state dict, or a checkpoint that holds one
 * among numbers, texts and containers. Anything else in it is refused by its name, as it could run
 * code. Nothing is unpacked before it is asked for.
 *
 * <p>Names are the keys on the way to a tensor with dots between: {@code
 * state_dict.module.conv1.weight}. Not thread-safe.
 */
public final class TorchFile implements Closeable {
  /** Numbers of a storage that a tensor may be spread over: 2^28, 1 GiB in float. */
  static final int LARGEST_SPAN = 1 << 28;

  private static final int LARGEST_DEPTH = 32;
  private static final int LONGEST_REASON = 400;

  /** Values in all containers; one that is held twice counts twice. */
  private static final int MOST_VALUES = 1_000_000;

  /** Where the pickle and the storages lie. */
  interface Archive extends Closeable {
    /** What the pickle describes. */
    Object root(Pickle.Names names) throws IOException;

    /**
     * Bytes of a storage, little-endian.
     *
     * @throws EOFException if the file ends before
     */
    ByteBuffer read(TorchTensor.Storage storage, long from, int length) throws IOException;
  }

  private final Path file;
  private final Archive archive;
  private final Map<String, TorchTensor> tensors = new LinkedHashMap<>();
  private int visited;

  private TorchFile(Path file, Archive archive) {
    this.file = file;
    this.archive = archive;
  }

  /** Whether a file that begins with these bytes is one: a zip archive or a pickle. */
  public static boolean recognises(byte[] head) {
    return ZipArchive.recognises(head) || PickledArchive.recognises(head);
  }

  /**
   * Opens a file and lists its tensors.
   *
   * @throws IOException if it can't be read, is cut off or damaged, or holds anything but tensors
   *     and containers; one line that names it
   */
  public static TorchFile open(Path file) throws IOException {
    Archive archive = null;
    try {
      archive = ZipArchive.isZip(file) ? ZipArchive.open(file) : PickledArchive.open(file);
      TorchFile opened = new TorchFile(file, archive);
      opened.list("", archive.root(opened.new TensorNames()), 0);
      return opened;
    } catch (IOException e) {
      if (archive != null) {
        archive.close();
      }
      throw explained(file, e);
    }
  }

  private static IOException explained(Path file, IOException e) {
    return new IOException(
        e instanceof EOFException
            ? file + " is cut off: was the copy or download complete? Copy it again"
            : file + " can't be used: " + readable(e.getMessage()),
        e);
  }

  /** What is quoted from a damaged file may hold anything. */
  private static String readable(String message) {
    String line = message.replaceAll("\\p{Cntrl}", "?");
    return line.length() > LONGEST_REASON ? line.substring(0, LONGEST_REASON) + "..." : line;
  }

  /** By name, in the file's order. */
  public Map<String, TorchTensor> tensors() {
    return Collections.unmodifiableMap(tensors);
  }

  /** Lists the tensors of nested dictionaries and lists. */
  private void list(String path, Object value, int depth) throws IOException {
    if (depth > LARGEST_DEPTH || ++visited > MOST_VALUES) {
      throw new IOException("its containers are nested without end");
    }
    String prefix = path.isEmpty() ? "" : path + ".";
    if (value instanceof TorchTensor tensor) {
      if (path.chars().anyMatch(Character::isISOControl)) {
        throw new IOException("it is damaged: a name in it holds control characters: " + path);
      }
      if (tensors.put(path, tensor) != null) {
        throw new IOException("it holds '" + path + "' twice");
      }
    } else if (value instanceof Map<?, ?> map) {
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        list(prefix + entry.getKey(), entry.getValue(), depth + 1);
      }
    } else if (value instanceof List<?> elements) {
      for (int i = 0; i < elements.size(); i++) {
        list(prefix + i, elements.get(i), depth + 1);
      }
    }
  }

  /** Numbers of a storage, little-endian, from a tensor's first one on. */
  ByteBuffer bytes(TorchTensor.Storage storage, long offset, int count) throws IOException {
    int width = storage.type().width();
    try {
      return archive.read(
          storage,
          Math.multiplyExact(width, storage.start() + offset),
          Math.multiplyExact(width, count));
    } catch (IOException e) {
      throw explained(file, e);
    }
  }

  @Override
  public void close() throws IOException {
    archive.close();
  }

  /** The names that PyTorch writes for tensors and containers; no others. */
  private final class TensorNames implements Pickle.Names {
    @Override
    public Object global(String module, String name) throws IOException {
      String whole = module + "." + name;
      if (module.equals("torch")) {
        var type = StorageType.of(name);
        if (type.isPresent()) {
          return type.get();
        }
      }
      return switch (whole) {
        case "collections.OrderedDict" -> (Pickle.Callable) TorchFile::dictionary;
        case "torch.Size" -> (Pickle.Callable) arguments -> arguments.get(0);
        case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2" ->
            (Pickle.Callable) this::tensor;
        case "torch._utils._rebuild_parameter" -> (Pickle.Callable) arguments -> arguments.get(0);
        default ->
            throw new IOException(
                "it holds "
                    + whole
                    + ", expected tensors and containers only, as anything else could run code."
                    + " In Python, torch.save(torch.load(FILE)['state_dict'], 'weights.pth') keeps"
                    + " the tensors alone");
      };
    }

    /**
     * {@code ('storage', type, key, location, length)}, and in the older format a view of another
     * storage or None: {@code (key, from, length)}.
     */
    @Override
    public Object persistent(Object id) throws IOException {
      List<?> parts = (List<?>) id;
      if (!"storage".equals(parts.get(0)) || !(parts.get(1) instanceof StorageType type)) {
        throw new IOException("it refers to " + parts.get(0) + ", expected a storage of numbers");
      }
      long start = 0;
      if (parts.size() > 5 && parts.get(5) instanceof List<?> view) {
        start = number(view.get(1));
      }
      return new TorchTensor.Storage(
          type, String.valueOf(parts.get(2)), start, number(parts.get(4)));
    }

    private TorchTensor tensor(List<?> arguments) throws IOException {
      TorchTensor.Storage storage = (TorchTensor.Storage) arguments.get(0);
      long offset = number(arguments.get(1));
      long[] shape = numbers(arguments.get(2));
      long[] strides = numbers(arguments.get(3));
      boolean fits = shape.length == strides.length;
      try {
        boolean empty = TorchTensor.elements(shape) == 0;
        long end = Math.addExact(offset, empty ? 0 : TorchTensor.last(shape, strides) + 1);
        fits &= Math.addExact(storage.start(), end) <= storage.length();
      } catch (ArithmeticException | IndexOutOfBoundsException e) {
        fits = false;
      }
      if (!fits) {
        throw new IOException(
            "it is damaged: a tensor of shape "
                + Arrays.toString(shape)
                + " doesn't lie within its storage of "
                + storage.length()
                + " numbers");
      }
      return new TorchTensor(TorchFile.this, storage, offset, shape, strides);
    }
  }

  private static Map<Object, Object> dictionary(List<?> arguments) throws IOException {
    Map<Object, Object> map = new LinkedHashMap<>();
    if (!arguments.isEmpty()) {
      for (Object pair : (List<?>) arguments.get(0)) {
        List<?> two = new ArrayList<>((List<?>) pair);
        if (!(two.get(0) instanceof String || two.get(0) instanceof Number)) {
          throw new IOException("a dictionary in it has a key that is neither text nor number");
        }
        map.put(two.get(0), two.get(1));
      }
    }
    return map;
  }

  private static long number(Object value) throws IOException {
    if (!(value instanceof Long number) || number < 0) {
      throw new IOException("it is damaged: a length or a place in it is " + value);
    }
    return number;
  }

  private static long[] numbers(Object values) throws IOException {
    List<?> list = (List<?>) values;
    long[] numbers = new long[list.size()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = number(list.get(i));
    }
    return numbers;
  }
}
