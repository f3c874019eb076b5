package org.swav4j.train.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** How a run names its images. */
class TrainingDataTest {
  @TempDir Path folder;

  private Path images(String name) throws IOException {
    Path images = Files.createDirectories(folder.resolve(name));
    for (int i = 0; i < 8; i++) {
      ImageIO.write(
          new BufferedImage(20, 20, BufferedImage.TYPE_INT_RGB),
          "png",
          images.resolve(i + ".png").toFile());
    }
    return images;
  }

  private static String named(Path images) {
    return TrainingData.open(
            TrainingConfigTest.quick("--data=folder:" + images, "--batch=8", "--holdout=0"))
        .config()
        .data()
        .spec();
  }

  @Test
  void dotsAreTakenOutOfAPath() throws IOException {
    Path images = images("photos");
    Files.createDirectory(folder.resolve("other"));
    assertThat(named(folder.resolve("other/.././photos"))).isEqualTo("folder:" + images);
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void dotsBehindALinkStay() throws IOException {
    images("photos");
    images("other/photos");
    Files.createDirectory(folder.resolve("other/deep"));
    Files.createSymbolicLink(folder.resolve("link"), folder.resolve("other/deep"));
    Path behind = folder.resolve("link/../photos");
    assertThat(named(behind)).isEqualTo("folder:" + behind);
  }
}
