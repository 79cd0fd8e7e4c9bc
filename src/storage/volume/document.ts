import type { Volume } from "./document-forms.ts";

export type { Volume } from "./document-forms.ts";

// The forms and the XML parser are loaded at first use: vol-create-as, which reads no XML, needs none.

/** Reads a `<volume>` document. Throws "xml" and "unsupported", with the place. */
export function parseVolume(bytes: Uint8Array): Volume {
  const { readVolume }: typeof import("./document-forms.ts") = require("./document-forms.ts");
  return readVolume(bytes);
}

/**
 * Returns the volume's XML in libvirt's layout, with libvirt's defaults for the sizes.
 * virStorageVolDefFormat() of libvirt
 */
export function formatVolume(value: Volume): string {
  const { writeVolume }: typeof import("./document-forms.ts") = require("./document-forms.ts");
  return writeVolume(value);
}
