package org.swav4j.model;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The trained trunk as a safetensors file that torchvision's model takes strictly, with nothing
 * missing and nothing too much:
 *
 * <pre>
 *   model = torchvision.models.resnet18()
 *   model.fc = torch.nn.Identity()
 *   model.load_state_dict(safetensors.torch.load_file("trunk.safetensors"))
 * </pre>
 *
 * <p>That is the {@link Stem#IMAGENET imagenet} stem at full width and three channels; other
 * networks have the same names and other shapes. Beside the weights it holds the counter of batches
 * that PyTorch keeps for each batch norm, and that matters only where {@code momentum} is {@code
 * None}: 0.
 */
public final class TorchvisionExport {
  private static final String MEAN = ".running_mean";

  private TorchvisionExport() {}

  /**
   * Writes the file, whole or not at all.
   *
   * @param file such as {@code trunk.safetensors}, replaced if it is there
   * @param weights of a network that is one of {@link Architecture}
   * @throws IllegalArgumentException if torchvision has no such network
   * @throws IOException if it can't be written
   */
  public static void write(Path file, SwavWeights weights) throws IOException {
    if (weights.config().architecture() == null) {
      throw new IllegalArgumentException(
          "the trunk is "
              + weights.backbone().name()
              + ", expected one of torchvision's residual networks: other trunks are read from the"
              + " weights file itself, whose names are the backbone's");
    }
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    weights
        .parameters()
        .forEach((n, a) -> tensors.put(n, a.rank() == 4 ? a.permute(3, 2, 0, 1) : a));
    weights
        .statistics()
        .forEach(
            (name, array) -> {
              tensors.put(name, array);
              if (name.endsWith(MEAN)) {
                String norm = name.substring(0, name.length() - MEAN.length());
                tensors.put(norm + ".num_batches_tracked", Nd4j.scalar(0L));
              }
            });
    tensors.keySet().removeIf(name -> !ParameterShapes.ofTrunk(name));
    SafeTensors.write(file, tensors, Map.of("format", "pt"));
  }
}
