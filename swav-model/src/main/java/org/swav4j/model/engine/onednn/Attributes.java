package org.swav4j.model.engine.onednn;

import static org.bytedeco.dnnl.global.dnnl.*;

import org.bytedeco.dnnl.dnnl_post_ops;
import org.bytedeco.dnnl.dnnl_primitive_attr;

/**
 * What a primitive does besides its operation: the ops applied to its result before it is written.
 * The scratchpad is always the caller's.
 */
final class Attributes implements AutoCloseable {
  private final dnnl_primitive_attr handle = new dnnl_primitive_attr();
  private final dnnl_post_ops ops = new dnnl_post_ops();

  Attributes() {
    Dnnl.check(dnnl_primitive_attr_create(handle), "making attributes");
    Dnnl.check(
        dnnl_primitive_attr_set_scratchpad_mode(handle, dnnl_scratchpad_mode_user),
        "choosing the scratchpad");
    Dnnl.check(dnnl_post_ops_create(ops), "making post-ops");
  }

  /** Adds what lies at the destination before the run. */
  Attributes sum() {
    Dnnl.check(dnnl_post_ops_append_sum(ops, 1), "adding a sum");
    return this;
  }

  Attributes relu(boolean wanted) {
    return wanted ? eltwise(1, dnnl_eltwise_relu, 0, 0) : this;
  }

  /** scale · f(x; alpha, beta). */
  Attributes eltwise(float scale, int algorithm, float alpha, float beta) {
    Dnnl.check(
        dnnl_post_ops_append_eltwise(ops, scale, algorithm, alpha, beta), "adding a function");
    return this;
  }

  /** The result, and another tensor passed as {@link #postOp}. */
  Attributes binary(int algorithm, Layout other) {
    Dnnl.check(dnnl_post_ops_append_binary(ops, algorithm, other.md()), "adding a binary op");
    return this;
  }

  /** The argument number of the other tensor of the post-op at that place. */
  static int postOp(int place) {
    return (DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE * (place + 1)) | DNNL_ARG_SRC_1;
  }

  dnnl_primitive_attr handle() {
    Dnnl.check(dnnl_primitive_attr_set_post_ops(handle, ops), "setting post-ops");
    return handle;
  }

  @Override
  public void close() {
    dnnl_post_ops_destroy(ops);
    dnnl_primitive_attr_destroy(handle);
  }
}
