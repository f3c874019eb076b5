package org.swav4j.model.engine.onednn;

import static org.bytedeco.dnnl.global.dnnl.*;

import org.bytedeco.dnnl.const_dnnl_op_desc_t;
import org.bytedeco.dnnl.dnnl_memory_desc_t;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/** What a primitive will do, by which of oneDNN's implementations, in which layouts. */
final class Description {
  private final dnnl_primitive_desc handle;
  private final String implementation;
  private dnnl_primitive primitive;

  private Description(dnnl_primitive_desc handle) {
    this.handle = handle;
    try (PointerPointer<BytePointer> name = new PointerPointer<>(1)) {
      Dnnl.check(
          dnnl_primitive_desc_query(handle, dnnl_query_impl_info_str, 0, name),
          "asking an implementation's name");
      this.implementation = name.get(BytePointer.class, 0).getString();
    }
  }

  /** Takes ownership of a handle. */
  static Description of(dnnl_primitive_desc handle, Resources resources) {
    resources.add(() -> dnnl_primitive_desc_destroy(handle));
    return new Description(handle);
  }

  /**
   * The first implementation that can do it, or null.
   *
   * @param operation one of oneDNN's op descriptors; freed here
   * @param hint the forward description a backward one belongs to, else null
   */
  static Description create(
      Pointer operation, Attributes attributes, Description hint, Resources resources) {
    dnnl_primitive_desc handle = new dnnl_primitive_desc();
    int status;
    try (operation;
        Attributes a = attributes) {
      dnnl_primitive_attr attr = a.handle();
      status =
          dnnl_primitive_desc_create(
              handle,
              new const_dnnl_op_desc_t(operation),
              attr,
              Dnnl.engine(),
              hint == null ? null : hint.handle);
    }
    if (status == dnnl_unimplemented) {
      return null;
    }
    Dnnl.check(status, "describing a primitive");
    return of(handle, resources);
  }

  /**
   * The primitive, made once for all the steps of the description: their resources are the same.
   */
  dnnl_primitive primitive(Resources resources) {
    if (primitive == null) {
      primitive = new dnnl_primitive();
      Dnnl.check(dnnl_primitive_create(primitive, handle), "making a primitive " + implementation);
      dnnl_primitive made = primitive;
      resources.add(() -> dnnl_primitive_destroy(made));
    }
    return primitive;
  }

  /** For example {@code jit:avx512_core}. */
  String implementation() {
    return implementation;
  }

  /** Whether it is one of oneDNN's plain loops, written for completeness rather than speed. */
  boolean isReference() {
    return implementation.startsWith("ref") || implementation.startsWith("simple");
  }

  Layout src() {
    return query(dnnl_query_src_md);
  }

  Layout weights() {
    return query(dnnl_query_weights_md);
  }

  Layout dst() {
    return query(dnnl_query_dst_md);
  }

  Layout diffSrc() {
    return query(dnnl_query_diff_src_md);
  }

  Layout diffWeights() {
    return query(dnnl_query_diff_weights_md);
  }

  Layout diffDst() {
    return query(dnnl_query_diff_dst_md);
  }

  /** What the forward pass leaves for the backward one; null if nothing. */
  Layout workspace() {
    return orNull(query(dnnl_query_workspace_md));
  }

  /** Room the primitive needs while it runs; null if none. */
  Layout scratchpad() {
    return orNull(query(dnnl_query_scratchpad_md));
  }

  private static Layout orNull(Layout layout) {
    return layout == null || layout.rank() == 0 || layout.bytes() == 0 ? null : layout;
  }

  private Layout query(int what) {
    dnnl_memory_desc_t md = dnnl_primitive_desc_query_md(handle, what, 0);
    return md == null || md.isNull() ? null : Layout.copyOf(md);
  }
}
