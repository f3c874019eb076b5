package org.swav4j.sinkhorn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.swav4j.testing.Golden;

/** Every recorded case, also those where the naive exponential gives NaN or wrong codes. */
class GoldenCodesTest {
  private static final JsonObject CODES = Golden.file("sinkhorn");
  private static final JsonObject TRANSPORT = Golden.file("entropic_ot");

  @TestFactory
  Stream<DynamicTest> codesEqualTheRecordedOnesInDouble() {
    return cases(DataType.DOUBLE, 1e-9);
  }

  @TestFactory
  Stream<DynamicTest> codesEqualTheRecordedOnesInFloat() {
    return cases(DataType.FLOAT, 2e-5);
  }

  private static Stream<DynamicTest> cases(DataType type, double tolerance) {
    assertThat(CODES.getAsJsonArray("cases").size()).isGreaterThan(60);
    return stream(CODES, "cases")
        .map(
            c ->
                DynamicTest.dynamicTest(
                    c.get("name").getAsString() + " " + type,
                    () -> {
                      INDArray expected = Golden.array(c.get("codes_f64"), DataType.DOUBLE);
                      INDArray codes = codes(c, type, Form.AUTOMATIC);
                      assertThat(Problems.distance(codes, expected)).isLessThan(tolerance);
                      INDArray logDomain = codes(c, type, Form.LOG_DOMAIN);
                      assertThat(Problems.distance(logDomain, expected)).isLessThan(tolerance);
                    }));
  }

  private static INDArray codes(JsonObject c, DataType type, Form form) {
    INDArray scores =
        Golden.array(CODES.getAsJsonObject("inputs").get(c.get("input").getAsString()), type);
    INDArray codes = Nd4j.create(type, scores.shape());
    new SwavCodes(c.get("eps").getAsDouble(), c.get("iterations").getAsInt())
        .withForm(form)
        .assign(scores, codes);
    return codes;
  }

  @TestFactory
  Stream<DynamicTest> plansEqualTheRecordedOnes() {
    return stream(TRANSPORT, "cases")
        .map(
            c ->
                DynamicTest.dynamicTest(
                    c.get("name").getAsString(),
                    () -> {
                      TransportPlan solved =
                          SinkhornSolver.toTolerance(1e-14, 200_000).solve(problem(c));
                      assertThat(
                              Problems.distance(
                                  solved.plan(), Golden.array(c.get("plan_f64"), DataType.DOUBLE)))
                          .isLessThan(1e-9);
                      Certificate certificate = solved.certificate();
                      assertThat(certificate.transportCost())
                          .isCloseTo(c.get("transport_cost").getAsDouble(), within(1e-8));
                      if (c.has("entropy") && !c.get("entropy").isJsonNull()) {
                        assertThat(certificate.entropy())
                            .isCloseTo(c.get("entropy").getAsDouble(), within(1e-9));
                      }
                    }));
  }

  @TestFactory
  Stream<DynamicTest> plansAfterFewIterationsEqualTheRecordedOnes() {
    return stream(TRANSPORT, "cases")
        .filter(c -> c.has("finite_iterations_col_then_row"))
        .flatMap(
            c ->
                stream(c, "finite_iterations_col_then_row")
                    .map(
                        t ->
                            DynamicTest.dynamicTest(
                                c.get("name").getAsString() + " after " + t.get("iterations"),
                                () -> {
                                  TransportPlan plan =
                                      new SinkhornSolver(t.get("iterations").getAsInt())
                                          .solve(problem(c));
                                  assertThat(
                                          Problems.distance(
                                              plan.plan(),
                                              Golden.array(t.get("plan_f64"), DataType.DOUBLE)))
                                      .isLessThan(1e-9);
                                  assertThat(plan.certificate().columnResidual())
                                      .isCloseTo(
                                          t.get("col_marginal_l1_err").getAsDouble(), within(1e-6));
                                })));
  }

  private static OptimalTransportProblem problem(JsonObject c) {
    return OptimalTransportProblem.ofCosts(
            Golden.array(c.get("cost"), DataType.DOUBLE), c.get("reg").getAsDouble())
        .withMarginals(
            Golden.array(c.get("row_marginal"), DataType.DOUBLE).toDoubleVector(),
            Golden.array(c.get("col_marginal"), DataType.DOUBLE).toDoubleVector());
  }

  private static Stream<JsonObject> stream(JsonObject parent, String name) {
    return parent.getAsJsonArray(name).asList().stream().map(JsonElement::getAsJsonObject);
  }
}
