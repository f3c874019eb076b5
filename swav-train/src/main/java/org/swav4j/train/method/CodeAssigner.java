package org.swav4j.train.method;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.sinkhorn.Reduction;
import org.swav4j.sinkhorn.SwavCodes;
import org.swav4j.train.host.HostTensor;

/**
 * The codes of one assigning crop after the other: solved over the batch, and once its queue is
 * full over queue and batch together (SwAV, arXiv 2006.09882, sections 3.1 and 3.3). Allocates
 * nothing after the first steps. Not thread-safe.
 */
public final class CodeAssigner implements AutoCloseable {
  // One solver a shape: each keeps its work space.
  private final SwavCodes ofBatch;
  private final SwavCodes ofQueueAndBatch;
  private final CodeKind kind;
  private final List<HostTensor> hardened = new ArrayList<>();
  private EmbeddingQueue queue;

  /**
   * An assigner of soft codes without a queue.
   *
   * @param solver its epsilon, iterations and threads
   * @param reduction over the workers that share the batch
   */
  public CodeAssigner(SwavCodes solver, Reduction reduction) {
    this(solver, reduction, CodeKind.SOFT);
  }

  /**
   * An assigner without a queue.
   *
   * @param solver its epsilon, iterations and threads
   * @param reduction over the workers that share the batch
   * @param kind what is made of the codes that are solved
   */
  public CodeAssigner(SwavCodes solver, Reduction reduction, CodeKind kind) {
    this.kind = kind;
    this.ofBatch = solver.withReduction(reduction);
    this.ofQueueAndBatch = solver.withReduction(reduction);
  }

  /** From now on, embeddings go into this queue, which is closed with the assigner. */
  public void use(EmbeddingQueue queue) {
    this.queue = queue;
  }

  /** The queue; null without one. */
  public EmbeddingQueue queue() {
    return queue;
  }

  /**
   * Computes the codes of a crop, then puts its embeddings into the queue.
   *
   * @param crop from 0 to A-1
   * @param scores {@code [B, K]}
   * @param embeddings {@code [B, D]}, rows of unit length
   * @param prototypes {@code [K, D]}, rows of unit length
   * @param codes {@code [B, K]}: overwritten
   * @return rows of the queue that took part: L, or 0 while it fills or without one
   * @throws IllegalArgumentException if a score is not finite or a shape does not fit
   */
  public int assign(
      int crop, INDArray scores, INDArray embeddings, INDArray prototypes, INDArray codes) {
    boolean full = queue != null && queue.full(crop);
    if (full) {
      ofQueueAndBatch.assign(queue.scores(crop, scores, prototypes), codes);
    } else {
      ofBatch.assign(scores, codes);
    }
    kind.apply(codes, tensor(crop));
    if (queue != null) {
      queue.push(crop, embeddings);
    }
    return full ? queue.length() : 0;
  }

  /** A tensor for the codes of each crop, which are the same arrays at each step. */
  private HostTensor tensor(int crop) {
    while (hardened.size() <= crop) {
      hardened.add(new HostTensor());
    }
    return hardened.get(crop);
  }

  @Override
  public void close() {
    if (queue != null) {
      queue.close();
    }
  }
}
