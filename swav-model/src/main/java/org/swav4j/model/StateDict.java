package org.swav4j.model;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.torch.TorchFile;

/** Named tensors of a file, whatever its format, which is recognised by the first bytes. */
interface StateDict extends Closeable {
  /** One of them, read when asked for. */
  interface Tensor {
    /** Its type in the file. */
    String type();

    /** Whether {@link #read} can give it. */
    boolean isFloatingPoint();

    long[] shape();

    /** A new array, FLOAT or DOUBLE, in c order. */
    INDArray read() throws IOException;
  }

  /** By name, in the file's order. */
  Map<String, Tensor> tensors();

  /** What the file says about itself. */
  Map<String, String> metadata();

  /**
   * Opens a file.
   *
   * @throws IOException if it can't be read, or is of no format that is known; one line
   */
  static StateDict open(Path file) throws IOException {
    byte[] head;
    try (InputStream in = Files.newInputStream(file)) {
      head = in.readNBytes(265);
    } catch (NoSuchFileException e) {
      throw new IOException("there is no file " + file, e);
    } catch (AccessDeniedException e) {
      throw new IOException(file + " can't be read: permission denied", e);
    }
    if (TorchFile.recognises(head)) {
      return of(TorchFile.open(file));
    }
    if (begins(head, 0, 0x1f, 0x8b)) {
      throw new IOException(file + " is compressed by gzip: unpack it first");
    }
    if (begins(head, 257, 'u', 's', 't', 'a', 'r')) {
      throw new IOException(
          file
              + " is a tar archive: unpack it first; if it is a PyTorch file of before 2017, save it"
              + " again with a newer PyTorch");
    }
    return of(SafeTensors.read(file));
  }

  private static boolean begins(byte[] head, int at, int... bytes) {
    return head.length >= at + bytes.length
        && Arrays.equals(
            Arrays.stream(bytes).toArray(),
            IntStream.range(at, at + bytes.length).map(i -> head[i] & 255).toArray());
  }

  private static StateDict of(SafeTensors file) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    file.tensors().forEach((name, array) -> tensors.put(name, new Held(array)));
    file.unread().forEach((name, type) -> tensors.put(name, new Unread(type)));
    return new Opened(
        tensors, file.metadata(), () -> file.tensors().values().forEach(INDArray::close));
  }

  private static StateDict of(TorchFile file) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    file.tensors()
        .forEach(
            (name, tensor) ->
                tensors.put(
                    name,
                    new Tensor() {
                      @Override
                      public String type() {
                        return tensor.type();
                      }

                      @Override
                      public boolean isFloatingPoint() {
                        return tensor.isFloatingPoint();
                      }

                      @Override
                      public long[] shape() {
                        return tensor.shape();
                      }

                      @Override
                      public INDArray read() throws IOException {
                        return tensor.read();
                      }
                    }));
    return new Opened(tensors, Map.of(), file);
  }

  /** Of a safetensors file, which is read at once. */
  record Held(INDArray array) implements Tensor {
    @Override
    public String type() {
      return array.dataType().toString();
    }

    @Override
    public boolean isFloatingPoint() {
      return array.dataType().isFPType();
    }

    @Override
    public long[] shape() {
      return array.shape();
    }

    @Override
    public INDArray read() {
      return array.dup('c');
    }
  }

  /** Of a safetensors file, in a type that isn't read. */
  record Unread(String type) implements Tensor {
    @Override
    public boolean isFloatingPoint() {
      return false;
    }

    @Override
    public long[] shape() {
      return new long[0];
    }

    @Override
    public INDArray read() {
      throw new IllegalStateException("a tensor of type " + type);
    }
  }

  /** What is behind it is closed with it. */
  record Opened(Map<String, Tensor> tensors, Map<String, String> metadata, Closeable source)
      implements StateDict {
    @Override
    public void close() throws IOException {
      source.close();
    }
  }
}
