/** Member of a C struct: its size in bits, and its value. */
type Member = readonly [bits: 8 | 16 | 32, value: number];

/** Formats the members of a C struct as this machine stores them: little-endian, without padding. */
export function record(...members: readonly Member[]): Uint8Array {
  return joined(members.map(([bits, value]) => numberBytes(bits, value)));
}

/** Concatenates byte arrays. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function numberBytes(bits: Member[0], value: number): Uint8Array {
  return Uint8Array.from({ length: bits / 8 }, (_, at) => (value >>> (8 * at)) & 0xff);
}
