package org.swav4j.train.config;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.swav4j.data.CropSpec;
import org.swav4j.model.CropGroup;

/** Crop groups in short: {@code 2x32,4x16} is two crops of 32 and four of 16 pixels a side. */
public final class CropNotation {
  private CropNotation() {}

  /** Writes crop groups, without their scales. */
  public static String format(List<CropSpec> crops) {
    return crops.stream().map(c -> c.count() + "x" + c.size()).collect(Collectors.joining(","));
  }

  /**
   * Reads crop groups that need no scales.
   *
   * @throws IllegalArgumentException if a part can't be read
   */
  public static List<CropGroup> groups(String crops) {
    List<CropGroup> groups = new ArrayList<>();
    for (String part : crops.split(",", -1)) {
      if (!part.matches("[0-9]{1,4}x[0-9]{1,5}")) {
        throw new IllegalArgumentException(
            "`crops` is '"
                + crops
                + "', and its part '"
                + part
                + "' can't be read, expected COUNTxSIZE such as 2x32: a count of at most 9999 and a"
                + " side of at most 99999 pixels");
      }
      String[] numbers = part.split("x", 2);
      groups.add(new CropGroup(Integer.parseInt(numbers[0]), Integer.parseInt(numbers[1])));
    }
    return groups;
  }
}
