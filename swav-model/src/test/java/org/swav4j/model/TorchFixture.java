package org.swav4j.model;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A network computed by PyTorch; see {@code torch/make_fixtures.py} beside the files. */
record TorchFixture(
    Path file,
    SwavWeights weights,
    INDArray images,
    INDArray features,
    INDArray embeddings,
    INDArray scores) {

  static TorchFixture of(String name) {
    try {
      Path file =
          Path.of(TorchFixture.class.getResource("/torch/" + name + ".safetensors").toURI());
      SafeTensors read = SafeTensors.read(file);
      return new TorchFixture(
          file,
          SwavWeights.load(file),
          read.tensors().get("expected.images"),
          read.tensors().get("expected.features"),
          read.tensors().get("expected.embeddings"),
          read.tensors().get("expected.scores"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
