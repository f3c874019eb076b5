/**
 * How fast this computer trains, makes codes and crops and embeds: what {@code swav bench} times.
 * Nothing here prints; results are records.
 *
 * <p>Times are wall-clock, the median over repeated runs after runs that don't count.
 */
package org.swav4j.train.bench;
