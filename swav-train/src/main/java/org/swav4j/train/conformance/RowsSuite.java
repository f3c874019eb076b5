package org.swav4j.train.conformance;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.model.Layers;
import org.swav4j.model.engine.Engine;

/** {@code l2_normalize.json}: rows brought to unit length, and the gradient back. */
final class RowsSuite implements Suite {
  @Override
  public boolean usesEngine() {
    return true;
  }

  @Override
  public void run(Fixture file, Comparisons to, Engine engine) {
    file.skip("meta");
    to.run("rows", () -> rows(file, to, engine));
  }

  private static void rows(Fixture file, Comparisons to, Engine engine) {
    Arithmetic arithmetic = to.arithmetic();
    Layers.NormalizedRows rows =
        Layers.normalizeRows(engine, file.array("x", arithmetic), file.array("dy", arithmetic));
    to.values("y", rows.y(), file.array("y_f64", Arithmetic.DOUBLE));
    INDArray dx = file.array("dx_f64_without_last_row", Arithmetic.DOUBLE);
    to.values("dx", rows.dx().get(NDArrayIndex.interval(0, dx.rows()), NDArrayIndex.all()), dx);
  }
}
