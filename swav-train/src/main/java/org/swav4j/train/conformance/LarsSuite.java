package org.swav4j.train.conformance;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.model.engine.Engine;
import org.swav4j.train.optimiser.Lars;

/** {@code lars.json}: parameters and momentum after every step of {@link Lars}. */
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
    Precision precision = to.precision();
    Map<String, INDArray> parameters = tensors(initial, precision);
    Lars lars = new Lars(rule(c, parameters));
    List<Fixture> gradients = c.objects("gradients");
    List<Fixture> expected = c.objects(precision.key());
    for (int s = 0; s < expected.size(); s++) {
      Fixture step = expected.get(s);
      step.skip("step");
      if (step.has("lr")) {
        to.value("learning rate of step " + s, rates[s], step.number("lr"));
      }
      lars.step(parameters, tensors(gradients.get(s), precision), rates[s]);
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
      Lars lars,
      Comparisons to) {
    if (expected.skip("param_norm", "grad_norm", "ratio")) {
      to.gap("what the update is made of (param_norm, grad_norm, ratio): the parameters show it");
    }
    to.values(where, parameters.get(name), expected.array("param", Precision.DOUBLE));
    if (expected.has("momentum_buffer")) {
      INDArray buffer = lars.state().get(name);
      if (buffer == null) {
        to.same(where + " without a momentum", false);
      } else {
        to.values(where + " momentum", buffer, expected.array("momentum_buffer", Precision.DOUBLE));
      }
    }
    if (expected.has("skipped") && expected.flag("skipped")) {
      to.same(where + " has a momentum though it has no gradient", !lars.state().containsKey(name));
    }
  }

  /** The arrays of an object; those that are null are left out. */
  private static Map<String, INDArray> tensors(Fixture of, Precision precision) {
    Map<String, INDArray> all = new LinkedHashMap<>();
    for (String name : of.names()) {
      if (of.has(name)) {
        all.put(name, of.array(name, precision));
      }
    }
    return all;
  }

  private static Lars.Rule rule(Fixture c, Map<String, INDArray> parameters) throws NotCovered {
    Lars.Rule rule =
        Lars.Rule.of(c.number("momentum"), c.number("weight_decay"))
            .withTrust(c.number("trust_coefficient"))
            .withEpsilon(c.number("eps"));
    if (c.flag("clip")) {
      rule = rule.withRatio(Lars.Ratio.CLIP);
    }
    Set<String> excluded = new HashSet<>(c.texts("excluded"));
    Set<String> vectors =
        parameters.keySet().stream()
            .filter(name -> parameters.get(name).rank() <= 1)
            .collect(Collectors.toSet());
    if (excluded.isEmpty()) {
      return rule;
    }
    if (!excluded.equals(vectors)) {
      throw new NotCovered(
          "excludes " + excluded + ": Lars excludes nothing or all tensors of rank at most 1");
    }
    return rule.withScope(Lars.Scope.WEIGHTS);
  }
}
