package org.swav4j.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.bytedeco.javacv.Frame;
import org.datavec.api.records.reader.RecordReader;
import org.datavec.api.writable.NDArrayWritable;
import org.datavec.api.writable.Writable;
import org.datavec.image.data.ImageWritable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The images of a DataVec {@link RecordReader}, read once and kept in memory as bytes.
 *
 * <pre>{@code
 * ImageRecordReader reader = new ImageRecordReader(256, 256, 3, new ParentPathLabelGenerator());
 * reader.initialize(split);
 * ImageSource source = RecordSource.read(reader);
 * }</pre>
 *
 * <p>A record's first value is the image: an {@link ImageWritable}, or an {@link NDArrayWritable}
 * of shape {@code [C, H, W]}, {@code [1, C, H, W]} or {@code [1, H, W, C]} with values from 0 to
 * 255, blue first where there are three channels, as DataVec's loaders give them. Its second value,
 * if there is one, is the label's number; the reader's labels are the classes.
 *
 * <p>Record readers go forward only and serve one thread, hence the copy in memory: height x width
 * x channels bytes an image. Images that don't fit there are better read by a {@link SplitSource},
 * which also leaves out those that are broken. Thread-safe.
 */
public final class RecordSource implements ImageSource {
  private final String name;
  private final List<Image> images;
  private final int[] labels;
  private final List<String> classes;

  private RecordSource(String name, List<Image> images, int[] labels, List<String> classes) {
    this.name = name;
    this.images = images;
    this.labels = labels;
    this.classes = classes;
  }

  /**
   * Reads all records.
   *
   * @param reader initialised, at its beginning; it is left at its end, open
   * @throws IllegalArgumentException if there is no record, or one can't be read, isn't an image,
   *     or has another number of channels than the first; naming the record
   */
  public static RecordSource read(RecordReader reader) {
    String name = reader.getClass().getSimpleName();
    List<Image> images = new ArrayList<>();
    List<Integer> labels = new ArrayList<>();
    while (reader.hasNext()) {
      String what = "record " + images.size() + " of " + name;
      List<Writable> record = next(reader, what);
      Image image = image(record.get(0), what);
      if (!images.isEmpty() && image.channels() != images.get(0).channels()) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "%s is an image of %s, those before have %d channels: convert them alike",
                what,
                image,
                images.get(0).channels()));
      }
      images.add(image);
      labels.add(record.size() > 1 ? record.get(1).toInt() : -1);
    }
    if (images.isEmpty()) {
      throw new IllegalArgumentException(
          name + " has no record: was it initialised, and is it at its beginning?");
    }
    List<String> classes = reader.getLabels() == null ? List.of() : List.copyOf(reader.getLabels());
    int[] known = labels.stream().mapToInt(i -> i >= 0 && i < classes.size() ? i : -1).toArray();
    return new RecordSource(name, List.copyOf(images), known, classes);
  }

  private static List<Writable> next(RecordReader reader, String what) {
    List<Writable> record;
    try {
      record = reader.next();
    } catch (RuntimeException e) {
      throw new IllegalArgumentException(
          what + " can't be read: " + e.getMessage() + ": a SplitSource leaves out broken images",
          e);
    }
    if (record.isEmpty()) {
      throw new IllegalArgumentException(what + " is empty, expected an image as its first value");
    }
    return record;
  }

  private static Image image(Writable value, String what) {
    if (value instanceof ImageWritable image) {
      Frame frame = Frames.require(what, image);
      return Frames.isFloat(frame)
          ? Frames.image(
              Frames.writable(Frames.planes(frame), frame.imageWidth, frame.imageHeight, false)
                  .getFrame())
          : Frames.image(frame);
    }
    if (value instanceof NDArrayWritable array) {
      return image(array.get(), what);
    }
    throw new IllegalArgumentException(
        what
            + " begins with a "
            + value.getClass().getSimpleName()
            + ", expected an image: an ImageWritable or an NDArrayWritable");
  }

  private static Image image(INDArray array, String what) {
    INDArray image = array.rank() == 4 && array.size(0) == 1 ? array.slice(0) : array;
    if (image.rank() == 3 && !isChannels(image.size(0)) && isChannels(image.size(2))) {
      image = image.permute(2, 0, 1);
    }
    if (image.rank() != 3 || !isChannels(image.size(0))) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s is an array of %s, expected [C, H, W], [1, C, H, W] or [1, H, W, C] with C of 1"
                  + " or 3",
              what,
              Arrays.toString(array.shape())));
    }
    int channels = (int) image.size(0);
    int height = Math.toIntExact(image.size(1));
    int width = Math.toIntExact(image.size(2));
    float[] values = image.dup('c').data().asFloat();
    byte[] pixels = new byte[values.length];
    int area = width * height;
    for (int i = 0; i < values.length; i++) {
      if (!(values[i] >= 0 && values[i] <= 255)) {
        throw new IllegalArgumentException(
            what
                + " holds the value "
                + values[i]
                + ", expected 0 to 255: crops are normalised after augmentation, leave the reader's"
                + " scaling out");
      }
      int channel = channels - 1 - i / area; // blue first there, red first here
      pixels[i % area * channels + channel] = (byte) Math.round(values[i]);
    }
    return new Image(width, height, channels, pixels);
  }

  private static boolean isChannels(long size) {
    return size == 1 || size == 3;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int size() {
    return images.size();
  }

  @Override
  public int channels() {
    return images.get(0).channels();
  }

  @Override
  public Image read(int index, int atLeast) {
    return images.get(index);
  }

  @Override
  public int label(int index) {
    return labels[index];
  }

  @Override
  public List<String> classes() {
    return classes;
  }

  @Override
  public String describe(int index) {
    return "record " + Objects.checkIndex(index, size()) + " of " + name;
  }

  /** Of the sizes and the pixels. */
  @Override
  public String digest() {
    Fingerprint fingerprint = new Fingerprint();
    for (Image image : images) {
      fingerprint.add(image.width()).add(image.height()).add(image.channels()).add(image.pixels());
    }
    return fingerprint.hex();
  }
}
