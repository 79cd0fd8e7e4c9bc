import { createCipheriv, createHash, pbkdf2, randomFillSync } from "node:crypto";
import { promisify } from "node:util";
import type { Cryptography } from "../../../images/luks/cryptography.ts";

const derive = promisify(pbkdf2);

/**
 * Arithmetic of bun's library, and random bytes of the kernel. getrandom(2) No result is copied: a caller
 * wipes secret results.
 */
export const cryptography: Cryptography = {
  fillRandom: (bytes) => void randomFillSync(bytes),
  hash: (name, bytes) => viewOf(createHash(name).update(bytes).digest()),
  deriveKey: async ({ hash, iterations, length, passphrase, salt }) =>
    viewOf(await derive(passphrase, salt, iterations, length, hash)),
  encryptBlocks(key, blocks) {
    const cipher = createCipheriv(key.length === 32 ? "aes-256-ecb" : "aes-128-ecb", key, null);
    return viewOf(cipher.setAutoPadding(false).update(blocks));
  },
};

/** Returns the bytes of a buffer, as a plain array for comparisons. */
function viewOf({ buffer, byteLength, byteOffset }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
