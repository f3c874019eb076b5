package org.swav4j.train.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class MachineTest {
  @Test
  void bytesAreReadable() {
    assertThat(Machine.readable(1536)).isEqualTo("1.5 KiB");
    assertThat(Machine.readable(300L << 20)).isEqualTo("300 MiB");
    assertThat(Machine.readable(1717986918L)).isEqualTo("1.6 GiB");
  }

  @Test
  void halfOfTheCoresLoadImagesAndAtLeastOneThread() {
    int cores = Runtime.getRuntime().availableProcessors();
    assertThat(Machine.loaderWorkers()).isEqualTo(cores == 1 ? 1 : cores / 2);
    assertThat(Preset.QUICK.config().execution().workers()).isEqualTo(Machine.loaderWorkers());
  }

  @Test
  void residentSizeIsAtMostItsPeakWhereTheSystemTells() {
    assumeTrue(Files.exists(Path.of("/proc/self/status")));
    long now = Machine.resident().orElseThrow();
    assertThat(now).isPositive().isLessThanOrEqualTo(Machine.peakResident().orElseThrow());
    assertThat(now).isLessThan(Machine.memory().orElseThrow());
  }
}
