import type { BackingStore } from "./backing-store.ts";
import type { Disk } from "./disk.ts";

/** `<encryption>` of an image. */
export type Encryption = NonNullable<Disk["encryption"]>;

/** `<auth>` of an image on the network. */
export type Login = NonNullable<Extract<Disk, { readonly type: "network" }>["auth"]>;

type Placed = Disk | BackingStore | undefined;

/**
 * Returns the encryption of a disk's own image, or of a backing image: of its `<source>`, or of an older
 * document's disk.
 */
export function encryptionOf(placed: Placed): Encryption | undefined {
  if (placed === undefined) return undefined;
  if ("encryption" in placed && placed.encryption !== undefined) return placed.encryption;
  const source = "source" in placed ? placed.source : undefined;
  return source !== undefined && "encryption" in source ? source.encryption : undefined;
}

/**
 * Returns the login of a disk's own image, or of a backing image: of its `<source>`, or of an older
 * document's disk.
 */
export function loginOf(placed: Placed): Login | undefined {
  if (placed === undefined) return undefined;
  if ("auth" in placed && placed.auth !== undefined) return placed.auth;
  const source = "source" in placed ? placed.source : undefined;
  return source !== undefined && "auth" in source ? source.auth : undefined;
}

/** Whether QEMU decrypts the image, rather than librbd. */
export function isDecryptedByQemu(encryption: Encryption | undefined): boolean {
  return encryption !== undefined && encryption.engine !== "librbd";
}

/** Name of the secret with an image's passphrase: by UUID or by usage. */
export interface PassphraseName {
  readonly uuid?: string | undefined;
  readonly usage?: string | undefined;
}

/**
 * Returns the passphrases of a disk's images by QEMU's LUKS, the disk's own first; undefined for an image
 * that is not encrypted.
 */
export function passphrasesOf(disk: Disk): readonly (PassphraseName | undefined)[] {
  return encryptionsOf(disk).map((encryption) => encryption?.secrets[0]);
}

function encryptionsOf(disk: Disk): readonly (Encryption | undefined)[] {
  const found: (Encryption | undefined)[] = [];
  let next: Placed = disk;
  while (next !== undefined && next.type !== "end") {
    found.push(encryptionOf(next));
    next = "backingStore" in next ? next.backingStore : undefined;
  }
  return found;
}

/** Returns the `<encryption>` of an image with QEMU's LUKS. */
export function luksBy({ usage, uuid }: PassphraseName): Encryption {
  const name = uuid === undefined ? { usage } : { uuid };
  return { format: "luks", engine: "qemu", secrets: [{ type: "passphrase", ...name }] } as Encryption;
}

/** Whether the disk's own image, or a backing image that the XML names, is encrypted. */
export function hasEncryption(disk: Disk): boolean {
  return encryptionsOf(disk).some((encryption) => encryption !== undefined);
}
