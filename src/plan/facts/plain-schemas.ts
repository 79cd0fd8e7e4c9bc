import * as v from "valibot";

/*
 * Shared because a start constructs the schemas of all steps without reading a step. Each of these is used
 * in a hundred
 * places, and one construction costs 8,000 instructions (docs/measurements.md).
 */

/** Any string. */
export const aString = v.string();
/** Any number. */
export const aNumber = v.number();
/** Optional string. */
export const maybeString = v.exactOptional(aString);
