import { SvirtError } from "../errors.ts";

/** Most bytes of a value. REMOTE_SECRET_VALUE_MAX of libvirt's remote_protocol.x */
export const MOST_VALUE_BYTES = 65_536;

/**
 * Returns the bytes that a text in Base64 has; white space is ignored. Throws "usage", and does not show the
 * text. RFC 4648
 */
export function parseBase64(text: string): Uint8Array {
  const bytes = decodedFrom(text);
  if (bytes !== undefined) return bytes;
  throw new SvirtError("Cannot read the value of the secret: it is not in Base64", {
    kind: "usage",
    from: "SECRET",
    remedy: "Encode it, as base64(1) does, or pass it as it is with --plain.",
  });
}

function decodedFrom(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    // The error would have a part of the value.
    return undefined;
  }
}
