package org.swav4j.model.engine.onednn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.bytedeco.dnnl.global.dnnl.*;

import org.bytedeco.dnnl.dnnl_memory_desc_t;
import org.junit.jupiter.api.Test;

/** What is said of the bytes of a tensor without touching them. */
class LayoutTest {
  private static Layout tagged(int tag, long... dims) {
    dnnl_memory_desc_t md = new dnnl_memory_desc_t();
    Dnnl.check(dnnl_memory_desc_init_by_tag(md, dims.length, dims, dnnl_f32, tag), "describing");
    return Layout.copyOf(md);
  }

  @Test
  void imagesWhoseChannelsLieOneAfterTheOtherAreOneImage() {
    for (int tag : new int[] {dnnl_nchw, dnnl_nChw8c, dnnl_nChw16c}) {
      Layout one = tagged(tag, 5, 32, 3, 7).asOneImage();
      assertThat(one.same(tagged(tag, 1, 160, 3, 7))).as("%s", one).isTrue();
    }
  }

  @Test
  void imagesOfPaddedOrInnermostChannelsAreNot() {
    assertThat(tagged(dnnl_nhwc, 5, 32, 3, 7).asOneImage()).isNull();
    assertThat(tagged(dnnl_nChw16c, 5, 24, 3, 7).asOneImage()).isNull();
    assertThat(tagged(dnnl_NChw16n16c, 16, 32, 3, 7).asOneImage()).isNull();
    assertThat(tagged(dnnl_nc, 5, 32).asOneImage()).isNull();
  }

  @Test
  void channelsInnermostOfASinglePixelAreOneAfterTheOther() {
    Layout one = tagged(dnnl_nhwc, 5, 32, 1, 1).asOneImage();
    assertThat(one.bytes()).isEqualTo(5 * 32 * 4);
    assertThat(one.dim(1)).isEqualTo(160);
  }
}
