package org.swav4j.model.engine.onednn;

import static org.bytedeco.dnnl.global.dnnl.*;

import java.util.Locale;
import org.bytedeco.dnnl.dnnl_engine;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.dnnl.dnnl_version_t;
import org.bytedeco.javacpp.Pointer;

/** The process's oneDNN: its engine, its status codes, its instruction set. */
final class Dnnl {
  private Dnnl() {}

  /** Made on first use, so that a missing library shows there and not on loading this class. */
  private static final class Holder {
    static final dnnl_engine ENGINE = new dnnl_engine();

    static {
      check(dnnl_engine_create(ENGINE, dnnl_cpu, 0), "making the CPU engine");
    }
  }

  /** The CPU engine; shared by all executions and never destroyed. */
  static dnnl_engine engine() {
    return Holder.ENGINE;
  }

  static dnnl_stream stream(Resources resources) {
    dnnl_stream stream = new dnnl_stream();
    check(dnnl_stream_create(stream, engine(), dnnl_stream_default_flags), "making a stream");
    resources.add(() -> dnnl_stream_destroy(stream));
    return stream;
  }

  /**
   * Does nothing if the call succeeded.
   *
   * @param doing what was tried, for the message
   * @throws IllegalStateException naming oneDNN's status otherwise
   */
  static void check(int status, String doing) {
    if (status != dnnl_success) {
      throw failure(status, doing);
    }
  }

  private static IllegalStateException failure(int status, String doing) {
    String name =
        switch (status) {
          case 1 -> "out of memory";
          case 2 -> "invalid arguments";
          case 3 -> "unimplemented";
          case 4 -> "iterator ends";
          case 5 -> "runtime error";
          case 6 -> "not required";
          default -> "unknown status";
        };
    return new IllegalStateException(
        String.format(Locale.ROOT, "oneDNN failed with status %d (%s) when %s", status, name, doing)
            + ": engine nd4j runs without oneDNN");
  }

  /** For example {@code 2.5.2}. */
  static String version() {
    dnnl_version_t v = dnnl_version();
    return v.major() + "." + v.minor() + "." + v.patch();
  }

  /** The instruction set oneDNN generates code for: the processor's, or a lower cap. */
  static Isa isa() {
    return Isa.of(dnnl_get_effective_cpu_isa());
  }

  /** Instruction sets, by oneDNN's own bit masks. */
  enum Isa {
    SSE41("SSE4.1", 0x1),
    AVX("AVX", 0x3),
    AVX2("AVX2", 0x7),
    AVX2_VNNI("AVX2 VNNI", 0x407),
    AVX512_MIC("AVX-512 (Xeon Phi)", 0xf),
    AVX512("AVX-512", 0x27),
    AVX512_VNNI("AVX-512 VNNI", 0x67),
    AVX512_BF16("AVX-512 BF16", 0xe7),
    AMX("AMX", 0x3e7),
    OTHER("generic", 0);

    private final String label;
    private final int mask;

    Isa(String label, int mask) {
      this.label = label;
      this.mask = mask;
    }

    static Isa of(int mask) {
      for (Isa isa : values()) {
        if (isa.mask == mask) {
          return isa;
        }
      }
      return OTHER;
    }

    /** Whether it multiplies bfloat16 natively. */
    boolean hasBf16() {
      return (mask & 0xe7) == 0xe7;
    }

    /** Whether it has vectors of 512 bits in all their forms. */
    boolean hasAvx512() {
      return (mask & 0x27) == 0x27;
    }

    @Override
    public String toString() {
      return label;
    }
  }

  /** A pointer to bytes that someone else owns. */
  static Pointer at(long address) {
    // A plain Pointer counts in bytes; a subclass would count in its own size.
    return new Pointer(new Address(address));
  }

  private static final class Address extends Pointer {
    Address(long address) {
      this.address = address;
    }
  }
}
