package org.swav4j.train.config;

import java.lang.annotation.ElementType;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Declares a component of a configuration record as a setting: one that has a flag, a line of help,
 * a value in every preset and a key in {@code config.json}. What a value may be is checked by the
 * record's constructor. {@link Settings} lists all of them.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
@Repeatable(Setting.Several.class)
public @interface Setting {
  /** In {@link #presets}: half of this computer's cores, at least 1. */
  String HALF_THE_CORES = "half the cores";

  /** In {@link #help}: the values, each with what it means. */
  String CHOICES = "{choices}";

  /** An enum whose constants say for the help what they mean. */
  interface Described {
    /** The value, as the flag takes it. */
    String label();

    /** What it means, in a few words. */
    String about();
  }

  /** What comes of resuming a run with another value of a setting. */
  enum OnResume {
    /** It is refused: what the checkpoint holds was made for the value it has. */
    REFUSED,
    /** The run goes on to the same result. */
    SAME_RESULT,
    /** The rest of the run goes by the new value, so its result is another. */
    OTHER_RESULT
  }

  /** Its name at the command line, without the dashes. */
  String flag();

  /** What stands for the value in the help, such as {@code N}. */
  String label();

  /**
   * What it does, in one or two sentences; with the unit. {@link #CHOICES} in it stands for the
   * values of a type that is {@link Described}.
   */
  String help();

  /**
   * The value in each {@link Preset} that stands on its own, in their order, as the flag takes it;
   * one value for all. The other presets tell themselves what they change.
   */
  String[] presets();

  /** What comes of resuming a run with another value. */
  OnResume onResume() default OnResume.REFUSED;

  /** The word that stands for null, for values that may be left open; empty for all others. */
  String open() default "";

  /**
   * For a component that is a record itself, or a list of such: the components that the flag sets,
   * written with {@link #between} between them; the elements of a list are separated by commas.
   */
  String[] parts() default {};

  /** What separates {@link #parts}. */
  String between() default "-";

  /** The version of {@code config.json} that brought the setting. */
  int since() default 1;

  /** The value in files of earlier versions, as the flag takes it. */
  String earlier() default "";

  /** Several flags that set parts of one component. */
  @Retention(RetentionPolicy.RUNTIME)
  @Target(ElementType.RECORD_COMPONENT)
  @interface Several {
    /** The flags, in the order of the help. */
    Setting[] value();
  }
}
