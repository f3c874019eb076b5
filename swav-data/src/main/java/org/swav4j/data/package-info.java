/**
 * Images to multi-crop batches.
 *
 * <p>Data flows one way: an {@link org.swav4j.data.ImageSource} yields decoded {@link
 * org.swav4j.data.Image}s, augmentation makes crops of them, a loader packs the crops of B images
 * into batches. The way in is {@link org.swav4j.data.DataSpec}, which opens a data set by name.
 * Networks, losses and anything that is learned do not belong here.
 *
 * <p>Two rules hold throughout. What is random is a function of seeds and numbers (epoch, sample,
 * view), never of time, thread or order, so that any number of workers gives the same batches. And
 * one bad image never ends a run: it is skipped, counted and named, while a data set that is wrong
 * as a whole is refused when opened, with what is wrong and what to do.
 *
 * <p>Letters as in the paper: B images in a batch, V crops of each image.
 */
package org.swav4j.data;
