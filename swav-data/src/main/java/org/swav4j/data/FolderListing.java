package org.swav4j.data;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.swav4j.data.LeftOut.Reason;

/**
 * The images in a folder and the folders in it, and a count of everything else that is there.
 *
 * <p>An image is known by its ending, any other file by its first bytes, so that a JPEG is one
 * under any name. Links are followed; one to a folder that it lies in isn't, nor one met behind
 * another link whose folder was read before, so that any tangle of links ends.
 *
 * @param images relative to the folder, sorted
 * @param leftOut the rest
 */
record FolderListing(FileNames images, LeftOut leftOut) {
  /** Endings of the formats that are read. */
  static final List<String> ENDINGS =
      List.of(
          ".jpg", ".jpeg", ".jpe", ".jif", ".jfif", ".png", ".webp", ".tif", ".tiff", ".gif",
          ".bmp", ".dib", ".pbm", ".pgm", ".ppm", ".pnm");

  /** Endings of images to people that aren't read. */
  private static final Map<String, String> OTHER_FORMATS =
      Map.ofEntries(
          Map.entry(".heic", "HEIC"),
          Map.entry(".heif", "HEIC"),
          Map.entry(".avif", "AVIF"),
          Map.entry(".jxl", "JPEG XL"),
          Map.entry(".jp2", "JPEG 2000"),
          Map.entry(".j2k", "JPEG 2000"),
          Map.entry(".svg", "SVG"),
          Map.entry(".psd", "PSD"),
          Map.entry(".exr", "OpenEXR"),
          Map.entry(".tga", "TGA"));

  /** Endings of cameras' raw files. Most are TIFF by their first bytes, holding a thumbnail. */
  private static final Set<String> RAW =
      Set.of(".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw");

  /** What systems put beside files for themselves: thumbnails, resource forks, bins. */
  private static final Set<String> VENDOR =
      Set.of(
          "@eaDir",
          "__MACOSX",
          "@Recycle",
          "@Recently-Snapshot",
          "#recycle",
          "#snapshot",
          "$RECYCLE.BIN",
          "System Volume Information",
          "lost+found");

  /**
   * Lists a folder.
   *
   * @throws IllegalArgumentException if there is no such folder, or no image in it
   * @throws UncheckedIOException if the folder itself can't be listed
   */
  static FolderListing of(Path folder) {
    if (!Files.exists(folder)) {
      throw new IllegalArgumentException(
          "no such folder: "
              + FileNames.text(folder)
              + " (looked for "
              + FileNames.text(folder.toAbsolutePath())
              + "): check the path");
    }
    if (!Files.isDirectory(folder)) {
      throw new IllegalArgumentException(
          FileNames.text(folder)
              + " is a file, expected a folder of images: give the folder that holds it");
    }
    Walk walk = new Walk();
    try {
      walk.begin(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "can't list folder "
              + FileNames.text(folder)
              + ": "
              + Walk.reason(e)
              + ": check its permissions",
          e);
    }
    if (walk.images.isEmpty()) {
      List<String> there = walk.leftOut.sentences();
      throw new IllegalArgumentException(
          there.isEmpty()
              ? "folder "
                  + FileNames.text(folder)
                  + " is empty, expected images: "
                  + String.join(" ", ENDINGS)
              : "no image in "
                  + FileNames.text(folder)
                  + ", expected "
                  + String.join(" ", ENDINGS)
                  + ": "
                  + String.join("; ", there));
    }
    return new FolderListing(FileNames.of(walk.images), walk.leftOut);
  }

  private static final class Walk {
    private final List<FileNames.Entry> images = new ArrayList<>();
    private final LeftOut leftOut = new LeftOut();

    /** Folders that the present one lies in, and those walked so far. */
    private final Deque<Object> above = new ArrayDeque<>();

    private final Set<Object> walked = new HashSet<>();

    private record Folder(Path path, byte[] name, Object key, boolean link) {}

    void begin(Path folder) throws IOException {
      BasicFileAttributes attributes = Files.readAttributes(folder, BasicFileAttributes.class);
      list(new Folder(folder, new byte[0], key(folder, attributes), false), false);
    }

    private static Object key(Path folder, BasicFileAttributes attributes) throws IOException {
      return attributes.fileKey() != null ? attributes.fileKey() : folder.toRealPath();
    }

