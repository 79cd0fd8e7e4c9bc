/** Fields of a qcow2 header for a test. Missing ones are as qemu-img writes them. */
export interface HeaderOptions {
  readonly version?: 2 | 3;
  readonly backingFile?: string;
  readonly extensions?: readonly (readonly [type: number, text: string])[];
  readonly features?: bigint;
  readonly clusterBits?: number;
  readonly headerLength?: number;
  readonly encryption?: number;
}

/** Extension types of qemu.git docs/interop/qcow2.rst */
export const extension = {
  backingFormat: 0xe2792aca,
  dataFile: 0x44415441,
  featureNames: 0x6803f857,
  bitmaps: 0x23852875,
  crypto: 0x0537be77,
} as const;

/** Returns the first 1,024 bytes of a qcow2 image. */
export function qcow2Bytes(options: HeaderOptions): Uint8Array {
  const bytes = new Uint8Array(1024);
  const view = new DataView(bytes.buffer);
  const version = options.version ?? 3;
  const length = version === 2 ? 72 : (options.headerLength ?? 104);
  [0x514649fb, version].forEach((word, index) => {
    view.setUint32(index * 4, word);
  });
  view.setUint32(20, options.clusterBits ?? 16);
  view.setBigUint64(24, 1_048_576n);
  view.setUint32(32, options.encryption ?? 0);
  if (version === 3) {
    view.setBigUint64(72, options.features ?? 0n);
    view.setUint32(96, 4);
    view.setUint32(100, length);
  }
  const end = writeExtensions(bytes, length, options.extensions ?? []);
  if (options.backingFile !== undefined) {
    const name = new TextEncoder().encode(options.backingFile);
    view.setBigUint64(8, BigInt(end));
    view.setUint32(16, name.length);
    bytes.set(name, end);
  }
  return bytes;
}

function writeExtensions(
  bytes: Uint8Array,
  start: number,
  extensions: readonly (readonly [number, string])[],
): number {
  const view = new DataView(bytes.buffer);
  let at = start;
  for (const [type, text] of extensions) {
    const content = new TextEncoder().encode(text);
    view.setUint32(at, type);
    view.setUint32(at + 4, content.length);
    bytes.set(content, at + 8);
    at += 8 + Math.ceil(content.length / 8) * 8;
  }
  return at + 8;
}
