package org.swav4j.train.report;

import java.io.IOException;
import java.nio.file.Path;

/**
 * Shows a run to people: a picture, a table, a page. Written again after every epoch, so that a
 * long run can be looked at as it goes; {@link ReportListener} sees to that.
 */
@FunctionalInterface
public interface RunReport {
  /**
   * Writes the report in place of an older one.
   *
   * @param folder the run's; the report chooses its file in it
   * @param run so far
   * @throws IOException if it can't be written
   */
  void write(Path folder, RunRecord run) throws IOException;
}
