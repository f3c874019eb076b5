package org.swav4j.model.torch;

import java.util.Optional;

/** What a storage holds, and the bytes of each. */
enum StorageType {
  FLOAT("Float", 4, true),
  DOUBLE("Double", 8, true),
  HALF("Half", 2, true),
  BFLOAT16("BFloat16", 2, true),
  LONG("Long", 8, false),
  INT("Int", 4, false),
  SHORT("Short", 2, false),
  CHAR("Char", 1, false),
  BYTE("Byte", 1, false),
  BOOL("Bool", 1, false),
  COMPLEX_FLOAT("ComplexFloat", 8, false),
  COMPLEX_DOUBLE("ComplexDouble", 16, false);

  private final String label;
  private final int width;
  private final boolean floating;

  StorageType(String label, int width, boolean floating) {
    this.label = label;
    this.width = width;
    this.floating = floating;
  }

  String label() {
    return label;
  }

  int width() {
    return width;
  }

  boolean floating() {
    return floating;
  }

  /** The type of {@code torch.FloatStorage} and its kin, by the name after the dot. */
  static Optional<StorageType> of(String name) {
    for (StorageType type : values()) {
      if (name.equals(type.label + "Storage")) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }
}
