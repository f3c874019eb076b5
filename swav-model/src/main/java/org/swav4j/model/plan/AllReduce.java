package org.swav4j.model.plan;

/**
 * Sums over the workers that train one network together, as an op of a plan asks for them in the
 * midst of its work. An op that carries one waits for the other workers, who run the same plan over
 * their own rows, at the same place.
 */
public interface AllReduce {
  /** How many workers there are, at least 1. */
  int size();

  /**
   * Replaces every element by its sum over all workers, the same bits for each; blocks until all
   * have called.
   *
   * @param values as many everywhere
   * @throws IllegalStateException if another worker does not come
   */
  void sum(double[] values);

  /**
   * Whether batch norm is computed as by several workers even if there is one, so that an image
   * gets the same bits however many share the batch.
   */
  default boolean evenAlone() {
    return false;
  }

  /** One worker, whose sums are what it has. */
  static AllReduce alone() {
    return Alone.INSTANCE;
  }

  /** The same workers, with {@link #evenAlone}. */
  static AllReduce evenAlone(AllReduce workers) {
    return new EvenAlone(workers);
  }

  /**
   * As several workers, however many they are.
   *
   * @param workers who they are
   */
  record EvenAlone(AllReduce workers) implements AllReduce {
    @Override
    public int size() {
      return workers.size();
    }

    @Override
    public void sum(double[] values) {
      workers.sum(values);
    }

    @Override
    public boolean evenAlone() {
      return true;
    }
  }

  /** Nobody to wait for. */
  enum Alone implements AllReduce {
    INSTANCE;

    @Override
    public int size() {
      return 1;
    }

    @Override
    public void sum(double[] values) {}
  }
}
