/**
 * Formats in which guests write files: `luks` is a raw image that QEMU encrypts, in whose header no guest
 * writes.
 */
export const GIVEN_FORMATS = ["raw", "qcow2", "qed", "luks"] as const;

export type GivenFormat = (typeof GIVEN_FORMATS)[number];

/** Whether a word is such a format. */
export function isGivenFormat(word: string): word is GivenFormat {
  return GIVEN_FORMATS.some((format) => format === word);
}

/** Returns the format of an image as QEMU gets it. */
export function givenFormatOf({
  format,
  isEncrypted,
}: {
  readonly format: "raw" | "qcow2" | "qed";
  readonly isEncrypted?: true | undefined;
}): GivenFormat {
  return format === "raw" && isEncrypted === true ? "luks" : format;
}
