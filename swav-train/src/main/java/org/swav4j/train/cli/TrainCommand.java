package org.swav4j.train.cli;

import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Engines;
import org.swav4j.model.engine.Precision;
import org.swav4j.train.auto.Choice;
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
      "Without arguments: the built-in shapes, some minutes on 2 cores. Ctrl-C stops after the"
          + " current step and keeps a checkpoint.",
      "A preset sets all values; any flag below changes one of them."
    })
final class TrainCommand implements Callable<Integer> {
  @Mixin OutputOptions output;

  @Option(
      names = "--preset",
      paramLabel = "NAME",
      description =
          "quick (default for the built-in shapes), small-images, photos or imagenet, see the table"
              + " below; or auto (default for all other images), which chooses settings for these"
              + " images, this machine and the --budget, says why, and begins again with one changed"
              + " if the first steps show it to be wrong.")
  String preset;

  @Option(
      names = "--budget",
      paramLabel = "TIME",
      description =
          "Time that a run of the auto preset may take, such as 90min or 2h (default 1h).")
  String budget;

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
              + " had not been interrupted. --data says where the same images lie now. --epochs, --lr"
              + " and most other flags may be changed, for the steps that are left; it is told what"
              + " comes of that. Those that the checkpoint depends on, such as --arch, are refused.")
  Path resume;

  /** Times that a run of the auto preset begins again. */
  private static final int MOST_CHANGES = 2;

  @Spec CommandSpec command;

  @Override
  public Integer call() {
    return resume == null ? begin() : goOn();
  }

  private int begin() {
    if (AutoPreset.applies(preset, given())) {
      return automatic();
    }
    if (budget != null) {
      throw new IllegalArgumentException(
          "--budget is for --preset auto, which chooses what fits into it; the length of other runs"
              + " is set by --epochs");
    }
    Preset base = Preset.of(preset == null ? Preset.QUICK.label() : preset);
    TrainingConfig config = Settings.change(base.config(), given());
    Path directory = out == null ? RunFolder.unused(base.label()) : out;
    RunFolder.requireFree(directory);
    Engine engine = engine(config);
    TrainingData data = TrainingData.open(config);
    Settings.scaledRate(base.config(), given()).ifPresent(line -> output.note("%s", line));
    tell(data, engine, directory);
    TrainingRun run = TrainingRun.begin(data, engine, directory, output);
    try {
      return train(run);
    } catch (RuntimeException | Error e) {
      if (run.trainer().done() == 0) {
        run.folder().discard();
      }
      throw e;
    }
  }

  /** Settings are chosen, and once or twice chosen anew where the first steps refute them. */
  private int automatic() {
    Path directory = out == null ? RunFolder.unused(AutoPreset.NAME) : out;
    RunFolder.requireFree(directory);
    Backend.start();
    AutoPreset chosen =
        AutoPreset.choose(given(), budget == null ? AutoPreset.BUDGET : budget, output);
    chosen.tell(output);
    for (int changes = 0; ; changes++) {
      TrainingData data = chosen.data();
      Engine engine = engine(data.config());
      tell(data, engine, directory);
      TrainingRun run = TrainingRun.begin(data, engine, directory, output);
      EarlyWatch watch = new EarlyWatch(run, data.config(), given().keySet());
      if (changes < MOST_CHANGES) {
        run.trainer().listener(watch);
      }
      OptionalInt status = train(run, watch);
      if (status.isPresent()) {
        return status.getAsInt();
      }
      Choice change = watch.remedy().orElseThrow();
      output.note("%s: begins again with %s", watch.found().label(), Flags.of(change));
      chosen = chosen.with(change);
    }
  }

  /** The exit status; empty if the run is to begin again, which leaves nothing of it. */
  private OptionalInt train(TrainingRun opened, EarlyWatch watch) {
    try (TrainingRun run = opened;
        StopOnInterrupt interrupt = StopOnInterrupt.of(run.trainer())) {
      run.trainer().run();
      if (watch.remedy().isEmpty()) {
        return OptionalInt.of(finish(run));
      }
    } catch (RuntimeException | Error e) {
      if (opened.trainer().done() == 0) {
        opened.folder().discard();
      }
      throw e;
    }
    opened.folder().discard();
    return OptionalInt.empty();
  }

  private int goOn() {
    if (out != null || preset != null || budget != null) {
      throw new IllegalArgumentException(
          "--resume goes on in its own folder with its own settings: leave out "
              + (out != null ? "--out" : preset != null ? "--preset" : "--budget"));
    }
    RunFolder folder = RunFolder.existing(resume);
    Checkpoint checkpoint = CheckpointFile.read(folder.checkpoint());
    TrainingConfig config = Settings.resume(checkpoint.config(), given());
    Engine engine = engine(config);
    TrainingData data = sameData(config);
    checkpoint.requireSameData(data.sets().train(), config.data().spec());
    tell(data, engine, folder.directory());
    return train(TrainingRun.resume(data, engine, folder, checkpoint, output));
  }

  private TrainingData sameData(TrainingConfig config) {
    try {
      return TrainingData.open(config);
    } catch (IllegalArgumentException e) {
      if (given().containsKey("data")) {
        throw e;
      }
      throw new IllegalArgumentException(
          e.getMessage() + "; if the images were moved, --data says where they are now", e);
    }
  }

  private Map<String, String> given() {
    return SettingOptions.given(command.commandLine().getParseResult());
  }

  private static Engine engine(TrainingConfig config) {
    Backend.start();
    return Engines.of(config.execution().engine(), Precision.of(config.execution().precision()));
  }

  private void tell(TrainingData data, Engine engine, Path directory) {
    output.note(
        "%s: %d training images, %s; engine %s; run folder %s",
        data.config().data().spec(),
        data.sets().train().size(),
        data.sets().train().channels() == 1 ? "grey" : "colour",
        engine.name(),
        directory);
  }

  private int train(TrainingRun opened) {
    try (TrainingRun run = opened;
        StopOnInterrupt interrupt = StopOnInterrupt.of(run.trainer())) {
      run.trainer().run();
      return finish(run);
    }
  }

  private int finish(TrainingRun run) {
    new TrainingSummary(run, run.folder()).print(output);
    return run.trainer().stopped() ? SwavCommand.INTERRUPTED : 0;
  }
}
