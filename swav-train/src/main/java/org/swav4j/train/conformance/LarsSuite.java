package org.swav4j.train.conformance;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.engine.Engine;
import org.swav4j.train.config.Preset;
import org.swav4j.train.config.Settings;
import org.swav4j.train.loop.ConfiguredOptimiser;
import org.swav4j.train.optimiser.Lars;
import org.swav4j.train.optimiser.Optimiser;

/** {@code lars.json}: parameters and momentum after every step of LARS as training has it. */
final class LarsSuite implements Suite {
  @Override
  public void run(Fixture file, Comparisons to, Engine engine) {
    Fixture meta = file.object("meta");
    meta.skip("what", "note", "set", "seed");
    double[] rates = meta.numbers("lr_per_step");
    for (Fixture c : file.objects("cases")) {
      c.skip("in_reference");
      to.run(c.text("name"), () -> steps(file.object("initial"), c, rates, to));
    }
  }

  private static void steps(Fixture initial, Fixture c, double[] rates, Comparisons to)
      throws NotCovered {
    Arithmetic arithmetic = to.arithmetic();
    Map<String, INDArray> parameters = tensors(initial, arithmetic);
    Optimiser lars = configured(c, parameters);
    List<Fixture> gradients = c.objects("gradients");
    List<Fixture> expected = c.objects(arithmetic.key());
    for (int s = 0; s < expected.size(); s++) {
      Fixture step = expected.get(s);
      step.skip("step");
      if (step.has("lr")) {
        to.value("learning rate of step " + s, rates[s], step.number("lr"));
      }
      lars.step(parameters, tensors(gradients.get(s), arithmetic), rates[s]);
      Fixture after = step.object("tensors");
      for (String name : after.names()) {
        tensor(after.object(name), "step " + s + " " + name, name, parameters, lars, to);
      }
    }
  }

  private static void tensor(
      Fixture expected,
      String where,
      String name,
      Map<String, INDArray> parameters,
      Optimiser lars,
      Comparisons to) {
    if (expected.skip("param_norm", "grad_norm", "ratio")) {
      to.gap("what the update is made of (param_norm, grad_norm, ratio): the parameters show it");
    }
    to.values(where, parameters.get(name), expected.array("param", Arithmetic.DOUBLE));
    if (expected.has("momentum_buffer")) {
      INDArray buffer = lars.state().get(name);
      if (buffer == null) {
        to.same(where + " without a momentum", false);
      } else {
        to.values(
            where + " momentum", buffer, expected.array("momentum_buffer", Arithmetic.DOUBLE));
      }
    }
    if (expected.has("skipped") && expected.flag("skipped")) {
      to.same(where + " has a momentum though it has no gradient", !lars.state().containsKey(name));
    }
  }

  /** The arrays of an object; those that are null are left out. */
  private static Map<String, INDArray> tensors(Fixture of, Arithmetic arithmetic) {
    Map<String, INDArray> all = new LinkedHashMap<>();
    for (String name : of.names()) {
      if (of.has(name)) {
        all.put(name, of.array(name, arithmetic));
      }
    }
    return all;
  }

  /** The optimiser as a run is configured with it. */
  private static Optimiser configured(Fixture c, Map<String, INDArray> tensors) throws NotCovered {
    double epsilon = c.number("eps");
    Set<String> excluded = Set.copyOf(c.texts("excluded"));
    Set<String> vectors =
        tensors.keySet().stream()
            .filter(name -> tensors.get(name).rank() <= 1)
            .collect(Collectors.toSet());
    double usual = Lars.Rule.of(0, 0).epsilon();
    List<String> other = new ArrayList<>();
    if (epsilon != usual) {
      other.add("eps " + epsilon + ", always " + usual + " in training");
    }
    if (!excluded.isEmpty() && !excluded.equals(vectors)) {
      other.add(
          "excludes "
              + c.texts("excluded")
              + ": training excludes all biases and tensors of batch norm, or none");
    }
    if (!other.isEmpty()) {
      c.skipAll();
      throw new NotCovered(String.join("; ", other));
    }
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("momentum", Double.toString(c.number("momentum")));
    settings.put("wd", Double.toString(c.number("weight_decay")));
    settings.put("lars-trust", Double.toString(c.number("trust_coefficient")));
    settings.put("lars-ratio", c.flag("clip") ? "clip" : "scale");
    settings.put("lars-scope", excluded.isEmpty() ? "all" : "weights");
    return ConfiguredOptimiser.of(
        Settings.change(Preset.IMAGENET.config(), settings).optimisation());
  }
}
