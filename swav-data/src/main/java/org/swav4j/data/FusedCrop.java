package org.swav4j.data;

import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.datavec.image.transform.FlipImageTransform;
import org.datavec.image.transform.ImageTransform;

/**
 * The transforms of a crop group that {@link CropRenderer} makes in one go: a {@link
 * RandomResizedCropTransform}, then any of these in this order, each at most once: DataVec's {@link
 * FlipImageTransform} left to right, {@link ColourJitterTransform}, {@link GreyTransform}, {@link
 * GaussianBlurTransform}, {@link SolariseTransform}. That is the published recipe, with any of its
 * parts left out.
 *
 * <p>What is random is drawn by the transforms themselves, in their order, so that fused crops are
 * DataVec's: the same numbers decide the same things.
 */
final class FusedCrop {
  private static final List<Class<? extends ImageTransform>> ORDER =
      List.of(
          RandomResizedCropTransform.class,
          FlipImageTransform.class,
          ColourJitterTransform.class,
          GreyTransform.class,
          GaussianBlurTransform.class,
          SolariseTransform.class);

  private final int size;
  private final TransformSequence.Step[] steps;

  private FusedCrop(int size, List<TransformSequence.Step> steps) {
    this.size = size;
    this.steps = steps.toArray(TransformSequence.Step[]::new);
  }

  /** Compiles a description; empty if it holds anything that only DataVec can do. */
  static Optional<FusedCrop> of(TransformSequence sequence, int size) {
    List<TransformSequence.Step> steps = sequence.steps();
    if (sequence.shuffled()
        || steps.isEmpty()
        || steps.get(0).probability() != 1
        || !(steps.get(0).transform() instanceof RandomResizedCropTransform crop)
        || crop.size() != size) {
      return Optional.empty();
    }
    int last = -1;
    for (TransformSequence.Step step : steps) {
      int place = step.transform() == null ? -1 : ORDER.indexOf(step.transform().getClass());
      if (place <= last || (step.transform() instanceof FlipImageTransform f && !isMirror(f))) {
        return Optional.empty();
      }
      last = place;
    }
    return Optional.of(new FusedCrop(size, steps));
  }

  /** The published recipe. */
  static FusedCrop published(CropSpec spec, Augmentation augmentation) {
    return of(TransformSequence.of(augmentation.transforms(spec), false), spec.size())
        .orElseThrow();
  }

  /** Left to right and never by chance of its own: with a Random it would turn upside down too. */
  private static boolean isMirror(FlipImageTransform flip) {
    return flip.getFlipMode() > 0 && flip.getRandom() == null;
  }

  /** Side of the crop in pixels. */
  int size() {
    return size;
  }

  /** Draws all that is random about a crop of an image of this size. */
  void draw(CropDraw draw, int width, int height, RandomGenerator random) {
    draw.clear(width, height);
    for (TransformSequence.Step step : steps) {
      if (step.isDue(random)) {
        if (step.transform() instanceof FrameTransform transform) {
          transform.draw(draw, width, height, random);
        } else {
          draw.flip = true;
        }
      }
    }
  }
}
