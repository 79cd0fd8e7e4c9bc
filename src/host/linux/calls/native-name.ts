/**
 * Bytes 0x80 to 0xff of a name that is not UTF-8, each as a lone surrogate U+DC80 to U+DCFF, as in PEP 383.
 */
const ESCAPED = /([\udc80-\udcff])/u;
const ESCAPE = 0xdc00;
let strict: TextDecoder | undefined;
let encoder: TextEncoder | undefined;

/** Returns a file's name for node:fs: the string itself, or its bytes if it is not UTF-8. */
export function nativeName(name: string): string | Buffer {
  return name.isWellFormed() ? name : escapedBytes(name);
}

/** Returns the bytes of a file's name. */
export function nativeBytes(name: string): Uint8Array {
  // Not Buffer: making that class takes a twentieth of svirt list.
  if (!name.isWellFormed()) return escapedBytes(name);
  encoder ??= new TextEncoder();
  return encoder.encode(name);
}

function escapedBytes(name: string): Buffer {
  const parts = name.split(ESCAPED);
  return Buffer.concat(
    parts.map((part, at) => (at % 2 === 0 ? Buffer.from(part) : Buffer.from([part.charCodeAt(0) - ESCAPE]))),
  );
}

/** Returns the text of a file's name, from which nativeBytes() restores the same bytes. */
export function textOfName(bytes: Buffer): string {
  const whole = decoded(bytes);
  if (whole !== undefined) return whole;
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes[at] ?? 0);
    const letter = decoded(bytes.subarray(at, at + length));
    text += letter ?? String.fromCharCode(ESCAPE + (bytes[at] ?? 0));
    at += letter === undefined ? 1 : length;
  }
  return text;
}

function decoded(bytes: Buffer): string | undefined {
  try {
    strict ??= new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Returns the length of the UTF-8 sequence that begins with this byte. RFC 3629 */
function sequenceLength(first: number): number {
  if (first < 0xc0) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}
