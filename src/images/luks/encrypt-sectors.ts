import type { Cryptography } from "./cryptography.ts";

const SECTOR_BYTES = 512;
/** Block of AES. */
const BLOCK_BYTES = 16;
/** x^128 + x^7 + x^2 + x + 1, without its first term. IEEE 1619, section 5.2 */
const POLYNOMIAL = 0x87;

/**
 * Encrypts sectors with AES in the mode XTS, as "xts-plain64" of LUKS: the number of a sector, from 0, is its
 * tweak. The first half of the key encrypts the data, the second half the tweaks. Intermediate results are
 * wiped. IEEE 1619; qemu.git crypto/ivgen-plain64.c
 */
export function encryptSectors(cryptography: Cryptography, key: Uint8Array, bytes: Uint8Array): Uint8Array {
  const half = key.length / 2;
  const masks = makeMasks(cryptography, key.subarray(half), bytes.length / SECTOR_BYTES);
  const masked = bytes.map((byte, at) => byte ^ (masks[at] ?? 0));
  try {
    const encrypted = cryptography.encryptBlocks(key.subarray(0, half), masked);
    return encrypted.map((byte, at) => byte ^ (masks[at] ?? 0));
  } finally {
    masks.fill(0);
    masked.fill(0);
  }
}

/**
 * Returns the masks of all blocks: a sector's first mask is its encrypted number, and each next mask is its
 * double.
 */
function makeMasks(cryptography: Cryptography, key: Uint8Array, sectors: number): Uint8Array {
  const numbers = new Uint8Array(sectors * BLOCK_BYTES);
  const view = new DataView(numbers.buffer);
  for (let sector = 0; sector < sectors; sector += 1) view.setUint32(sector * BLOCK_BYTES, sector, true);
  const tweaks = cryptography.encryptBlocks(key, numbers);
  const masks = new Uint8Array(sectors * SECTOR_BYTES);
  for (let sector = 0; sector < sectors; sector += 1) {
    let mask = tweaks.subarray(sector * BLOCK_BYTES, (sector + 1) * BLOCK_BYTES);
    for (let at = 0; at < SECTOR_BYTES; at += BLOCK_BYTES) {
      masks.set(mask, sector * SECTOR_BYTES + at);
      mask = double(mask);
    }
  }
  tweaks.fill(0);
  return masks;
}

/** Doubles a number of 128 bits, least byte first, in the field of the polynomial. */
function double(number: Uint8Array): Uint8Array {
  const last = number[BLOCK_BYTES - 1] ?? 0;
  return number.map((byte, at) => {
    const carried = at === 0 ? (last >> 7) * POLYNOMIAL : (number[at - 1] ?? 0) >> 7;
    return ((byte << 1) & 0xff) ^ carried;
  });
}
