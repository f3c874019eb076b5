package org.swav4j.data;

/** One image could not be read. The source and its other images are not affected. */
public final class UnreadableImageException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String image;
  private final String reason;

  /**
   * @param image which one: a path, or its number and the file that holds it
   * @param reason what is wrong with it, in one line
   */
  public UnreadableImageException(String image, String reason) {
    this(image, reason, null);
  }

  /**
   * @param image which one: a path, or its number and the file that holds it
   * @param reason what is wrong with it, in one line
   * @param cause what the operating system or the decoder said; may be null
   */
  public UnreadableImageException(String image, String reason, Throwable cause) {
    super(image + ": " + reason, cause);
    this.image = image;
    this.reason = reason;
  }

  /** Which image. */
  public String image() {
    return image;
  }

  /** What is wrong with it. */
  public String reason() {
    return reason;
  }
}
