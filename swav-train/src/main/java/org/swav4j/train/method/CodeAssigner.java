package org.swav4j.train.method;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.sinkhorn.Reduction;
import org.swav4j.sinkhorn.SwavCodes;
import org.swav4j.train.host.HostTensor;

/**
 * The codes of one assigning crop after the other: solved over the batch, and once its queue is
 * full over queue and batch together (SwAV, arXiv 2006.09882, sections 3.1 and 3.3). With H heads,
 * each head's K columns are solved by themselves. Allocates nothing after the first steps. Not
 * thread-safe.
 */
public final class CodeAssigner implements AutoCloseable {
  // One solver a shape: each keeps its work space.
  private final SwavCodes ofBatch;
  private final SwavCodes ofQueueAndBatch;
  private final CodeKind kind;
  private final int heads;
  private final List<HostTensor> hardened = new ArrayList<>();
  private final List<HeadColumns> columns = new ArrayList<>();
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
   * @param kind how codes are made of scores
   */
  public CodeAssigner(SwavCodes solver, Reduction reduction, CodeKind kind) {
    this(solver, reduction, kind, 1);
  }

  /**
   * An assigner for several heads, without a queue.
   *
   * @param solver its epsilon, iterations and threads
   * @param reduction over the workers that share the batch
   * @param kind how codes are made of scores
   * @param heads H, of which the number of prototypes is a multiple
   */
  public CodeAssigner(SwavCodes solver, Reduction reduction, CodeKind kind, int heads) {
    this.kind = kind;
    this.heads = heads;
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
   * @param scores {@code [B, K]}; of several heads {@code [B, H·K]}, head by head
   * @param embeddings {@code [B, D]}, rows of unit length
   * @param prototypes {@code [K, D]}, or {@code [H·K, D]}, rows of unit length
   * @param codes {@code [B, K]}, or {@code [B, H·K]}: overwritten
   * @return rows of the queue that took part: L, or 0 while it fills, without one, or where codes
   *     aren't balanced
   * @throws IllegalArgumentException if a score is not finite or a shape does not fit
   */
  public int assign(
      int crop, INDArray scores, INDArray embeddings, INDArray prototypes, INDArray codes) {
    boolean full = kind.balanced() && queue != null && queue.full(crop);
    INDArray all = full ? queue.scores(crop, scores, prototypes) : scores;
    SwavCodes solver = full ? ofQueueAndBatch : ofBatch;
    if (heads == 1) {
      kind.assign(solver, all, codes, tensor(crop));
    } else {
      columns(crop).assign(solver, all, codes);
    }
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

  private HeadColumns columns(int crop) {
    while (columns.size() <= crop) {
      columns.add(new HeadColumns());
    }
    return columns.get(crop);
  }

  /** The heads of one crop: the solver takes the columns of each as a matrix of their own. */
  private final class HeadColumns {
    private final HostTensor hostAll = new HostTensor();
    private final HostTensor hostCodes = new HostTensor();
    private final HostTensor hostScores = new HostTensor();
    private final HostTensor hostSolved = new HostTensor();
    private INDArray scores;
    private INDArray solved;

    void assign(SwavCodes solver, INDArray all, INDArray codes) {
      long k = codes.size(1) / heads;
      if (scores == null || scores.size(0) != all.size(0)) {
        close();
        scores = Nd4j.createUninitialized(all.dataType(), all.size(0), k);
        solved = Nd4j.createUninitialized(codes.dataType(), codes.size(0), k);
      }
      for (int head = 0; head < heads; head++) {
        HostTensor.copyColumns(hostAll, all, head * k, hostScores, scores, 0, k);
        kind.assign(solver, scores, solved, hostSolved);
        HostTensor.copyColumns(hostSolved, solved, 0, hostCodes, codes, head * k, k);
      }
    }

    void close() {
      if (scores != null) {
        scores.close();
        solved.close();
      }
    }
  }

  @Override
  public void close() {
    columns.forEach(HeadColumns::close);
    if (queue != null) {
      queue.close();
    }
  }
}
