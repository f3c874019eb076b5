package org.swav4j.train.report;

import com.google.gson.JsonObject;
import java.util.List;

/**
 * All that a page shows of a run, as the page's script reads it. What is not known is null, or an
 * empty list.
 *
 * @param name of the run folder
 * @param method that trains it
 * @param written when the view was taken, in the time zone of the machine
 * @param plan how long the run is to be
 * @param rawPixels k-NN accuracy on raw pixels, 0 to 1
 * @param epochs as in {@code metrics.jsonl}, but for the time
 * @param steps the loss within epochs
 * @param advice that was given, in order
 * @param preset the preset that has the most values in common with the run
 * @param settings all of them
 * @param environment what computed the run, from its beginning and each time it went on
 * @param data that it learns from
 * @param crops that the network saw; null without images
 * @param sample what the network makes of some images; null without images or before training
 */
record RunView(
    String name,
    String method,
    String written,
    Length plan,
    Double rawPixels,
    List<JsonObject> epochs,
    Steps steps,
    List<Advice> advice,
    String preset,
    List<Value> settings,
    List<JsonObject> environment,
    Data data,
    Crops crops,
    SampleView sample) {

  /**
   * How long the run is to be.
   *
   * @param epochs in all
   * @param stepsPerEpoch in each
   */
  record Length(int epochs, int stepsPerEpoch) {}

  /**
   * Means of stretches of steps.
   *
   * @param every steps in a stretch
   * @param step completed at the end of each
   * @param loss mean, in nats
   * @param learningRate of the last
   */
  record Steps(int every, List<Long> step, List<Double> loss, List<Double> learningRate) {}

  /**
   * A line of advice.
   *
   * @param step completed when it was given
   */
  record Advice(long step, String text) {}

  /**
   * A setting.
   *
   * @param flag without dashes
   * @param value as the flag takes it
   * @param preset the value in the preset
   * @param help what it does
   */
  record Value(String flag, String value, String preset, String help) {}

  /**
   * The images of the run.
   *
   * @param spec as {@code --data} takes it
   * @param train images to learn from
   * @param test images held out; null if the images weren't found
   * @param channels 1 or 3
   * @param classes by number
   * @param perClass training images of each
   * @param digest SHA-256, empty if not known
   */
  record Data(
      String spec,
      int train,
      Integer test,
      int channels,
      List<String> classes,
      List<Integer> perClass,
      String digest) {}

  /**
   * Views of a few images as the loader renders them for training.
   *
   * @param epoch that they are of, from 1
   * @param groups of crops of one size; picture {@code crop * images.size() + image} of each sheet
   * @param images their names
   */
  record Crops(int epoch, List<Group> groups, List<String> images) {}

  /**
   * Crops of one size.
   *
   * @param count of each image
   * @param size side that the network sees, in pixels
   * @param minScale least share of the image's area
   * @param maxScale greatest share
   */
  record Group(int count, int size, double minScale, double maxScale, Sheet.Encoded sheet) {}

  /**
   * What the network makes of a sample of the training images.
   *
   * @param epoch after which it was looked at
   * @param names of the images
   * @param thumbnails of them, in order
   * @param gallery of them
   * @param seconds that it took
   */
  record SampleView(
      int epoch, List<String> names, Sheet.Encoded thumbnails, Gallery gallery, double seconds) {}
}
