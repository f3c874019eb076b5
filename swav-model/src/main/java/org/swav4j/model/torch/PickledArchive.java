package org.swav4j.model.torch;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The format of PyTorch before 1.6 ({@code _use_new_zipfile_serialization=False} since): five
 * pickles, a magic number, a version, facts on the machine, the object and the list of its
 * storages' keys; then of every storage eight bytes of length and its numbers.
 */
final class PickledArchive implements TorchFile.Archive {
  private static final BigInteger MAGIC = new BigInteger("1950a86a20f9469cfc6c", 16);
  private static final long VERSION = 1001;

  private final FileChannel channel;

  private final Map<String, Place> places = new HashMap<>();

  /** Where a storage's numbers begin in the file, and how many bytes they are. */
  private record Place(long start, long length) {}

  private PickledArchive(FileChannel channel) {
    this.channel = channel;
  }

  static boolean recognises(byte[] head) {
    return head.length >= 2 && head[0] == (byte) 0x80 && head[1] >= 2 && head[1] <= 5;
  }

  static PickledArchive open(Path file) throws IOException {
    return new PickledArchive(FileChannel.open(file, StandardOpenOption.READ));
  }

  /** Knows how far it was read. */
  private static final class Counted extends FilterInputStream {
    private long position;

    Counted(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      int b = in.read();
      position += b < 0 ? 0 : 1;
      return b;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      int n = in.read(bytes, offset, length);
      position += Math.max(0, n);
      return n;
    }
  }

  @Override
  public Object root(Pickle.Names names) throws IOException {
    // Storages have a type that their lengths are counted in; the list of keys doesn't tell it.
    Map<String, StorageType> types = new HashMap<>();
    Pickle.Names listening =
        new Pickle.Names() {
          @Override
          public Object global(String module, String name) throws IOException {
            return names.global(module, name);
          }

          @Override
          public Object persistent(Object id) throws IOException {
            TorchTensor.Storage storage = (TorchTensor.Storage) names.persistent(id);
            types.put(storage.key(), storage.type());
            return storage;
          }
        };
    Counted in = new Counted(new BufferedInputStream(Channels.newInputStream(channel)));
    if (!MAGIC.equals(Pickle.read(in, names))) {
      throw new IOException("it is a pickle, but torch.save didn't write it");
    }
    Object version = Pickle.read(in, names);
    if (!Long.valueOf(VERSION).equals(version)) {
      throw new IOException("it is of version " + version + ", expected " + VERSION);
    }
    if (Pickle.read(in, names) instanceof Map<?, ?> machine
        && Boolean.FALSE.equals(machine.get("little_endian"))) {
      throw new IOException("its numbers are big-endian, expected little-endian");
    }
    Object root = Pickle.read(in, listening);
    locate((List<?>) Pickle.read(in, names), types, in.position);
    return root;
  }

  private void locate(List<?> keys, Map<String, StorageType> types, long start) throws IOException {
    long at = start;
    for (Object key : keys) {
      StorageType type = types.get(String.valueOf(key));
      if (type == null) {
        throw new IOException("it is damaged: nothing refers to its storage " + key);
      }
      long length = bytes(at, Long.BYTES).getLong();
      if (length < 0 || length > (channel.size() - at - Long.BYTES) / type.width()) {
        throw new EOFException();
      }
      Place place = new Place(at + Long.BYTES, length * type.width());
      places.put(String.valueOf(key), place);
      at = place.start() + place.length();
    }
  }

  @Override
  public ByteBuffer read(TorchTensor.Storage storage, long from, int length) throws IOException {
    Place place = places.get(storage.key());
    if (place == null || from + length > place.length()) {
      throw new IOException(
          "it is damaged: storage "
              + storage.key()
              + (place == null ? " is missing" : " has only " + place.length() + " bytes"));
    }
    return bytes(place.start() + from, length);
  }

  private ByteBuffer bytes(long at, int length) throws IOException {
    if (at + length > channel.size()) {
      throw new EOFException();
    }
    ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes, at + bytes.position()) < 0) {
        throw new EOFException();
      }
    }
    return bytes.flip();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
