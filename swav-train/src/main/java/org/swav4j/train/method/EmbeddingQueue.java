package org.swav4j.train.method;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Execution;
import org.swav4j.model.plan.Arguments;
import org.swav4j.model.plan.Op;
import org.swav4j.model.plan.OpType;
import org.swav4j.model.plan.Plan;
import org.swav4j.model.plan.Value;
import org.swav4j.train.host.HostTensor;

/**
 * Embeddings of earlier batches that join the current one when codes are computed, so that a batch
 * smaller than the number of prototypes can still be spread over all of them (SwAV, <a
 * href="https://arxiv.org/abs/2006.09882">arXiv 2006.09882</a>, section 3.3). One queue of L rows
 * per assigning crop; it is used only once it is full, so L / B steps after its start. Neither loss
 * nor gradients see it.
 *
 * <pre>{@code
 * INDArray scores = queue.full(i) ? queue.scores(i, batchScores, prototypes) : batchScores;
 * queue.push(i, embeddings);          // after its old content was used
 * swavCodes.assign(scores, codes);    // the codes of the last B rows
 * }</pre>
 *
 * <p>A push overwrites the oldest B rows; nothing is allocated per step. Not thread-safe.
 */
public final class EmbeddingQueue implements AutoCloseable {
  private static final String PUSHES = "pushes";

  private final int length;
  private final int batch;
  private final int dim;
  private final Engine engine;
  private final INDArray[] rows;
  private final HostTensor[] hostRows;
  private final HostTensor[] hostPushed;
  private final long[] pushes;
  private Stack stack;

  /**
   * An empty queue for each assigning crop.
   *
   * @param assigning number of crops that get codes
   * @param length L asked for; rounded down to a multiple of B
   * @param batch B, rows per push
   * @param dim D, width of an embedding
   * @param type FLOAT or DOUBLE
   * @param engine what multiplies queue and prototypes, in that type
   * @throws IllegalArgumentException if L is smaller than B or a number is not positive
   */
  public EmbeddingQueue(
      int assigning, int length, int batch, int dim, DataType type, Engine engine) {
    if (assigning < 1 || batch < 1 || dim < 1) {
      throw new IllegalArgumentException(
          "a queue for "
              + assigning
              + " crops, batch "
              + batch
              + ", dimension "
              + dim
              + ": all must be at least 1");
    }
    if (length < batch) {
      throw new IllegalArgumentException(
          "a queue of "
              + length
              + " rows holds no batch of "
              + batch
              + ": make it a multiple of the batch (so that batch + queue >= prototypes), or switch"
              + " it off with length 0");
    }
    this.length = length - length % batch;
    this.batch = batch;
    this.dim = dim;
    this.engine = engine;
    this.rows = new INDArray[assigning];
    this.hostRows = new HostTensor[assigning];
    this.hostPushed = new HostTensor[assigning];
    this.pushes = new long[assigning];
    for (int i = 0; i < assigning; i++) {
      rows[i] = Nd4j.createUninitialized(type, this.length, dim).assign(0);
      hostRows[i] = new HostTensor();
      hostPushed[i] = new HostTensor();
    }
  }

  /** L, rows per crop, a multiple of the batch. */
  public int length() {
    return length;
  }

  /** Whether crop {@code i}'s queue has been filled and so may be used. */
  public boolean full(int i) {
    return pushes[i] >= length / batch;
  }

  /**
   * Scores of queue and batch against the prototypes as they are now: rows of the queue first, then
   * the batch's.
   *
   * @param i which assigning crop
   * @param batchScores {@code [B, K]}, of this step
   * @param prototypes {@code [K, D]}, normalised
   * @return {@code [L + B, K]}, good until the next call
   * @throws IllegalStateException if the queue is not {@link #full}
   * @throws IllegalArgumentException if a shape or type does not fit
   */
  public INDArray scores(int i, INDArray batchScores, INDArray prototypes) {
    if (!full(i)) {
      throw new IllegalStateException(
          "the queue of crop "
              + i
              + " has had "
              + pushes[i]
              + " of the "
              + length / batch
              + " batches that fill it: use the batch's own scores until full()");
    }
    long k = prototypes.size(0);
    require("batch scores", batchScores, batch, k);
    require("prototypes", prototypes, k, dim);
    if (stack == null || stack.prototypes != prototypes) {
      closeStack();
      stack = new Stack(prototypes);
    }
    return stack.fill(i, batchScores);
  }

  /**
   * Puts this step's embeddings in the place of the oldest ones.
   *
   * @param i which assigning crop
   * @param embeddings {@code [B, D]}, unit rows; copied
   * @throws IllegalArgumentException if the shape or type does not fit
   */
  public void push(int i, INDArray embeddings) {
    require("embeddings", embeddings, batch, dim);
    long place = pushes[i] % (length / batch) * batch;
    HostTensor.copyRows(hostPushed[i], embeddings, hostRows[i], rows[i], place);
    pushes[i]++;
  }

