import type { Cryptography, LuksHash } from "./cryptography.ts";

/** Hash, and the number of parts that a key is split into. */
interface Split {
  readonly hash: LuksHash;
  readonly stripes: number;
}

/**
 * Splits a key into parts of its length that are all needed to join it again: all but the last are random, so that a
 * disk that keeps a few old sectors keeps no key. LUKS On-Disk Format Specification 1.2.3, section 2.4
 */
export function splitKey(cryptography: Cryptography, key: Uint8Array, { hash, stripes }: Split): Uint8Array {
  const parts = new Uint8Array(key.length * stripes);
  parts.set(cryptography.makeRandom(key.length * (stripes - 1)));
  let mixed: Uint8Array = new Uint8Array(key.length);
  for (let stripe = 0; stripe < stripes - 1; stripe += 1) {
    const part = parts.subarray(stripe * key.length, (stripe + 1) * key.length);
    mixed = diffuse(cryptography, hash, xor(mixed, part));
  }
  parts.set(xor(mixed, key), key.length * (stripes - 1));
  return parts;
}

/** Replaces each part of the hash's length by the hash of its number and itself; a shorter last one by the hash's beginning. */
function diffuse(cryptography: Cryptography, hash: LuksHash, bytes: Uint8Array): Uint8Array {
  const digestBytes = hash === "sha256" ? 32 : 64;
  const result = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += digestBytes) {
    const part = bytes.subarray(at, at + digestBytes);
    const numbered = new Uint8Array(4 + part.length);
    new DataView(numbered.buffer).setUint32(0, at / digestBytes);
    numbered.set(part, 4);
    result.set(cryptography.hash(hash, numbered).subarray(0, part.length), at);
  }
  return result;
}

function xor(left: Uint8Array, right: Uint8Array): Uint8Array {
  return left.map((byte, at) => byte ^ (right[at] ?? 0));
}
