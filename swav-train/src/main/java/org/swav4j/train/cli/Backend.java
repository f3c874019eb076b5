package org.swav4j.train.cli;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.dnnl.dnnl_version_t;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.Loader;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOps;
import org.nd4j.nativeblas.NativeOpsHolder;
import org.swav4j.train.loop.TrainingException;

/**
 * The native numeric libraries as they run here.
 *
 * @param name {@code CPU} or {@code CUDA}
 * @param build what the native library says of how it was built, one fact an entry
 * @param oneDnnHelpers whether ND4J's own convolutions use oneDNN
 * @param library the native library's file, empty if not told
 * @param threads of native operations
 */
record Backend(
    String name, List<String> build, boolean oneDnnHelpers, String library, int threads) {
  private static final String NO_DEVICE =
      "the CUDA back end found no usable device: it needs an NVIDIA driver and a device of compute"
          + " capability 3.7 to 8.9; build for the processor instead with SWAV_BACKEND=cpu ./swav"
          + " (or ./mvnw package)";

  private static final String OTHER_CACHE =
      "name another folder with SWAV_JAVA_FLAGS=-Dorg.bytedeco.javacpp.cachedir=DIR";

  /** Compute capabilities, times ten, that ND4J's CUDA library holds code for. */
  private static final int OLDEST_DEVICE = 37;

  private static final int NEWEST_DEVICE = 89;

  /**
   * Loads the native library if that has not happened yet.
   *
   * @throws TrainingException if it can't be loaded, with the likely cause and what to do
   */
  static Backend start() {
    if (cudaOnClassPath()) {
      requireDevice();
    }
    try {
      String name = Nd4j.getExecutioner().getEnvironmentInformation().getProperty("backend");
      NativeOps ops = NativeOpsHolder.getInstance().getDeviceNativeOps();
      boolean cpu = "CPU".equals(name);
      // Without a device ND4J silently takes the processor if that is on the class path too.
      if (cpu ? cudaOnClassPath() : ops.getAvailableDevices() < 1) {
        throw new TrainingException(NO_DEVICE);
      }
      List<String> build = ops.buildInfo().lines().map(String::strip).toList();
      return new Backend(
          name == null ? Nd4j.getBackend().getClass().getSimpleName() : name,
          build,
          build.contains("HAVE_ONEDNN"),
          loaded().getOrDefault("jnind4jcpu", loaded().getOrDefault("jnind4jcuda", "")),
          ops.ompGetMaxThreads());
    } catch (LinkageError | RuntimeException e) {
      if (e instanceof TrainingException known) {
        throw known;
      }
      throw new TrainingException(explain(e), e);
    }
  }

  /**
   * Asks CUDA itself, before ND4J does, which prints a stack trace where it finds no device. By
   * reflection: CUDA's classes are there only if it was built for.
   *
   * @throws TrainingException if the first device is missing or one that ND4J has no code for
   */
  private static void requireDevice() {
    int capability;
    try {
      Class<?> cuda = Class.forName("org.bytedeco.cuda.global.cudart");
      int[] count = {0};
      cuda.getMethod("cudaGetDeviceCount", int[].class).invoke(null, (Object) count);
      if (count[0] < 1) {
        throw new TrainingException(NO_DEVICE);
      }
      capability =
          10 * attribute(cuda, "cudaDevAttrComputeCapabilityMajor")
              + attribute(cuda, "cudaDevAttrComputeCapabilityMinor");
    } catch (ReflectiveOperationException | LinkageError e) {
      throw new TrainingException(NO_DEVICE + " [" + root(e) + "]", e);
    }
    if (capability < OLDEST_DEVICE || capability > NEWEST_DEVICE) {
      throw new TrainingException(
          "the first CUDA device is of compute capability "
              + capability / 10
              + "."
              + capability % 10
              + ": "
              + NO_DEVICE);
    }
  }

  private static int attribute(Class<?> cuda, String name) throws ReflectiveOperationException {
    int[] value = {0};
    cuda.getMethod("cudaDeviceGetAttribute", int[].class, int.class, int.class)
        .invoke(null, value, cuda.getField(name).getInt(null), 0);
    return value[0];
  }

  /** What a failure to load most likely means. */
  static String explain(Throwable failure) {
    StringBuilder all = new StringBuilder();
    for (Throwable t = failure; t != null; t = t.getCause()) {
      all.append(t).append(' ');
    }
    String text = all.toString();
    if (cudaOnClassPath()) {
      return NO_DEVICE + " [" + root(failure) + "]";
    }
    if (text.contains("No space left")) {
      return "no space to unpack the native libraries into ~/.javacpp/cache (about 500 MB): free"
          + " some, or "
          + OTHER_CACHE;
    }
    if (text.contains("failed to map segment") || text.contains("Operation not permitted")) {
      return "the folder that native libraries are unpacked into doesn't let them run, it is probably"
          + " mounted noexec ("
          + root(failure).replaceAll("^(\\S+): .*", "$1")
          + "): "
          + OTHER_CACHE;
    }
    if (text.contains("Could not create the cache")) {
      return "neither ~/.javacpp/cache nor the temporary folder can be written, and native libraries"
          + " are unpacked there (about 500 MB): "
          + OTHER_CACHE;
    }
    return "the native numeric library did not start ("
        + root(failure)
        + "): are the natives of this system and processor in swav-train/target/lib? './mvnw"
        + " -DskipTests package' on this computer picks them";
  }

  private static String root(Throwable failure) {
    Throwable t = failure;
    while (t.getCause() != null && t.getCause() != t) {
      t = t.getCause();
    }
    return String.valueOf(t.getMessage() == null ? t.getClass().getSimpleName() : t.getMessage())
        .replaceAll("\\s*\\R\\s*", " ");
  }

  private static boolean cudaOnClassPath() {
    return Backend.class
            .getClassLoader()
            .getResource("org/nd4j/linalg/jcublas/JCublasBackend.class")
        != null;
  }

  private static Map<String, String> loaded() {
    return new TreeMap<>(Loader.getLoadedLibraries());
  }

  /** The version of the oneDNN that is driven directly, or why it can't be. */
  static String oneDnn() {
    try {
      dnnl_version_t version = dnnl.dnnl_version();
      return version.major() + "." + version.minor() + "." + version.patch();
    } catch (LinkageError e) {
      return "not available: " + root(e);
    }
  }
}
