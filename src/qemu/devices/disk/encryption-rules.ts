import type { BackingStore } from "../../../domain/devices/disk/backing-store.ts";
import type { Disk } from "../../../domain/devices/disk/disk.ts";
import { imageFormatOf } from "../../../domain/devices/disk/facts.ts";
import { type Encryption, encryptionOf, hasEncryption } from "../../../domain/devices/disk/secrets.ts";
import type { Rule } from "../../argument/rule.ts";

/** An encrypted image of a disk. */
interface Encrypted {
  readonly encryption: Encryption;
  readonly format: string | undefined;
  readonly isOfRbd: boolean;
}

/** Formats encrypted by QEMU with LUKS. qemu.git qapi/block-core.json BlockdevDriver */
const FORMATS: ReadonlySet<string> = new Set(["raw", "qcow2"]);
/** Disks whose image QEMU does not read. */
const UNREAD: ReadonlySet<Disk["type"]> = new Set(["vhostuser", "vhostvdpa", "dir"]);

/** Rules for encrypted images. qemuDomainValidateStorageSource() of libvirt */
export const ENCRYPTION_RULES: readonly Rule<Disk>[] = [
  {
    place: "encryption/cipher",
    why: "the image's header already names the cipher",
    remedy: "Leave it out.",
    isBroken: some(({ encryption }) => encryption.format === "luks" && encryption.cipher !== undefined),
  },
  {
    place: "encryption/ivgen",
    why: "the image's header already names it",
    remedy: "Leave it out.",
    isUndecided: "always",
    isBroken: some(({ encryption }) => encryption.format === "luks" && encryption.ivgen !== undefined),
  },
  {
    place: "encryption/@format",
    why: "only librbd supports this encryption",
    remedy: "Write format='luks', or use a raw image of RBD.",
    isBroken: some(
      ({ encryption, format, isOfRbd }) => isLibrbd(encryption) && !(isOfRbd && format === "raw"),
    ),
  },
  {
    place: "encryption/secret",
    why: "an image has one passphrase, and one for each layer with librbd",
    remedy: "Write one <secret type='passphrase' uuid='…'/>.",
    isBroken: some(({ encryption: { secrets, ...encryption } }) =>
      isLibrbd(encryption) ? secrets.length === 0 : secrets.length !== 1,
    ),
  },
  {
    place: "encryption",
    why: "QEMU encrypts only raw and qcow2 images, which it must read itself",
    remedy: "Leave <encryption> out, or convert the image to qcow2.",
    isBroken: (disk) =>
      (UNREAD.has(disk.type) && encryptionOf(disk) !== undefined) ||
      listEncrypted(disk).some(({ format }) => !FORMATS.has(format ?? "")),
  },
  {
    place: "transient",
    why: "the overlay would have the guest's data unencrypted",
    remedy: "Leave <transient> out, or use an image that is not encrypted.",
    isUndecided: "always",
    isBroken: (disk) => disk.transient !== undefined && hasEncryption(disk),
  },
];

function some(isBroken: (image: Encrypted) => boolean): (disk: Disk) => boolean {
  return (disk) => listEncrypted(disk).some(isBroken);
}

function isLibrbd({ engine, format }: Pick<Encryption, "engine" | "format">): boolean {
  return format !== "luks" || engine === "librbd";
}

function listEncrypted(disk: Disk): readonly Encrypted[] {
  const top = encryptedOf(disk, disk.driver?.type === "fat" ? "fat" : (imageFormatOf(disk) ?? "raw"));
  const found = top === undefined ? [] : [top];
  let next = disk.backingStore;
  while (next !== undefined && next.type !== "end") {
    const below = encryptedOf(next, next.format.type);
    if (below !== undefined) found.push(below);
    next = next.backingStore;
  }
  return found;
}

function encryptedOf(placed: Disk | BackingStore, format: string): Encrypted | undefined {
  const encryption = encryptionOf(placed);
  if (encryption === undefined) return undefined;
  const isOfRbd = placed.type === "network" && placed.source.protocol === "rbd";
  return { encryption, format, isOfRbd };
}
