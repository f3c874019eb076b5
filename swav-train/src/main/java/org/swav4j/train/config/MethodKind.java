package org.swav4j.train.config;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** The methods that the command line offers. */
public enum MethodKind implements Setting.Described {
  /** Swapped prediction of cluster codes: {@link org.swav4j.train.method.SwavMethod}. */
  SWAV("crops predict each other's cluster codes", true),
  /**
   * Views of an image find each other among a batch: {@link org.swav4j.train.method.SimClrMethod}.
   */
  SIMCLR("views of an image find each other in the batch", false),
  /**
   * Clusters of all images, found anew for each epoch, are predicted: {@link
   * org.swav4j.train.method.DeepClusterMethod}.
   */
  DEEPCLUSTER_V2("`prototypes` clusters of all images, found anew for each epoch", true),
  /**
   * Classes are learned from labels, the measure of what can be reached: {@link
   * org.swav4j.train.method.SupervisedMethod}.
   */
  SUPERVISED("labels; `prototypes` are the classes", false),
  /**
   * Nothing is learned, the measure of what is there without: {@link
   * org.swav4j.train.method.RandomMethod}.
   */
  RANDOM("nothing: the network as it begins", false);

  private final String about;
  private final boolean clusters;

  MethodKind(String about, boolean clusters) {
    this.about = about;
    this.clusters = clusters;
  }

  /** As on the command line. */
  @Override
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  @Override
  public String about() {
    return about;
  }

  /** Whether its prototypes are clusters of embeddings, of which there may be several sets. */
  public boolean clusters() {
    return clusters;
  }

  /** Those whose prototypes are clusters, for messages. */
  static String withClusters() {
    return Arrays.stream(values())
        .filter(MethodKind::clusters)
        .map(MethodKind::label)
        .collect(Collectors.joining(" and "));
  }
}
