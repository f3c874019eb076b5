package org.swav4j.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.datavec.api.io.labels.ParentPathLabelGenerator;
import org.datavec.api.io.labels.PathLabelGenerator;
import org.datavec.api.records.reader.RecordReader;
import org.datavec.api.records.reader.impl.collection.CollectionRecordReader;
import org.datavec.api.split.CollectionInputSplit;
import org.datavec.api.split.FileSplit;
import org.datavec.api.split.InputStreamInputSplit;
import org.datavec.api.writable.IntWritable;
import org.datavec.api.writable.NDArrayWritable;
import org.datavec.api.writable.Text;
import org.datavec.api.writable.Writable;
import org.datavec.image.recordreader.ImageRecordReader;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.factory.Nd4j;

/** Images from DataVec's input splits and record readers are the folder's, in order and bytes. */
class DataVecSourcesTest {
  private static final int[] COLOURS = {0xff0000ff, 0xff00ff00, 0xffff0000, 0xff204060};

  @TempDir Path folder;
  private FolderSource expected;

  @BeforeEach
  void fourImagesOfTwoClasses() {
    String[] files = {"dogs/b.png", "cats/z ü.png", "dogs/a.png", "cats/y.png"};
    for (int i = 0; i < files.length; i++) {
      TestImages.write(folder.resolve(files[i]), TestImages.png(6, 6, COLOURS[i], COLOURS[3 - i]));
    }
    expected = FolderSource.open(folder, 3);
  }

  private void assertSameImages(ImageSource actual) throws Exception {
    assertThat(actual.size()).isEqualTo(4);
    assertThat(actual.channels()).isEqualTo(3);
    for (int i = 0; i < 4; i++) {
      assertThat(actual.read(i, 6).pixels()).isEqualTo(expected.read(i, 6).pixels());
    }
  }

  private void assertSameLabels(ImageSource actual) {
    assertThat(actual.classes()).isEqualTo(expected.classes()).containsExactly("cats", "dogs");
    assertThat(IntStream.range(0, 4).map(actual::label)).containsExactly(0, 0, 1, 1);
  }

  @Test
  void aFileSplitIsReadInTheOrderOfItsLocations() throws Exception {
    SplitSource source =
        SplitSource.of(
            new FileSplit(folder.toFile(), new String[] {"png"}),
            new ParentPathLabelGenerator(),
            3);
    assertSameImages(source);
    assertSameLabels(source);
    assertThat(source.describe(1)).isEqualTo(folder.resolve("cats/z ü.png").toString());
    assertThat(SplitSource.of(new FileSplit(folder.toFile()), 1).read(0, 6)).hasToString("6x6x1");
  }

  @Test
  void aCollectionKeepsItsOrder() throws Exception {
    List<URI> uris = new ArrayList<>(List.of(expected.inputSplit().locations()));
    assertSameImages(SplitSource.of(new CollectionInputSplit(uris), 3));
    Collections.reverse(uris);
    SplitSource reversed =
        SplitSource.of(new CollectionInputSplit(uris), new ParentPathLabelGenerator(), 3);
    assertThat(IntStream.range(0, 4).map(reversed::label)).containsExactly(1, 1, 0, 0);
    assertThat(reversed.read(3, 6).pixels()).isEqualTo(expected.read(0, 6).pixels());
  }

  /** A user's split: images in memory under a scheme of their own, as HDFS has one. */
  private static final class MemorySplit extends CollectionInputSplit {
    private final Map<String, byte[]> content;

    MemorySplit(Map<String, byte[]> content) {
      super(uris(content.keySet()));
      this.content = content;
    }

    private static Collection<URI> uris(Collection<String> names) {
      return names.stream().map(URI::create).toList();
    }

    @Override
    public InputStream openInputStreamFor(String location) throws Exception {
      byte[] bytes = content.get(location);
      if (bytes == null) {
        throw new IOException("the store is down");
      }
      return new ByteArrayInputStream(bytes);
    }
  }

