package org.swav4j.model.engine;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/** Offers {@link Nd4jEngine}, which runs wherever ND4J does. */
public final class Nd4jProvider implements EngineProvider {
  @Override
  public String name() {
    return Nd4jEngine.NAME;
  }

  @Override
  public int preference() {
    return 0;
  }

  @Override
  public Set<Precision> precisions() {
    return EnumSet.of(Precision.FLOAT);
  }

  @Override
  public Optional<String> obstacle(Precision precision) {
    return Nd4jEngine.obstacle(precision);
  }

  @Override
  public Engine create(Precision precision) {
    return new Nd4jEngine().withPrecision(precision);
  }
}
