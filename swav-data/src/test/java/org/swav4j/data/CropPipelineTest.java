package org.swav4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.bytedeco.javacv.Frame;
import org.datavec.image.data.ImageWritable;
import org.datavec.image.transform.BaseImageTransform;
import org.datavec.image.transform.ColorConversionTransform;
import org.datavec.image.transform.CropImageTransform;
import org.datavec.image.transform.EqualizeHistTransform;
import org.datavec.image.transform.FlipImageTransform;
import org.datavec.image.transform.ImageTransform;
import org.datavec.image.transform.MultiImageTransform;
import org.datavec.image.transform.PipelineImageTransform;
import org.datavec.image.transform.RandomCropTransform;
import org.datavec.image.transform.ResizeImageTransform;
import org.datavec.image.transform.RotateImageTransform;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.factory.Nd4j;

/** A description decides the crops, and they are those of DataVec's own execution. */
@Timeout(120)
class CropPipelineTest {
  private static final int SIZE = 24;
  private static final Augmentation EVERYTHING = Augmentation.official().withSolarise(0.3);

  private static Normalisation normalisation(int channels) {
    return channels == 3 ? Normalisation.imageNet() : new Normalisation(List.of(0.4), List.of(0.3));
  }

  private static RandomResizedCropTransform window() {
    return new RandomResizedCropTransform(SIZE, 0.14, 1);
  }

  private static Pair<ImageTransform, Double> step(ImageTransform transform, double share) {
    return Pair.of(transform, share);
  }

  private static CropPipeline pipeline(Supplier<List<Pair<ImageTransform, Double>>> steps) {
    return CropPipeline.of(1, SIZE, () -> new PipelineImageTransform(steps.get()));
  }

  private static CropPipeline pipeline(ImageTransform... transforms) { // stateless enough for tests
    return CropPipeline.of(1, SIZE, () -> new PipelineImageTransform(transforms));
  }

  /** A crop as the loader's workers make it, with the normalisation undone: values of 0 to 1. */
  private static float[] crop(CropPipeline pipeline, Image image, CounterRandom random) {
    Normalisation n = normalisation(image.channels());
    int area = pipeline.size() * pipeline.size();
    float[] crop = new float[image.channels() * area];
    pipeline
        .maker(new CropRenderer(n), n, Set.of(), new HashSet<>())
        .make(image, random, FloatBuffer.wrap(crop), 0);
    for (int i = 0; i < crop.length; i++) {
      int c = i / area;
      crop[i] = crop[i] * n.deviation().get(c).floatValue() + n.mean().get(c).floatValue();
    }
    return crop;
  }

  /**
   * DataVec alone: its pipeline, its pixels, its decisions, drawing from the given stream. Our
   * transforms get the stream as their Random; DataVec's without a Random stay deterministic.
   */
  private static float[] byDataVec(
      List<Pair<ImageTransform, Double>> steps, Image image, CounterRandom stream, boolean floats) {
    PipelineImageTransform pipeline = new PipelineImageTransform(steps);
    pipeline.setRng(Randoms.nd4j(stream));
    for (Pair<ImageTransform, Double> s : steps) {
      if (s.getFirst() instanceof FrameTransform t) {
        t.setRandom(Randoms.java(stream));
      }
    }
    float[][] planes =
        ImageOps.resizedCrop(
            image, 0, 0, image.height(), image.width(), image.height(), image.width());
    ImageWritable result =
        pipeline.transform(Frames.writable(planes, image.width(), image.height(), floats));
    return flat(Frames.planes(result.getFrame()));
  }

  /**
   * A transform that draws all that it draws from the stream: the generators of DataVec's pipelines
   * and random crops, and the Random of those that were made with one. All else is DataVec's, but
   * for the order of a shuffled pipeline: that comes from {@code Collections.shuffle} without a
   * Random, which nothing can repeat, and here from the same method with the stream's.
   */
  private static ImageTransform seeded(ImageTransform transform, CounterRandom stream) {
    if (transform instanceof BaseImageTransform<?> t
        && (t instanceof FrameTransform || t.getRandom() != null)) {
      t.setRandom(Randoms.java(stream));
    }
    if (transform instanceof RandomCropTransform crop) {
      crop.setRng(Randoms.nd4j(stream));
    } else if (transform instanceof MultiImageTransform several) {
      several.setTransform((PipelineImageTransform) seeded(several.getTransform(), stream));
    } else if (transform instanceof PipelineImageTransform pipeline) {
      List<Pair<ImageTransform, Double>> steps = new ArrayList<>();
      for (Pair<ImageTransform, Double> s : pipeline.getImageTransforms()) {
        steps.add(step(seeded(s.getFirst(), stream), s.getSecond()));
      }
      PipelineImageTransform seeded =
          pipeline.isShuffle() ? new Shuffled(steps, stream) : new PipelineImageTransform(steps);
      seeded.setRandom(pipeline.getRandom());
      seeded.setRng(Randoms.nd4j(stream));
      return seeded;
    }
    return transform;
  }

