package org.swav4j.data;

final class TiffImage {
  private TiffImage() {}

  static EncodedImage parse(byte[] bytes) throws EncodedImage.MalformedException {
    throw new EncodedImage.MalformedException(ImageFormat.TIFF + " is not supported");
  }
}
