package org.swav4j.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.TrainingConfig;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.swav4j.model.CropGroup;
import org.swav4j.model.SwavLoss;
import org.swav4j.model.Views;
import org.swav4j.sinkhorn.SDSinkhorn;

/** An application's own SameDiff network, trained by SwAV's loss and codes with plain sd.fit. */
class OwnNetworkExampleTest {
  private static final int BATCH = 24;
  private static final int PROTOTYPES = 6;

  @Test
  void anOwnNetworkLearnsByFitAlone() {
    Nd4j.getRandom().setSeed(5);
    SameDiff sd = SameDiff.create();
    // Two views of each image, crop by crop: [V·B, features].
    SDVariable images = sd.placeHolder("images", DataType.FLOAT, 2 * BATCH, 8);
    SDVariable layer = sd.var("layer", Nd4j.randn(DataType.FLOAT, 8, 16));
    SDVariable prototypes = sd.var("prototypes", Nd4j.randn(DataType.FLOAT, PROTOTYPES, 16));
    SDVariable embeddings = unit(sd.math().tanh(images.mmul(layer)));
    SDVariable scores = embeddings.mmul(unit(prototypes).permute(1, 0));

    // Codes of each view by itself, as in the paper's algorithm 1.
    SDSinkhorn sinkhorn = new SDSinkhorn(sd);
    SDVariable first = sd.slice(scores, new int[] {0, 0}, BATCH, PROTOTYPES);
    SDVariable second = sd.slice(scores, new int[] {BATCH, 0}, BATCH, PROTOTYPES);
    SDVariable codes =
        sd.concat(0, sinkhorn.codes(first, 0.05, 3), sinkhorn.codes(second, 0.05, 3));
    Views views = new Views(List.of(new CropGroup(2, 32)), BATCH);
    SwavLoss.of(scores, codes, views, 2, 0.1).rename("loss").markAsLoss();

    sd.setTrainingConfig(
        TrainingConfig.builder()
            .updater(new Sgd(0.2))
            .dataSetFeatureMapping("images")
            .markLabelsUnused()
            .minimize("loss")
            .build());
    INDArray view = Nd4j.randn(DataType.FLOAT, BATCH, 8);
    INDArray other = view.add(Nd4j.randn(DataType.FLOAT, BATCH, 8).mul(0.1));
    INDArray batch = Nd4j.concat(0, view, other);
    double before = sd.outputSingle(Map.of("images", batch), "loss").getDouble(0);
    MultiDataSet data = new MultiDataSet(new INDArray[] {batch}, new INDArray[0]);
    for (int i = 0; i < 40; i++) {
      sd.fit(data);
    }
    double after = sd.outputSingle(Map.of("images", batch), "loss").getDouble(0);
    assertThat(after).isLessThan(0.8 * before);
  }

  private static SDVariable unit(SDVariable x) {
    return x.div(x.norm2(true, 1));
  }
}
