package org.swav4j.train.auto;

/**
 * A value that was chosen for a setting.
 *
 * @param flag of the setting, without dashes
 * @param value as the flag takes it
 * @param reason in a few words
 */
public record Choice(String flag, String value, String reason) {}
