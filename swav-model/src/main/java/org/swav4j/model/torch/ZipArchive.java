package org.swav4j.model.torch;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * The zip archive of PyTorch 1.6 and later: {@code NAME/data.pkl}, a pickle that refers to the
 * storages {@code NAME/data/0}, {@code NAME/data/1} and so on.
 */
final class ZipArchive implements TorchFile.Archive {
  /** A pickle of names and shapes is far smaller. */
  private static final int LARGEST_PICKLE = 64 << 20;

  /** PyTorch doesn't compress; numbers that were compressed since don't shrink as much as that. */
  private static final long LARGEST_RATIO = 200;

  private static final String PICKLE = "/data.pkl";

  private final ZipFile zip;
  private final String name;

  private ZipArchive(ZipFile zip, String name) {
    this.zip = zip;
    this.name = name;
  }

  static boolean recognises(byte[] head) {
    return head.length >= 4
        && head[0] == 'P'
        && head[1] == 'K'
        && (head[2] == 3 && head[3] == 4 || head[2] == 5 && head[3] == 6);
  }

  static boolean isZip(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return recognises(in.readNBytes(4));
    }
  }

  static ZipArchive open(Path file) throws IOException {
    ZipFile zip;
    try {
      zip = new ZipFile(file.toFile());
    } catch (ZipException e) {
      // The list of contents stands at a zip file's end.
      EOFException cut = new EOFException();
      cut.initCause(e);
      throw cut;
    }
    try {
      return new ZipArchive(zip, name(zip));
    } catch (IOException e) {
      zip.close();
      throw e;
    }
  }

  private static String name(ZipFile zip) throws IOException {
    String pickle =
        zip.stream()
            .map(ZipEntry::getName)
            .filter(n -> n.endsWith(PICKLE) && n.indexOf('/') == n.length() - PICKLE.length())
            .findFirst()
            .orElseThrow(
                () ->
                    new IOException(
                        "it is a zip archive without a data.pkl, which torch.save writes"));
    String name = pickle.substring(0, pickle.length() - PICKLE.length());
    if (zip.getEntry(name + "/constants.pkl") != null) {
      throw new IOException(
          "it is a TorchScript program, expected a state dict: in Python,"
              + " torch.save(torch.jit.load(FILE).state_dict(), 'weights.pth')");
    }
    ZipEntry order = zip.getEntry(name + "/byteorder");
    if (order != null) {
      try (InputStream in = zip.getInputStream(order)) {
        if (!new String(in.readNBytes(16), StandardCharsets.US_ASCII).strip().equals("little")) {
          throw new IOException("its numbers are big-endian, expected little-endian");
        }
      }
    }
    return name;
  }

  @Override
  public Object root(Pickle.Names names) throws IOException {
    byte[] pickle;
    try (InputStream in = zip.getInputStream(zip.getEntry(name + PICKLE))) {
      pickle = in.readNBytes(LARGEST_PICKLE + 1);
    }
    if (pickle.length > LARGEST_PICKLE) {
      throw new IOException(
          "its data.pkl has more than "
              + (LARGEST_PICKLE >> 20)
              + " MiB, expected names and shapes only");
    }
    return Pickle.read(new ByteArrayInputStream(pickle), names);
  }

  @Override
  public ByteBuffer read(TorchTensor.Storage storage, long from, int length) throws IOException {
    ZipEntry entry = zip.getEntry(name + "/data/" + storage.key());
    if (entry == null) {
      throw new IOException("it is damaged: storage " + storage.key() + " is missing");
    }
    long expected = Math.multiplyExact((long) storage.type().width(), storage.length());
    if (entry.getSize() != expected) {
      throw new IOException(
          "it is damaged: storage "
              + storage.key()
              + " has "
              + entry.getSize()
              + " bytes, expected "
              + expected);
    }
    if (expected / LARGEST_RATIO > entry.getCompressedSize()) {
      throw new IOException(
          "storage "
              + storage.key()
              + " unpacks to more than "
              + LARGEST_RATIO
              + " times its size, expected numbers that are stored as they are");
    }
    try (InputStream in = zip.getInputStream(entry)) {
      in.skipNBytes(from);
      byte[] bytes = in.readNBytes(length);
      if (bytes.length < length) {
        throw new EOFException();
      }
      return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    } catch (ZipException e) {
      throw new IOException("it is damaged: storage " + storage.key() + ": " + e.getMessage(), e);
    }
  }

  @Override
  public void close() throws IOException {
    zip.close();
  }
}