  /** DataVec's pipeline, in an order of the stream's. */
  private static final class Shuffled extends PipelineImageTransform {
    private final CounterRandom stream;

    Shuffled(List<Pair<ImageTransform, Double>> steps, CounterRandom stream) {
      super(steps);
      this.stream = stream;
    }

    @Override
    protected ImageWritable doTransform(ImageWritable image, Random random) {
      Collections.shuffle(imageTransforms, Randoms.java(stream));
      return super.doTransform(image, random);
    }
  }

  /** DataVec alone, on an 8-bit frame; another size is resized as the runner does it. */
  private static float[] byDataVec(ImageTransform transform, Image image, CounterRandom stream) {
    Frame result = seeded(transform, stream).transform(Frames.writable(image)).getFrame();
    float[][] planes = Frames.planes(result);
    int width = result.imageWidth;
    int height = result.imageHeight;
    if (width == SIZE && height == SIZE) {
      return flat(planes);
    }
    float[][] resized = new float[planes.length][SIZE * SIZE];
    new Resampler().resample(planes, width, 0, 0, height, width, 0, resized, SIZE, SIZE);
    return flat(resized);
  }

  private static float[] flat(float[][] planes) {
    float[] all = new float[planes.length * planes[0].length];
    for (int c = 0; c < planes.length; c++) {
      System.arraycopy(planes[c], 0, all, c * planes[c].length, planes[c].length);
    }
    return all;
  }

  private static double farthest(float[] a, float[] b) {
    assertThat(a).hasSameSizeAs(b);
    double most = 0;
    for (int i = 0; i < a.length; i++) {
      most = Math.max(most, Math.abs(a[i] - b[i]));
    }
    return most;
  }

  /** Each transform alone after the window, and the recipe as a whole. */
  static Stream<Supplier<List<Pair<ImageTransform, Double>>>> fusedDescriptions() {
    return Stream.of(
        () -> List.of(step(window(), 1)),
        () -> List.of(step(window(), 1), step(new FlipImageTransform(1), 0.5)),
        () -> List.of(step(window(), 1), step(new FlipImageTransform(1), 1)),
        () -> List.of(step(window(), 1), step(new ColourJitterTransform(0.8, 1), 1)),
        () -> List.of(step(window(), 1), step(new ColourJitterTransform(1, 0.5), 0.7)),
        () -> List.of(step(window(), 1), step(new GreyTransform(0.5), 1)),
        () -> List.of(step(window(), 1), step(new GaussianBlurTransform(0.7, 0.1, 2), 1)),
        () -> List.of(step(window(), 1), step(new SolariseTransform(0.5), 1)),
        () ->
            List.of(
                step(new RandomResizedCropTransform(SIZE, 0.14, 1, 0.5, 2, 30), 1),
                step(new FlipImageTransform(1), 0.5)),
        () -> EVERYTHING.withRotation(180).transforms(CropSpec.small(1, SIZE)),
        () -> EVERYTHING.transforms(CropSpec.large(1, SIZE)),
        () -> Augmentation.smallImages().transforms(CropSpec.small(1, SIZE)));
  }

  private static final int[][] SHAPES = {{1, 1}, {7, 40}, {33, 21}, {64, 64}, {150, 90}};

