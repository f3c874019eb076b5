package org.swav4j.benchmarks.djl;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.pooling.Pool;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.initializer.XavierInitializer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import java.util.Arrays;
import java.util.List;

/**
 * How long does a training step of the same ResNet-18 trunk take in the JVM's own alternative, DJL
 * with PyTorch? The trunk with its 3×3 stem and a linear layer on top, softmax loss, SGD with
 * momentum; random 32² images in memory. No projection head, codes or second crop size: less work
 * than a SwAV step on as many crops.
 *
 * <p>{@code java -jar djl-peer.jar THREADS IMAGES} prints one JSON line; {@code benchmarks/peers.sh
 * djl} runs it in turn with ours and PyTorch's.
 */
public final class DjlPeer {
  private static final int WARMUP = 3;
  private static final int REPEATS = 7;
  private static final int CLASSES = 300;

  private DjlPeer() {}

  /** Times the steps. */
  public static void main(String[] args) {
    if (args.length != 2 || !args[0].matches("[1-9]\\d*") || !args[1].matches("[1-9]\\d*")) {
      System.err.println("usage: java -jar djl-peer.jar THREADS IMAGES, such as 2 128");
      System.exit(2);
    }
    System.setProperty("ai.djl.pytorch.num_threads", args[0]);
    System.setProperty("ai.djl.pytorch.num_interop_threads", "1");
    // Everything comes from the class path; without this DJL reports its use over the network.
    System.setProperty("ai.djl.offline", "true");
    System.setProperty("OPT_OUT_TRACKING", "true");
    int images = Integer.parseInt(args[1]);
    double[] ms = steps(images);
    Arrays.sort(ms);
    System.out.printf(
        "{\"mode\":\"step\",\"djl\":\"%s\",\"torch\":\"%s\",\"images\":%d,\"threads\":%s,"
            + "\"median_ms\":%.1f,\"best_ms\":%.1f}%n",
        Engine.getDjlVersion(),
        Engine.getInstance().getVersion(),
        images,
        args[0],
        ms[ms.length / 2],
        ms[0]);
  }

  private static double[] steps(int images) {
    DefaultTrainingConfig config =
        new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
            .optInitializer(new XavierInitializer(), Parameter.Type.WEIGHT)
            .optOptimizer(
                Optimizer.sgd()
                    .setLearningRateTracker(Tracker.fixed(0.01f))
                    .optMomentum(0.9f)
                    .optWeightDecays(1e-6f)
                    .build());
    try (Model model = Model.newInstance("resnet18")) {
      model.setBlock(network());
      try (Trainer trainer = model.newTrainer(config)) {
        trainer.initialize(new Shape(images, 3, 32, 32));
        NDArray x = trainer.getManager().randomNormal(new Shape(images, 3, 32, 32));
        NDArray labels =
            trainer.getManager().arange(images).mod(CLASSES).toType(DataType.INT64, false);
        double[] ms = new double[REPEATS];
        for (int i = -WARMUP; i < REPEATS; i++) {
          long start = System.nanoTime();
          step(trainer, x, labels);
          if (i >= 0) {
            ms[i] = (System.nanoTime() - start) / 1e6;
          }
        }
        return ms;
      }
    }
  }

  private static void step(Trainer trainer, NDArray x, NDArray labels) {
    try (NDManager scope = trainer.getManager().newSubManager()) {
      NDArray in = x.duplicate();
      in.attach(scope);
      try (GradientCollector collector = trainer.newGradientCollector()) {
        NDList out = trainer.forward(new NDList(in));
        NDArray loss = trainer.getLoss().evaluate(new NDList(labels), out);
        collector.backward(loss);
        loss.getFloat();
        loss.close();
        out.close();
      }
      trainer.step();
    }
  }

  /** ResNet-18 for small images, and a linear layer. */
  private static Block network() {
    SequentialBlock net = new SequentialBlock();
    net.add(convolution(64, 3, 1)).add(norm()).add(Activation.reluBlock());
    int planes = 64;
    int in = 64;
    for (int stage = 0; stage < 4; stage++, planes *= 2) {
      for (int i = 0; i < 2; i++) {
        int stride = stage > 0 && i == 0 ? 2 : 1;
        net.add(residual(in, planes, stride)).add(Activation.reluBlock());
        in = planes;
      }
    }
    return net.add(Pool.globalAvgPool2dBlock())
        .add(Blocks.batchFlattenBlock())
        .add(Linear.builder().setUnits(CLASSES).build());
  }

  private static Block residual(int in, int planes, int stride) {
    SequentialBlock layers =
        new SequentialBlock()
            .add(convolution(planes, 3, stride))
            .add(norm())
            .add(Activation.reluBlock())
            .add(convolution(planes, 3, 1))
            .add(norm());
    Block shortcut =
        in == planes
            ? Blocks.identityBlock()
            : new SequentialBlock().add(convolution(planes, 1, stride)).add(norm());
    return new ParallelBlock(
        outputs ->
            new NDList(outputs.get(0).singletonOrThrow().add(outputs.get(1).singletonOrThrow())),
        List.of(layers, shortcut));
  }

  private static Block convolution(int planes, int kernel, int stride) {
    return Conv2d.builder()
        .setFilters(planes)
        .setKernelShape(new Shape(kernel, kernel))
        .optStride(new Shape(stride, stride))
        .optPadding(new Shape(kernel / 2, kernel / 2))
        .optBias(false)
        .build();
  }

  private static Block norm() {
    return BatchNorm.builder().optMomentum(0.9f).build();
  }
}
