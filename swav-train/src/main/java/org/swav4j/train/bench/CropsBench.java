package org.swav4j.train.bench;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import org.swav4j.data.Augmentation;
import org.swav4j.data.CounterRandom;
import org.swav4j.data.CropRenderer;
import org.swav4j.data.CropSpec;
import org.swav4j.data.DataSpec;
import org.swav4j.data.FolderSource;
import org.swav4j.data.Image;
import org.swav4j.data.ImageSource;
import org.swav4j.data.Normalisation;
import org.swav4j.data.UnreadableImageException;

/**
 * One thread's way from stored images to all their crops: reading or decoding, and the official
 * augmentation. Folders are decoded anew each time, as the first epoch does.
 */
public final class CropsBench {
  private static final int ROUNDS = 3;

  /**
   * What was found.
   *
   * @param images read in each round
   * @param unreadable images passed over
   * @param round a round over all images
   * @param reading milliseconds of the median round that went into reading and decoding
   */
  public record Result(int images, int unreadable, Times round, double reading) {
    /** Images a second on one thread. */
    public double imagesPerSecond() {
      return images / (round.median() / 1e3);
    }
  }

  private final ImageSource source;
  private final List<CropSpec> crops;
  private final int limit;
  private final int sufficientSide;
  private final CropRenderer renderer;
  private final CounterRandom random = new CounterRandom();
  private final FloatBuffer out;
  private int unreadable;
  private long reading;

  /**
   * Opens the data.
   *
   * @param crops made of every image
   * @param limit images at most, from the first on; 0: all
   * @throws IllegalArgumentException if the data is missing or the limit negative
   */
  public CropsBench(DataSpec data, List<CropSpec> crops, int limit) {
    if (limit < 0) {
      throw new IllegalArgumentException(
          "`limit` is " + limit + ", expected 0 (all images) or a number of images");
    }
    this.source =
        data.kind() == DataSpec.Kind.FOLDER
            ? FolderSource.open(data.directory(), 3)
            : data.open().train();
    this.crops = List.copyOf(crops);
    this.limit = limit == 0 ? source.size() : Math.min(limit, source.size());
    // As the loader does: a reduced image is enough if its smallest window has a crop's pixels.
    this.sufficientSide =
        crops.stream()
            .mapToInt(c -> (int) Math.ceil(c.size() / Math.sqrt(c.minScale())))
            .max()
            .orElse(1);
    this.renderer =
        new CropRenderer(
            Augmentation.official(),
            source.channels() == 3
                ? Normalisation.imageNet()
                : new Normalisation(List.of(0.5), List.of(0.25)));
    int floats = crops.stream().mapToInt(c -> c.count() * renderer.length(c)).sum();
    this.out =
        ByteBuffer.allocateDirect(Float.BYTES * floats)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
  }

  /**
   * Goes over the images several times.
   *
   * @throws IllegalArgumentException if none can be read
   */
  public Result run() {
    round(0);
    if (unreadable == limit) {
      throw new IllegalArgumentException(
          "none of the first " + limit + " images of " + source.name() + " can be read");
    }
    long[] rounds = new long[ROUNDS];
    long[] reads = new long[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      long start = System.nanoTime();
      round(i + 1);
      rounds[i] = System.nanoTime() - start;
      reads[i] = reading;
    }
    return new Result(limit - unreadable, unreadable, Times.of(rounds), Times.of(reads).median());
  }

  private void round(int epoch) {
    unreadable = 0;
    reading = 0;
    for (int i = 0; i < limit; i++) {
      try {
        long start = System.nanoTime();
        Image image = source.read(i, sufficientSide);
        reading += System.nanoTime() - start;
        render(image, epoch, i);
      } catch (UnreadableImageException e) {
        unreadable++;
      }
    }
  }

  private void render(Image image, int epoch, int index) {
    int at = 0;
    int view = 0;
    for (CropSpec spec : crops) {
      for (int k = 0; k < spec.count(); k++) {
        renderer.render(image, spec, random.reset(0, epoch, index, view++), out, at);
        at += renderer.length(spec);
      }
    }
  }
}