  /** On frames of floats DataVec rounds nothing, and not a pixel is 1/255 away. */
  @ParameterizedTest
  @MethodSource("fusedDescriptions")
  void fusedCropsAreDataVecsPixelByPixel(Supplier<List<Pair<ImageTransform, Double>>> steps) {
    CropPipeline pipeline = pipeline(steps);
    assertThat(pipeline.fused()).isTrue();
    for (int channels : new int[] {1, 3}) {
      for (int[] shape : SHAPES) {
        for (int i = 0; i < 8; i++) {
          Image image = FakeSource.noise(i, shape[0], shape[1], channels);
          float[] fused = crop(pipeline, image, new CounterRandom(3, 1, i, 0));
          float[] dataVec = byDataVec(steps.get(), image, new CounterRandom(3, 1, i, 0), true);
          assertThat(farthest(fused, dataVec)).isLessThan(1.0 / 255 / 50);
        }
      }
    }
  }

  /** Each transform alone: the window is the whole image, which has the crop's size already. */
  static Stream<Supplier<List<Pair<ImageTransform, Double>>>> singleTransforms() {
    return Stream.<Supplier<ImageTransform>>of(
            () -> new FlipImageTransform(1),
            () -> new ColourJitterTransform(1, 1),
            () -> new GreyTransform(1),
            () -> new GaussianBlurTransform(1, 0.1, 2),
            () -> new SolariseTransform(1))
        .map(
            t ->
                () ->
                    List.of(
                        step(new RandomResizedCropTransform(SIZE, 1, 1, 1, 1), 1),
                        step(t.get(), 1)));
  }

  /** On 8-bit frames, which DataVec's loaders give, a transform rounds its result to a byte. */
  @ParameterizedTest
  @MethodSource("singleTransforms")
  void onBytesASingleTransformIsWithinItsRounding(
      Supplier<List<Pair<ImageTransform, Double>>> steps) {
    CropPipeline pipeline = pipeline(steps);
    assertThat(pipeline.fused()).isTrue();
    for (int channels : new int[] {1, 3}) {
      for (int i = 0; i < 20; i++) {
        Image image = FakeSource.noise(i, SIZE, SIZE, channels);
        float[] fused = crop(pipeline, image, new CounterRandom(4, 1, i, 0));
        float[] dataVec = byDataVec(steps.get(), image, new CounterRandom(4, 1, i, 0), false);
        assertThat(farthest(fused, dataVec)).isLessThan(0.501 / 255);
      }
    }
  }

  /** The recipe has floats between its transforms, of 8-bit frames too. */
  @Test
  void onBytesTheRecipeIsDataVecsPixelByPixel() {
    CropSpec spec = CropSpec.large(1, SIZE);
    CropPipeline pipeline = CropPipeline.published(spec, EVERYTHING);
    for (int i = 0; i < 60; i++) {
      Image image = FakeSource.noise(i, 50, 37, i % 3 == 0 ? 1 : 3);
      float[] fused = crop(pipeline, image, new CounterRandom(4, 1, i, 0));
      float[] dataVec =
          byDataVec(EVERYTHING.transforms(spec), image, new CounterRandom(4, 1, i, 0), false);
      assertThat(farthest(fused, dataVec)).isLessThan(1.0 / 255 / 50);
    }
  }

  /**
   * With a window that keeps 8 bits every transform rounds, and the jitter amplifies the rounding
   * before it, by up to 1.8 each for brightness and contrast, 1.8 + 0.8 for saturation and 2 for
   * the hue; on average there is less than 1/255 between fused crops and DataVec's.
   */
  @Test
  void aWindowThatKeepsBytesHasDataVecRoundBetweenTransforms() {
    Supplier<List<Pair<ImageTransform, Double>>> steps =
        () -> {
          List<Pair<ImageTransform, Double>> recipe =
              new ArrayList<>(EVERYTHING.transforms(CropSpec.large(1, SIZE)));
          recipe.set(0, step(window(), 1));
          return recipe;
        };
    CropPipeline pipeline = pipeline(steps);
    assertThat(pipeline.fused()).isTrue();
    double sum = 0;
    int values = 0;
    for (int i = 0; i < 60; i++) {
      Image image = FakeSource.noise(i, 50, 37, 3);
      float[] fused = crop(pipeline, image, new CounterRandom(4, 1, i, 0));
      float[] dataVec = byDataVec(steps.get(), image, new CounterRandom(4, 1, i, 0), false);
      assertThat(farthest(fused, dataVec)).isLessThan(0.5 * (1 + 1.8 * 1.8 * 2.6 * 2) / 255);
      for (int j = 0; j < fused.length; j++) {
        sum += Math.abs(fused[j] - dataVec[j]);
      }
      values += fused.length;
    }
    assertThat(sum / values).isBetween(0.1 / 255, 1.0 / 255);
  }

