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
   * Whether an image must get the same bits however many workers share the batch, one included:
   * moments are then taken image by image, and algorithms chosen by the whole batch, which is
   * slower.
   */
  default boolean isExact() {
    return false;
  }

  /** One worker, whose sums are what it has. */
  static AllReduce alone() {
    return Alone.INSTANCE;
  }

  /** The same workers, with {@link #isExact}. */
  static AllReduce exact(AllReduce workers) {
    return new Exact(workers);
  }

  /**
   * The same bits, however many workers there are.
   *
   * @param workers who they are
   */
  record Exact(AllReduce workers) implements AllReduce {
    @Override
    public int size() {
      return workers.size();
    }

    @Override
    public void sum(double[] values) {
      workers.sum(values);
    }

    @Override
    public boolean isExact() {
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
