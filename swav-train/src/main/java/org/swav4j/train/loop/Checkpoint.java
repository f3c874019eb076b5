package org.swav4j.train.loop;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.swav4j.train.config.TrainingConfig;

/**
 * Everything a run needs to go on as if it had not been interrupted: the arrays exactly as they lie
 * in memory, the configuration and the number of steps done. Crops and the order of images are
 * functions of (seed, epoch), so no random state is kept.
 *
 * @param config as run
 * @param images in the training data
 * @param channels of the images
 * @param step steps completed
 * @param lossSum of the steps of the unfinished epoch, so that its mean comes out right
 * @param rawPixels k-NN accuracy on raw pixels as measured at the start; NaN if not measured
 * @param parameters trainable arrays by name
 * @param statistics running statistics by name
 * @param momentum of the optimiser by parameter
 * @param queue state of the queue; empty if there is none yet
 */
public record Checkpoint(
    TrainingConfig config,
    int images,
    int channels,
    long step,
    double lossSum,
    double rawPixels,
    Map<String, INDArray> parameters,
    Map<String, INDArray> statistics,
    Map<String, INDArray> momentum,
    Map<String, INDArray> queue) {}
