package org.swav4j.model.engine.onednn;

import static org.bytedeco.dnnl.global.dnnl.*;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.bytedeco.dnnl.dnnl_blocking_desc_t;
import org.bytedeco.dnnl.dnnl_memory_desc_t;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.swav4j.model.plan.Value;

/**
 * How a tensor lies in memory: type, dimensions, order and blocks. Immutable. Images have
 * dimensions N, C, H, W and convolution weights O, I, kH, kW, whatever their order in memory.
 */
final class Layout {
  private final dnnl_memory_desc_t md;

  private Layout(dnnl_memory_desc_t md) {
    this.md = md;
  }

  /** A copy of a description owned by a primitive. */
  static Layout copyOf(dnnl_memory_desc_t borrowed) {
    dnnl_memory_desc_t copy = new dnnl_memory_desc_t();
    Pointer.memcpy(copy, borrowed, copy.sizeof());
    return new Layout(copy);
  }

  /** Left for a primitive to choose. */
  static Layout any(int type, long... dims) {
    dnnl_memory_desc_t md = new dnnl_memory_desc_t();
    Dnnl.check(
        dnnl_memory_desc_init_by_tag(md, dims.length, dims, type, dnnl_format_tag_any),
        "describing a tensor of shape " + Arrays.toString(dims));
    return new Layout(md);
  }

  static Layout strided(int type, long[] dims, long[] strides) {
    dnnl_memory_desc_t md = new dnnl_memory_desc_t();
    Dnnl.check(
        dnnl_memory_desc_init_by_strides(md, dims.length, dims, type, strides),
        "describing a tensor of shape " + Arrays.toString(dims));
    return new Layout(md);
  }

  /** In c order. A scalar has one dimension of size 1. */
  static Layout dense(int type, long... dims) {
    long[] d = dims.length == 0 ? new long[] {1} : dims;
    long[] strides = new long[d.length];
    long stride = 1;
    for (int i = d.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= d[i];
    }
    return strided(type, d, strides);
  }

  /**
   * As ND4J has arrays: floats in c order. Other types, which no primitive reads, are plain bytes.
   */
  static Layout plain(Value v) {
    return v.type() == DataType.FLOAT
        ? dense(dnnl_f32, v.shape())
        : dense(dnnl_u8, Math.max(1, v.bytes()));
  }

  /** Images with the channels innermost. */
  static Layout channelsLast(int type, long n, long c, long h, long w) {
    return strided(type, new long[] {n, c, h, w}, new long[] {h * w * c, 1, w * c, c});
  }

  /** Convolution weights as a plan keeps them: {@code [kH, kW, I, O]} in c order. */
  static Layout yxio(int type, long o, long i, long h, long w) {
    return strided(type, new long[] {o, i, h, w}, new long[] {1, o, w * i * o, i * o});
  }

  dnnl_memory_desc_t md() {
    return md;
  }

  int type() {
    return md.data_type();
  }

  int rank() {
    return md.ndims();
  }

  long[] dims() {
    long[] d = new long[rank()];
    md.dims().get(d);
    return d;
  }

  long dim(int i) {
    return md.dims().get(i);
  }

  /** Bytes in memory, padding counted. */
  long bytes() {
    return dnnl_memory_desc_get_size(md);
  }

  /** Whether blocks reach past a dimension's end, with zeros there. */
  boolean padded() {
    for (int i = 0; i < rank(); i++) {
      if (md.padded_dims().get(i) != md.dims().get(i)) {
        return true;
      }
    }
    return false;
  }

  /** Whether only the primitives that made it know how it lies, as with Winograd's weights. */
  boolean isOpaque() {
    return md.format_kind() != dnnl_blocked;
  }

  boolean same(Layout other) {
    return dnnl_memory_desc_equal(md, other.md) == 1;
  }

  /** The same order, blocks and dimensions with another type. */
  Layout withType(int type) {
    Layout l = copyOf(md);
    l.md.data_type(type);
    return l;
  }

  /** The same bytes with dimension i moved to place {@code order[i]}. */
  Layout permuted(int... order) {
    dnnl_memory_desc_t out = new dnnl_memory_desc_t();
    Dnnl.check(dnnl_memory_desc_permute_axes(out, md, order), "permuting " + this);
    return new Layout(out);
  }

  /**
   * Images of one pixel in whatever blocks are rows of channels if nothing is padded. Null
   * otherwise.
   */
  Layout asRows() {
    if (rank() != 4 || padded() || dim(2) != 1 || dim(3) != 1) {
      return null;
    }
    dnnl_blocking_desc_t blocks = md.format_desc_blocking();
    for (int i = 0; i < blocks.inner_nblks(); i++) {
      if (blocks.inner_idxs().get(i) != 1) {
        return null;
      }
    }
    return bytes() == dense(type(), dims()).bytes() ? dense(type(), dim(0), dim(1)) : null;
  }

  /**
   * The same bytes as a single image that has the channels of each one after the other's. Null if
   * they don't lie so: the channels are padded, or innermost.
   */
  Layout asOneImage() {
    if (rank() != 4 || padded()) {
      return null;
    }
    dnnl_blocking_desc_t blocks = md.format_desc_blocking();
    long blocksOfChannels = dim(1);
    for (int i = 0; i < blocks.inner_nblks(); i++) {
      if (blocks.inner_idxs().get(i) != 1) {
        return null;
      }
      blocksOfChannels /= blocks.inner_blks().get(i);
    }
    if (blocks.strides().get(0) != blocksOfChannels * blocks.strides().get(1)) {
      return null;
    }
    Layout one = copyOf(md);
    long channels = dim(0) * dim(1);
    one.md.dims().put(0, 1).put(1, channels);
    one.md.padded_dims().put(0, 1).put(1, channels);
    one.md.format_desc_blocking().strides().put(0, dim(0) * blocks.strides().get(0));
    return one;
  }

  /** In oneDNN's letters, for example {@code f32:aBcd16b}: outermost first, blocked in capitals. */
  @Override
  public String toString() {
    String type =
        switch (type()) {
          case dnnl_f32 -> "f32:";
          case dnnl_bf16 -> "bf16:";
          default -> "type" + type() + ":";
        };
    if (isOpaque()) {
      return type + (md.format_kind() == dnnl_format_kind_any ? "any" : "opaque");
    }
    dnnl_blocking_desc_t blocks = md.format_desc_blocking();
    boolean[] blocked = new boolean[rank()];
    StringBuilder inner = new StringBuilder();
    for (int i = 0; i < blocks.inner_nblks(); i++) {
      int dim = (int) blocks.inner_idxs().get(i);
      blocked[dim] = true;
      inner.append(blocks.inner_blks().get(i)).append((char) ('a' + dim));
    }
    return type
        + IntStream.range(0, rank())
            .boxed()
            .sorted(Comparator.comparing((Integer i) -> -blocks.strides().get(i)))
            .map(i -> String.valueOf((char) ((blocked[i] ? 'A' : 'a') + i)))
            .collect(Collectors.joining())
        + inner;
  }
}
