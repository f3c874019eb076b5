package org.swav4j.model.engine.onednn;

import org.swav4j.model.engine.EngineProvider;

/** The oneDNN engine's provider beside a back end of ND4J that isn't here. */
public final class OneDnnStandIn {
  private OneDnnStandIn() {}

  /** As it answers where ND4J's arrays lie on a device. */
  public static EngineProvider besideDeviceMemory() {
    return new OneDnnProvider(() -> false);
  }
}