  /** A copy of crop {@code i}'s rows, {@code [L, D]}, newest batch first, zeros where empty. */
  public INDArray contents(int i) {
    int blocks = length / batch;
    INDArray ordered = Nd4j.createUninitialized(rows[i].dataType(), length, dim);
    for (int age = 0; age < blocks; age++) {
      long place = Math.floorMod(pushes[i] - 1 - age, (long) blocks);
      block(ordered, age).assign(block(rows[i], place));
    }
    return ordered;
  }

  /**
   * Everything needed to continue: {@code crop<i>} as in {@link #contents} and {@code pushes}, a
   * LONG vector. Copies.
   */
  public Map<String, INDArray> state() {
    Map<String, INDArray> state = new LinkedHashMap<>();
    for (int i = 0; i < rows.length; i++) {
      state.put("crop" + i, contents(i));
    }
    state.put(PUSHES, Nd4j.createFromArray(pushes));
    return state;
  }

  /**
   * Continues from a {@link #state()}.
   *
   * @throws IllegalArgumentException if it is of a queue with other numbers of crops, rows or
   *     columns
   */
  public void restore(Map<String, INDArray> state) {
    INDArray counts = state.get(PUSHES);
    if (counts == null || counts.length() != rows.length || state.size() != rows.length + 1) {
      throw new IllegalArgumentException(
          "saved queue has entries "
              + state.keySet()
              + ", expected "
              + rows.length
              + " crops and their pushes: was it saved with other crops?");
    }
    for (int i = 0; i < rows.length; i++) {
      require("saved queue", state.get("crop" + i), length, dim);
    }
    int blocks = length / batch;
    for (int i = 0; i < rows.length; i++) {
      INDArray saved = state.get("crop" + i);
      pushes[i] = counts.getLong(i);
      for (int age = 0; age < blocks; age++) {
        long place = Math.floorMod(pushes[i] - 1 - age, (long) blocks);
        block(rows[i], place).assign(block(saved, age));
      }
    }
  }

  private INDArray block(INDArray matrix, long index) {
    return matrix.get(NDArrayIndex.interval(index * batch, (index + 1) * batch));
  }

  private void require(String what, INDArray array, long rowCount, long columns) {
    if (array == null
        || array.rank() != 2
        || array.size(0) != rowCount
        || array.size(1) != columns
        || array.dataType() != rows[0].dataType()) {
      throw new IllegalArgumentException(
          what
              + " "
              + (array == null ? "null" : array.dataType() + Arrays.toString(array.shape()))
              + ", expected "
              + rows[0].dataType()
              + "["
              + rowCount
              + ", "
              + columns
              + "]: the queue was made for batch "
              + batch
              + " and dimension "
              + dim);
    }
  }

  private void closeStack() {
    if (stack != null) {
      stack.close();
      stack = null;
    }
  }

  /** Frees the native parts; the queue must not be used afterwards. */
  @Override
  public void close() {
    closeStack();
    for (INDArray r : rows) {
      if (r.closeable()) {
        r.close();
      }
    }
  }

  /** The plan {@code [queue; batch]} → {@code [queue · prototypes^T; batch scores]}. */
  private final class Stack {
    private final INDArray prototypes;
    private final Execution execution;
    private final INDArray queue;
    private final INDArray batchScores;
    private final INDArray scores;
    private final HostTensor hostQueue = new HostTensor();
    private final HostTensor hostBatchScores = new HostTensor();
    private final HostTensor[] hostSources = new HostTensor[rows.length];

    Stack(INDArray prototypes) {
      this.prototypes = prototypes;
      DataType type = prototypes.dataType();
      long k = prototypes.size(0);
      Value earlier = Value.input("queue", type, length, dim);
      Value current = Value.input("batch scores", type, batch, k);
      Value directions = Value.parameter("prototypes", prototypes);
      Value product = Value.result("queue scores", type, length, k);
      Value all = Value.result("scores", type, length + batch, k);
      Op multiply =
          new Op(
              OpType.MATMUL,
              List.of(earlier, directions),
              List.of(product),
              Arguments.transpose(false, true));
      Op stack =
          new Op(OpType.CONCAT_ROWS, List.of(product, current), List.of(all), Arguments.NONE);
      execution =
          engine.prepare(
              new Plan(
                  List.of(earlier, current), List.of(all), List.of(multiply, stack), List.of()));
      queue = execution.array(earlier);
      batchScores = execution.array(current);
      scores = execution.array(all);
      for (int i = 0; i < rows.length; i++) {
        hostSources[i] = new HostTensor();
      }
    }

    INDArray fill(int i, INDArray scoresOfBatch) {
      HostTensor.copyRows(hostRows[i], rows[i], hostQueue, queue, 0);
      HostTensor.copyRows(hostSources[i], scoresOfBatch, hostBatchScores, batchScores, 0);
      execution.forward();
      return scores;
    }

    void close() {
      execution.close();
    }
  }
}
