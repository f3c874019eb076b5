package org.swav4j.benchmarks.scaling;

import java.util.List;
import java.util.Locale;
import org.swav4j.model.Architecture;
import org.swav4j.model.CropGroup;
import org.swav4j.model.Stem;
import org.swav4j.model.SwavConfig;

/**
 * Prints the table of {@code docs/scaling.md}.
 *
 * <pre>
 *   java -cp benchmarks/target/benchmarks.jar:... org.swav4j.benchmarks.scaling.ScalingTable COMPUTE LATENCY
 * </pre>
 *
 * COMPUTE: seconds of a step of ResNet-18, {@code 2x32,4x16}, on one worker; LATENCY of a small sum
 * in seconds. Each cell: efficiency (and without overlap), milliseconds that are computed + spent
 * on small sums + on what is left of the gradients, and the formula's time by the simulation's.
 */
public final class ScalingTable {
  private static final int[] WORKERS = {2, 4, 8, 16, 32, 64};
  private static final int[] GIGABITS = {1, 10, 100};

  /** Gradients that are summed at a time, as the training loop does. */
  static final int BUCKET = 1 << 18;

  private ScalingTable() {}

  /** See the class. */
  public static void main(String[] args) {
    if (args.length != 2) {
      System.err.println("expected COMPUTE LATENCY, both in seconds, such as 6.5 0.0005");
      System.exit(2);
    }
    double compute = Double.parseDouble(args[0]);
    double latency = Double.parseDouble(args[1]);
    for (boolean sync : new boolean[] {true, false}) {
      StepWork work = resnet18(compute, sync);
      System.out.printf(
          Locale.ROOT,
          "%n%s: %d small sums, %.1f million gradients in %d buckets, ready after (%% of computing)",
          sync ? "synchronised batch norm" : "each worker's own batch norm",
          work.small().size(),
          work.gradients() / 1e6,
          work.buckets().size());
      work.buckets().forEach(b -> System.out.printf(Locale.ROOT, " %.0f", 100 * b.after()));
      System.out.println();
      for (int workers : WORKERS) {
        StringBuilder line = new StringBuilder("| " + workers);
        for (int gigabits : GIGABITS) {
          Network network = Network.gigabits(gigabits, latency);
          StepModel.Seconds seconds = StepModel.of(work, network, workers);
          line.append(
              String.format(
                  Locale.ROOT,
                  " | %.0f %% (%.0f %%), %.0f + %.0f + %.0f",
                  100 * StepModel.efficiency(work, network, workers),
                  100 * StepModel.efficiency(work.withoutOverlap(), network, workers),
                  1e3 * seconds.compute(),
                  1e3 * seconds.small(),
                  1e3 * seconds.rest()));
          if (workers <= 16) {
            double simulated = new StepSimulation(work, network, workers, 0.02).run(5);
            line.append(String.format(Locale.ROOT, " [%.2f]", seconds.total() / simulated));
          }
        }
        System.out.println(line.append(" |"));
      }
    }
  }

  /** A step of ResNet-18 on crops {@code 2x32,4x16} with 300 prototypes. */
  static StepWork resnet18(double compute, boolean syncNorm) {
    return StepWork.of(
        new SwavConfig(Architecture.RESNET18, 1, Stem.SMALL, 3, 2048, 128, 300, 0.1),
        List.of(new CropGroup(2, 32), new CropGroup(4, 16)),
        2,
        3,
        syncNorm,
        compute,
        BUCKET);
  }
}
