package org.swav4j.train.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.swav4j.train.cli.CommandLineTest.swav;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.swav4j.testing.Golden;
import org.swav4j.train.cli.CommandLineTest.Outcome;

class ConformanceCommandTest {
  private static final List<String> COVERED =
      List.of(
          "batch_norm",
          "entropic_ot",
          "image_ops",
          "l2_normalize",
          "lars",
          "lr_schedule",
          "sinkhorn",
          "spherical_kmeans",
          "swav_loss");

  @TempDir Path folder;

  private void write(String name, Object content) throws IOException {
    Files.writeString(folder.resolve(name + ".json"), content.toString());
  }

  private Outcome run(String... options) {
    return swav(
        Stream.concat(Stream.of("conformance", folder.toString()), Stream.of(options))
            .toArray(String[]::new));
  }

  /** The element at a path such as {@code cases.3.codes_f64.data.0}; its last step is set. */
  private static void set(JsonObject root, String path, double value) {
    String[] steps = path.split("\\.");
    JsonElement at = root;
    for (int i = 0; i < steps.length - 1; i++) {
      at =
          at.isJsonArray()
              ? at.getAsJsonArray().get(Integer.parseInt(steps[i]))
              : get(at, steps[i]);
    }
    String last = steps[steps.length - 1];
    if (at.isJsonArray()) {
      at.getAsJsonArray().set(Integer.parseInt(last), new JsonPrimitive(value));
    } else {
      at.getAsJsonObject().addProperty(last, value);
    }
  }

  private static JsonElement get(JsonElement object, String name) {
    return object.getAsJsonObject().get(name);
  }

  @Test
  void everyRecordedNumberIsMetInBothPrecisionsAndTheRestIsListed() throws IOException {
    for (String name : COVERED) {
      write(name, Golden.file(name));
    }
    write("of_another_build", Golden.file("l2_normalize"));
    Outcome outcome = run("--json");
    assertThat(outcome.status()).as(outcome.out() + outcome.err()).isZero();
    List<JsonObject> lines =
        outcome.out().lines().map(l -> JsonParser.parseString(l).getAsJsonObject()).toList();
    for (String name : COVERED) {
      List<String> passed =
          lines.stream()
              .filter(l -> l.get("file").getAsString().equals(name + ".json"))
              .filter(l -> l.get("status").getAsString().equals("ok"))
              .filter(l -> l.get("checks").getAsInt() >= l.get("cases").getAsInt())
              .filter(l -> l.get("difference").getAsDouble() <= l.get("tolerance").getAsDouble())
              .map(l -> l.get("precision").getAsString())
              .toList();
      assertThat(passed)
          .as(name)
          .containsExactlyElementsOf(
              switch (name) {
                case "image_ops" -> List.of("float");
                case "lr_schedule" -> List.of("double");
                default -> List.of("float", "double");
              });
    }
    assertThat(lines.stream().filter(l -> l.get("status").getAsString().equals("not covered")))
        .extracting(l -> l.get("file").getAsString() + " " + l.get("detail").getAsString())
        .anyMatch(l -> l.startsWith("of_another_build.json"))
        .anyMatch(l -> l.startsWith("sinkhorn.json zero_iterations"))
        .as("hard codes and all of LARS are among what training can do")
        .noneMatch(l -> l.contains("hard codes") || l.contains("hard_codes"))
        .noneMatch(l -> l.startsWith("lars.json clip") || l.startsWith("lars.json excluding"))
        .noneMatch(l -> l.contains("unknown"));
  }

