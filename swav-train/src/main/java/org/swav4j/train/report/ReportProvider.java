package org.swav4j.train.report;

import java.util.Optional;

/**
 * Brings a {@link RunReport} to every run, of the command line and on Spark: a class with a public
 * constructor without parameters, named in {@code
 * META-INF/services/org.swav4j.train.report.ReportProvider} of its jar.
 */
public interface ReportProvider {
  /** The file that the report writes, as a path in the run's folder: {@code report.png}. */
  String file();

  /**
   * The report on a run.
   *
   * @param run that begins or goes on
   * @return empty if the run is not to have it
   */
  Optional<RunReport> report(ReportedRun run);
}
