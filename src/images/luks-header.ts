import { SvirtError } from "../errors.ts";
import type { ImageHeader } from "./element.ts";
import { brokenHeader, type HeaderBytes, headerBytes } from "./header-bytes.ts";

/** Unit of offsets in the header. qemu.git crypto/block-luks.c QCRYPTO_BLOCK_LUKS_SECTOR_SIZE */
const SECTOR_BYTES = 512;
const MAGIC = "LUKS\xba\xbe";
/** Length of the header, with its key slots. struct QCryptoBlockLUKSHeader */
const HEADER_BYTES = 592;
/** Key slots of a header. */
const [SLOTS, FIRST_SLOT, SLOT_BYTES] = [8, 208, 48];
const [SLOT_ACTIVE, SLOT_INACTIVE] = [0x00ac71f3, 0x0000dead];
/** Stripes of a split key. QCRYPTO_BLOCK_LUKS_STRIPES */
const STRIPES = 4000;
/** Fields of 32 bytes that end with a NUL: the names of the cipher, its mode and the hash. */
const NAMES: readonly (readonly [name: string, at: number])[] = [
  ["cipher", 8],
  ["cipher mode", 40],
  ["hash", 72],
];
const NAME_BYTES = 32;

/**
 * Reads the header of a LUKS volume of version 1, which QEMU opens. `sizeBytes` is the size of the volume, if
 * it is known. Throws "failed" where QEMU would not open it, or if its data begin behind its end;
 * "unsupported" for another version. qemu.git crypto/block-luks.c qcrypto_block_luks_check_header(), LUKS
 * On-Disk Format Specification 1.2.3
 */
export function parseLuksHeader(bytes: Uint8Array, sizeBytes: number | undefined): ImageHeader {
  const header = headerBytes("luks", bytes, "big");
  if (!hasMagic(bytes)) throw brokenHeader("luks", "it does not begin with LUKS\\xba\\xbe");
  refuseVersion((header.u8(6) << 8) | header.u8(7));
  for (const [name, at] of NAMES)
    if (!bytes.subarray(at, at + NAME_BYTES).includes(0))
      throw brokenHeader("luks", `the name of its ${name} does not end`);
  const [payload, keyBytes] = [header.u32(104), header.u32(108)];
  checkSlots(header, { payload, keyBytes });
  const dataAt = payload * SECTOR_BYTES;
  if (sizeBytes !== undefined && dataAt > sizeBytes)
    throw brokenHeader("luks", `its data begin at byte ${dataAt}, and the volume ends at ${sizeBytes}`);
  return {
    format: "raw",
    encryption: "luks",
    ...(sizeBytes === undefined ? {} : { virtualSizeBytes: sizeBytes - dataAt }),
  };
}

interface Sizes {
  /** First sector of the data. */
  readonly payload: number;
  readonly keyBytes: number;
}

/** Refuses key material outside the space between the header and the data, and a header without a key. */
function checkSlots(header: HeaderBytes, { keyBytes, payload }: Sizes): void {
  const first = Math.ceil(HEADER_BYTES / SECTOR_BYTES);
  const sectors = Math.ceil((keyBytes * STRIPES) / SECTOR_BYTES);
  const slots = Array.from({ length: SLOTS }, (_, slot) => readSlot(header, slot));
  for (const [slot, { keyAt }] of slots.entries())
    if (keyAt < first || keyAt + sectors > payload)
      throw brokenHeader("luks", `its key slot ${slot} is at sector ${keyAt}, and its data at ${payload}`);
  if (keyBytes === 0 || !slots.some(({ isActive }) => isActive)) throw brokenHeader("luks", "it has no key");
}

function readSlot(header: HeaderBytes, slot: number): { readonly keyAt: number; readonly isActive: boolean } {
  const at = FIRST_SLOT + slot * SLOT_BYTES;
  const [state, keyAt, stripes] = [header.u32(at), header.u32(at + 40), header.u32(at + 44)];
  if (state !== SLOT_ACTIVE && state !== SLOT_INACTIVE)
    throw brokenHeader("luks", `the state of its key slot ${slot} is ${state}`);
  if (stripes !== STRIPES) throw brokenHeader("luks", `its key slot ${slot} has ${stripes} stripes`);
  return { keyAt, isActive: state === SLOT_ACTIVE };
}

function refuseVersion(version: number): void {
  if (version === 1) return;
  throw new SvirtError(
    `Cannot read the luks header: its version is ${version}, and QEMU opens version 1 only`,
    {
      kind: "unsupported",
      remedy: "Make a volume of version 1, and copy the data: cryptsetup luksFormat --type luks1",
    },
  );
}

function hasMagic(bytes: Uint8Array): boolean {
  return [...MAGIC].every((letter, at) => bytes[at] === letter.charCodeAt(0));
}
