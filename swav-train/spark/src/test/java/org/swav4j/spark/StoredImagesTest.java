package org.swav4j.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.swav4j.data.ImageSource;
import org.swav4j.data.ShapesSource;
import org.swav4j.data.UnreadableImageException;
import org.swav4j.spark.job.LocalCopies;
import org.swav4j.spark.job.StoredImages;

/** Images on a file system of Hadoop's, here the local one. */
class StoredImagesTest {
  private final ImageSource shapes = ShapesSource.open(4).train();
  private final Configuration hadoop = new Configuration();

  @TempDir Path folder;

  private StoredImages.Listing four() throws IOException {
    for (int i = 0; i < 4; i++) {
      Path below = Files.createDirectories(folder.resolve(i < 2 ? "cats" : "dogs"));
      Files.write(below.resolve("image " + i + ".png"), SwavModelTest.png(shapes, i));
    }
    Files.createDirectories(folder.resolve("_temporary"));
    Files.copy(folder.resolve("cats/image 0.png"), folder.resolve("_temporary/image.png"));
    Files.writeString(folder.resolve("notes.txt"), "no image");
    return StoredImages.list(folder.toUri().toString(), hadoop);
  }

  @Test
  void aFolderIsReadInTheOrderOfItsPathsWithItsClasses() throws Exception {
    StoredImages images = new StoredImages(four(), 3, hadoop, null);
    assertThat(images.size()).isEqualTo(4);
    assertThat(images.classes()).containsExactly("cats", "dogs");
    assertThat(images.label(3)).isEqualTo(1);
    assertThat(images.relativePath(2)).contains("dogs/image 2.png");
    for (int i = 0; i < 4; i++) {
      assertThat(images.read(i, Integer.MAX_VALUE).pixels())
          .isEqualTo(shapes.read(i, Integer.MAX_VALUE).pixels());
    }
    String digest = images.digest();
    Files.write(folder.resolve("dogs/image 3.png"), SwavModelTest.png(shapes, 0));
    Files.move(folder.resolve("dogs/image 2.png"), folder.resolve("dogs/image 5.png"));
    assertThat(
            new StoredImages(StoredImages.list(folder.toUri().toString(), hadoop), 3, hadoop, null)
                .digest())
        .isNotEqualTo(digest);
  }

  @Test
  void copiesAreKeptUpToTheirBudget() throws Exception {
    StoredImages.Listing listing = four();
    long budget = listing.entries().get(0).length() + listing.entries().get(1).length();
    try (LocalCopies copies = new LocalCopies(budget)) {
      StoredImages images = new StoredImages(listing, 3, hadoop, copies);
      for (int i = 0; i < 4; i++) {
        images.read(i, Integer.MAX_VALUE);
      }
      for (int i = 0; i < 4; i++) {
        Files.delete(folder.resolve(listing.entries().get(i).name()));
      }
      assertThat(images.read(1, Integer.MAX_VALUE).pixels())
          .isEqualTo(shapes.read(1, Integer.MAX_VALUE).pixels());
      assertThatThrownBy(() -> images.read(3, Integer.MAX_VALUE))
          .isInstanceOf(UnreadableImageException.class);
    }
  }

  @Test
  void entriesSurviveAsText() {
    StoredImages.Entry entry = new StoredImages.Entry("file:/a\tb.bin", 17, -1, "name", 3);
    assertThat(StoredImages.Entry.read(entry.text())).isEqualTo(entry);
    assertThatThrownBy(() -> StoredImages.Listing.sorted("nothing", List.of(), List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no image in nothing");
  }
}
