import type { Cryptography, LuksHash } from "./cryptography.ts";

/** Hash, and the number of parts of a split key. */
interface Split {
  readonly hash: LuksHash;
  readonly stripes: number;
}

/**
 * Splits a key into parts of its length, all needed to join it again: all but the last are random, so a disk
 * with a few old sectors keeps no key. The caller wipes the parts. LUKS On-Disk Format Specification 1.2.3,
 * section 2.4
 */
export function splitKey(cryptography: Cryptography, key: Uint8Array, { hash, stripes }: Split): Uint8Array {
  const parts = new Uint8Array(key.length * stripes);
  const last = parts.subarray(key.length * (stripes - 1));
  cryptography.fillRandom(parts.subarray(0, key.length * (stripes - 1)));
  // The last part is what joins the others to the key: it is computed in its own place.
  for (let stripe = 0; stripe < stripes - 1; stripe += 1) {
    mix(last, parts.subarray(stripe * key.length, (stripe + 1) * key.length));
    diffuse(cryptography, hash, last);
  }
  mix(last, key);
  return parts;
}

/**
 * Replaces each part of the hash's length by the hash of its number and itself; a shorter last part by the
 * hash's beginning.
 */
function diffuse(cryptography: Cryptography, hash: LuksHash, bytes: Uint8Array): void {
  const digestBytes = hash === "sha256" ? 32 : 64;
  for (let at = 0; at < bytes.length; at += digestBytes) {
    const part = bytes.subarray(at, at + digestBytes);
    const numbered = new Uint8Array(4 + part.length);
    new DataView(numbered.buffer).setUint32(0, at / digestBytes);
    numbered.set(part, 4);
    const digest = cryptography.hash(hash, numbered);
    part.set(digest.subarray(0, part.length));
    digest.fill(0);
    numbered.fill(0);
  }
}

/** Adds bytes to others of the same length, by "exclusive or". */
function mix(bytes: Uint8Array, added: Uint8Array): void {
  for (const [at, byte] of added.entries()) bytes[at] = (bytes[at] ?? 0) ^ byte;
}
