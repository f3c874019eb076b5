package org.swav4j.train.report;

import java.util.function.Supplier;
import org.swav4j.model.SwavWeights;
import org.swav4j.model.engine.Engine;
import org.swav4j.train.config.TrainingConfig;

/**
 * A run that reports are written on.
 *
 * @param config of the run, with its normalisation
 * @param data that it learns from
 * @param engine to embed images with
 * @param weights a copy of them as they are after the last epoch, which is closed by who asks
 */
public record ReportedRun(
    TrainingConfig config, RunData data, Engine engine, Supplier<SwavWeights> weights) {}
