package org.swav4j.train.report;

import com.google.gson.Gson;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.swav4j.model.AtomicFile;

/**
 * The page: a template with its style, its scripts and one JSON that the script draws everything
 * from. No text of a run becomes markup: the script sets text only, and Gson writes the JSON
 * without {@code <}, {@code >}, {@code &} and {@code '}, so that nothing in it ends a script.
 */
final class Page {
  private static final Gson GSON = new Gson();

  private Page() {}

  /** Writes one run, or several side by side, whole or not at all. */
  static void write(Path file, List<RunView> runs) throws IOException {
    String html =
        resource("report.html")
            .replace("/*{style}*/", resource("report.css"))
            .replace("/*{charts}*/", resource("echarts.common.min.js"))
            .replace("/*{script}*/", resource("report.js"))
            .replace("{runs}", GSON.toJson(runs));
    AtomicFile.write(
        file, out -> Channels.newOutputStream(out).write(html.getBytes(StandardCharsets.UTF_8)));
  }

  private static String resource(String name) throws IOException {
    try (InputStream in = Page.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IOException("the page's part " + name + " is missing from swav-train");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
