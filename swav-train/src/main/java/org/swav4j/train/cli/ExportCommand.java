package org.swav4j.train.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.swav4j.model.AtomicFile;
import org.swav4j.model.Dl4jExport;
import org.swav4j.model.OnnxExport;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.TorchvisionExport;
import org.swav4j.train.run.RunFolder;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A trained network in the formats of other libraries. */
@Command(
    name = "export",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Writes the trained network for other libraries: one file for each format that is asked for.",
      "Weights in safetensors need no export: they lie in the run folder.",
    })
final class ExportCommand implements Callable<Integer> {
  @Mixin OutputOptions output;

  @ArgGroup(multiplicity = "1")
  SourceOptions.Where where;

  @ArgGroup(exclusive = false, multiplicity = "1", heading = "What to write, at least one:%n")
  Formats formats;

  /** One option a format. */
  static final class Formats {
    @Option(
        names = "--onnx",
        paramLabel = "FILE",
        description =
            "The encoder for ONNX Runtime: pixels in [0, 1], [n, C, height, width], to features,"
                + " embeddings and scores; images are normalised inside.")
    Path onnx;

    @Option(
        names = "--torchvision",
        paramLabel = "FILE",
        description =
            "The trunk as safetensors that torchvision's resnet with fc = Identity() loads strictly.")
    Path torchvision;

    @Option(
        names = "--dl4j",
        paramLabel = "FILE",
        description = "The trunk as a ComputationGraph of Deeplearning4j, for TransferLearning.")
    Path graph;

    @Option(
        names = "--samediff",
        paramLabel = "FILE",
        description = "The trunk as a SameDiff graph, in flat buffers.")
    Path sameDiff;
  }

  @Override
  public Integer call() {
    Map<String, Path> wanted = new LinkedHashMap<>();
    wanted.put("onnx", formats.onnx);
    wanted.put("torchvision", formats.torchvision);
    wanted.put("dl4j", formats.graph);
    wanted.put("samediff", formats.sameDiff);
    wanted.values().removeIf(file -> file == null);
    // All of them first: none is written if one can't be.
    wanted.forEach(ExportCommand::requirePlace);
    Backend.start();
    Path from = where.run != null ? RunFolder.existing(where.run).weights() : where.weights;
    SwavWeights weights = SourceOptions.load(from);
    wanted.forEach((format, file) -> write(format, file, weights));
    return 0;
  }

  private static void requirePlace(String format, Path file) {
    Path folder = file.toAbsolutePath().getParent();
    if (Files.isDirectory(file)) {
      throw new IllegalArgumentException(
          "--" + format + " is the folder " + file + ", expected the name of a file to write");
    }
    if (!Files.isDirectory(folder)) {
      throw new IllegalArgumentException(
          "--" + format + " is " + file + ", but there is no folder " + folder + ": make it first");
    }
  }

  private void write(String format, Path file, SwavWeights weights) {
    try {
      switch (format) {
        case "onnx" -> OnnxExport.write(file, weights);
        case "torchvision" -> TorchvisionExport.write(file, weights);
        case "dl4j" ->
            replace(file, part -> Dl4jExport.computationGraph(weights).save(part.toFile(), false));
        default -> replace(file, part -> Dl4jExport.sameDiff(weights).save(part.toFile(), false));
      }
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("command", "export");
      fields.put("format", format);
      fields.put("file", file.toString());
      fields.put("bytes", Files.size(file));
      fields.put("features", weights.features());
      output.result(
          fields, format + ": " + file + ", " + weights.features() + " features an image");
    } catch (IOException e) {
      throw new UncheckedIOException(file + " was not written: " + e.getMessage(), e);
    }
  }

  /** A writer that insists on files of its own. */
  private interface Saving {
    void save(Path part) throws IOException;
  }

  private static void replace(Path file, Saving saving) throws IOException {
    Path part = Files.createTempFile("swav-export", ".part");
    try {
      saving.save(part);
      AtomicFile.write(
          file,
          out -> {
            try (FileChannel in = FileChannel.open(part)) {
              for (long at = 0; at < in.size(); ) {
                at += in.transferTo(at, in.size() - at, out);
              }
            }
          });
    } finally {
      Files.deleteIfExists(part);
    }
  }
}
