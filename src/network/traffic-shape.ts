import * as v from "valibot";

const bytes = v.number();

/**
 * Limit of the frames to guests or to a single guest: the rate, and the rate up to which unused bandwidth may
 * be borrowed. tc-htb(8)
 */
export const shapeSchema = v.strictObject({
  bytesPerSecond: bytes,
  peakBytesPerSecond: bytes,
  /** Absent: the kernel's least. */
  burstBytes: v.exactOptional(bytes),
});
export type Shape = v.InferOutput<typeof shapeSchema>;
