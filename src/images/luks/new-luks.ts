import type { Cryptography, LuksHash } from "./cryptography.ts";
import { encryptSectors } from "./encrypt-sectors.ts";
import { splitKey } from "./split-key.ts";

/** Cipher of a new LUKS volume: AES in the mode XTS with sector numbers of 64 bits. */
export interface LuksCipher {
  /** Length of AES's key in bits; XTS has two keys. */
  readonly bits: 128 | 256;
  readonly hash: LuksHash;
}

/** QEMU's default: AES-256 in the mode XTS, with SHA-256. qemu.git crypto/block-luks.c */
export const DEFAULT_CIPHER = { bits: 256, hash: "sha256" } satisfies LuksCipher;

const SECTOR_BYTES = 512;
/** Places of the key slots. qemu.git crypto/block-luks-priv.h QCRYPTO_BLOCK_LUKS_KEY_SLOT_OFFSET */
const SLOT_SECTORS = 4096 / SECTOR_BYTES;
const SLOTS = 8;
const STRIPES = 4000;
const [SLOT_ACTIVE, SLOT_INACTIVE] = [0x00ac71f3, 0x0000dead];
const [SALT_BYTES, DIGEST_BYTES] = [32, 20];
const DIGEST_AT = 112;
/**
 * Iterations of the derivation of the slot's key, and of the digest by which a program knows the right
 * passphrase. They are fixed: a count that is measured, as QEMU's, is low on a busy host. OWASP asks for
 * 600,000 of SHA-256.
 */
const SLOT_ITERATIONS = 2_000_000;
const DIGEST_ITERATIONS = SLOT_ITERATIONS / 8;

/**
 * Returns the length of a volume's header with the place of all keys, behind which its data begin. In bytes.
 */
export function luksHeaderBytes(cipher: LuksCipher): number {
  return (SLOT_SECTORS + SLOTS * sectorsOfSlot(cipher)) * SECTOR_BYTES;
}

/** Whether bytes, or as many as there are, begin as each header that svirt makes with this cipher. */
export function isNewLuks(bytes: Uint8Array, cipher: LuksCipher): boolean {
  const same = new Uint8Array(luksHeaderBytes(cipher));
  writeFields(same, cipher, "");
  return bytes.subarray(0, DIGEST_AT).every((byte, at) => byte === same[at]);
}

/**
 * Returns the header of a new LUKS volume of version 1, whose first key slot a passphrase opens. The key of
 * its data is random and in no other place: it is wiped here, with the split parts and the derived key.
 * qemu.git crypto/block-luks.c qcrypto_block_luks_create(), LUKS On-Disk Format Specification 1.2.3
 */
export async function formatLuksHeader(
  cryptography: Cryptography,
  {
    cipher,
    passphrase,
    uuid,
  }: { readonly cipher: LuksCipher; readonly passphrase: Uint8Array; readonly uuid: string },
): Promise<Uint8Array> {
  const bytes = new Uint8Array(luksHeaderBytes(cipher));
  writeFields(bytes, cipher, uuid);
  const key = new Uint8Array(keyBytesOf(cipher));
  cryptography.fillRandom(key);
  try {
    await writeDigest(cryptography, bytes, { cipher, key });
    await writeKey(cryptography, bytes, { cipher, key, passphrase });
    return bytes;
  } finally {
    key.fill(0);
  }
}

/** Writes the digest of the key. */
async function writeDigest(
  cryptography: Cryptography,
  bytes: Uint8Array,
  { cipher: { hash }, key }: { readonly cipher: LuksCipher; readonly key: Uint8Array },
): Promise<void> {
  const salt = bytes.subarray(132, 132 + SALT_BYTES);
  cryptography.fillRandom(salt);
  const digest = { hash, passphrase: key, salt, iterations: DIGEST_ITERATIONS, length: DIGEST_BYTES };
  bytes.set(await cryptography.deriveKey(digest), DIGEST_AT);
  new DataView(bytes.buffer).setUint32(164, DIGEST_ITERATIONS);
}

/** Writes the slots, and the key into the first slot, encrypted by the passphrase. */
async function writeKey(
  cryptography: Cryptography,
  bytes: Uint8Array,
  {
    cipher,
    key,
    passphrase,
  }: { readonly cipher: LuksCipher; readonly key: Uint8Array; readonly passphrase: Uint8Array },
): Promise<void> {
  const { hash } = cipher;
  writeSlots(bytes, cipher);
  const salt = bytes.subarray(216, 216 + SALT_BYTES);
  cryptography.fillRandom(salt);
  const slot = { hash, passphrase, salt, iterations: SLOT_ITERATIONS, length: key.length };
  const slotKey = await cryptography.deriveKey(slot);
  const parts = splitKey(cryptography, key, { hash, stripes: STRIPES });
  try {
    bytes.set(encryptSectors(cryptography, slotKey, parts), SLOT_SECTORS * SECTOR_BYTES);
  } finally {
    parts.fill(0);
    slotKey.fill(0);
  }
}

function writeFields(bytes: Uint8Array, cipher: LuksCipher, uuid: string): void {
  const view = new DataView(bytes.buffer);
  bytes.set([0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe, 0, 1]);
  for (const [at, text] of [
    [8, "aes"],
    [40, "xts-plain64"],
    [72, cipher.hash],
    [168, uuid],
  ] as const)
    bytes.set(new TextEncoder().encode(text), at);
  view.setUint32(104, bytes.length / SECTOR_BYTES);
  view.setUint32(108, keyBytesOf(cipher));
}

function writeSlots(bytes: Uint8Array, cipher: LuksCipher): void {
  const view = new DataView(bytes.buffer);
  for (let slot = 0; slot < SLOTS; slot += 1) {
    const at = 208 + slot * 48;
    view.setUint32(at, slot === 0 ? SLOT_ACTIVE : SLOT_INACTIVE);
    view.setUint32(at + 40, SLOT_SECTORS + slot * sectorsOfSlot(cipher));
    view.setUint32(at + 44, STRIPES);
  }
  view.setUint32(212, SLOT_ITERATIONS);
}

function keyBytesOf({ bits }: LuksCipher): number {
  return (bits / 8) * 2;
}

/** Each slot begins at a multiple of 4 KiB. */
function sectorsOfSlot(cipher: LuksCipher): number {
  const sectors = Math.ceil((keyBytesOf(cipher) * STRIPES) / SECTOR_BYTES);
  return Math.ceil(sectors / SLOT_SECTORS) * SLOT_SECTORS;
}