  /** What DataVec's and the user's transforms get: 8 bits after ours, otherwise what was made. */
  @Test
  void othersGetBytesAfterOursAndFloatsOfTheirOwn() {
    List<Integer> depths = new ArrayList<>();
    ImageTransform seen =
        new BaseImageTransform<Void>(null) {
          @Override
          protected ImageWritable doTransform(ImageWritable image, Random random) {
            depths.add(image.getFrame().imageDepth);
            return image;
          }
        };
    ImageTransform toFloats =
        new BaseImageTransform<Void>(null) {
          @Override
          protected ImageWritable doTransform(ImageWritable image, Random random) {
            return Frames.writable(Frames.planes(image.getFrame()), SIZE, SIZE, true);
          }
        };
    ImageTransform flip = new FlipImageTransform(1);
    Image image = FakeSource.noise(1, 30, 40, 3);
    crop(pipeline(seen, window().inFloats(), flip, seen), image, new CounterRandom());
    crop(pipeline(window(), toFloats, seen, flip, seen), image, new CounterRandom());
    assertThat(depths)
        .containsExactly(
            Frame.DEPTH_UBYTE, Frame.DEPTH_UBYTE, Frame.DEPTH_FLOAT, Frame.DEPTH_FLOAT);
  }

  static Stream<Supplier<ImageTransform>> foreignDescriptions() {
    return Stream.of(
        () -> new RotateImageTransform(new Random(), 30),
        () -> new EqualizeHistTransform(),
        () -> new ColorConversionTransform(),
        // In other orders, twice, with other modes: parts of the recipe all the same.
        () -> new PipelineImageTransform(new GreyTransform(0.5), window()),
        () -> new PipelineImageTransform(window(), window()),
        () -> new PipelineImageTransform(window(), new FlipImageTransform(0)),
        () -> new PipelineImageTransform(window(), new FlipImageTransform(new Random())),
        () -> new PipelineImageTransform(1, true, window(), new GreyTransform(0.5)),
        () -> new PipelineImageTransform(new RandomResizedCropTransform(9, 0.2, 1)),
        () -> new PipelineImageTransform(new RandomCropTransform(11, 11), window()),
        () ->
            new PipelineImageTransform(
                List.of(step(window(), 0.5), step(new ColourJitterTransform(1, 1), 1))),
        () ->
            new PipelineImageTransform(
                List.of(
                    step(window(), 1),
                    step(new RotateImageTransform(new Random(), 30), 0.6),
                    step(new EqualizeHistTransform(), 0.4))),
        () ->
            new PipelineImageTransform(
                1,
                true,
                new RotateImageTransform(new Random(), 30),
                new EqualizeHistTransform(),
                new RandomCropTransform(20, 20),
                new FlipImageTransform(1)),
        // A Random of the outer one is handed to all in it.
        () ->
            new MultiImageTransform(
                window(),
                new MultiImageTransform(new Random(), new RotateImageTransform(20)),
                new PipelineImageTransform(
                    1, true, new GreyTransform(0.5), new ColorConversionTransform())),
        () ->
            new MultiImageTransform(
                new CropImageTransform(new Random(), 5),
                new PipelineImageTransform(
                    1, true, new EqualizeHistTransform(), new RotateImageTransform(10))));
  }

  /**
   * Never refused, DataVec's own pixels, and a function of the stream's numbers alone. The order of
   * a shuffled pipeline is the stream's, see {@link #seeded}.
   */
  @ParameterizedTest
  @MethodSource("foreignDescriptions")
  void whatIsNotFusedRunsByDataVecWithTheSameNumbers(Supplier<ImageTransform> transform) {
    CropPipeline pipeline = CropPipeline.of(1, SIZE, transform);
    assertThat(pipeline.fused()).isFalse();
    for (int i = 0; i < 12; i++) {
      Image image = FakeSource.noise(i, 30 + i, 41 - i, 3);
      float[] first = crop(pipeline, image, new CounterRandom(1, 2, i, 0));
      float[] dataVec = byDataVec(transform.get(), image, new CounterRandom(1, 2, i, 0));
      assertThat(farthest(first, dataVec)).as("image " + i).isLessThan(1.0 / 255 / 50);
      Nd4j.getRandom().setSeed(i); // what DataVec alone would draw from
      assertThat(crop(pipeline, image, new CounterRandom(1, 2, i, 0))).isEqualTo(first);
    }
  }

