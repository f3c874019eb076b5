package org.swav4j.sinkhorn;

import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.nd4j.linalg.factory.Nd4j;

/**
 * In the tests of all modules, arrays are equal if every element is. ND4J's {@code equals} lets
 * them differ by 1e-5, absolutely or relatively: too much for "the same bits". Tolerances are
 * written down where they are meant.
 */
public final class ExactArrays implements BeforeAllCallback {
  @Override
  public void beforeAll(ExtensionContext context) {
    Nd4j.EPS_THRESHOLD = Double.MIN_VALUE;
  }
}
