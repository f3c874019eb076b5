package com.example;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Map;

/** Feature vectors of pictures, by the file that {@code ./swav export --onnx} writes. */
public final class Encoder implements AutoCloseable {
  private static final int CHANNELS = 3;

  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;
  private final int resize;
  private final int size;

  /** Reads the network, and the size at which it sees pictures. */
  public Encoder(Path onnx) throws OrtException {
    session = environment.createSession(onnx.toString());
    Map<String, String> metadata = session.getMetadata().getCustomMetadata();
    resize = Integer.parseInt(metadata.get("resize"));
    size = Integer.parseInt(metadata.get("size"));
  }

  /** The features of a picture, compared by their cosine. */
  public float[] features(BufferedImage picture) throws OrtException {
    long[] shape = {1, CHANNELS, size, size};
    try (OnnxTensor images = OnnxTensor.createTensor(environment, pixels(picture), shape);
        OrtSession.Result result = session.run(Map.of("images", images))) {
      return ((float[][]) result.get("features").orElseThrow().getValue())[0];
    }
  }

  /** The middle of the picture, its shorter side resized: red, green, blue from 0 to 1. */
  private FloatBuffer pixels(BufferedImage picture) {
    double scale = (double) resize / Math.min(picture.getWidth(), picture.getHeight());
    int width = (int) Math.round(scale * picture.getWidth());
    int height = (int) Math.round(scale * picture.getHeight());
    BufferedImage middle = new BufferedImage(size, size, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = middle.createGraphics();
    g.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
    g.drawImage(picture, (size - width) / 2, (size - height) / 2, width, height, null);
    g.dispose();
    FloatBuffer pixels = FloatBuffer.allocate(CHANNELS * size * size);
    for (int shift = 16; shift >= 0; shift -= 8) {
      for (int i = 0; i < size * size; i++) {
        pixels.put((middle.getRGB(i % size, i / size) >> shift & 0xff) / 255f);
      }
    }
    return pixels.flip();
  }

  @Override
  public void close() throws OrtException {
    session.close();
  }
}
