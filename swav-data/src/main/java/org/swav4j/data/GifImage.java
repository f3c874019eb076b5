package org.swav4j.data;

final class GifImage {
  private GifImage() {}

  static EncodedImage parse(byte[] bytes) throws EncodedImage.MalformedException {
    throw new EncodedImage.MalformedException(ImageFormat.GIF + " is not supported");
  }
}