  private MemorySplit memory() throws IOException {
    Map<String, byte[]> content = new TreeMap<>();
    for (int i = 0; i < 4; i++) {
      Path path = Path.of(expected.describe(i));
      content.put(
          "mem://store/" + path.getParent().getFileName() + "/" + i + ".png",
          Files.readAllBytes(path));
    }
    return new MemorySplit(content);
  }

  @Test
  void aUsersSplitOpensItsOwnStreams() throws Exception {
    SplitSource source = SplitSource.of(memory(), new ParentPathLabelGenerator(), 3);
    assertSameImages(source);
    assertSameLabels(source);
    assertThat(source.describe(2)).isEqualTo("mem://store/dogs/2.png");
  }

  /** And trains: batches of the split are those of the folder. */
  @Test
  void batchesOfASplitAreThoseOfTheFolder() throws Exception {
    List<ImageSource> sources =
        List.of(
            expected,
            SplitSource.of(memory(), 3),
            SplitSource.of(new FileSplit(folder.toFile()), 3),
            RecordSource.read(imageRecords()));
    List<float[]> batches = new ArrayList<>();
    for (ImageSource source : sources) {
      try (MultiCropLoader loader =
          new MultiCropLoader(
              source,
              List.of(CropSpec.large(2, 5)),
              Augmentation.official(),
              Normalisation.imageNet(),
              4,
              1,
              2)) {
        batches.add(loader.next().crops(0).dup().data().asFloat());
      }
    }
    assertThat(batches).allSatisfy(b -> assertThat(b).isEqualTo(batches.get(0)));
  }

  @Test
  void anImageThatCannotBeOpenedIsSkippedNotTheRun() throws Exception {
    MemorySplit split = memory();
    split.content.remove("mem://store/dogs/2.png");
    SplitSource source = SplitSource.of(split, 3);
    assertThatThrownBy(() -> source.read(2, 6))
        .isInstanceOf(UnreadableImageException.class)
        .hasMessageContaining("mem://store/dogs/2.png")
        .hasMessageContaining("the store is down");
    File gone = folder.resolve("gone.png").toFile();
    SplitSource missing = SplitSource.of(new CollectionInputSplit(List.of(gone.toURI())), 3);
    assertThatThrownBy(() -> missing.read(0, 6))
        .isInstanceOf(UnreadableImageException.class)
        .hasMessageContaining("the file is gone");
  }

  @Test
  void aStreamIsOneImageThatCanBeReadAgain() throws Exception {
    byte[] bytes = Files.readAllBytes(Path.of(expected.describe(0)));
    for (InputStreamInputSplit split :
        List.of(
            new InputStreamInputSplit(new ByteArrayInputStream(bytes)),
            new InputStreamInputSplit(new ByteArrayInputStream(bytes), "mem:/cats/a.png"))) {
      SplitSource source = SplitSource.of(split, 3);
      assertThat(source.size()).isOne();
      for (int i = 0; i < 2; i++) {
        assertThat(source.read(0, 6).pixels()).isEqualTo(expected.read(0, 6).pixels());
      }
    }
  }

  /** Labels that are numbers already stay these numbers. */
  @Test
  void aGeneratorOfNumbersGivesTheLabelsThemselves() throws Exception {
    PathLabelGenerator lengths =
        new PathLabelGenerator() {
          @Override
          public Writable getLabelForPath(String path) {
            return new IntWritable(path.contains("dogs") ? 3 : 0);
          }

          @Override
          public Writable getLabelForPath(URI uri) {
            return getLabelForPath(uri.toString());
          }

          @Override
          public boolean inferLabelClasses() {
            return false;
          }
        };
    SplitSource source = SplitSource.of(memory(), lengths, 3);
    assertThat(IntStream.range(0, 4).map(source::label)).containsExactly(0, 0, 3, 3);
    assertThat(source.classes()).containsExactly("0", "1", "2", "3");
  }

