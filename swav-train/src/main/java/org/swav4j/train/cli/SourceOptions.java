package org.swav4j.train.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.function.Function;
import org.swav4j.data.DataSets;
import org.swav4j.data.FolderSource;
import org.swav4j.data.Normalisation;
import org.swav4j.model.InputSize;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Engines;
import org.swav4j.model.engine.Precision;
import org.swav4j.train.config.Machine;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.features.Embedder;
import org.swav4j.train.run.RunFolder;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** A trained network and the images it is to look at, for commands that use what was trained. */
final class SourceOptions {
  /** One of the two. */
  static final class Where {
    @Option(
        names = "--run",
        paramLabel = "DIR",
        description = "A run folder, whose weights, image size and data are used.")
    Path run;

    @Option(
        names = "--weights",
        paramLabel = "FILE",
        description = "Weights in safetensors, as train writes them.")
    Path weights;
  }

  @ArgGroup(multiplicity = "0..1")
  Where where;

  @Option(
      names = "--data",
      paramLabel = "SPEC",
      description =
          "Images, as for train: shapes[:N], folder:DIR, idx:DIR, cifar10:DIR, cifar100:DIR or a"
              + " directory. Not given: those of the run.")
  String data;

  @Option(
      names = "--holdout",
      paramLabel = "SHARE",
      description =
          "Share of a folder without parts of its own that counts as held out for testing, 0 to 0.5."
              + " Not given: that of the run, or 0.2 with --weights.")
  Double holdout;

  @Option(
      names = "--size",
      paramLabel = "PIXELS",
      description =
          "Side in pixels to which images are resized. Not given: as the weights say, which keep"
              + " the size that they were trained for.")
  Integer size;

  @Option(
      names = "--engine",
      paramLabel = "NAME",
      defaultValue = "auto",
      description = "Library that computes the network: auto (default), onednn or nd4j.")
  String engine;

  @Option(
      names = "--workers",
      paramLabel = "N",
      description = "Threads that read and resize images.")
  Integer workers;

  /**
   * What these options mean.
   *
   * @param file the network's weights
   * @param weights the network
   * @param spec of the data
   * @param data opened with the network's channels
   * @param normalisation the network was trained with
   * @param size at which the network sees the images
   * @param workers threads that read
   * @param engine what runs the network
   */
  record Opened(
      Path file,
      SwavWeights weights,
      String spec,
      DataSets data,
      Normalisation normalisation,
      InputSize size,
      int workers,
      Engine engine) {
    Embedder embedder() {
      return new Embedder(size, normalisation, workers);
    }
  }

  /**
   * The file of weights that is asked for.
   *
   * @throws IllegalArgumentException if none is, or the run folder is none
   */
  Path file() {
    if (where == null) {
      throw new IllegalArgumentException(
          "neither --run nor --weights is given, expected a run folder or a file of weights: which"
              + " network is to look at the images?");
    }
    return where.run == null ? where.weights : RunFolder.existing(where.run).weights();
  }

  /**
   * Reads the weights and opens the data, to read every image once.
   *
   * @param output where it is noted what is assumed
   * @throws IllegalArgumentException if something can't be used, saying what
   * @throws UncheckedIOException if the weights can't be read
   */
  Opened open(OutputOptions output) {
    return open(output, TrainingData::openToReadOnce);
  }

  /** The same with images kept in memory as far as there is room, to read them again and again. */
  Opened openToReadAgain(OutputOptions output) {
    return open(output, TrainingData::open);
  }

  private Opened open(OutputOptions output, Function<TrainingConfig.Data, DataSets> opening) {
    if (size != null && (size < 4 || size > 4096)) {
      throw new IllegalArgumentException(
          "--size is "
              + size
              + ", expected 4 to 4096 pixels, about what the network was trained on");
    }
    if (workers != null && workers < 1) {
      throw new IllegalArgumentException("--workers is " + workers + ", expected at least 1");
    }
    Path file = file();
    TrainingConfig config = null;
    if (where.run != null) {
      config = RunFolder.existing(where.run).readConfig();
    } else if (data == null) {
      throw new IllegalArgumentException(
          "--weights needs --data: which images are to be embedded?");
    }
    Backend.start();
    SwavWeights weights = load(file);
    if (weights.mean().isEmpty()) {
      throw new IllegalArgumentException(
          file
              + " does not say how images were normalised: it was not written by 'swav train'; set"
              + " it with SwavWeights.withNormalisation and save the file again");
    }
    String spec = data != null ? data : config.data().spec();
    DataSets sets =
        opening.apply(
            new TrainingConfig.Data(
                spec,
                weights.config().channels(),
                null,
                holdout != null
                    ? holdout
                    : config != null ? config.data().holdout() : FolderSource.HOLDOUT,
                1));
    return new Opened(
        file,
        weights,
        spec,
        sets,
        new Normalisation(weights.mean(), weights.deviation()),
        size(weights, config, file, output),
        workers != null ? workers : Machine.cores(),
        Engines.of(engine, Precision.FLOAT));
  }

  /** As asked for, else as the weights say; those of an earlier release don't say it. */
  private InputSize size(
      SwavWeights weights, TrainingConfig config, Path file, OutputOptions output) {
    if (size != null) {
      return InputSize.of(size);
    }
    if (weights.inputSize().isPresent()) {
      return weights.inputSize().get();
    }
    if (config != null) {
      return InputSize.of(config.evaluationSize());
    }
    InputSize assumed = InputSize.assumed(weights.config());
    output.note(
        "%s doesn't say for which size it was trained: %s are assumed, --size sets another",
        file, assumed);
    return assumed;
  }

  static SwavWeights load(Path file) {
    try {
      return SwavWeights.load(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }
}
