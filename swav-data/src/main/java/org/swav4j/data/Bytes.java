package org.swav4j.data;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/** Numbers in a file's content, in one byte order. Reading past the end gives zeros. */
final class Bytes {
  private final byte[] bytes;
  private final boolean bigEndian;

  Bytes(byte[] bytes, boolean bigEndian) {
    this.bytes = bytes;
    this.bigEndian = bigEndian;
  }

  int length() {
    return bytes.length;
  }

  int u8(long at) {
    return at >= 0 && at < bytes.length ? bytes[(int) at] & 0xff : 0;
  }

  int u16(long at) {
    return bigEndian ? u8(at) << 8 | u8(at + 1) : u8(at) | u8(at + 1) << 8;
  }

  int u24(long at) {
    return bigEndian ? u16(at) << 8 | u8(at + 2) : u16(at) | u8(at + 2) << 16;
  }

  long u32(long at) {
    return bigEndian ? (long) u16(at) << 16 | u16(at + 2) : u16(at) | (long) u16(at + 2) << 16;
  }

  int s32(long at) {
    return (int) u32(at);
  }

  boolean startsWith(int at, int... values) {
    if (bytes.length - at < values.length) {
      return false;
    }
    for (int i = 0; i < values.length; i++) {
      if (u8(at + i) != values[i]) {
        return false;
      }
    }
    return true;
  }

  boolean startsWith(int at, String latin1) {
    return bytes.length - at >= latin1.length()
        && latin1.equals(new String(bytes, at, latin1.length(), ISO_8859_1));
  }
}
