package org.swav4j.data;

/**
 * Draws one textured outline on a cluttered background.
 *
 * <p>Coordinates run from -1 to 1 over the image. Everything is a signed distance, negative inside;
 * a distance of half a pixel either way fades an edge, which is the antialiasing. Colours are
 * linear in [0, 1] until the end.
 */
final class ShapePainter {
  private static final int GRID = 4; // colours of a field in each direction
  private static final float TINT = 0.3f;
  private static final float DARK = 0.25f;
  private static final float BRIGHT = 0.75f;
  private static final int LATTICE = 16; // a power of 2
  private static final float CHECK = 1.5f; // wavelengths per pair of checks
  private static final float COS_36 = 0.80901699f; // degrees
  private static final float SIN_36 = 0.58778525f;
  private static final int DISTRACTORS = 6;

  private final int side;
  private final float pixels; // per unit of length
  private final CounterRandom random;
  private final float[] speckles = new float[LATTICE * LATTICE];
  private final float[] canvas; // RGB, interleaved

  ShapePainter(int side, CounterRandom random) {
    this.side = side;
    this.pixels = side / 2f;
    this.random = random;
    this.canvas = new float[side * side * 3];
  }

  /**
   * @param outline 0 disc, 1 star
   * @param texture 0 none, 1 stripes, 2 zigzag, 3 checks, 4 dots, 5 speckles
   */
  Image paint(int outline, int texture) {
    fill(canvas, field(0.35, 0.65));
    for (int i = 0; i < DISTRACTORS; i++) {
      paintDistractor(0.06, 0.22);
    }
    paintObject(outline, texture);
    paintDistractor(0.04, 0.10); // in front
    return develop();
  }

  /** A coarse grid of colours of any hue, their brightness in a range. */
  private float[] field(double darkest, double brightest) {
    float[] grid = new float[GRID * GRID * 3];
    for (int i = 0; i < grid.length; i += 3) {
      System.arraycopy(colour(darkest, brightest), 0, grid, i, 3);
    }
    return grid;
  }

  /** The field at every pixel, interpolated. */
  private void fill(float[] image, float[] grid) {
    for (int y = 0; y < side; y++) {
      float v = (y + 0.5f) / side * (GRID - 1);
      int row = (int) v;
      for (int x = 0; x < side; x++) {
        float u = (x + 0.5f) / side * (GRID - 1);
        int column = (int) u;
        for (int c = 0; c < 3; c++) {
          int at = (row * GRID + column) * 3 + c;
          float top = mix(grid[at], grid[at + 3], u - column);
          float bottom = mix(grid[at + GRID * 3], grid[at + GRID * 3 + 3], u - column);
          image[(y * side + x) * 3 + c] = mix(top, bottom, v - row);
        }
      }
    }
  }

  /** A disc or a bar of one colour, anywhere. */
  private void paintDistractor(double smallest, double largest) {
    float[] colour = colour(0.1, 0.9);
    float centreX = uniform(-1, 1);
    float centreY = uniform(-1, 1);
    float length = uniform(smallest, largest);
    float width = random.nextInt(2) == 0 ? length : length / 3;
    boolean round = random.nextInt(2) == 0;
    float turn = uniform(0, Math.PI);
    float cos = (float) StrictMath.cos(turn);
    float sin = (float) StrictMath.sin(turn);
    float reach = length * 1.5f;
    for (int y = first(centreY - reach); y < last(centreY + reach); y++) {
      for (int x = first(centreX - reach); x < last(centreX + reach); x++) {
        float dx = position(x) - centreX;
        float dy = position(y) - centreY;
        float along = Math.abs(cos * dx + sin * dy) / length;
        float across = Math.abs(cos * dy - sin * dx) / width;
        float distance =
            round ? (float) Math.sqrt(along * along + across * across) : Math.max(along, across);
        float opacity = coverage((distance - 1) * width);
        int at = (y * side + x) * 3;
        for (int c = 0; c < 3; c++) {
          canvas[at + c] = mix(canvas[at + c], colour[c], opacity);
        }
      }
    }
  }

  private void paintObject(int outline, int texture) {
    float centreX = uniform(-0.25, 0.25);
    float centreY = uniform(-0.25, 0.25);
    float radius = uniform(0.7, 1.0);
    float stretch = uniform(0.88, 1.14);
    float turn = uniform(0, 2 * Math.PI);
    float cos = (float) StrictMath.cos(turn);
    float sin = (float) StrictMath.sin(turn);

    float wavelength = uniform(0.28, 0.40);
    float textureTurn = uniform(0, 2 * Math.PI);
    float textureCos = (float) StrictMath.cos(textureTurn) / wavelength;
    float textureSin = (float) StrictMath.sin(textureTurn) / wavelength;
    float phaseX = uniform(0, 1);
    float phaseY = uniform(0, 1);

    boolean inverse = random.nextInt(2) == 0;
    float[] ink = level(inverse ? BRIGHT : DARK);
    float[] ground = level(inverse ? DARK : BRIGHT);

    for (int i = 0; i < speckles.length; i++) {
      speckles[i] = uniform(0, 1);
    }
    for (int y = 0; y < side; y++) {
      float dy = position(y) - centreY;
      for (int x = 0; x < side; x++) {
        float dx = position(x) - centreX;
        float p = (cos * dx + sin * dy) / (radius * stretch);
        float q = (cos * dy - sin * dx) / radius * stretch;
        float inside = coverage(outline(outline, p, q) * radius);
        if (inside > 0) {
          float u = textureCos * dx + textureSin * dy + phaseX;
          float v = textureCos * dy - textureSin * dx + phaseY;
          float share = texture(texture, u, v, wavelength);
          int at = (y * side + x) * 3;
          for (int c = 0; c < 3; c++) {
            float colour = mix(ground[at + c], ink[at + c], share);
            canvas[at + c] = mix(canvas[at + c], colour, inside);
          }
        }
      }
    }
  }

