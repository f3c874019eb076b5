package org.swav4j.spark.job;

import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.swav4j.data.DataSets;
import org.swav4j.data.DataSpec;
import org.swav4j.data.ImageSource;
import org.swav4j.train.config.TrainingConfig;
import org.swav4j.train.loop.TrainingException;
import scala.collection.AbstractIterator;
import scala.collection.Iterator;
import scala.runtime.AbstractFunction1;

/** What Spark runs in every executor: one worker. */
final class WorkerTask extends AbstractFunction1<Iterator<Integer>, Iterator<String>>
    implements Serializable {
  private static final long serialVersionUID = 1L;

  private final String config;
  private final String folder;
  private final long patienceSeconds;
  private final String word;
  private final Broadcast<byte[]> listing;
  private final Broadcast<SerializableConfiguration> hadoop;

  /**
   * @param config as {@link ConfigText} writes it
   * @param folder of the run
   * @param patience how long a worker waits for another
   * @param word that the driver left in the folder
   * @param listing the bytes of {@link StoredImages.Listing}; null where the configuration's name
   *     of the images is enough
   */
  WorkerTask(
      String config,
      String folder,
      Duration patience,
      String word,
      Broadcast<byte[]> listing,
      Broadcast<SerializableConfiguration> hadoop) {
    this.config = config;
    this.folder = folder;
    this.patienceSeconds = patience.toSeconds();
    this.word = word;
    this.listing = listing;
    this.hadoop = hadoop;
  }

  @Override
  public Iterator<String> apply(Iterator<Integer> rows) {
    BarrierTaskContext context = BarrierTaskContext.get();
    TrainingConfig read = ConfigText.read(config);
    Configuration files = hadoop.value().value();
    try (LocalCopies copies = new LocalCopies(budget());
        Worker worker =
            Worker.join(
                context,
                read,
                data(
                    read.data(),
                    listing == null ? null : StoredImages.Listing.read(listing.value()),
                    files,
                    copies),
                folder,
                files,
                Duration.ofSeconds(patienceSeconds))) {
      worker.train(word);
    } catch (TrainingException | IllegalArgumentException e) {
      throw new HopelessException(e.getMessage(), e);
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e.getMessage(), e);
    }
    return new AbstractIterator<>() {
      @Override
      public boolean hasNext() {
        return false;
      }

      @Override
      public String next() {
        throw new java.util.NoSuchElementException();
      }
    };
  }

  private static long budget() {
    return SparkEnv.get().conf().getSizeAsBytes("spark.swav.copies", "10g");
  }

  /**
   * The images of a run, wherever they are.
   *
   * @param listing of them; null where the name is enough
   * @param copies where they are kept; null to keep none
   */
  static DataSets data(
      TrainingConfig.Data data,
      StoredImages.Listing listing,
      Configuration hadoop,
      LocalCopies copies) {
    if (listing == null) {
      DataSpec spec = DataSpec.parse(data.spec());
      return spec.open(data.channels() == 0 ? spec.channels() : data.channels(), data.holdout());
    }
    int channels = data.channels() == 0 ? 3 : data.channels();
    // What lies on this machine, or is mounted there, needs no copy.
    boolean here = listing.entries().get(0).file().startsWith("file:");
    ImageSource train = new StoredImages(listing, channels, hadoop, here ? null : copies);
    ImageSource none =
        new StoredImages(
            new StoredImages.Listing(listing.name(), List.of(), listing.classes()),
            channels,
            hadoop,
            null);
    return new DataSets(train, none);
  }
}
