/**
 * Is the run learning, and if not, which setting to turn. Listeners collect the numbers of some
 * steps ({@link org.swav4j.train.advice.VitalSigns}); {@link
 * org.swav4j.train.advice.CollapseMonitor} names the run's {@link
 * org.swav4j.train.advice.HealthState} and says what helps. It is about codes, so about SwAV alone.
 * How the numbers are computed stands in {@code org.swav4j.train.diagnostics}.
 *
 * <p>Nothing here changes a run, prints, or reads files; the loop and the methods don't know this
 * package. Advice names settings by their fields.
 */
package org.swav4j.train.advice;