  @ParameterizedTest
  @CsvSource({
    "sinkhorn, cases.5.codes_f64.data.3, cosine_8x5_eps0.03_it3: codes",
    "sinkhorn, cases.0.stats_f64.mean_entropy_nats, cosine_8x5_eps0.05_it1: mean_entropy_nats",
    "entropic_ot, cases.1.plan_f64.data.2, nonuniform_9x7: plan",
    "entropic_ot, cases.0.finite_iterations_col_then_row.1.col_marginal_l1_err,"
        + " nonuniform_5x4 after 3 iterations: column residual",
    "swav_loss, cases.2.f64.loss, two_crops_only: loss",
    "swav_loss, cases.0.f64.terms.1.3, multicrop_no_queue: loss of crop 3 against the code of crop 1",
    "swav_loss, cases.1.queue_features.1.data.0, multicrop_with_queue: ",
    "swav_loss, cases.5.f64.grad_prototypes.data.5,"
        + " eps003_tau02_it10: gradient of the prototypes",
    "swav_loss, queue_sequence.steps.3.queue_after_f64.1.data.9,"
        + " queue_sequence step 3: queue afterwards",
    "batch_norm, cases.0.f64.train_steps.1.running_var.data.1, bn2d: pass 1 running_var",
    "l2_normalize, dx_f64_without_last_row.data.4, rows: dx",
    "spherical_kmeans, centroids_f64.data.7, clusters: centroids",
    "spherical_kmeans, assignments.data.3, clusters: assignments",
    "spherical_kmeans, cluster_sizes_per_iteration.1.2, clusters: cluster sizes in iteration 1",
    "swav_loss, cases.6.f64.loss, hard_codes: loss",
    "lars, cases.4.f64.2.tensors.weight.param.data.0, clip_mode: step 2 weight",
    "lars, cases.1.f64.3.tensors.bias.param.data.0, large_weight_decay: step 3 bias",
    "lr_schedule, pretrain.0.lr.20, warmup: rate 20",
    "image_ops, ops.12.output_f64.data.7, grayscale: image"
  })
  void aNumberThatIsOffByAThousandthFailsAndItsCaseIsNamed(String file, String path, String where)
      throws IOException {
    JsonObject content = Golden.file(file);
    String[] steps = path.split("\\.");
    JsonElement at = content;
    for (String step : steps) {
      at = at.isJsonArray() ? at.getAsJsonArray().get(Integer.parseInt(step)) : get(at, step);
    }
    set(content, path, at.getAsDouble() * 1.001 + 0.001);
    write(file, content);
    Outcome outcome = run();
    assertThat(outcome.status()).as(outcome.out()).isEqualTo(1);
    assertThat(outcome.out()).contains("FAILED (" + where);
  }

  @Test
  void filesCasesAndFieldsThatNothingLooksAtAreListed() throws IOException {
    write("optimal_learning", new JsonObject());
    JsonObject images = Golden.file("image_ops");
    JsonObject posterise = new JsonObject();
    posterise.addProperty("op", "posterise");
    posterise.addProperty("value", 4);
    posterise.add("output_f64", images.get("image_u8"));
    images.getAsJsonArray("ops").add(posterise);
    write("image_ops", images);
    JsonObject lars = Golden.file("lars");
    lars.getAsJsonArray("cases").get(0).getAsJsonObject().addProperty("nesterov", true);
    lars.add("larc", new JsonArray());
    JsonArray excluded = new JsonArray();
    excluded.add("weight");
    lars.getAsJsonArray("cases").get(1).getAsJsonObject().add("excluded", excluded);
    write("lars", lars);
    Outcome outcome = run();
    assertThat(outcome.status()).as(outcome.out()).isZero();
    assertThat(outcome.out().lines().filter(l -> l.contains("not covered:")).toList())
        .anyMatch(l -> l.startsWith("optimal_learning.json"))
        .anyMatch(l -> l.contains("posterise 4.0: there is no such operation"))
        .anyMatch(l -> l.contains("unknown: cases.nesterov, larc"))
        .anyMatch(l -> l.contains("large_weight_decay: excludes [weight]"));
    assertThat(outcome.out()).containsPattern("lars.json +float +6 cases");
  }

