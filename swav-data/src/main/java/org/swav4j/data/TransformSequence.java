package org.swav4j.data;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.datavec.image.data.ImageWritable;
import org.datavec.image.transform.BaseImageTransform;
import org.datavec.image.transform.FlipImageTransform;
import org.datavec.image.transform.ImageTransform;
import org.datavec.image.transform.MultiImageTransform;
import org.datavec.image.transform.PipelineImageTransform;
import org.datavec.image.transform.RandomCropTransform;
import org.nd4j.common.primitives.Pair;

/**
 * DataVec transforms to be done one after the other, read out of what describes them: a {@link
 * PipelineImageTransform}, a {@link MultiImageTransform}, or a single transform.
 *
 * <p>A pipeline is only read, not run: it would decide from the global {@code Nd4j.getRandom()},
 * which all threads share. Here its steps are run in its order and to its shares, with random
 * numbers of the caller's. Holds the transforms, which keep a state: of one thread.
 */
final class TransformSequence {
  private final List<Step> steps;
  private final boolean shuffled;

  private TransformSequence(List<Step> steps, boolean shuffled) {
    this.steps = List.copyOf(steps);
    this.shuffled = shuffled;
  }

  /**
   * One step: a transform, or a sequence that can't be told apart into steps of this one.
   *
   * @param probability share of images to which it is done
   * @param transform null for a nested sequence
   * @param nested null for a transform
   * @param random whether the transform is handed random numbers
   */
  record Step(
      double probability, ImageTransform transform, TransformSequence nested, boolean random) {

    /** Decides as DataVec's pipeline does: no number is drawn for a step that is always done. */
    boolean isDue(RandomGenerator generator) {
      return probability == 1 || generator.nextDouble() < probability;
    }
  }

  List<Step> steps() {
    return steps;
  }

  /** Whether the steps are done in another random order for each image. */
  boolean shuffled() {
    return shuffled;
  }

  /** Reads a transform. */
  static TransformSequence of(ImageTransform transform) {
    List<Step> steps = new ArrayList<>();
    add(steps, 1, transform, false);
    boolean one = steps.size() == 1 && steps.get(0).nested() != null;
    return one ? steps.get(0).nested() : new TransformSequence(steps, false);
  }

  /** Reads transforms and the shares of images to which they are done. */
  static TransformSequence of(List<Pair<ImageTransform, Double>> transforms, boolean shuffled) {
    return of(transforms, shuffled, false);
  }

  private static TransformSequence of(
      List<Pair<ImageTransform, Double>> transforms, boolean shuffled, boolean handed) {
    List<Step> steps = new ArrayList<>();
    for (Pair<ImageTransform, Double> t : transforms) {
      if (shuffled) { // a step stays one step, or others could come between its parts
        steps.add(step(t.getSecond(), t.getFirst(), handed));
      } else {
        add(steps, t.getSecond(), t.getFirst(), handed);
      }
    }
    return new TransformSequence(steps, shuffled);
  }

  private static void add(
      List<Step> steps, double probability, ImageTransform transform, boolean handed) {
    Step step = step(probability, transform, handed);
    if (step.nested() != null && !step.nested().shuffled && probability == 1) {
      steps.addAll(step.nested().steps);
    } else {
      steps.add(step);
    }
  }

  /**
   * @param handed whether the pipeline around it hands a Random to its transforms
   */
  private static Step step(double probability, ImageTransform transform, boolean handed) {
    // Subclasses may do anything: only these two are known to be what they hold.
    if (transform.getClass() == PipelineImageTransform.class) {
      PipelineImageTransform pipeline = (PipelineImageTransform) transform;
      boolean hands = handed || pipeline.getRandom() != null;
      return new Step(
          probability, null, of(pipeline.getImageTransforms(), pipeline.isShuffle(), hands), false);
    }
    if (transform.getClass() == MultiImageTransform.class) {
      MultiImageTransform several = (MultiImageTransform) transform;
      Step inner = step(1, several.getTransform(), handed || several.getRandom() != null);
      return new Step(probability, null, inner.nested(), false);
    }
    // DataVec's rule: a transform made without a Random is deterministic. Ours draw all the same.
    boolean deterministic =
        transform instanceof BaseImageTransform<?> b
            && !(b instanceof FrameTransform)
            && b.getRandom() == null;
    return new Step(probability, transform, null, handed || !deterministic);
  }

  /** The transforms themselves, nested ones too. */
  Stream<ImageTransform> transforms() {
    return steps.stream()
        .flatMap(s -> s.nested() == null ? Stream.of(s.transform()) : s.nested().transforms());
  }

  /** Has those transforms that draw from ND4J's global generator draw from the one given. */
  void drawFrom(org.nd4j.linalg.api.rng.Random generator) {
    for (Step step : steps) {
      if (step.nested() != null) {
        step.nested().drawFrom(generator);
      } else if (step.transform() instanceof RandomCropTransform crop) {
        crop.setRng(generator);
      } else if (step.transform() instanceof PipelineImageTransform pipeline) {
        pipeline.setRng(generator);
      }
    }
  }

  /**
   * Runs the steps.
   *
   * @param random decides; also the one handed to the transforms
   * @throws IllegalStateException if a transform fails or gives nothing, naming it
   */
  ImageWritable run(ImageWritable image, Random random) {
    Run run = new Run(image);
    run(run, random);
    return run.image;
  }

  private void run(Run run, Random random) {
    for (Step step : shuffled ? shuffle(random) : steps) {
      if (step.isDue(random)) {
        if (step.nested() != null) {
          step.nested().run(run, random);
        } else {
          run.apply(step.transform(), step.random() ? random : null);
        }
      }
    }
  }

  private List<Step> shuffle(RandomGenerator random) {
    List<Step> order = new ArrayList<>(steps);
    for (int i = order.size() - 1; i > 0; i--) { // Fisher-Yates
      Step kept = order.get(i);
      int j = random.nextInt(i + 1);
      order.set(i, order.get(j));
      order.set(j, kept);
    }
    return order;
  }

  /** An image on its way. */
  private static final class Run {
    private ImageWritable image;

    /** Whether it has its depth from this package's transforms. */
    private boolean ours;

    Run(ImageWritable image) {
      this.image = image;
    }

    /** Ours may give floats; others get the 8 bits that DataVec's loaders give. */
    void apply(ImageTransform transform, Random random) {
      String name = transform.getClass().getSimpleName();
      boolean keepsDepth = transform.getClass() == FlipImageTransform.class;
      boolean own = transform instanceof FrameTransform;
      ImageWritable result;
      try {
        ImageWritable given = ours && !own && !keepsDepth ? Frames.inBytes(image) : image;
        result = transform.transform(given, random);
      } catch (RuntimeException e) {
        throw new IllegalStateException(name + " failed on " + describe(image) + ": " + e, e);
      }
      if (result == null || result.getFrame() == null) {
        throw new IllegalStateException(name + " gave no image for " + describe(image));
      }
      image = result;
      ours = own || (ours && keepsDepth);
    }
  }

  private static String describe(ImageWritable image) {
    return "an image of "
        + image.getWidth()
        + "x"
        + image.getHeight()
        + " pixels and "
        + image.getFrame().imageChannels
        + " channels";
  }
}
