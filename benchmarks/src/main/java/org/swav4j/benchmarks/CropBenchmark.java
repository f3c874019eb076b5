package org.swav4j.benchmarks;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.swav4j.data.Augmentation;
import org.swav4j.data.CounterRandom;
import org.swav4j.data.CropRenderer;
import org.swav4j.data.CropSpec;
import org.swav4j.data.DataSpec;
import org.swav4j.data.Image;
import org.swav4j.data.ImageSource;
import org.swav4j.data.Normalisation;
import org.swav4j.data.UnreadableImageException;

/**
 * What does it take to make all the crops of one image, on one thread, and where does it go?
 *
 * <p>{@code crops} makes them with the official augmentation from decoded images, {@code windows}
 * with nothing but the window, its resizing and the normalisation, {@code read} only has the image
 * read (for a folder: decoded from the file), {@code file} is {@code read} and {@code crops}
 * together, what a loader thread does. Control: {@code copy}, which writes as many floats from
 * memory.
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar CropBenchmark -p data=folder:DIR
 * </pre>
 *
 * <p>An operation is one image; {@code -prof gc} shows no allocation in {@code crops}.
 *
 * <p>Seen (AMD EPYC with AVX-512, JDK 17, the first 60 of Tux Paint's PNG stamps, processor time
 * per image on a busy machine; torchvision's pipeline with Pillow, one thread, in the same minute):
 *
 * <pre>
 *                 crops   read   file             torchvision
 *   2x224,6x96    2.15    1.21   3.36 (298/s)     18.5 (54/s)   milliseconds
 *   2x96,4x48     0.69    1.20   1.89 (528/s)      8.0 (126/s)
 * </pre>
 *
 * <p>So the crops of small sizes cost less than decoding the file.
 *
 * <p>Seen with the default images, which are in memory (2026-11-27, 2 cores of an AMD EPYC with
 * AVX-512, JDK 17.0.15, {@code -f 1 -wi 2 -i 3 -w 1 -r 1}), microseconds for 2x224 and 6x96 alone:
 * crops 1096 and 707, windows 159 and 143, copy 29 and 16.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class CropBenchmark {
  /** Crop groups, the first with the paper's large windows, the others with its small ones. */
  @Param({"2x224,6x96", "2x96,4x48", "2x32,4x16"})
  public String crops;

  /** A data set as on the command line. */
  @Param("shapes:60")
  public String data;

  private static final int IMAGES = 60;

  private final List<CropSpec> specs = new ArrayList<>();
  private final List<Image> images = new ArrayList<>();
  private final CounterRandom random = new CounterRandom();
  private ImageSource source;
  private CropRenderer official;
  private CropRenderer plain;
  private FloatBuffer out;
  private float[] copied;
  private int next;

  /** Reads the images; those that can't be read are an error here. */
  @Setup
  public void open() throws UnreadableImageException {
    for (String group : crops.split(",")) {
      String[] parts = group.split("x");
      int count = Integer.parseInt(parts[0]);
      int size = Integer.parseInt(parts[1]);
      specs.add(specs.isEmpty() ? CropSpec.large(count, size) : CropSpec.small(count, size));
    }
    source = DataSpec.parse(data).open().train();
    for (int i = 0; i < Math.min(IMAGES, source.size()); i++) {
      images.add(source.read(i, Integer.MAX_VALUE));
    }
    Normalisation normalisation = Normalisation.of(source, IMAGES);
    official = new CropRenderer(Augmentation.official(), normalisation);
    plain = new CropRenderer(Augmentation.none(), normalisation);
    int floats = specs.stream().mapToInt(s -> s.count() * official.length(s)).sum();
    copied = new float[floats];
    out = ByteBuffer.allocateDirect(4 * floats).order(ByteOrder.nativeOrder()).asFloatBuffer();
  }

  /** All crops of a decoded image, official augmentation. */
  @Benchmark
  public FloatBuffer crops() {
    return render(official, images.get(advance()));
  }

  /** All crops of a decoded image, window and resizing only. */
  @Benchmark
  public FloatBuffer windows() {
    return render(plain, images.get(advance()));
  }

  /** Reading an image. */
  @Benchmark
  public Image read() throws UnreadableImageException {
    return source.read(advance(), Integer.MAX_VALUE);
  }

  /** Reading an image and making all its crops. */
  @Benchmark
  public FloatBuffer file() throws UnreadableImageException {
    return render(official, source.read(advance(), Integer.MAX_VALUE));
  }

  /** Control: writing as many floats as the crops have. */
  @Benchmark
  public FloatBuffer copy() {
    return out.put(0, copied);
  }

  private FloatBuffer render(CropRenderer renderer, Image image) {
    int at = 0;
    int view = 0;
    for (CropSpec spec : specs) {
      for (int k = 0; k < spec.count(); k++) {
        renderer.render(image, spec, random.reset(0, 0, next, view++), out, at);
        at += renderer.length(spec);
      }
    }
    return out;
  }

  private int advance() {
    next = (next + 1) % images.size();
    return next;
  }
}