  @Test
  void aBrokenFileIsOneLineWithThePositionAndTheOthersStillRun() throws IOException {
    String whole = Golden.file("lars").toString();
    write("lars", whole.substring(0, whole.lastIndexOf(']')));
    write("lr_schedule", Golden.file("lr_schedule").toString().replaceFirst(":", "="));
    write("l2_normalize", Golden.file("l2_normalize"));
    JsonObject noEps = Golden.file("sinkhorn");
    noEps.getAsJsonArray("cases").get(7).getAsJsonObject().remove("eps");
    write("sinkhorn", noEps);
    JsonObject shortArray = Golden.file("batch_norm");
    shortArray
        .getAsJsonArray("cases")
        .get(1)
        .getAsJsonObject()
        .getAsJsonObject("gamma")
        .getAsJsonArray("data")
        .remove(0);
    write("batch_norm", shortArray);
    Outcome outcome = run();
    assertThat(outcome.status()).as(outcome.out()).isEqualTo(1);
    assertThat(outcome.out().lines().filter(l -> l.contains("unreadable")).toList())
        .hasSize(4)
        .anyMatch(l -> l.matches("lars.json.*ends too early.*line 1 column \\d+.*"))
        .anyMatch(l -> l.matches("lr_schedule.json.*not readable JSON.*line 1 column \\d+.*"))
        .anyMatch(l -> l.matches("sinkhorn.json.*cases\\[7\\] has no field \"eps\".*number.*"))
        .anyMatch(l -> l.matches("batch_norm.json.*cases\\[1\\].gamma.*there are 3.*"));
    assertThat(outcome.out()).containsPattern("l2_normalize.json +double .* ok ");
  }

  @Test
  void nothingToCheckIsRefusedWithStatus2() throws IOException {
    assertRefused(swav("conformance", folder.resolve("absent").toString()), "does not exist");
    assertRefused(run(), "has no .json file");
    write("of_another_build", Golden.file("l2_normalize"));
    assertRefused(run(), "only files that nothing here is checked by");
    Path file = folder.resolve("of_another_build.json");
    assertRefused(swav("conformance", file.toString()), "is a file");
  }

  private static void assertRefused(Outcome outcome, String why) {
    assertThat(outcome.status()).isEqualTo(2);
    assertThat(outcome.err().lines().toList()).hasSize(1).first().asString().contains(why);
  }

  @Test
  void otherSizesAndOrdersOfTheSameProblemsPass() throws IOException {
    write("sinkhorn", codes(7, 4, 0.07, 5));
    JsonObject loss = Golden.file("swav_loss");
    loss.getAsJsonArray("cases").forEach(c -> enlarge(c.getAsJsonObject()));
    loss.remove("queue_sequence");
    write("swav_loss", loss);
    Outcome outcome = run();
    assertThat(outcome.status()).as(outcome.out()).isZero();
    assertThat(outcome.out())
        .containsPattern("sinkhorn.json +double +1 cases")
        .containsPattern("swav_loss.json +float +[a-z0-9]+ +9 cases")
        .containsPattern("swav_loss.json +double +nd4j +9 cases");
  }

  /** One case, by the formula: these scores are far from overflow. */
  private static JsonObject codes(int b, int k, double epsilon, int iterations) {
    Random random = new Random(5);
    double[] scores = random.doubles((long) b * k, -0.9, 0.9).toArray();
    double[] q = Arrays.stream(scores).map(s -> Math.exp(s / epsilon)).toArray();
    for (int n = 0; n < iterations; n++) {
      for (int j = 0; j < k; j++) {
        int column = j;
        double sum = IntStream.range(0, b).mapToDouble(i -> q[i * k + column]).sum();
        IntStream.range(0, b).forEach(i -> q[i * k + column] /= sum);
      }
      for (int i = 0; i < b; i++) {
        int row = i * k;
        double sum = IntStream.range(0, k).mapToDouble(j -> q[row + j]).sum();
        IntStream.range(0, k).forEach(j -> q[row + j] /= sum);
      }
    }
    JsonObject c = new JsonObject();
    c.addProperty("name", "generated");
    c.addProperty("input", "scores");
    c.addProperty("B", b);
    c.addProperty("K", k);
    c.addProperty("eps", epsilon);
    c.addProperty("iterations", iterations);
    c.add("codes_f64", array(q, b, k));
    JsonArray cases = new JsonArray();
    cases.add(c);
    JsonObject inputs = new JsonObject();
    inputs.add("scores", array(scores, b, k));
    JsonObject file = new JsonObject();
    file.add("inputs", inputs);
    file.add("cases", cases);
    return file;
  }

