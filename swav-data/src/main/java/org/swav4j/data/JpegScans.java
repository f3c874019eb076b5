package org.swav4j.data;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.zip.CRC32;
import org.swav4j.data.EncodedImage.MalformedException;

/**
 * Whether the entropy-coded data of a JPEG hold exactly the blocks that its header promises (ITU-T
 * T.81, annexes F and G). Codes are followed, values are not computed, which takes a fraction of
 * decoding.
 *
 * <p>Decoders fill what is missing with grey and go on where data are damaged, with a warning on
 * standard error that names no file. A flipped bit, a hole or a lost piece shifts all codes after
 * it, and then the data end too early or too late.
 */
final class JpegScans {
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

  /**
   * Contents found sound, by checksum and length, so that later epochs need not follow the codes
   * again: it takes a tenth of decoding, or more where the image is reduced. A later content takes
   * the place of an earlier one.
   */
  private static final AtomicLongArray SOUND = new AtomicLongArray(1 << 17);

  /** Codes up to this many bits are looked up at once. */
  private static final int FAST = 10;

  /** What a lookup gives: bits to skip, and above them how far to go among 64 coefficients. */
  private static final int SKIP = 0xff;

  /** Bytes after the last block of a scan that pass for padding to some alignment. */
  private static final int PADDING = 16;

  /**
   * Eight times the furthest that a mean is from grey is 1024; encoders that sharpen white edges go
   * 31 levels further. Damage in the data stays in all means after it.
   */
  private static final int LARGEST_MEAN = 1300;

  /** Words of zeros in a row that can be no image, unless zeros are the code of flat blocks. */
  private static final int ZERO_WORDS = 8;

  private static final int END_OF_BLOCK = 128; // further than any run

  /** A component of the image. */
  private static final class Component {
    int id;
    int across; // sampling factor
    int down;
    int blocksAcross;
    int blocksDown;
    long[] nonzero; // progressive: a bit for each coefficient of a block, in zigzag order
    int nonzeroAcross;
    final int[] bitsLeft = new int[64]; // lowest bits not sent yet, -1 where nothing was
    boolean seen;
    int quantisation; // table's number
    int dc; // the last block's, not yet times its step
  }

  /** A Huffman table as lookups. */
  private static final class Table {
    final int[] entries = new int[1 << FAST]; // code's bits, and the symbol above them; 0 if longer
    final int[] steps = new int[1 << FAST]; // as SKIP says, for coefficients of a sequential block
    final int[] largest = new int[18]; // code of each length, left-aligned in 16 bits, plus one
    final int[] offset = new int[18];
    final byte[] symbols;

    Table(byte[] counts, byte[] symbols) {
      this.symbols = symbols;
      int code = 0;
      int symbol = 0;
      for (int length = 1; length <= 16; length++) {
        offset[length] = symbol - code;
        for (int i = 0; i < counts[length - 1]; i++, code++, symbol++) {
          if (length <= FAST) {
            fill(code, length, symbols[symbol] & 0xff);
          }
        }
        largest[length] = code << (16 - length);
        code <<= 1;
      }
      largest[17] = Integer.MAX_VALUE;
    }

    private void fill(int code, int length, int symbol) {
      int from = code << (FAST - length);
      int to = Math.min(1 << FAST, from + (1 << (FAST - length)));
      int run = symbol >> 4;
      int size = symbol & 15;
      int go = size == 0 && run < 15 ? END_OF_BLOCK : run + 1;
      for (int i = from; i < to; i++) {
        entries[i] = length | symbol << 8;
        steps[i] = (length + size) | go << 8;
      }
    }
  }

  private final byte[] bytes;
  private final Bytes in;
  private final Table[] dcTables = new Table[4];
  private final Table[] acTables = new Table[4];
  private final int[] meanSteps = new int[4]; // the first value of each quantisation table
  private Component[] components;
  private int width;
  private int height;
  private int maxAcross;
  private int maxDown;
  private boolean progressive;
  private int restartInterval;

  // the scan being read
  private Component[] inScan;
  private int[] dcOf;
  private int[] acOf;
  private int first; // coefficient
  private int last;
  private boolean refines;
  private int endOfBands; // blocks that are still empty

  // the bits: the next one is the highest
  private int at;
  private long held;
  private int count;
  private int zeroWords;
  private boolean zerosAreFlat;