  /** The runner itself against DataVec, on a description that it runs though it could be fused. */
  @ParameterizedTest
  @MethodSource("fusedDescriptions")
  void theRunnerIsDataVecsPipeline(Supplier<List<Pair<ImageTransform, Double>>> steps) {
    for (int i = 0; i < 10; i++) {
      Image image = FakeSource.noise(i, 31, 45, 3);
      TransformRenderer runner =
          new TransformRenderer(
              TransformSequence.of(new PipelineImageTransform(steps.get())),
              SIZE,
              new Normalisation(List.of(0.0, 0.0, 0.0), List.of(1.0, 1.0, 1.0)));
      float[] crop = new float[3 * SIZE * SIZE];
      runner.make(image, new CounterRandom(5, 1, i, 0), FloatBuffer.wrap(crop), 0);
      assertThat(crop)
          .isEqualTo(byDataVec(steps.get(), image, new CounterRandom(5, 1, i, 0), false));
    }
  }

  @Test
  void aTransformMadeWithoutARandomIsDeterministicAsInDataVec() {
    Image image = FakeSource.noise(1, SIZE, SIZE, 3);
    float[] turned = crop(pipeline(new FlipImageTransform(0)), image, new CounterRandom());
    float[] expected =
        flat(Frames.planes(new FlipImageTransform(0).transform(Frames.writable(image)).getFrame()));
    assertThat(farthest(turned, expected)).isLessThan(1e-5);
    float[] rotated = crop(pipeline(new RotateImageTransform(20)), image, new CounterRandom());
    for (int i = 1; i < 5; i++) {
      CounterRandom other = new CounterRandom(i, 0, 0, 0);
      assertThat(crop(pipeline(new RotateImageTransform(20)), image, other)).isEqualTo(rotated);
      assertThat(crop(pipeline(new RotateImageTransform(new Random(), 20)), image, other))
          .isNotEqualTo(rotated);
    }
  }

  @Test
  void anotherSizeIsResizedAndAnotherNumberOfChannelsConverted() {
    Image flat = new Image(5, 9, 3, new byte[135]);
    Arrays.fill(flat.pixels(), (byte) 51);
    for (ImageTransform t : List.of(new ResizeImageTransform(7, 40), new ToGrey())) {
      float[] crop = crop(pipeline(t), flat, new CounterRandom());
      assertThat(crop).hasSize(3 * SIZE * SIZE);
      for (float value : crop) {
        assertThat(value).isBetween(0.1999f, 0.2001f);
      }
    }
  }

  /** A user's transform: the red channel alone, as a grey frame. */
  private static final class ToGrey implements ImageTransform {
    @Override
    public ImageWritable transform(ImageWritable image) {
      return transform(image, null);
    }

    @Override
    public ImageWritable transform(ImageWritable image, Random random) {
      float[][] planes = Frames.planes(image.getFrame());
      return Frames.writable(new float[][] {planes[0]}, image.getWidth(), image.getHeight(), false);
    }

    @Override
    public float[] query(float... coordinates) {
      return coordinates;
    }

    @Override
    public ImageWritable getCurrentImage() {
      return null;
    }
  }

  private static List<float[]> batches(List<CropPipeline> groups, int workers) {
    List<float[]> batches = new ArrayList<>();
    try (MultiCropLoader loader =
        new MultiCropLoader(
            FakeSource.colour(12), groups, Normalisation.imageNet(), 4, 9, workers)) {
      for (MultiCropBatch b : loader.epoch(1)) {
        try (b) {
          for (int g = 0; g < b.groups(); g++) {
            batches.add(b.crops(g).dup().data().asFloat());
          }
        }
      }
    }
    return batches;
  }

