package org.swav4j.train.cli;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Engines;
import org.swav4j.model.engine.Precision;
import org.swav4j.train.config.Preset;
import org.swav4j.train.config.Settings;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.loop.Checkpoint;
import org.swav4j.train.run.CheckpointFile;
import org.swav4j.train.run.RunFolder;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Pre-trains a network and keeps what comes out in a run folder. */
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    abbreviateSynopsis = true,
    modelTransformer = SettingOptions.class,
    description = {
      "Pre-trains a network without labels and keeps weights, metrics, a plot and the"
          + " configuration in a run folder.",
      "Without arguments: the built-in shapes, a few minutes on 2 cores. Ctrl-C stops after the"
          + " current step and keeps a checkpoint.",
      "A preset sets all values; any flag below changes one of them."
    })
final class TrainCommand implements Callable<Integer> {
  @Mixin OutputOptions output;

  @Option(
      names = "--preset",
      paramLabel = "NAME",
      description = "quick (default), small-images or imagenet; see the table below.")
  String preset;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "The run folder. Not given: runs/PRESET-DATE-TIME.")
  Path out;

  @Option(
      names = "--resume",
      paramLabel = "DIR",
      description =
          "Continues the run in that folder from its last checkpoint, with the same result as if it"
              + " had not been interrupted.")
  Path resume;

  @Spec CommandSpec command;

  @Override
  public Integer call() {
    return resume == null ? begin() : goOn();
  }

  private int begin() {
    Preset base = Preset.of(preset == null ? Preset.QUICK.label() : preset);
    TrainingConfig config = Settings.change(base.config(), given());
    Engine engine = engine(config);
    TrainingData data = TrainingData.open(config);
    RunFolder folder = RunFolder.create(out == null ? RunFolder.unused(base.label()) : out);
    Settings.scaledRate(base.config(), given()).ifPresent(line -> output.note("%s", line));
    return train(data, engine, folder, null);
  }

  private int goOn() {
    if (out != null || preset != null) {
      throw new IllegalArgumentException(
          "--resume goes on in its own folder with its own settings: leave out "
              + (out != null ? "--out" : "--preset"));
    }
    RunFolder folder = RunFolder.existing(resume);
    Checkpoint checkpoint = CheckpointFile.read(folder.checkpoint());
    TrainingConfig config = Settings.change(checkpoint.config(), given());
    requireSame(checkpoint.config(), config, folder.checkpoint());
    Engine engine = engine(config);
    return train(TrainingData.open(config), engine, folder, checkpoint);
  }

  private Map<String, String> given() {
    return SettingOptions.given(command.commandLine().getParseResult());
  }

  private static Engine engine(TrainingConfig config) {
    Backend.start();
    return Engines.of(config.execution().engine(), Precision.of(config.execution().precision()));
  }

  /** Refuses to go on under settings that give another result. */
  static void requireSame(TrainingConfig before, TrainingConfig wanted, Path from) {
    Settings.difference(before, wanted)
        .ifPresent(
            field -> {
              String flag = "--" + field.setting().flag();
              throw new IllegalArgumentException(
                  String.format(
                      Locale.ROOT,
                      "%s was made with %s %s, and %s was asked for: leave %s out to go on as"
                          + " before, or start a new run without --resume",
                      from,
                      flag,
                      field.in(before),
                      field.in(wanted),
                      flag));
            });
  }

  private int train(TrainingData data, Engine engine, RunFolder folder, Checkpoint checkpoint) {
    folder.write(data.config());
    output.note(
        "%s: %d training images, %s; engine %s; run folder %s",
        data.config().data().spec(),
        data.sets().train().size(),
        data.sets().train().channels() == 1 ? "grey" : "colour",
        engine.name(),
        folder.directory());
    try (TrainingRun run = TrainingRun.start(data, engine, folder, checkpoint, output);
        StopOnInterrupt interrupt = StopOnInterrupt.of(run.trainer())) {
      run.trainer().run();
      new TrainingSummary(run, folder).print(output);
      return run.trainer().stopped() ? SwavCommand.INTERRUPTED : 0;
    }
  }
}
