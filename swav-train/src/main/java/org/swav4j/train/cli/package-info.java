/**
 * The commands of {@code swav}: options, help, what is printed, exit codes. {@link
 * org.swav4j.train.cli.SwavCommand} is the way in. A command puts pieces of the library together
 * and tells what came out; what can be used without the command line stands in the other packages.
 *
 * <p>May use every package; only the main class uses it. picocli and the progress bar are used here
 * and nowhere else. Messages of the library name settings in backticks, which {@code Flags} turns
 * into flags.
 */
package org.swav4j.train.cli;
