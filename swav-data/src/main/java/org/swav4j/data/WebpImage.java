package org.swav4j.data;

final class WebpImage {
  private WebpImage() {}

  static EncodedImage parse(byte[] bytes) throws EncodedImage.MalformedException {
    throw new EncodedImage.MalformedException(ImageFormat.WEBP + " is not supported");
  }
}
