package org.swav4j.train.report;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * A page in headless Chromium, driven over its DevTools protocol. Complaints of the console,
 * uncaught errors and requests are kept.
 */
final class Chromium implements AutoCloseable {
  private static final int SECONDS = 60;

  private final Process process;
  private final WebSocket socket;
  private final AtomicInteger ids = new AtomicInteger();
  private final Map<Integer, CompletableFuture<JsonObject>> answers = new ConcurrentHashMap<>();
  private final CompletableFuture<Void> loaded = new CompletableFuture<>();

  /** What went wrong, as Chromium tells it. */
  final List<String> complaints = new CopyOnWriteArrayList<>();

  /** Addresses that were asked for. */
  final List<String> requests = new CopyOnWriteArrayList<>();

  /** Where it is installed; empty if it isn't. */
  static Optional<Path> installed() {
    return Arrays.stream(System.getenv().getOrDefault("PATH", "").split(":"))
        .flatMap(folder -> Stream.of("chromium", "chromium-browser").map(Path.of(folder)::resolve))
        .filter(Files::isExecutable)
        .findFirst();
  }

  private Chromium(Process process, URI page) {
    this.process = process;
    this.socket =
        HttpClient.newHttpClient().newWebSocketBuilder().buildAsync(page, new Messages()).join();
  }

  /**
   * Opens a file at a width in pixels.
   *
   * @param scheme {@code light} or {@code dark}
   */
  static Chromium open(Path browser, Path profile, Path file, int width, String scheme)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                browser.toString(),
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--remote-debugging-port=0",
                "--user-data-dir=" + profile,
                "about:blank")
            .redirectErrorStream(true)
            .start();
    try {
      Chromium chromium = new Chromium(process, page(process));
      for (String domain : List.of("Page", "Runtime", "Log", "Network")) {
        chromium.send(domain + ".enable", "{}");
      }
      chromium.send(
          "Emulation.setDeviceMetricsOverride",
          "{width: "
              + width
              + ", height: 800, deviceScaleFactor: 1, mobile: "
              + (width < 500)
              + "}");
      chromium.send(
          "Emulation.setEmulatedMedia",
          "{features: [{name: 'prefers-color-scheme', value: '" + scheme + "'}]}");
      chromium.send("Page.navigate", "{url: '" + file.toUri() + "'}");
      chromium.loaded.get(SECONDS, TimeUnit.SECONDS);
      return chromium;
    } catch (Exception e) {
      process.destroyForcibly();
      throw new IOException(browser + " doesn't open " + file, e);
    }
  }

  /** The first page's address, from the port that Chromium tells. */
  private static URI page(Process process) throws IOException, InterruptedException {
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.startsWith("DevTools listening on ")) {
        URI browser = URI.create(line.substring("DevTools listening on ".length()));
        Thread rest = new Thread(() -> lines.lines().forEach(l -> {}), "chromium's log");
        rest.setDaemon(true);
        rest.start();
        String targets =
            HttpClient.newHttpClient()
                .send(
                    HttpRequest.newBuilder(
                            URI.create("http://127.0.0.1:" + browser.getPort() + "/json/list"))
                        .build(),
                    HttpResponse.BodyHandlers.ofString())
                .body();
        for (JsonElement target : JsonParser.parseString(targets).getAsJsonArray()) {
          JsonObject o = target.getAsJsonObject();
          if (o.get("type").getAsString().equals("page")) {
            return URI.create(o.get("webSocketDebuggerUrl").getAsString());
          }
        }
      }
    }
    throw new IOException("it ended without telling its port");
  }

  /** The answer to a command; parameters as lenient JSON. */
  private JsonObject send(String method, String parameters) {
    int id = ids.incrementAndGet();
    CompletableFuture<JsonObject> answer = new CompletableFuture<>();
    answers.put(id, answer);
    JsonObject message = new JsonObject();
    message.addProperty("id", id);
    message.addProperty("method", method);
    message.add("params", JsonParser.parseString(parameters));
    socket.sendText(message.toString(), true).join();
    return answer.orTimeout(SECONDS, TimeUnit.SECONDS).join();
  }

  /** The value of an expression of JavaScript, awaited if it is a promise. */
  JsonElement evaluate(String expression) {
    JsonObject parameters = new JsonObject();
    parameters.addProperty("expression", expression);
    parameters.addProperty("returnByValue", true);
    parameters.addProperty("awaitPromise", true);
    JsonObject result = send("Runtime.evaluate", parameters.toString()).getAsJsonObject("result");
    if (result.has("exceptionDetails")) {
      throw new AssertionError(expression + ": " + result.get("exceptionDetails"));
    }
    return result.getAsJsonObject("result").get("value");
  }

  /** The whole page as PNG. */
  byte[] screenshot() {
    String png =
        send("Page.captureScreenshot", "{captureBeyondViewport: true, format: 'png'}")
            .getAsJsonObject("result")
            .get("data")
            .getAsString();
    return Base64.getDecoder().decode(png);
  }

  private void received(JsonObject message) {
    if (message.has("id")) {
      answers.remove(message.get("id").getAsInt()).complete(message);
      return;
    }
    JsonObject about = message.getAsJsonObject("params");
    switch (message.get("method").getAsString()) {
      case "Page.loadEventFired" -> loaded.complete(null);
      case "Runtime.exceptionThrown", "Log.entryAdded" -> complaints.add(about.toString());
      case "Runtime.consoleAPICalled" -> {
        if (List.of("error", "warning", "assert").contains(about.get("type").getAsString())) {
          JsonArray said = about.getAsJsonArray("args");
          complaints.add(said.toString());
        }
      }
      case "Network.requestWillBeSent" ->
          requests.add(about.getAsJsonObject("request").get("url").getAsString());
      default -> {}
    }
  }

  /** Messages, which may come in parts. */
  private final class Messages implements WebSocket.Listener {
    private final StringBuilder text = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
      text.append(data);
      if (last) {
        JsonObject message = JsonParser.parseString(text.toString()).getAsJsonObject();
        text.setLength(0);
        received(message);
      }
      from.request(1);
      return null;
    }
  }

  @Override
  public void close() {
    socket.abort();
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
    process.onExit().join();
  }
}
