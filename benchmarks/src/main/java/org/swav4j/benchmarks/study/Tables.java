package org.swav4j.benchmarks.study;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.apache.commons.math3.stat.correlation.SpearmansCorrelation;
import org.apache.commons.math3.stat.interval.ConfidenceInterval;

/** The tables of an experiment in Markdown: its claims, and its arms. */
final class Tables {
  private static final int ENOUGH_TO_RANK = 12;

  private Tables() {}

  static String of(Results results) {
    return header(results)
        + claims(results)
        + arms(results)
        + evaluations(results)
        + ranks(results);
  }

  private static String header(Results results) {
    Experiment e = results.experiment();
    List<RunLog> logs = results.runs().values().stream().flatMap(m -> m.values().stream()).toList();
    return String.format(
        Locale.ROOT,
        "%n%s, `%s`; %d of %d runs, version %s.%n",
        e.name(),
        e.data() + " " + String.join(" ", e.common()),
        logs.size(),
        e.arms().size() * e.seeds().size(),
        String.join(
            ", ",
            logs.stream().map(RunLog::version).collect(Collectors.toCollection(TreeSet::new))));
  }

  private static String claims(Results results) {
    if (results.experiment().comparisons().isEmpty()) {
      return "";
    }
    StringBuilder text =
        new StringBuilder(
            "\n| claim | measure | difference, 95 % | seeds | verdict |\n|---|---|---|---|---|\n");
    for (Experiment.Comparison comparison : results.experiment().comparisons()) {
      Optional<PairedDifference> difference = results.difference(comparison);
      double unit = comparison.measure().isAccuracy() ? 100 : 1;
      String format = comparison.measure().isAccuracy() ? "%+.1f ± %.1f" : "%+.2f ± %.2f";
      text.append(
          String.format(
              Locale.ROOT,
              "| %s | %s | %s | %d | %s |%n",
              comparison.claim(),
              comparison.measure().label(),
              difference
                  .map(
                      d ->
                          d.pairs() == 1
                              ? String.format(Locale.ROOT, "%+.2f", unit * d.mean())
                              : String.format(
                                  Locale.ROOT, format, unit * d.mean(), unit * d.half()))
                  .orElse(""),
              difference.map(PairedDifference::pairs).orElse(0),
              difference.map(d -> d.verdict().toString()).orElse("not run")));
    }
    return text.toString();
  }

  private static String arms(Results results) {
    StringBuilder text =
        new StringBuilder(
            "\n| arm | k-NN, %: mean | every seed | area | spread | collapsed | steps | seconds |\n"
                + "|---|---|---|---|---|---|---|---|\n");
    for (String arm : results.experiment().arms().keySet()) {
      List<RunLog> runs = results.of(arm);
      if (runs.isEmpty()) {
        continue;
      }
      text.append(
          String.format(
              Locale.ROOT,
              "| %s | %s | %s | %s | %s | %s | %d | %.0f |%n",
              arm,
              cell("%.1f", 100, mean(runs, RunLog::knn)),
              everySeed(runs),
              cell("%.1f", 100, mean(runs, RunLog::area)),
              cell("%.2f", 1, mean(runs, RunLog::spread)),
              collapses(runs),
              runs.get(0).epochs().get(runs.get(0).epochs().size() - 1).step(),
              mean(runs, RunLog::seconds)));
    }
    return text.toString();
  }

  private static String evaluations(Results results) {
    if (results.evaluations().values().stream().allMatch(Map::isEmpty)) {
      return "";
    }
    StringBuilder text =
        new StringBuilder("\n| evaluation | accuracy, %: mean | every seed |\n|---|---|---|\n");
    results
        .evaluations()
        .forEach(
            (name, seeds) -> {
              List<RunLog> runs = List.copyOf(seeds.values());
              if (!runs.isEmpty()) {
                text.append(
                    String.format(
                        Locale.ROOT,
                        "| %s | %s | %s |%n",
                        name,
                        cell("%.1f", 100, mean(runs, RunLog::fineTune)),
                        runs.stream()
                            .map(r -> cell("%.1f", 100, r.fineTune()))
                            .collect(Collectors.joining(", "))));
              }
            });
    return text.toString();
  }

  /** Whether figures that need no labels put the runs in the order that k-NN does. */
  private static String ranks(Results results) {
    List<RunLog> known =
        results.runs().values().stream()
            .flatMap(m -> m.values().stream())
            .filter(r -> !Double.isNaN(r.knn() + r.rankMe() + r.offAlpha()))
            .toList();
    if (known.size() < ENOUGH_TO_RANK) {
      return "";
    }
    return String.format(
        Locale.ROOT,
        "%nRank correlation with k-NN over %d runs (Spearman): RankMe %+.2f, distance of alpha-ReQ"
            + " from 1 %+.2f.%n",
        known.size(),
        correlation(known, RunLog::rankMe),
        correlation(known, RunLog::offAlpha));
  }

  private static double correlation(List<RunLog> runs, ToDoubleFunction<RunLog> figure) {
    return new SpearmansCorrelation()
        .correlation(
            runs.stream().mapToDouble(RunLog::knn).toArray(),
            runs.stream().mapToDouble(figure).toArray());
  }

  private static double mean(List<RunLog> runs, ToDoubleFunction<RunLog> number) {
    return runs.stream().mapToDouble(number).average().orElseThrow();
  }

  /** One by one where they are few, least, median and greatest otherwise. */
  private static String everySeed(List<RunLog> runs) {
    List<Double> sorted = runs.stream().map(RunLog::knn).sorted().toList();
    if (runs.size() > 10) {
      return String.format(
          Locale.ROOT,
          "%.1f to %.1f, median %.1f",
          100 * sorted.get(0),
          100 * sorted.get(sorted.size() - 1),
          100 * sorted.get(sorted.size() / 2));
    }
    return runs.stream()
        .map(r -> cell("%.1f", 100, r.knn()) + (r.failure().isPresent() ? " (failed)" : ""))
        .collect(Collectors.joining(", "));
  }

  private static String collapses(List<RunLog> runs) {
    int collapsed = (int) runs.stream().filter(RunLog::collapsed).count();
    ConfidenceInterval interval = Wilson.interval(runs.size(), collapsed);
    return runs.size() < 10
        ? collapsed + " of " + runs.size()
        : String.format(
            Locale.ROOT,
            "%d of %d (95 %%: %.1f to %.1f %%)",
            collapsed,
            runs.size(),
            100 * interval.getLowerBound(),
            100 * interval.getUpperBound());
  }

  private static String cell(String format, double unit, double value) {
    return Double.isNaN(value) ? "" : String.format(Locale.ROOT, format, unit * value);
  }
}