  /** Colours of one brightness and all hues, at every pixel. */
  private float[] level(float brightness) {
    float[] image = new float[side * side * 3];
    fill(image, field(brightness - 0.1, brightness + 0.1));
    return image;
  }

  /** Outlines of about the same area, 2, so that size is no hint. */
  private static float outline(int kind, float p, float q) {
    return kind == 0 ? (float) Math.sqrt(p * p + q * q) - 0.8f : star(p, q);
  }

  /**
   * Five points of radius 1.2 with notches of radius 0.57. Mirrored into the half of one point,
   * where the edge is one straight line.
   */
  private static float star(float p, float q) {
    float x = Math.abs(p);
    float beyond = 2 * Math.max(0, COS_36 * x - SIN_36 * q);
    x -= beyond * COS_36;
    float y = q + beyond * SIN_36;
    beyond = 2 * Math.max(0, -COS_36 * x - SIN_36 * y);
    x = Math.abs(x + beyond * COS_36);
    y += beyond * SIN_36;
    return 0.9108f * x + 0.4129f * (y - 1.2f);
  }

  /** How much of the ink is at a point given in wavelengths. */
  private float texture(int kind, float u, float v, float wavelength) {
    return switch (kind) {
      case 0 -> 0;
      case 1 -> coverage(triangle(u) * wavelength);
      case 2 -> coverage(triangle(u + 1.6f * Math.abs(centred(0.6f * v))) * 0.7f * wavelength);
      case 3 -> {
        float a = coverage(triangle(u / CHECK) * wavelength * CHECK);
        float b = coverage(triangle(v / CHECK) * wavelength * CHECK);
        yield a * b + (1 - a) * (1 - b);
      }
      case 4 -> {
        // A hexagonal lattice is two rectangular ones, 1 by sqrt 3, one in the centres of the
        // other.
        float w = v / 1.7320508f;
        float even = square(centred(u)) + 3 * square(centred(w));
        float odd = square(centred(u + 0.5f)) + 3 * square(centred(w + 0.5f));
        yield coverage(((float) Math.sqrt(Math.min(even, odd)) - 0.29f) * wavelength);
      }
      default -> coverage((valueNoise(2.2f * u, 2.2f * v) - 0.5f) * 0.45f * wavelength);
    };
  }

  /**
   * Random values at whole coordinates, smoothly interpolated: irregular blobs where cut at 1/2.
   */
  private float valueNoise(float u, float v) {
    int column = (int) Math.floor(u);
    int row = (int) Math.floor(v);
    float x = smooth(u - column);
    float y = smooth(v - row);
    float top = mix(lattice(column, row), lattice(column + 1, row), x);
    float bottom = mix(lattice(column, row + 1), lattice(column + 1, row + 1), x);
    return mix(top, bottom, y);
  }

  private float lattice(int column, int row) {
    return speckles[(row & LATTICE - 1) * LATTICE + (column & LATTICE - 1)];
  }

  private static float smooth(float t) {
    return t * t * (3 - 2 * t);
  }

  /** From -1/4 in the middle of the first half of each period to 1/4 in that of the second. */
  private static float triangle(float u) {
    return Math.abs(centred(u)) - 0.25f;
  }

  /** Distance to the nearest whole number, signed. */
  private static float centred(float u) {
    return u - (float) Math.floor(u + 0.5f);
  }

  /** Multiplies by a gradient of light, adds noise and rounds. */
  private Image develop() {
    float lightX = uniform(-0.3, 0.3);
    float lightY = uniform(-0.3, 0.3);
    float noise = uniform(0.02, 0.04);
    byte[] bytes = new byte[canvas.length];
    for (int y = 0; y < side; y++) {
      for (int x = 0; x < side; x++) {
        float light = 1 + lightX * position(x) + lightY * position(y);
        long bits = random.nextLong();
        int at = (y * side + x) * 3;
        for (int c = 0; c < 3; c++) {
          // The sum of two uniform values: near enough to a normal one, of the same deviation.
          float two = (bits & 0x3ff) + (bits >>> 10 & 0x3ff) - 1023;
          bits >>>= 20;
          float value = canvas[at + c] * light + two * (noise * 2.4495f / 1024);
          bytes[at + c] = (byte) Math.round(255 * Math.max(0, Math.min(1, value)));
        }
      }
    }
    return new Image(side, side, 3, bytes);
  }

  private float[] colour(double darkest, double brightest) {
    float grey = uniform(darkest, brightest);
    return new float[] {
      grey + uniform(-TINT, TINT), grey + uniform(-TINT, TINT), grey + uniform(-TINT, TINT)
    };
  }

  private float uniform(double from, double to) {
    return (float) (from + (to - from) * random.nextDouble());
  }

  private float coverage(float distance) {
    return Math.max(0, Math.min(1, 0.5f - distance * pixels));
  }

  private float position(int pixel) {
    return (pixel + 0.5f) / pixels - 1;
  }

  private int first(float position) {
    return Math.max(0, (int) ((position + 1) * pixels));
  }

  private int last(float position) {
    return Math.min(side, (int) ((position + 1) * pixels) + 1);
  }

  private static float mix(float a, float b, float share) {
    return a + (b - a) * share;
  }

  private static float square(float x) {
    return x * x;
  }
}
