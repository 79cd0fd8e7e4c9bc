/** Types of a designator, SPC-4 7.8.6. */
const [VENDOR_SPECIFIC, T10_VENDOR, EUI_64, NAA] = [0, 1, 2, 3] as const;
/** Code sets of a designator. */
const [BINARY, ASCII] = [1, 2] as const;
/** Unique types of NAA, the best first; undefined: any. */
const NAA_TYPES = [6, 5, undefined] as const;

/** Bytes of a header, of a page and of a designator. */
const HEADER_BYTES = 4;

/** Designator of a logical unit. */
interface Designator {
  readonly type: number;
  readonly codeSet: number;
  readonly value: Uint8Array;
}

/** Facts about a SCSI device that identify it: the pages of its vital product data, and its names. */
export interface ScsiIdentity {
  /** Device identification; undefined: the device has none. SPC-4 7.8.6 */
  readonly page83: Uint8Array | undefined;
  /** Serial number of the unit. SPC-4 7.8.14 */
  readonly page80: Uint8Array | undefined;
  /** Eight and sixteen characters, with blanks at the end. */
  readonly vendor: string;
  readonly model: string;
}

/**
 * Returns the identifier of a SCSI device, as udev's scsi_id(8) prints it with --replace-whitespace,
 * libvirt's key of a volume; undefined for a device without an identifier. virStorageFileGetSCSIKey() of
 * libvirt, src/udev/scsi_id/scsi_serial.c of systemd
 */
export function formatScsiKey(identity: ScsiIdentity): string | undefined {
  const key = keyOfDesignator(identity) ?? keyOfSerial(identity);
  return key === undefined ? undefined : withoutBlanks(key);
}

function keyOfDesignator({ model, page83, vendor }: ScsiIdentity): string | undefined {
  const designators = page83 === undefined ? [] : listDesignators(page83);
  const [best] = ORDER.flatMap((isMeant) => designators.filter(isMeant));
  if (best === undefined) return undefined;
  const { codeSet, type, value } = best;
  const before = type === VENDOR_SPECIFIC ? vendor + model : "";
  return `${type}${before}${codeSet === ASCII ? textOf(value) : hexOf(value)}`;
}

/** Designators in scsi_id's order of preference. */
const ORDER: readonly ((one: Designator) => boolean)[] = [
  ...NAA_TYPES.flatMap((naa) =>
    [BINARY, ASCII].map(
      (codeSet) => (one: Designator) =>
        one.type === NAA &&
        one.codeSet === codeSet &&
        (naa === undefined || (one.value[0] ?? 0) >> 4 === naa),
    ),
  ),
  ...[EUI_64, T10_VENDOR, VENDOR_SPECIFIC].flatMap((type) =>
    [BINARY, ASCII].map((codeSet) => (one: Designator) => one.type === type && one.codeSet === codeSet),
  ),
];

/** Lists the designators of the logical unit itself, not its ports'. */
function listDesignators(page: Uint8Array): readonly Designator[] {
  const end = Math.min(page.length, HEADER_BYTES + ((page[2] ?? 0) << 8) + (page[3] ?? 0));
  const found: Designator[] = [];
  for (let at = HEADER_BYTES; at + HEADER_BYTES <= end; ) {
    const length = page[at + 3] ?? 0;
    const value = page.subarray(at + HEADER_BYTES, Math.min(end, at + HEADER_BYTES + length));
    const [first = 0, second = 0] = page.subarray(at, at + 2);
    const isOfUnit = (second & 0x30) === 0;
    if (isOfUnit && value.length === length && length > 0)
      found.push({ type: second & 0x0f, codeSet: first & 0x0f, value });
    at += HEADER_BYTES + length;
  }
  return found;
}

function keyOfSerial({ model, page80, vendor }: ScsiIdentity): string | undefined {
  if (page80 === undefined || page80[1] !== 0x80) return undefined;
  const serial = textOf(page80.subarray(HEADER_BYTES, HEADER_BYTES + (page80[3] ?? 0)));
  return `S${vendor}${model}${serial}`;
}

/** udev_replace_whitespace() and udev_replace_chars() of systemd */
function withoutBlanks(text: string): string {
  return text
    .replace(/^\s+|\s+$/g, "")
    .replace(/\s+/g, "_")
    .replace(/[^0-9A-Za-z#+\-.:=@_]/g, "_");
}

function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function textOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => (byte === 0 ? "" : String.fromCharCode(byte))).join("");
}
