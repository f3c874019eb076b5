package org.swav4j.train.loop;

import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.MultiDataSetPreProcessor;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/** An iterator of which nothing is known but what the interface says. */
final class Hidden implements MultiDataSetIterator {
  private static final long serialVersionUID = 1;
  private final transient MultiDataSetIterator batches;

  Hidden(MultiDataSetIterator batches) {
    this.batches = batches;
  }

  @Override
  public MultiDataSet next(int images) {
    return batches.next(images);
  }

  @Override
  public void setPreProcessor(MultiDataSetPreProcessor preProcessor) {
    batches.setPreProcessor(preProcessor);
  }

  @Override
  public MultiDataSetPreProcessor getPreProcessor() {
    return batches.getPreProcessor();
  }

  @Override
  public boolean resetSupported() {
    return true;
  }

  @Override
  public boolean asyncSupported() {
    return false;
  }

  @Override
  public void reset() {
    batches.reset();
  }

  @Override
  public boolean hasNext() {
    return batches.hasNext();
  }

  @Override
  public MultiDataSet next() {
    return batches.next();
  }
}