    private void list(Folder folder, boolean behindLink) throws IOException {
      List<Folder> folders = new ArrayList<>();
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder.path)) {
        for (Path entry : entries) {
          visit(entry, joined(folder.name, FileNames.lastName(entry)), folders);
        }
      } catch (DirectoryIteratorException e) {
        throw e.getCause();
      }
      // In an order that is the file system's nowhere: which of two links is followed depends on
      // it.
      folders.sort((a, b) -> Arrays.compareUnsigned(a.name, b.name));
      above.push(folder.key);
      walked.add(folder.key);
      for (Folder inner : folders) {
        enter(inner, behindLink);
      }
      above.pop();
    }

    private void enter(Folder folder, boolean behindLink) {
      String name = FileNames.text(folder.name);
      if (above.contains(folder.key) || folder.link && behindLink && walked.contains(folder.key)) {
        leftOut.add(Reason.CYCLE, name, "");
        return;
      }
      int depth = above.size();
      try {
        list(folder, behindLink || folder.link);
      } catch (IOException e) {
        leftOut.add(Reason.CLOSED, name, reason(e));
        while (above.size() > depth) {
          above.pop();
        }
      }
    }

    private void visit(Path entry, byte[] name, List<Folder> folders) {
      String last = FileNames.text(FileNames.lastName(entry));
      if (last.startsWith(".") || VENDOR.contains(last)) {
        leftOut.add(Reason.HIDDEN, FileNames.text(name), "");
        return;
      }
      BasicFileAttributes attributes;
      try {
        attributes = Files.readAttributes(entry, BasicFileAttributes.class);
        if (attributes.isDirectory()) {
          Object key = key(entry, attributes);
          folders.add(new Folder(entry, name, key, Files.isSymbolicLink(entry)));
          return;
        }
      } catch (IOException e) {
        failed(entry, name, e);
        return;
      }
      if (!attributes.isRegularFile()) {
        leftOut.add(Reason.NO_IMAGE, FileNames.text(name), "special file");
        return;
      }
      file(entry, name, last, attributes.size());
    }

    private void failed(Path entry, byte[] name, IOException e) {
      String text = FileNames.text(name);
      if (!Files.isSymbolicLink(entry)) {
        if (!(e instanceof NoSuchFileException)) { // else it was deleted meanwhile
          leftOut.add(Reason.UNREACHABLE, text, reason(e));
        }
      } else if (e instanceof AccessDeniedException) {
        leftOut.add(Reason.UNREACHABLE, text, reason(e));
      } else {
        leftOut.add(Reason.DANGLING, text, "");
      }
    }

    private void file(Path entry, byte[] name, String last, long size) {
      String ending = ending(last);
      if (ENDINGS.contains(ending)) {
        images.add(new FileNames.Entry(name, size));
        return;
      }
      String text = FileNames.text(name);
      Optional<ImageFormat> format;
      try (InputStream in = Files.newInputStream(entry)) {
        format = ImageFormat.of(in.readNBytes(ImageFormat.HEAD));
      } catch (IOException e) {
        leftOut.add(Reason.UNREACHABLE, text, reason(e));
        return;
      }
      boolean raw = RAW.contains(ending);
      if (format.isPresent() && format.get().readable() && !raw) {
        images.add(new FileNames.Entry(name, size));
      } else if (format.isPresent() || raw || OTHER_FORMATS.containsKey(ending)) {
        leftOut.add(
            Reason.UNREAD_FORMAT,
            text,
            raw
                ? "camera raw"
                : format.map(ImageFormat::toString).orElseGet(() -> OTHER_FORMATS.get(ending)));
      } else {
        leftOut.add(Reason.NO_IMAGE, text, ending.isEmpty() ? "without ending" : ending);
      }
    }

    private static String ending(String name) {
      int dot = name.lastIndexOf('.');
      return dot < 0 ? "" : name.substring(dot).toLowerCase(Locale.ROOT);
    }

    private static byte[] joined(byte[] folder, byte[] name) {
      if (folder.length == 0) {
        return name;
      }
      byte[] joined = Arrays.copyOf(folder, folder.length + 1 + name.length);
      joined[folder.length] = '/';
      System.arraycopy(name, 0, joined, folder.length + 1, name.length);
      return joined;
    }

    static String reason(IOException e) {
      if (e instanceof AccessDeniedException) {
        return "permission denied";
      }
      return e instanceof FileSystemException f && f.getReason() != null
          ? f.getReason()
          : e.getClass().getSimpleName();
    }
  }
}
