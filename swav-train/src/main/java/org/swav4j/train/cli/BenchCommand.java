package org.swav4j.train.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How fast it is here. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    subcommands = {
      BenchStepCommand.class,
      BenchSinkhornCommand.class,
      BenchDataCommand.class,
      BenchEmbedCommand.class,
      BenchIndexCommand.class
    },
    synopsisSubcommandLabel = "(step | sinkhorn | data | embed | index)",
    description =
        "Times training steps, codes, crops, inference or search on this computer. Let nothing else run"
            + " meanwhile.")
final class BenchCommand implements Runnable {
  @Mixin OutputOptions output;

  @Spec CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "bench what? Expected one of " + spec.subcommands().keySet());
  }
}
