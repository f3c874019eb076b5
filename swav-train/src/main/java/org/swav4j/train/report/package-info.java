/**
 * What a run leaves to be looked at. {@link org.swav4j.train.report.RunReport} is the seam: one
 * class per kind of report. The chart library is used here and nowhere else.
 */
package org.swav4j.train.report;
