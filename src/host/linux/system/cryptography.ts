import { createCipheriv, createHash, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import type { Cryptography } from "../../../images/luks/cryptography.ts";

const derive = promisify(pbkdf2);

/** Arithmetic of bun's library, and random bytes of the kernel. getrandom(2) */
export const cryptography: Cryptography = {
  makeRandom: (length) => new Uint8Array(randomBytes(length)),
  hash: (name, bytes) => new Uint8Array(createHash(name).update(bytes).digest()),
  deriveKey: async ({ hash, iterations, length, passphrase, salt }) =>
    new Uint8Array(await derive(passphrase, salt, iterations, length, hash)),
  encryptBlocks(key, blocks) {
    const cipher = createCipheriv(key.length === 32 ? "aes-256-ecb" : "aes-128-ecb", key, null);
    return new Uint8Array(cipher.setAutoPadding(false).update(blocks));
  },
};
