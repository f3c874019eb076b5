package org.swav4j.model.torch;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Reads Python's pickles of protocols 2 to 5 (<a
 * href="https://github.com/python/cpython/blob/3.11/Lib/pickletools.py">instructions</a>) as far as
 * data need them: numbers, texts, bytes, lists, tuples and dictionaries. A pickle is a program
 * whose power lies in the names it may call; here a name is what {@link Names} makes of it, and any
 * other is refused.
 *
 * <p>Dictionaries become {@link LinkedHashMap}, lists and tuples {@link List}, whole numbers Long
 * (or BigInteger), {@code None} null, but {@link None} in a list. Memory is bounded by the length
 * of the pickle.
 */
final class Pickle {
  /** What a pickle may name. */
  interface Names {
    /**
     * What a global name stands for: a {@link Callable}, or a value.
     *
     * @throws IOException if it is unknown
     */
    Object global(String module, String name) throws IOException;

    /**
     * The object behind a persistent identifier.
     *
     * @throws IOException if it is none
     */
    Object persistent(Object id) throws IOException;
  }

  /** A name that may be called. */
  @FunctionalInterface
  interface Callable {
    Object call(List<?> arguments) throws IOException;
  }

  private static final Object MARK = new Object();

  private final InputStream in;
  private final Names names;
  private final Deque<Object> stack = new ArrayDeque<>();
  private final Map<Long, Object> memo = new HashMap<>();

  private Pickle(InputStream in, Names names) {
    this.in = in;
    this.names = names;
  }

  /** Stands for None on the stack and in lists, which hold no null. */
  enum None {
    NONE
  }

  /**
   * Reads one pickle, up to its last byte and no further.
   *
   * @throws EOFException if the stream ends before
   * @throws IOException if it can't be read, is none, or holds what is refused
   */
  static Object read(InputStream in, Names names) throws IOException {
    try {
      return plain(new Pickle(in, names).run());
    } catch (ClassCastException | IndexOutOfBoundsException e) {
      throw new IOException("its pickle is damaged: an instruction doesn't find what it needs", e);
    }
  }

  private Object run() throws IOException {
    while (true) {
      int instruction = next();
      switch (instruction) {
        case '.' -> {
          return pop();
        }
        case 0x80 -> { // PROTO
          int protocol = next();
          if (protocol < 2 || protocol > 5) {
            throw new IOException("it is a pickle of protocol " + protocol + ", expected 2 to 5");
          }
        }
        case 0x95 -> bytes(8); // FRAME
        case '(' -> stack.push(MARK);
        case '0' -> pop();
        case '1' -> marked(); // POP_MARK
        case '2' -> stack.push(peek()); // DUP
        case 'N' -> push(null);
        case 0x88 -> push(true);
        case 0x89 -> push(false);
        case 'J' -> push((long) little(4).getInt());
        case 'K' -> push((long) next());
        case 'M' -> push((long) (little(2).getShort() & 0xffff));
        case 0x8a -> push(integer(next()));
        case 0x8b -> push(integer(little(4).getInt()));
        case 'G' -> push(ByteBuffer.wrap(bytes(8)).getDouble());
        case 'X' -> push(text(little(4).getInt() & 0xffffffffL));
        case 0x8c -> push(text(next()));
        case 0x8d -> push(text(little(8).getLong()));
        case 'T' -> push(latin(little(4).getInt()));
        case 'U' -> push(latin(next()));
        case 'B' -> push(bytes(little(4).getInt() & 0xffffffffL));
        case 'C' -> push(bytes(next()));
        case 0x8e -> push(bytes(little(8).getLong()));
        case ')' -> push(List.of());
        case 't' -> push(marked());
        case 0x85 -> push(last(1));
        case 0x86 -> push(last(2));
        case 0x87 -> push(last(3));
        case ']', 0x8f -> push(new ArrayList<>()); // EMPTY_LIST, EMPTY_SET
        case 'l' -> push(marked());
        case 'a' -> {
          Object element = pop();
          list(peek()).add(element);
        }
        case 'e', 0x90 -> { // APPENDS, ADDITEMS
          List<Object> elements = marked();
          list(peek()).addAll(elements);
        }
        case 0x91 -> push(marked()); // FROZENSET
        case '}' -> push(new LinkedHashMap<>());
        case 'd' -> {
          List<Object> pairs = marked();
          push(new LinkedHashMap<>());
          put(pairs);
        }
        case 's' -> put(last(2));
        case 'u' -> put(marked());
        case 'q' -> memo.put((long) next(), peek());
        case 'r' -> memo.put(little(4).getInt() & 0xffffffffL, peek());
        case 0x94 -> memo.put((long) memo.size(), peek());
        case 'h' -> stack.push(remembered(next()));
        case 'j' -> stack.push(remembered(little(4).getInt() & 0xffffffffL));
        case 'c' -> push(names.global(line(), line()));
        case 0x93 -> { // STACK_GLOBAL
          String name = (String) pop();
          push(names.global((String) pop(), name));
        }
        case 'R', 0x81 -> { // REDUCE, NEWOBJ
          List<?> arguments = (List<?>) pop();
          push(((Callable) pop()).call(arguments));
        }
        case 'b' -> { // BUILD: attributes of an OrderedDict say nothing of its content
          pop();
          if (!(peek() instanceof Map)) {
            throw new IOException("its pickle sets attributes of what is no dictionary");
          }
        }
        case 'Q' -> push(names.persistent(pop()));
        default ->
            throw new IOException(
                String.format(
                    Locale.ROOT,
                    "its pickle has the instruction 0x%02x, which tensors and containers don't need",
                    instruction));
      }
    }
  }

