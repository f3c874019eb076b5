package com.example;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.swav4j.model.Architecture;
import org.swav4j.model.InputSize;
import org.swav4j.model.Stem;
import org.swav4j.model.SwavConfig;
import org.swav4j.model.SwavEncoder;
import org.swav4j.model.SwavWeights;

class EmbeddingServiceTest {
  @TempDir Path folder;

  @Test
  void answersWithTheEncodersFeaturesOrWithTheReason() throws Exception {
    // Untrained, which is enough here; `./swav train` makes trained ones.
    SwavConfig network = new SwavConfig(Architecture.RESNET20, 0.5, Stem.SMALL, 3, 32, 16, 10, 0.1);
    Path weights = folder.resolve("weights.safetensors");
    SwavWeights.initialise(network, 1)
        .withNormalisation(List.of(0.5, 0.5, 0.5), List.of(0.25, 0.25, 0.25))
        .withInputSize(new InputSize(37, 32))
        .save(weights);
    Path picture = picture();
    try (EmbeddingService service = new EmbeddingService(weights, 0);
        SwavEncoder encoder = SwavEncoder.load(weights)) {
      HttpResponse<String> answer = post(service, Files.readAllBytes(picture));
      assertEquals(200, answer.statusCode());
      assertArrayEquals(encoder.features(picture).toFloatVector(), numbers(answer.body()), 1e-6f);
      HttpResponse<String> refused = post(service, "no picture".getBytes());
      assertEquals(400, refused.statusCode());
      assertTrue(refused.body().contains("image"), refused.body());
    }
  }

  /** Embedding needs nothing of Deeplearning4j's networks. */
  @Test
  void deeplearning4jIsNotOnTheClassPath() {
    assertThrows(
        ClassNotFoundException.class,
        () -> Class.forName("org.deeplearning4j.nn.graph.ComputationGraph"));
  }

  private Path picture() throws IOException {
    BufferedImage image = new BufferedImage(60, 45, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    g.setColor(Color.ORANGE);
    g.fillOval(10, 5, 30, 30);
    g.dispose();
    Path file = folder.resolve("sun.png");
    ImageIO.write(image, "png", file.toFile());
    return file;
  }

  private static HttpResponse<String> post(EmbeddingService service, byte[] body)
      throws IOException, InterruptedException {
    URI uri = URI.create("http://localhost:" + service.port() + "/features");
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(uri).POST(HttpRequest.BodyPublishers.ofByteArray(body)).build(),
            HttpResponse.BodyHandlers.ofString());
  }

  private static float[] numbers(String json) {
    String[] parts = json.substring(1, json.length() - 1).split(", ");
    double[] values = Arrays.stream(parts).mapToDouble(Double::parseDouble).toArray();
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }
}
