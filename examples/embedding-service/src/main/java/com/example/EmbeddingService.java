package com.example;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.SwavEncoder;

/**
 * {@code POST /features} with an image file as its body answers with a JSON array of numbers, or
 * with status 400 and the reason why the image can't be read.
 *
 * <pre>
 *   java -cp ... com.example.EmbeddingService weights.safetensors 8080
 *   curl --data-binary @cat.jpg localhost:8080/features
 * </pre>
 */
public final class EmbeddingService implements AutoCloseable {
  private final SwavEncoder encoder;
  private final HttpServer server;

  /** One thread that calls the encoder: OpenMP keeps a team of threads for each that does. */
  private final ExecutorService worker = Executors.newSingleThreadExecutor();

  /** Serves on a port of this machine, or on any that is free if it is 0. */
  public EmbeddingService(Path weights, int port) throws IOException {
    encoder = SwavEncoder.load(weights);
    server = HttpServer.create(new InetSocketAddress("localhost", port), 0);
    server.setExecutor(worker);
    server.createContext("/features", this::features);
    server.start();
  }

  /** Where it listens. */
  public int port() {
    return server.getAddress().getPort();
  }

  private void features(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] picture = exchange.getRequestBody().readAllBytes();
      try (INDArray features = encoder.features(new ByteArrayInputStream(picture))) {
        answer(exchange, 200, Arrays.toString(features.toFloatVector()));
      } catch (IOException e) {
        answer(exchange, 400, e.getMessage());
      }
    }
  }

  private static void answer(HttpExchange exchange, int status, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  @Override
  public void close() {
    server.stop(0);
    worker.shutdown();
    encoder.close();
  }

  public static void main(String[] args) throws IOException {
    EmbeddingService service = new EmbeddingService(Path.of(args[0]), Integer.parseInt(args[1]));
    System.out.println("listening on port " + service.port());
  }
}