  private ImageRecordReader imageRecords() throws Exception {
    ImageRecordReader reader = new ImageRecordReader(6, 6, 3, new ParentPathLabelGenerator());
    reader.initialize(expected.inputSplit());
    return reader;
  }

  /** DataVec's reader lists our folder split; what it loads is what our decoder does. */
  @Test
  void anImageRecordReaderOnTheFoldersSplitGivesTheFoldersImages() throws Exception {
    RecordSource source = RecordSource.read(imageRecords());
    assertSameImages(source);
    assertSameLabels(source);
    ImageRecordReader channelsLast = new ImageRecordReader(6, 6, 3, new ParentPathLabelGenerator());
    channelsLast.setNchw_channels_first(false);
    channelsLast.initialize(expected.inputSplit());
    assertSameImages(RecordSource.read(channelsLast));
  }

  private static RecordReader records(Writable... firsts) {
    List<List<Writable>> records = new ArrayList<>();
    for (Writable first : firsts) {
      records.add(List.of(first));
    }
    return new CollectionRecordReader(records);
  }

  @Test
  void aUsersRecordsMayHoldFrames() throws Exception {
    Writable[] frames = new Writable[4];
    for (int i = 0; i < 4; i++) {
      frames[i] = Frames.writable(expected.read(i, 6));
    }
    RecordSource source = RecordSource.read(records(frames));
    assertSameImages(source);
    assertThat(source.label(0)).isEqualTo(-1);
    assertThat(source.classes()).isEmpty();
  }

  @Test
  void recordsThatAreNoImagesAreRefusedByName() {
    assertThatThrownBy(() -> RecordSource.read(records(new Text("cat"))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("record 0 of CollectionRecordReader begins with a Text");
    assertThatThrownBy(
            () -> RecordSource.read(records(new NDArrayWritable(Nd4j.create(1, 3, 4, 4).sub(1)))))
        .hasMessageContaining("the value -1.0, expected 0 to 255");
    assertThatThrownBy(
            () -> RecordSource.read(records(new NDArrayWritable(Nd4j.create(1, 2, 4, 4)))))
        .hasMessageContaining("array of [1, 2, 4, 4]");
    assertThatThrownBy(
            () ->
                RecordSource.read(
                    records(
                        new NDArrayWritable(Nd4j.create(1, 3, 4, 4)),
                        new NDArrayWritable(Nd4j.create(1, 1, 4, 4)))))
        .hasMessageContaining("record 1")
        .hasMessageContaining("3 channels");
    assertThatThrownBy(() -> RecordSource.read(records())).hasMessageContaining("no record");
  }

  @Test
  void aSplitWithoutLocationsIsRefused() {
    assertThatThrownBy(() -> SplitSource.of(new CollectionInputSplit(List.of()), 3))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("CollectionInputSplit has no locations");
  }

  @Test
  void theFoldersSplitListsItsImagesForDataVec() throws Exception {
    TestImages.write(folder.resolve("cats/notes.txt"), "no image".getBytes(UTF_8));
    FolderSplit split = FolderSource.open(folder, 3).inputSplit();
    assertThat(split.length()).isEqualTo(4);
    List<String> paths = new ArrayList<>();
    split.locationsPathIterator().forEachRemaining(paths::add);
    assertThat(paths)
        .containsExactlyElementsOf(List.of(split.locations()).stream().map(URI::toString).toList());
    for (int i = 0; i < 4; i++) {
      try (InputStream in = split.openInputStreamFor(paths.get(i))) {
        assertThat(in.readAllBytes()).isEqualTo(Files.readAllBytes(Path.of(expected.describe(i))));
      }
    }
    assertThatThrownBy(() -> split.openOutputStreamFor(paths.get(0)))
        .isInstanceOf(UnsupportedOperationException.class);
  }
}
