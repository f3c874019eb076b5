package org.swav4j.data;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.datavec.image.transform.ImageTransform;
import org.nd4j.linalg.api.rng.Random;
import org.nd4j.linalg.factory.Nd4j;

/**
 * What is done to an image to make the crops of one group, described by DataVec's transforms: this
 * package's, DataVec's own and the user's, in any mixture.
 *
 * <pre>{@code
 * CropPipeline.of(2, 224, () -> new PipelineImageTransform(List.of(
 *     Pair.of(new RandomResizedCropTransform(224, 0.14, 1), 1.0),
 *     Pair.of(new FlipImageTransform(1), 0.5),
 *     Pair.of(new RotateImageTransform(new Random(), 15), 0.3),
 *     Pair.of(new ColourJitterTransform(0.8, 1), 1.0))));
 * }</pre>
 *
 * <p>The description is compiled. A {@link RandomResizedCropTransform} of the group's size followed
 * by any of mirroring ({@code FlipImageTransform(1)}), {@link ColourJitterTransform}, {@link
 * GreyTransform}, {@link GaussianBlurTransform} and {@link SolariseTransform}, in this order, is
 * the published recipe or a part of it: {@link CropRenderer} makes such crops in one go, in floats
 * throughout ({@link #fused}). Any other description is run by DataVec, one transform after the
 * other, beginning with 8-bit frames; what this package's pass on in floats is rounded before any
 * other but mirroring. A result of another size is resized to the group's, as an {@code
 * ImageRecordReader} does. Both draw the same random numbers for the same things.
 *
 * <p><b>What is random</b> is a function of (seed, epoch, image, view), as everywhere in this
 * package. To this end a pipeline is read rather than run: its probabilities and its shuffling are
 * decided from that function's numbers instead of the global {@code Nd4j.getRandom()}, and
 * transforms are handed these numbers as their {@code java.util.Random}. Exceptions:
 *
 * <ul>
 *   <li>DataVec's transforms made without a Random are deterministic, and stay so: {@code
 *       RotateImageTransform(15)} always turns by 15 degrees, {@code RotateImageTransform(new
 *       Random(), 15)} by up to 15 at random. A user's transform that extends {@code
 *       BaseImageTransform} likewise gets random numbers if it was made with a Random, and null if
 *       not; one that implements {@code ImageTransform} always gets them.
 *   <li>A user's transform that draws from anything else can't be made reproducible from outside.
 * </ul>
 */
public final class CropPipeline {
  private final int count;
  private final int size;
  private final Supplier<TransformSequence> description;

  private CropPipeline(int count, int size, Supplier<TransformSequence> description) {
    CropSpec checked = new CropSpec(count, size, 1, 1);
    this.count = checked.count();
    this.size = checked.size();
    this.description = description;
  }

  /**
   * Crops described by a transform, most often a {@code PipelineImageTransform}.
   *
   * @param count crops of this kind per image, at least 1
   * @param size side of the square crop in pixels, 1 to 4096
   * @param transforms makes the description anew at each call, with all transforms in it: DataVec's
   *     keep a state, so every worker of a loader has its own. Called by the thread that makes the
   *     loader. The global {@code Nd4j.getRandom()}, which a pipeline's constructor seeds, is put
   *     back as it was.
   * @throws IllegalArgumentException if a value is out of range
   */
  public static CropPipeline of(
      int count, int size, Supplier<? extends ImageTransform> transforms) {
    Objects.requireNonNull(transforms, "transforms");
    return new CropPipeline(count, size, () -> read(transforms));
  }

  /** The published recipe, with the given settings. */
  public static CropPipeline published(CropSpec spec, Augmentation augmentation) {
    return new CropPipeline(
        spec.count(),
        spec.size(),
        () -> TransformSequence.of(augmentation.transforms(spec), false));
  }

  /** The published recipe for several groups. */
  public static List<CropPipeline> published(List<CropSpec> specs, Augmentation augmentation) {
    return specs.stream().map(s -> published(s, augmentation)).toList();
  }

  private static TransformSequence read(Supplier<? extends ImageTransform> transforms) {
    Random global = Nd4j.getRandom();
    long root = global.rootState();
    long node = global.nodeState();
    ImageTransform transform = transforms.get();
    global.setStates(root, node);
    return TransformSequence.of(
        Objects.requireNonNull(transform, "the supplier of a crop group's transforms gave null"));
  }

  /** Crops of this kind per image. */
  public int count() {
    return count;
  }

  /** Side of the square crop in pixels. */
  public int size() {
    return size;
  }

  /** Whether the description is one that {@link CropRenderer} makes, several times faster. */
  public boolean fused() {
    return FusedCrop.of(description.get(), size).isPresent();
  }

  /**
   * Shorter side in pixels from which decoding an image larger brings nothing: known where the
   * window comes first, otherwise all of the image counts.
   */
  int sufficientSide() {
    TransformSequence transforms = description.get();
    boolean windowFirst =
        !transforms.shuffled()
            && !transforms.steps().isEmpty()
            && transforms.steps().get(0).probability() == 1
            && transforms.steps().get(0).transform() instanceof RandomResizedCropTransform;
    return windowFirst
        ? ((RandomResizedCropTransform) transforms.steps().get(0).transform()).sufficientSide()
        : Integer.MAX_VALUE;
  }

  /**
   * What makes the crops on one thread.
   *
   * @param renderer of the same thread, for what can be fused; groups share its scratch
   * @param others transforms that other threads use
   * @param used gets the transforms that the maker uses
   * @throws IllegalArgumentException if the description shares one of the others'
   */
  CropMaker maker(
      CropRenderer renderer,
      Normalisation normalisation,
      Set<ImageTransform> others,
      Set<ImageTransform> used) {
    TransformSequence transforms = description.get();
    Optional<FusedCrop> fused = FusedCrop.of(transforms, size);
    if (fused.isPresent()) {
      FusedCrop crop = fused.get();
      return (image, random, out, at) -> renderer.render(image, crop, random, out, at);
    }
    transforms
        .transforms()
        .filter(others::contains)
        .findFirst()
        .ifPresent(
            shared -> {
              throw new IllegalArgumentException(
                  "two workers would share a "
                      + shared.getClass().getSimpleName()
                      + ", which isn't thread-safe: the supplier of a crop group's transforms has to"
                      + " make new ones at each call");
            });
    transforms.transforms().forEach(used::add);
    return new TransformRenderer(transforms, size, normalisation);
  }
}
