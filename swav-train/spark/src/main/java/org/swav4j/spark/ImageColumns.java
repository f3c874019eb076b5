package org.swav4j.spark;

import java.util.Arrays;
import java.util.Locale;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** What columns of a table must be like, and one line where they are not. */
final class ImageColumns {
  private ImageColumns() {}

  /**
   * The position of a column that holds images.
   *
   * @throws IllegalArgumentException if there is none of that name, or it is neither binary nor
   *     string
   */
  static int requireImages(StructType schema, String column) {
    return requireImages(schema, column, "inputCol");
  }

  /**
   * The same.
   *
   * @param parameter that names the column, as its user knows it
   */
  static int requireImages(StructType schema, String column, String parameter) {
    if (!Arrays.asList(schema.fieldNames()).contains(column)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "there is no column '%s' among %s: set %s to the one that holds the images, as"
                  + " bytes or as paths",
              column,
              Arrays.toString(schema.fieldNames()),
              parameter));
    }
    int index = schema.fieldIndex(column);
    DataType type = schema.fields()[index].dataType();
    if (!type.equals(DataTypes.BinaryType) && !type.equals(DataTypes.StringType)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "column '%s' is of type %s, expected binary (the content of image files, as"
                  + " spark.read().format(\"binaryFile\") gives it) or string (their paths)",
              column,
              type.simpleString()));
    }
    return index;
  }

  /** Whether a column of images holds paths, not content. */
  static boolean isPath(StructType schema, int index) {
    return schema.fields()[index].dataType().equals(DataTypes.StringType);
  }

  /**
   * Refuses a column that is there already.
   *
   * @throws IllegalArgumentException naming it and the parameter
   */
  static void requireFree(StructType schema, String parameter, String column) {
    if (Arrays.asList(schema.fieldNames()).contains(column)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "there is a column '%s' already: set %s to another name, or drop the column",
              column,
              parameter));
    }
  }
}