  private JpegScans(byte[] bytes) {
    this.bytes = bytes;
    this.in = new Bytes(bytes, true);
  }

  /**
   * Checks an image.
   *
   * @param bytes a JPEG with Huffman codes whose segments up to the first scan are sound
   * @return the same bytes, or a copy without padding that a decoder would warn of
   * @throws MalformedException if the data don't hold the blocks
   */
  static byte[] check(byte[] bytes) throws MalformedException {
    CRC32 crc = new CRC32();
    crc.update(bytes);
    long key = crc.getValue() << 32 | bytes.length;
    int slot = (int) (crc.getValue() & SOUND.length() - 1);
    if (SOUND.get(slot) == key) {
      return bytes;
    }
    byte[] sound = new JpegScans(bytes).segments();
    if (sound == bytes) {
      SOUND.set(slot, key);
    }
    return sound;
  }

  private byte[] segments() throws MalformedException {
    byte[] sound = bytes;
    int removed = 0;
    at = 2;
    while (true) {
      int marker = marker();
      if (marker == 0xd9) {
        checkComplete();
        return sound;
      }
      if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
        continue;
      }
      int length = in.u16(at);
      int from = at + 2;
      int to = at + length;
      if (length < 2 || to > bytes.length) {
        throw truncated();
      }
      at = to;
      if (marker == 0xc4) {
        tables(from, to);
      } else if (marker == 0xdb) {
        for (int i = from; i < to; i += in.u8(i) >> 4 == 0 ? 65 : 129) {
          meanSteps[in.u8(i) & 3] = in.u8(i) >> 4 == 0 ? in.u8(i + 1) : in.u16(i + 1);
        }
      } else if (marker == 0xdd) {
        restartInterval = in.u16(from);
      } else if (marker == 0xc0 || marker == 0xc1 || marker == 0xc2) {
        frame(marker, from, to);
      } else if (marker == 0xda) {
        scan(from, to);
        int surplus = surplus();
        if (surplus > 0) {
          byte[] shorter = new byte[sound.length - surplus];
          System.arraycopy(sound, 0, shorter, 0, at - removed);
          System.arraycopy(
              sound, at - removed + surplus, shorter, at - removed, shorter.length - at + removed);
          sound = shorter;
          removed += surplus;
          at += surplus;
        }
      }
    }
  }

  private int marker() throws MalformedException {
    if (at + 1 >= bytes.length) {
      throw new MalformedException(
          "truncated JPEG: " + bytes.length + " bytes without an end-of-image marker");
    }
    if (in.u8(at) != 0xff) {
      throw new MalformedException("broken JPEG: no marker at byte " + at);
    }
    while (at < bytes.length && in.u8(at) == 0xff) {
      at++; // any number of fill bytes may precede a marker
    }
    return in.u8(at++);
  }

  /** Bytes of padding after the last block; other data there tell of damage. */
  private int surplus() throws MalformedException {
    int end = at;
    while (end < bytes.length && end - at < PADDING && (in.u8(end) == 0 || isStuffed(end))) {
      end += isStuffed(end) ? 2 : 1;
    }
    boolean marker = end + 1 < bytes.length && in.u8(end) == 0xff;
    if (end + 1 < bytes.length && !marker) {
      int next = end;
      while (next + 1 < bytes.length && (in.u8(next) != 0xff || in.u8(next + 1) == 0)) {
        next++;
      }
      throw new MalformedException(
          "broken JPEG: damaged data, " + (next - at) + " bytes are left after the last block");
    }
    return end - at;
  }

  private boolean isStuffed(int i) {
    return in.u8(i) == 0xff && i + 1 < bytes.length && in.u8(i + 1) == 0;
  }

  private void frame(int marker, int from, int to) throws MalformedException {
    progressive = marker == 0xc2;
    height = in.u16(from + 1);
    width = in.u16(from + 3);
    components = new Component[in.u8(from + 5)];
    if (from + 6 + 3 * components.length > to) {
      throw new MalformedException("broken JPEG: its frame header is too short");
    }
    for (int c = 0; c < components.length; c++) {
      Component component = new Component();
      component.id = in.u8(from + 6 + 3 * c);
      component.across = in.u8(from + 7 + 3 * c) >> 4;
      component.down = in.u8(from + 7 + 3 * c) & 15;
      component.quantisation = in.u8(from + 8 + 3 * c) & 3;
      if (component.across < 1
          || component.across > 4
          || component.down < 1
          || component.down > 4) {
        throw new MalformedException("broken JPEG: sampling factors out of range");
      }
      maxAcross = Math.max(maxAcross, component.across);
      maxDown = Math.max(maxDown, component.down);
      Arrays.fill(component.bitsLeft, -1);
      components[c] = component;
    }
    for (Component component : components) {
      component.blocksAcross = divideUp(width * component.across, 8 * maxAcross);
      component.blocksDown = divideUp(height * component.down, 8 * maxDown);
      if (progressive) {
        component.nonzeroAcross = divideUp(width, 8 * maxAcross) * component.across;
        int down = divideUp(height, 8 * maxDown) * component.down;
        component.nonzero = new long[component.nonzeroAcross * down];
      }
    }
  }

  private static int divideUp(int value, int by) {
    return (value + by - 1) / by;
  }

  private void tables(int from, int to) throws MalformedException {
    int next = from;
    while (next + 17 <= to) {
      int kind = in.u8(next);
      byte[] counts = Arrays.copyOfRange(bytes, next + 1, next + 17);
      int symbols = 0;
      int codes = 0; // left to give out, of 1 << 16
      for (int length = 1; length <= 16; length++) {
        symbols += counts[length - 1] & 0xff;
        codes += (counts[length - 1] & 0xff) << (16 - length);
      }
      if (symbols < 1
          || symbols > 256
          || codes > 1 << 16
          || next + 17 + symbols > to
          || (kind & 0xef) > 3) {
        throw new MalformedException("broken JPEG: a Huffman table that makes no sense");
      }
      Table table = new Table(counts, Arrays.copyOfRange(bytes, next + 17, next + 17 + symbols));
      (kind >> 4 == 0 ? dcTables : acTables)[kind & 15] = table;
      next += 17 + symbols;
    }
  }

  private void scan(int from, int to) throws MalformedException {
    int number = in.u8(from);
    if (components == null || number < 1 || number > 4 || from + 4 + 2 * number > to) {
      throw new MalformedException("broken JPEG: a scan header that makes no sense");
    }
    inScan = new Component[number];
    dcOf = new int[number];
    acOf = new int[number];
    for (int c = 0; c < number; c++) {
      int id = in.u8(from + 1 + 2 * c);
      for (Component component : components) {
        if (component.id == id) {
          inScan[c] = component;
        }
      }
      if (inScan[c] == null) {
        throw new MalformedException("broken JPEG: a scan of an unknown component");
      }
      inScan[c].seen = true;
      dcOf[c] = in.u8(from + 2 + 2 * c) >> 4 & 3;
      acOf[c] = in.u8(from + 2 + 2 * c) & 3;
    }
    first = progressive ? in.u8(from + 1 + 2 * number) : 0;
    last = progressive ? in.u8(from + 2 + 2 * number) : 63;
    int bits = progressive ? in.u8(from + 3 + 2 * number) : 0;
    refines = bits >> 4 != 0;
    if (first > last
        || last > 63
        || (first == 0 && last > 0 && progressive)
        || (first > 0 && number > 1)) {
      throw new MalformedException("broken JPEG: a scan of coefficients " + first + " to " + last);
    }
    for (Component component : inScan) {
      Arrays.fill(component.bitsLeft, first, last + 1, bits & 15);
    }
    held = 0;
    count = 0;
    endOfBands = 0;
    zeroWords = 0;
    zerosAreFlat = true;
    if (!progressive) { // whose correction bits may well be zero
      for (int c = 0; c < number; c++) {
        zerosAreFlat &= (require(dcTables[dcOf[c]]).symbols[0] & 15) == 0;
        zerosAreFlat &= require(acTables[acOf[c]]).symbols[0] == 0;
      }
    }
    resetMeans();
    blocks();
    rewind();
  }

  private void blocks() throws MalformedException {
    boolean alone = inScan.length == 1;
    int across = alone ? inScan[0].blocksAcross : divideUp(width, 8 * maxAcross);
    int down = alone ? inScan[0].blocksDown : divideUp(height, 8 * maxDown);
    int units = 0;
    int restarts = 0;
    for (int y = 0; y < down; y++) {
      for (int x = 0; x < across; x++) {
        if (restartInterval > 0 && units == restartInterval) {
          restart(restarts++);
          units = 0;
        }
        units++;
        for (int c = 0; c < inScan.length; c++) {
          Component component = inScan[c];
          int h = alone ? 1 : component.across;
          int v = alone ? 1 : component.down;
          for (int b = 0; b < h * v; b++) {
            if (progressive) {
              int block = (y * v + b / h) * component.nonzeroAcross + x * h + b % h;
              progressiveBlock(component, c, block);
            } else {
              sequentialBlock(component, dcTables[dcOf[c]], acTables[acOf[c]]);
            }
          }
        }
      }
    }
  }

  /** Gives back the whole bytes that no code used. */
  private void rewind() {
    for (int unused = count / 8; unused > 0; unused--) {
      at -= in.u8(at - 1) == 0 && in.u8(at - 2) == 0xff ? 2 : 1;
    }
    held = 0;
    count = 0;
  }

  private void restart(int number) throws MalformedException {
    rewind();
    endOfBands = 0;
    resetMeans();
    int expected = 0xd0 + number % 8;
    if (at + 1 >= bytes.length || in.u8(at) != 0xff || marker() != expected) {
      throw new MalformedException(
          "broken JPEG: damaged data, restart marker " + number + " is not where it should be");
    }
  }

  private void resetMeans() {
    for (Component component : inScan) {
      component.dc = 0;
    }
  }

  /** The difference to the block before (T.81, F.1.2.1). */
  private void mean(Component component, Table table, int shift) throws MalformedException {
    int size = symbol(table) & 15;
    int bits = take(size);
    component.dc += size > 0 && bits < 1 << (size - 1) ? bits - (1 << size) + 1 : bits;
    int step = meanSteps[component.quantisation];
    if (Math.abs((component.dc << shift) * (long) step) > LARGEST_MEAN + step) {
      throw new MalformedException("broken JPEG: damaged data, values beyond black or white");
    }
  }

  private void sequentialBlock(Component component, Table dc, Table ac) throws MalformedException {
    mean(component, dc, 0);
    int[] steps = ac.steps;
    int k = 1;
    while (k < 64) {
      if (count < 32) {
        fill();
      }
      int step = steps[(int) (held >>> (64 - FAST))];
      if (step == 0) {
        int symbol = symbol(ac);
        skip(symbol & 15);
        k += (symbol & 15) == 0 && symbol < 0xf0 ? END_OF_BLOCK : (symbol >> 4) + 1;
      } else {
        int bits = step & SKIP;
        held <<= bits;
        count -= bits;
        if (count < 0) {
          throw truncated();
        }
        k += step >> 8;
      }
    }
    if (k > 64 && k < END_OF_BLOCK) {
      throw new MalformedException("broken JPEG: damaged data, a block of more than 64 values");
    }
  }

  private void progressiveBlock(Component component, int c, int block) throws MalformedException {
    if (first == 0) {
      if (refines) {
        skip(1);
      } else {
        mean(component, require(dcTables[dcOf[c]]), component.bitsLeft[0]);
      }
    } else if (refines) {
      refine(component, require(acTables[acOf[c]]), block);
    } else {
      band(component, require(acTables[acOf[c]]), block);
    }
  }

  private static Table require(Table table) throws MalformedException {
    if (table == null) {
      throw new MalformedException("broken JPEG: a Huffman table is missing");
    }
    return table;
  }

  /** The first bits of a band's coefficients (T.81, G.1.2.2). */
  private void band(Component component, Table table, int block) throws MalformedException {
    if (endOfBands > 0) {
      endOfBands--;
      return;
    }
    long nonzero = component.nonzero[block];
    for (int k = first; k <= last; k++) {
      int symbol = symbol(table);
      int run = symbol >> 4;
      int size = symbol & 15;
      if (size == 0 && run < 15) {
        endOfBands = (1 << run) - 1 + take(run);
        break;
      }
      k += run;
      if (k > 63) {
        throw new MalformedException("broken JPEG: damaged data, a block of more than 64 values");
      }
      if (size > 0) {
        nonzero |= 1L << k;
        skip(size);
      }
    }
    component.nonzero[block] = nonzero;
  }

  /** One more bit of each coefficient that is not zero yet, and those that become so (G.1.2.3). */
  private void refine(Component component, Table table, int block) throws MalformedException {
    long before = component.nonzero[block];
    long nonzero = before;
    int k = first;
    if (endOfBands == 0) {
      while (k <= last) {
        int symbol = symbol(table);
        int run = symbol >> 4;
        boolean becomes = (symbol & 15) != 0;
        if (!becomes && run < 15) {
          endOfBands = (1 << run) + take(run);
          break;
        }
        if (becomes) {
          skip(1);
        }
        int corrections = 0;
        while (k <= last && ((before >>> k & 1) != 0 || run-- > 0)) {
          corrections += (int) (before >>> k & 1);
          k++;
        }
        skipMany(corrections);
        if (becomes && k <= last) {
          nonzero |= 1L << k;
        }
        k++;
      }
    }
    if (endOfBands > 0) {
      if (k <= last) {
        long rest = before >>> k << k & -1L >>> (63 - last);
        skipMany(Long.bitCount(rest));
      }
      endOfBands--;
    }
    component.nonzero[block] = nonzero;
  }

  private void skipMany(int bits) throws MalformedException {
    int left = bits;
    while (left > 16) {
      skip(16);
      left -= 16;
    }
    skip(left);
  }

  private int symbol(Table table) throws MalformedException {
    if (count < 32) {
      fill();
    }
    int entry = table.entries[(int) (held >>> (64 - FAST))];
    int length;
    int symbol;
    if (entry != 0) {
      length = entry & 0xff;
      symbol = entry >> 8;
    } else {
      int code = (int) (held >>> 48);
      length = 1;
      while (code >= table.largest[length]) {
        length++;
      }
      int index = length > 16 ? -1 : (code >> (16 - length)) + table.offset[length];
      if (index < 0 || index >= table.symbols.length) {
        if (count < 16) {
          throw truncated();
        }
        throw new MalformedException("broken JPEG: damaged data, an unknown code");
      }
      symbol = table.symbols[index] & 0xff;
    }
    held <<= length;
    count -= length;
    if (count < 0) {
      throw truncated();
    }
    return symbol;
  }

  /** At most 16 bits. */
  private void skip(int bits) throws MalformedException {
    if (count < bits) {
      fill();
    }
    held <<= bits;
    count -= bits;
    if (count < 0) {
      throw truncated();
    }
  }

  private int take(int bits) throws MalformedException {
    if (bits == 0) {
      return 0;
    }
    if (count < bits) {
      fill();
    }
    int value = (int) (held >>> (64 - bits));
    skip(bits);
    return value;
  }

  /** More bits, up to the next marker; a zero after 255 only says that this is none. */
  private void fill() throws MalformedException {
    if (at + 4 <= bytes.length && count <= 32) {
      int four = (int) INT.get(bytes, at);
      int other = ~four; // a byte of 255 is 0 here
      if (((other - 0x01010101) & ~other & 0x80808080) == 0) {
        held |= (four & 0xffffffffL) << (32 - count);
        count += 32;
        at += 4;
        zeroWords = four == 0 ? zeroWords + 1 : 0;
        if (zeroWords >= ZERO_WORDS && !zerosAreFlat) {
          throw new MalformedException(
              "broken JPEG: damaged data, nothing but zeros before byte " + at);
        }
        return;
      }
    }
    while (count <= 56 && at < bytes.length) {
      int value = bytes[at] & 0xff;
      if (value == 0xff) {
        if (at + 1 >= bytes.length || bytes[at + 1] != 0) {
          return;
        }
        at++;
      }
      at++;
      held |= (long) value << (56 - count);
      count += 8;
    }
  }

  private MalformedException truncated() {
    return new MalformedException(
        at + 2 >= bytes.length
            ? "truncated JPEG: " + bytes.length + " bytes end in the image data"
            : "truncated JPEG: its image data end at byte " + at + ", before the last block");
  }

  private void checkComplete() throws MalformedException {
    if (components == null) {
      throw new MalformedException("broken JPEG: no image data");
    }
    for (Component component : components) {
      boolean complete = component.seen && component.bitsLeft[0] == 0;
      for (int bits : component.bitsLeft) {
        complete &= bits <= 0;
      }
      if (!complete) {
        throw new MalformedException("truncated JPEG: scans that complete the image are missing");
      }
    }
  }
}