  private static JsonObject array(double[] data, int... shape) {
    JsonObject array = new JsonObject();
    JsonArray s = new JsonArray();
    IntStream.of(shape).forEach(s::add);
    JsonArray d = new JsonArray();
    Arrays.stream(data).forEach(d::add);
    array.add("shape", s);
    array.add("data", d);
    return array;
  }

  /**
   * The same problem with every sample twice, one more dimension of zeros, and the crops in reverse
   * order: the loss stays, gradients of samples are halved.
   */
  private static void enlarge(JsonObject c) {
    c.add("features_raw", reversed(twice(c.getAsJsonArray("features_raw"), 1, true)));
    int views = c.get("crops").getAsInt();
    JsonArray assigning = new JsonArray();
    c.getAsJsonArray("crops_for_assign").forEach(i -> assigning.add(views - 1 - i.getAsInt()));
    c.add("crops_for_assign", assigning);
    c.add("prototypes_raw", wider(c.getAsJsonObject("prototypes_raw")));
    if (c.has("queue_features")) {
      c.add("queue_features", twice(c.getAsJsonArray("queue_features"), 1, true));
    }
    for (String key : List.of("f32", "f64")) {
      JsonObject e = c.getAsJsonObject(key);
      for (String name : List.of("grad_features_raw", "grad_z")) {
        boolean flat = name.equals("grad_z");
        e.add(name, reversed(twice(e.getAsJsonArray(name), 0.5, !flat)));
        if (flat) {
          // The prototypes' last coordinate is 0, hence this gradient's too.
          JsonArray padded = new JsonArray();
          e.getAsJsonArray(name).forEach(a -> padded.add(wider(a.getAsJsonObject())));
          e.add(name, padded);
        }
      }
      e.add("grad_prototypes", wider(e.getAsJsonObject("grad_prototypes")));
    }
    JsonObject exact = c.getAsJsonObject("f64");
    exact.add("z", reversed(twice(exact.getAsJsonArray("z"), 1, true)));
    exact.add("grad_scores", reversed(twice(exact.getAsJsonArray("grad_scores"), 0.5, false)));
    exact.add("codes", twice(exact.getAsJsonArray("codes"), 1, false));
    exact.add("prototypes_normalised", wider(exact.getAsJsonObject("prototypes_normalised")));
    JsonArray terms = new JsonArray();
    exact.getAsJsonArray("terms").forEach(t -> terms.add(reversed(t.getAsJsonArray())));
    exact.add("terms", terms);
  }

  private static JsonArray reversed(JsonArray list) {
    JsonArray result = new JsonArray();
    for (int i = list.size() - 1; i >= 0; i--) {
      result.add(list.get(i));
    }
    return result;
  }

  private static JsonArray twice(JsonArray matrices, double factor, boolean wider) {
    JsonArray result = new JsonArray();
    for (JsonElement m : matrices) {
      JsonObject matrix = m.getAsJsonObject();
      double[] data = data(matrix);
      int rows = matrix.getAsJsonArray("shape").get(0).getAsInt();
      double[] both = new double[2 * data.length];
      for (int i = 0; i < both.length; i++) {
        both[i] = factor * data[i % data.length];
      }
      JsonObject doubled = array(both, 2 * rows, data.length / rows);
      result.add(wider ? wider(doubled) : doubled);
    }
    return result;
  }

  private static JsonObject wider(JsonObject matrix) {
    double[] data = data(matrix);
    int rows = matrix.getAsJsonArray("shape").get(0).getAsInt();
    int columns = data.length / rows;
    double[] padded = new double[rows * (columns + 1)];
    for (int i = 0; i < data.length; i++) {
      padded[i + i / columns] = data[i];
    }
    return array(padded, rows, columns + 1);
  }

  private static double[] data(JsonObject array) {
    return array.getAsJsonArray("data").asList().stream()
        .mapToDouble(JsonElement::getAsDouble)
        .toArray();
  }
}
