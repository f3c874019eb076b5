package org.swav4j.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * One jar serves Spark 3.5 (Scala 2.12) and 4.0 (2.13). Collections are where the two differ:
 * {@code scala.Seq} is {@code scala.collection.Seq} in one and {@code
 * scala.collection.immutable.Seq} in the other, so that a call compiled with one names a method
 * that the other lacks.
 */
class ScalaTypesTest {
  /** The same in both. */
  private static final Set<String> IN_BOTH =
      Set.of("scala/collection/Iterator", "scala/collection/AbstractIterator");

  private static final Pattern COLLECTION = Pattern.compile("scala/collection/[\\w/$]+");

  /** Scala's collections in names, descriptors and signatures of a class file. */
  private static Set<String> collections(Path classFile) {
    Set<String> found = new TreeSet<>();
    for (String constant : texts(classFile)) {
      Matcher matcher = COLLECTION.matcher(constant);
      while (matcher.find()) {
        found.add(matcher.group());
      }
    }
    found.removeAll(IN_BOTH);
    return found;
  }

  /** The texts of the constant pool, as section 4.4 of the JVM's specification lays it out. */
  private static List<String> texts(Path classFile) {
    Stream.Builder<String> texts = Stream.builder();
    try (DataInputStream in = new DataInputStream(Files.newInputStream(classFile))) {
      in.skipNBytes(Integer.BYTES + 2 * Short.BYTES); // magic number and versions
      int count = in.readUnsignedShort();
      for (int i = 1; i < count; i++) {
        int tag = in.readUnsignedByte();
        switch (tag) {
          case 1 -> texts.add(in.readUTF());
          case 5, 6 -> { // long and double take two places
            in.skipNBytes(8);
            i++;
          }
          case 7, 8, 16, 19, 20 -> in.skipNBytes(2);
          case 15 -> in.skipNBytes(3);
          case 3, 4, 9, 10, 11, 12, 17, 18 -> in.skipNBytes(4);
          default -> throw new IOException(classFile + " has a constant of tag " + tag);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return texts.build().toList();
  }

  private static List<Path> classFiles(String folder) throws IOException {
    try (Stream<Path> files = Files.walk(Path.of("target", folder))) {
      return files.filter(f -> f.toString().endsWith(".class")).toList();
    }
  }

  @Test
  void noClassNamesACollectionThatDiffersBetweenScalaVersions() throws IOException {
    assertThat(classFiles("classes"))
        .hasSizeGreaterThan(20)
        .allSatisfy(file -> assertThat(collections(file)).as(file.toString()).isEmpty());
  }

  /** {@link TrainingTest} is compiled anew for each and asks for executors with a Scala map. */
  @Test
  void aClassThatNamesOneIsFound() {
    assertThat(collections(Path.of("target/test-classes/org/swav4j/spark/TrainingTest.class")))
        .contains("scala/collection/immutable/Map");
  }
}