  private int next() throws IOException {
    int b = in.read();
    if (b < 0) {
      throw new EOFException();
    }
    return b;
  }

  private byte[] bytes(long n) throws IOException {
    if (n < 0 || n > Integer.MAX_VALUE - 8) {
      throw new IOException("its pickle is damaged: a value of " + n + " bytes");
    }
    byte[] read = in.readNBytes((int) n);
    if (read.length < n) {
      throw new EOFException();
    }
    return read;
  }

  private ByteBuffer little(int n) throws IOException {
    return ByteBuffer.wrap(bytes(n)).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Two's complement, little-endian. */
  private Object integer(int n) throws IOException {
    byte[] digits = bytes(n);
    for (int i = 0; i < n / 2; i++) {
      byte b = digits[i];
      digits[i] = digits[n - 1 - i];
      digits[n - 1 - i] = b;
    }
    BigInteger value = n == 0 ? BigInteger.ZERO : new BigInteger(digits);
    return value.bitLength() < 64 ? (Object) value.longValue() : value;
  }

  private String text(long n) throws IOException {
    return new String(bytes(n), StandardCharsets.UTF_8);
  }

  private String latin(int n) throws IOException {
    return new String(bytes(n), StandardCharsets.ISO_8859_1);
  }

  private String line() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int b = next(); b != '\n'; b = next()) {
      if (line.length() == 1000) {
        throw new IOException("its pickle is damaged: a name of more than 1000 letters");
      }
      line.append((char) b);
    }
    return line.toString();
  }

  private void push(Object value) {
    stack.push(value == null ? None.NONE : value);
  }

  private Object peek() throws IOException {
    Object top = stack.peek();
    if (top == null || top == MARK) {
      throw new IOException("its pickle is damaged: an instruction finds nothing to work on");
    }
    return top;
  }

  private Object pop() throws IOException {
    peek();
    return stack.pop();
  }

  private static Object plain(Object value) {
    return value == None.NONE ? null : value;
  }

  private List<Object> last(int n) throws IOException {
    Object[] values = new Object[n];
    for (int i = n - 1; i >= 0; i--) {
      values[i] = pop();
    }
    return new ArrayList<>(List.of(values));
  }

  private List<Object> marked() throws IOException {
    List<Object> values = new ArrayList<>();
    while (stack.peek() != MARK) {
      values.add(pop());
    }
    stack.pop();
    Collections.reverse(values);
    return values;
  }

  @SuppressWarnings("unchecked") // lists here hold anything
  private static List<Object> list(Object value) {
    return (List<Object>) value;
  }

  private void put(List<Object> pairs) throws IOException {
    @SuppressWarnings("unchecked") // as above
    Map<Object, Object> map = (Map<Object, Object>) peek();
    for (int i = 0; i < pairs.size(); i += 2) {
      Object key = pairs.get(i);
      // hashing what holds others could go round in a circle
      if (!(key instanceof String || key instanceof Number || key instanceof Boolean)) {
        throw new IOException("a dictionary in it has a key that is neither a text nor a number");
      }
      map.put(key, plain(pairs.get(i + 1)));
    }
  }

  private Object remembered(long at) throws IOException {
    Object value = memo.get(at);
    if (value == null) {
      throw new IOException("its pickle is damaged: it refers to a value that was not kept");
    }
    return value;
  }
}