  /** What is described is what runs: every change of the description changes the batches. */
  @Test
  void batchesFollowTheDescriptionForAnyNumberOfWorkers() {
    CropSpec spec = new CropSpec(2, SIZE, 0.14, 1);
    List<CropPipeline> descriptions = new ArrayList<>();
    descriptions.add(CropPipeline.published(spec, EVERYTHING));
    for (int left = 1; left < EVERYTHING.transforms(spec).size(); left++) {
      int out = left;
      descriptions.add(
          CropPipeline.of(
              2,
              SIZE,
              () -> {
                List<Pair<ImageTransform, Double>> steps =
                    new ArrayList<>(EVERYTHING.transforms(spec));
                steps.remove(out);
                return new PipelineImageTransform(steps);
              }));
    }
    descriptions.add(
        CropPipeline.of(
            2,
            SIZE,
            () -> {
              List<Pair<ImageTransform, Double>> steps =
                  new ArrayList<>(EVERYTHING.transforms(spec));
              steps.add(step(new RotateImageTransform(new Random(), 15), 0.5));
              return new PipelineImageTransform(steps);
            }));
    descriptions.add(
        CropPipeline.of(
            2,
            SIZE,
            () -> {
              List<Pair<ImageTransform, Double>> steps =
                  new ArrayList<>(EVERYTHING.transforms(spec));
              steps.add(1, step(new EqualizeHistTransform(), 1));
              return new PipelineImageTransform(steps);
            }));
    List<List<float[]>> all = new ArrayList<>();
    for (CropPipeline description : descriptions) {
      List<CropPipeline> groups = List.of(description, CropPipeline.published(spec, EVERYTHING));
      List<float[]> one = batches(groups, 1);
      List<float[]> three = batches(groups, 3);
      for (int i = 0; i < one.size(); i++) {
        assertThat(three.get(i)).isEqualTo(one.get(i));
      }
      for (List<float[]> other : all) {
        assertThat(Arrays.equals(other.get(0), one.get(0))).isFalse();
        assertThat(one.get(1)).isEqualTo(other.get(1)); // the other group is left alone
      }
      all.add(one);
    }
    assertThat(descriptions.stream().map(CropPipeline::fused))
        .containsExactly(true, true, true, true, true, true, false, false);
  }

  @Test
  void describingLeavesTheGlobalGeneratorAsItWas() {
    Nd4j.getRandom().setSeed(99);
    Nd4j.getRandom().nextDouble();
    double expected = Nd4j.getRandom().nextDouble();
    Nd4j.getRandom().setSeed(99);
    Nd4j.getRandom().nextDouble();
    CropPipeline pipeline = pipeline(window(), new GreyTransform(0.1));
    assertThat(pipeline.fused()).isTrue();
    crop(pipeline, FakeSource.noise(1, 9, 9, 3), new CounterRandom());
    assertThat(Nd4j.getRandom().nextDouble()).isEqualTo(expected);
  }

  @Test
  void aTransformThatFailsIsNamed() {
    CropPipeline pipeline = pipeline(new RandomCropTransform(50, 50));
    assertThatThrownBy(() -> crop(pipeline, FakeSource.noise(1, 30, 20, 3), new CounterRandom()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("RandomCropTransform failed on an image of 30x20 pixels");
    CropPipeline nothing =
        pipeline(
            new BaseImageTransform<Void>() {
              @Override
              protected ImageWritable doTransform(ImageWritable image, Random random) {
                return null;
              }
            });
    assertThatThrownBy(() -> crop(nothing, FakeSource.noise(1, 30, 20, 3), new CounterRandom()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("gave no image");
  }

  @Test
  void workersMayNotShareATransform() {
    ImageTransform one = new RotateImageTransform(new Random(), 5);
    List<CropPipeline> groups = List.of(CropPipeline.of(1, SIZE, () -> one));
    FakeSource source = FakeSource.colour(4);
    new MultiCropLoader(source, groups, Normalisation.imageNet(), 4, 9, 1).close();
    assertThatThrownBy(() -> new MultiCropLoader(source, groups, Normalisation.imageNet(), 4, 9, 2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("two workers would share a RotateImageTransform");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 5000})
  void refusesSizesThatNoCropHas(int size) {
    assertThatThrownBy(() -> CropPipeline.of(1, size, CropPipelineTest::window))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("crop size " + size);
  }

  @Test
  void aTransformKeepsTheDepthOfItsFrame() {
    for (int depth : new int[] {Frame.DEPTH_UBYTE, Frame.DEPTH_FLOAT}) {
      boolean floats = depth == Frame.DEPTH_FLOAT;
      ImageWritable image = Frames.writable(new float[3][48], 8, 6, floats);
      for (ImageTransform t :
          List.of(window(), new ColourJitterTransform(1, 1), new GreyTransform(1))) {
        assertThat(t.transform(image, new Random(1)).getFrame().imageDepth).isEqualTo(depth);
      }
    }
  }
}
