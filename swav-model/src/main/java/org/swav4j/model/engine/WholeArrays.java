package org.swav4j.model.engine;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.model.plan.Value;

/**
 * Arrays with buffers of their own, handed on to later values of the same type and length. For what
 * ND4J's own ops touch: some of them ({@code squeeze}, {@code reshape}) write at a buffer's start
 * wherever the view begins, so that parts of one arena won't do.
 */
final class WholeArrays {
  private record Kind(DataType type, long length) {}

  private final Map<Kind, Deque<INDArray>> free = new HashMap<>();
  private final UnaryOperator<INDArray> own;

  /** Hands every array it makes through {@code own}. */
  WholeArrays(UnaryOperator<INDArray> own) {
    this.own = own;
  }

  INDArray take(Value v) {
    Deque<INDArray> fitting = free.get(new Kind(v.type(), v.length()));
    INDArray array =
        fitting == null || fitting.isEmpty()
            ? own.apply(Nd4j.create(v.type(), v.length()))
            : fitting.pop();
    return array.reshape('c', v.shape());
  }

  void giveBack(INDArray array) {
    INDArray flat = array.reshape('c', new long[] {array.length()});
    free.computeIfAbsent(new Kind(array.dataType(), array.length()), k -> new ArrayDeque<>())
        .push(flat);
  }
}
