/** Hashes of a key's derivation. */
export type LuksHash = "sha256" | "sha512";

/** Key to derive from a passphrase, or from another key. PBKDF2 of RFC 8018 */
interface DerivedKey {
  readonly hash: LuksHash;
  readonly passphrase: Uint8Array;
  readonly salt: Uint8Array;
  readonly iterations: number;
  /** In bytes. */
  readonly length: number;
}

/** The arithmetic of a LUKS header, and chance. */
export interface Cryptography {
  /** Fills an array with random bytes, fit for a key. No other place has them. */
  fillRandom(bytes: Uint8Array): void;
  hash(name: LuksHash, bytes: Uint8Array): Uint8Array;
  /** Takes as long as the iterations say, and blocks nothing else meanwhile. */
  deriveKey(key: DerivedKey): Promise<Uint8Array>;
  /** Encrypts each block of 16 bytes by itself with AES, whose key has 16 or 32 bytes. FIPS 197 */
  encryptBlocks(key: Uint8Array, blocks: Uint8Array): Uint8Array;
}
