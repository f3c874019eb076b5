package org.swav4j.train.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.swav4j.model.plan.Arguments;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.OpType;
import org.swav4j.model.plan.Plan;
import org.swav4j.model.plan.Value;

class FlopCountTest {
  private static Value value(String name, long... shape) {
    return Value.result(name, DataType.FLOAT, shape);
  }

  @Test
  void everyOutputOfAConvolutionCostsTwiceItsWindow() {
    Value x = Value.input("x", DataType.FLOAT, 2, 3, 8, 8);
    Value w = Value.input("w", DataType.FLOAT, 5, 5, 3, 7);
    Value y = value("y", 2, 7, 4, 4);
    Op op = new Op(OpType.CONV2D, List.of(x, w), List.of(y), Arguments.window(5, 2, 2));
    Plan plan = new Plan(List.of(x, w), List.of(y), List.of(op), List.of());
    assertThat(FlopCount.of(plan)).isEqualTo(new FlopCount(2L * 2 * 7 * 4 * 4 * 5 * 5 * 3, 0));
  }

  @Test
  void aGradientCountsOnceForEachOfItsOutputsThatIsRead() {
    Value x = Value.input("x", DataType.FLOAT, 1, 1, 4, 4);
    Value w = Value.input("w", DataType.FLOAT, 1, 1, 1, 1);
    Value dy = Value.input("dy", DataType.FLOAT, 1, 1, 4, 4);
    Value dx = value("dx", 1, 1, 4, 4);
    Value dw = value("dw", 1, 1, 1, 1);
    Op op = new Op(OpType.CONV2D_BP, List.of(x, w, dy), List.of(dx, dw), Arguments.window(1, 1, 0));
    List<Value> inputs = List.of(x, w, dy);
    assertThat(FlopCount.of(new Plan(inputs, List.of(dw), List.of(), List.of(op))).backward())
        .isEqualTo(32);
    assertThat(FlopCount.of(new Plan(inputs, List.of(dx, dw), List.of(), List.of(op))).total())
        .isEqualTo(64);
  }

  @Test
  void aTransposedProductIsCountedByItsInnerDimension() {
    Value a = Value.input("a", DataType.FLOAT, 10, 3);
    Value b = Value.input("b", DataType.FLOAT, 10, 4);
    Value c = value("c", 3, 4);
    Op op = new Op(OpType.MATMUL, List.of(a, b), List.of(c), Arguments.transpose(true, false));
    Plan plan = new Plan(List.of(a, b), List.of(c), List.of(op), List.of());
    assertThat(FlopCount.of(plan).forward()).isEqualTo(2 * 3 * 4 * 10);
  }
}
