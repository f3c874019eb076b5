package org.swav4j.train.answers;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.swav4j.train.host.HostTensor;

/**
 * Groups of rows that are nearly the same: every member has at least a given cosine with the
 * group's first row. Rows are taken in order; one that is near no earlier group's first row begins
 * a group of its own, and one that is near several joins the earliest. Unlike connected components,
 * groups do not grow along chains of small differences.
 *
 * <p>Exact: every pair that could matter is compared, by matrix products of blocks. N rows take at
 * most N² D / 2 multiplications, and beside the rows some MB of memory; rows of a group are not
 * compared any further.
 */
public final class NearDuplicates {
  private static final int FIRSTS = 256;
  private static final int OTHERS = 8192;

  /** Products of equal unit rows differ from 1 by their rounding. */
  private static final double ROUNDING = 1e-5;

  private static final int ALONE = -1;

  private final INDArray rows;
  private final float least;

  /** The first row of the group that each row joined; ALONE for others, firsts among them. */
  private final int[] first;

  private final float[] similarity;

  private NearDuplicates(INDArray rows, double threshold) {
    this.rows = rows;
    this.least = (float) (threshold - ROUNDING);
    this.first = new int[(int) rows.size(0)];
    this.similarity = new float[first.length];
    Arrays.fill(first, ALONE);
  }

  /**
   * A row of a group.
   *
   * @param row its number
   * @param similarity its cosine with the group's first row, at most 1
   */
  public record Member(int row, float similarity) {}

  /**
   * Rows that are nearly the same.
   *
   * @param members at least two, in the order of the rows; the first has similarity 1
   */
  public record Group(List<Member> members) {
    /** Copies the list. */
    public Group {
      members = List.copyOf(members);
    }
  }

  /**
   * The groups of two and more rows, in the order of their first rows.
   *
   * @param rows {@code [N, D]}, float, of length 1; {@link org.swav4j.train.evaluation.UnitRows}
   *     makes them so
   * @param threshold least cosine with the first row, above 0 and up to 1; compared with a
   *     tolerance of 1e-5 for rounding
   * @throws IllegalArgumentException if the threshold is out of range or the rows are no such
   *     matrix
   */
  public static List<Group> groups(INDArray rows, double threshold) {
    requireThreshold("threshold", threshold);
    if (rows.rank() != 2 || rows.dataType() != DataType.FLOAT) {
      throw new IllegalArgumentException(
          rows.dataType() + Arrays.toString(rows.shape()) + ", expected rows FLOAT[N, D]");
    }
    NearDuplicates search = new NearDuplicates(rows, threshold);
    try (INDArray products = Nd4j.createUninitialized(DataType.FLOAT, (long) FIRSTS * OTHERS)) {
      for (int start = 0; start < search.first.length; start += FIRSTS) {
        search.compare(start, Math.min(start + FIRSTS, search.first.length), products);
      }
    }
    return search.groups();
  }

  /**
   * Refuses a threshold that no cosine can be compared with.
   *
   * @param name what the threshold is called where it comes from
   * @throws IllegalArgumentException if it is not above 0 and up to 1
   */
  public static void requireThreshold(String name, double threshold) {
    if (!(threshold > 0 && threshold <= 1)) {
      throw new IllegalArgumentException(
          name
              + " is "
              + threshold
              + ", expected a cosine above 0 and up to 1: 0.95 is usual, 1 finds equal images only");
    }
  }

  /** Compares the rows of a block that are in no group with each other and with all that follow. */
  private void compare(int from, int to, INDArray products) {
    int[] firsts = alone(from, to);
    for (int at = from; at < first.length && firsts.length > 0; at = at < to ? to : at + OTHERS) {
      int end = at < to ? to : Math.min(at + OTHERS, first.length);
      INDArray product =
          products
              .get(NDArrayIndex.interval(0, (long) firsts.length * (end - at)))
              .reshape(firsts.length, end - at);
      try (INDArray block = Nd4j.pullRows(rows, 1, firsts)) {
        Nd4j.matmul(block, rows.get(NDArrayIndex.interval(at, end)), product, false, true, false);
      }
      FloatBuffer cosines = new HostTensor().read(product);
      for (int i = 0; i < firsts.length; i++) {
        if (first[firsts[i]] == ALONE) {
          join(firsts[i], at, end, cosines, i * (end - at));
        }
      }
      if (at < to) {
        // Those that joined an earlier row of the block lead no group.
        firsts = alone(from, to);
      }
    }
  }

  private int[] alone(int from, int to) {
    int[] found = new int[to - from];
    int count = 0;
    for (int row = from; row < to; row++) {
      if (first[row] == ALONE) {
        found[count++] = row;
      }
    }
    return Arrays.copyOf(found, count);
  }

  private void join(int leader, int from, int to, FloatBuffer cosines, int offset) {
    for (int row = Math.max(from, leader + 1); row < to; row++) {
      float cosine = cosines.get(offset + row - from);
      if (cosine >= least && first[row] == ALONE) {
        first[row] = leader;
        similarity[row] = Math.min(1, cosine);
      }
    }
  }

  private List<Group> groups() {
    int[] sizes = new int[first.length];
    for (int leader : first) {
      if (leader != ALONE) {
        sizes[leader]++;
      }
    }
    List<List<Member>> members = new ArrayList<>();
    int[] number = new int[first.length];
    for (int row = 0; row < first.length; row++) {
      if (sizes[row] > 0) {
        number[row] = members.size();
        members.add(new ArrayList<>(List.of(new Member(row, 1))));
      } else if (first[row] != ALONE) {
        members.get(number[first[row]]).add(new Member(row, similarity[row]));
      }
    }
    return members.stream().map(Group::new).toList();
  }
}
