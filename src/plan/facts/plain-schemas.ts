import * as v from "valibot";

/*
 * A start makes the schemas of all steps, to read none: each of these stands in a hundred places, and made anew there it
 * costs 8,000 instructions (docs/measurements.md).
 */

/** Any text. */
export const aString = v.string();
/** Any number. */
export const aNumber = v.number();
/** A text that may be absent. */
export const maybeString = v.exactOptional(aString);
