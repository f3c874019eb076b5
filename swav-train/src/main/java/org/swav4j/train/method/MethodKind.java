package org.swav4j.train.method;

import java.util.Locale;

/** The methods that the command line offers. */
public enum MethodKind {
  /** Swapped prediction of cluster codes: {@link SwavMethod}. */
  SWAV,
  /** Views of an image find each other among a batch: {@link SimClrMethod}. */
  SIMCLR,
  /**
   * Clusters of all images, found anew for each epoch, are predicted: {@link DeepClusterMethod}.
   */
  DEEPCLUSTER_V2,
  /**
   * Classes are learned from labels, the measure of what can be reached: {@link SupervisedMethod}.
   */
  SUPERVISED,
  /** Nothing is learned, the measure of what is there without: {@link RandomMethod}. */
  RANDOM;

  /** As on the command line. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
