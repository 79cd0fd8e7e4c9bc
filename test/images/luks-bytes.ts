/** Fields of a LUKS header for a test. Missing ones are as qemu-img writes them. */
export interface LuksOptions {
  readonly version?: number;
  /** First sector of the data. */
  readonly payload?: number;
  readonly keyBytes?: number;
  /** State and first sector of key slot 0. */
  readonly state?: number;
  readonly keyAt?: number;
  readonly stripes?: number;
  readonly cipher?: string;
}

/** First sector of the data of volumes that luksBytes() returns. */
export const PAYLOAD = 4096;

/** Returns the first 4,096 bytes of a LUKS volume. LUKS On-Disk Format Specification 1.2.3 */
export function luksBytes(options: LuksOptions = {}): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  bytes.set([0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe]);
  view.setUint16(6, options.version ?? 1);
  const name = (at: number, text: string): void => bytes.set(new TextEncoder().encode(text), at);
  name(8, options.cipher ?? "aes");
  name(40, "xts-plain64");
  name(72, "sha256");
  view.setUint32(104, options.payload ?? PAYLOAD);
  view.setUint32(108, options.keyBytes ?? 64);
  for (let slot = 0; slot < 8; slot += 1) {
    const at = 208 + slot * 48;
    const own = slot === 0 ? options : {};
    view.setUint32(at, own.state ?? (slot === 0 ? 0x00ac71f3 : 0x0000dead));
    view.setUint32(at + 40, own.keyAt ?? 8 + slot * 504);
    view.setUint32(at + 44, own.stripes ?? 4000);
  }
  return bytes;
}
