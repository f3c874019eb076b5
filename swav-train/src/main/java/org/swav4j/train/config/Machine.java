package org.swav4j.train.config;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** What this computer and this process have; Linux says more than other systems. */
public final class Machine {
  private Machine() {}

  /** Cores this process may use. */
  public static int cores() {
    return Runtime.getRuntime().availableProcessors();
  }

  /** Threads that decode and crop where none are asked for: half of the cores, at least one. */
  public static int loaderWorkers() {
    return Math.max(1, cores() / 2);
  }

  /** Threads of native operations: what {@code OMP_NUM_THREADS} says, else all cores. */
  public static int nativeThreads() {
    String set = System.getenv("OMP_NUM_THREADS");
    return set != null && set.matches("[1-9][0-9]{0,4}") ? Integer.parseInt(set) : cores();
  }

  /** The processor's model name, where the system tells. */
  public static Optional<String> processor() {
    return value("/proc/cpuinfo", "model name");
  }

  /**
   * Which of these instruction sets the processor has; empty as well where the system does not say.
   */
  public static List<String> instructionSets() {
    String flags = value("/proc/cpuinfo", "flags").map(f -> " " + f + " ").orElse("");
    return Stream.of("avx2", "avx512f", "avx512_bf16", "amx_bf16", "amx_tile")
        .filter(f -> flags.contains(" " + f + " "))
        .toList();
  }

  /** Memory of the computer in bytes. */
  public static OptionalLong memory() {
    return kibibytes("/proc/meminfo", "MemTotal");
  }

  /** Largest resident size of this process so far, in bytes. */
  public static OptionalLong peakResident() {
    return kibibytes("/proc/self/status", "VmHWM");
  }

  /** Resident size of this process now, in bytes. */
  public static OptionalLong resident() {
    return kibibytes("/proc/self/status", "VmRSS");
  }

  /**
   * Whether and how the kernel gives huge pages: {@code always}, {@code madvise}, {@code never}.
   */
  public static Optional<String> hugePages() {
    try {
      String line = Files.readString(Path.of("/sys/kernel/mm/transparent_hugepage/enabled"));
      int from = line.indexOf('[');
      int to = line.indexOf(']');
      return from < 0 || to < from
          ? Optional.empty()
          : Optional.of(line.substring(from + 1, to).strip());
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /**
   * What hands out native memory: the C library, or a replacement loaded before it ({@code
   * LD_PRELOAD}).
   */
  public static Optional<String> allocator() {
    try {
      String libraries = Files.readString(Path.of("/proc/self/maps"));
      return Stream.of("jemalloc", "tcmalloc", "mimalloc", "musl", "libc.so")
          .filter(libraries::contains)
          .map(name -> name.equals("libc.so") ? "glibc" : name)
          .findFirst();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /**
   * Whether OpenMP's threads sleep while they wait; it reads this once, when the process starts.
   */
  public static boolean idleThreadsSleep() {
    return "passive".equalsIgnoreCase(System.getenv("OMP_WAIT_POLICY"));
  }

  private static OptionalLong kibibytes(String file, String key) {
    Optional<String> text = value(file, key);
    return text.isPresent() && text.get().matches("\\d+ kB")
        ? OptionalLong.of(1024 * Long.parseLong(text.get().replace(" kB", "")))
        : OptionalLong.empty();
  }

  private static Optional<String> value(String file, String key) {
    try (Stream<String> lines = Files.lines(Path.of(file))) {
      return lines
          .filter(l -> l.startsWith(key))
          .map(l -> l.substring(l.indexOf(':') + 1).strip())
          .findFirst();
    } catch (IOException | UncheckedIOException e) {
      return Optional.empty();
    }
  }

  /** {@code 1.6 GiB}. */
  public static String readable(long bytes) {
    if (bytes < 1L << 20) {
      return String.format(Locale.ROOT, "%.1f KiB", bytes / 1024.0);
    }
    return bytes < 1L << 30
        ? String.format(Locale.ROOT, "%.0f MiB", bytes / (double) (1L << 20))
        : String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1L << 30));
  }
}
