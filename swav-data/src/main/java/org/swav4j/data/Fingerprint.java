package org.swav4j.data;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 of a sequence of texts, numbers and bytes. For one caller at a time. */
final class Fingerprint {
  private final MessageDigest digest;

  Fingerprint() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  Fingerprint add(long number) {
    digest.update(ByteBuffer.allocate(Long.BYTES).putLong(number).flip());
    return this;
  }

  /** With its length before it, so that no two sequences run into the same bytes. */
  Fingerprint add(byte[] bytes) {
    add(bytes.length);
    digest.update(bytes);
    return this;
  }

  Fingerprint add(String text) {
    return add(text.getBytes(UTF_8));
  }

  /** 64 hexadecimal digits, after which it begins anew. */
  String hex() {
    return HexFormat.of().formatHex(digest.digest());
  }

  /** The first 64 bits of the SHA-256 of these bytes alone. */
  static long first(byte[] bytes) {
    return ByteBuffer.wrap(new Fingerprint().digest.digest(bytes)).getLong();
  }
}
