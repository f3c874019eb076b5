/**
 * Images to multi-crop batches, described by DataVec's parts.
 *
 * <p>Data flows one way:
 *
 * <pre>
 *   InputSplit | RecordReader → ImageSource → CropPipeline per crop group → MultiCropLoader
 *    (where images are)          (images)      (DataVec transforms)         (MultiDataSets)
 * </pre>
 *
 * <ul>
 *   <li>An {@link org.swav4j.data.ImageSource} yields decoded {@link org.swav4j.data.Image}s: from
 *       any DataVec input split ({@link org.swav4j.data.SplitSource}), any image record reader
 *       ({@link org.swav4j.data.RecordSource}), a folder, or a data set named in a word ({@link
 *       org.swav4j.data.DataSpec}, the way in for most).
 *   <li>A {@link org.swav4j.data.CropPipeline} describes what is done to an image to make the crops
 *       of a group, by DataVec's {@code ImageTransform}s. The published recipe, with the settings of
 *       {@link org.swav4j.data.Augmentation} and {@link org.swav4j.data.CropSpec}, is one such
 *       description. What it knows of it {@link org.swav4j.data.CropRenderer} makes in one go; the
 *       rest is run by DataVec.
 *   <li>A {@link org.swav4j.data.MultiCropLoader} packs the crops of B images into batches, which
 *       are ND4J {@code MultiDataSet}s, on threads of its own.
 * </ul>
 *
 * <p>Networks, losses and anything that is learned do not belong here.
 *
 * <p>Two rules hold throughout. What is random is a function of seeds and numbers (epoch, sample,
 * view), never of time, thread or order, so that any number of workers gives the same batches. And
 * one bad image never ends a run: it is skipped, counted and named, while a data set that is wrong
 * as a whole is refused when opened, with what is wrong and what to do.
 *
 * <p>Letters as in the paper: B images in a batch, V crops of each image; C channels, 3 or 1.
 */
package org.swav4j.data;
