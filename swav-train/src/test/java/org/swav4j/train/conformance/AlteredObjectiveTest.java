package org.swav4j.train.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.swav4j.model.Objective;
import org.swav4j.model.Views;
import org.swav4j.model.engine.Engine;
import org.swav4j.model.engine.Engines;
import org.swav4j.testing.Golden;

class AlteredObjectiveTest {
  @TempDir Path folder;

  /** The right loss times 7, plus 1000. */
  private record Altered(Objective right) implements Objective {
    @Override
    public SDVariable loss(SameDiff sd, SDVariable embeddings, Views views) {
      return right.loss(sd, embeddings, views).mul(7).add(1000);
    }

    @Override
    public List<String> reads() {
      return right.reads();
    }
  }

  private List<Outcome> losses(UnaryOperator<Objective> loss) {
    Engine engine = Engines.best();
    return new Conformance(engine, loss)
        .run(folder, o -> {}).stream().filter(o -> !o.precision().isEmpty()).toList();
  }

  @Test
  void aGraphWithAnotherLossFails() throws IOException {
    Files.writeString(folder.resolve("swav_loss.json"), Golden.file("swav_loss").toString());
    assertThat(losses(UnaryOperator.identity()))
        .as("control")
        .hasSize(2)
        .allMatch(o -> o.status() == Outcome.Status.OK);
    assertThat(losses(Altered::new)).hasSize(2).allMatch(o -> o.status() == Outcome.Status.FAILED);
  }
}
