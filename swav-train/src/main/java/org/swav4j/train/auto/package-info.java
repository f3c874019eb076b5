/**
 * Settings that follow from the images, the machine and the time there is: {@code --preset auto}.
 * {@link org.swav4j.train.auto.DataSurvey} looks at the images, {@link
 * org.swav4j.train.auto.AutoSettings} chooses, {@link org.swav4j.train.auto.Remedy} changes a choice
 * that the first steps show to be wrong.
 */
package org.swav4j.train.auto;
