import { brokenHeader, type HeaderBytes } from "./header-bytes.ts";

/** Header extensions that concern other files, and the names of feature bits for error messages. */
export interface Qcow2Extensions {
  readonly backingFormat?: string;
  readonly dataFile?: string;
  /** Names of incompatible feature bits, by bit number. */
  readonly featureNames: ReadonlyMap<number, string>;
}

interface Extension {
  readonly type: number;
  readonly at: number;
  readonly length: number;
}

/** Types of extensions. qemu.git docs/interop/qcow2.rst */
const [END, BACKING_FORMAT, DATA_FILE] = [0x00000000, 0xe2792aca, 0x44415441];
const FEATURE_NAMES = 0x6803f857;
const FEATURE_NAME_BYTES = 48;
const LONGEST_FORMAT = 15;

/**
 * Reads the extensions from `start` to the end mark, or to `end` if there is none. Skips extensions that
 * concern no other file: bitmaps (0x23852875), the location of the encryption header (0x0537be77), and
 * unknown types, as QEMU does. Throws "failed".
 */
export function parseQcow2Extensions(header: HeaderBytes, start: number, end: number): Qcow2Extensions {
  const extensions = listExtensions(header, start, end);
  const names = extensions.filter(({ type }) => type === FEATURE_NAMES);
  const backingFormat = textOf(header, extensions, BACKING_FORMAT);
  if (backingFormat !== undefined && backingFormat.length > LONGEST_FORMAT) {
    throw brokenHeader("qcow2", `its backing format has ${backingFormat.length} letters`);
  }
  const dataFile = textOf(header, extensions, DATA_FILE);
  return {
    // QEMU takes an empty one as missing. qemu.git block.c bdrv_open_backing_file()
    ...(backingFormat === undefined || backingFormat === "" ? {} : { backingFormat }),
    ...(dataFile === undefined ? {} : { dataFile }),
    featureNames: new Map(names.flatMap((table) => parseFeatureNames(header, table))),
  };
}

function listExtensions(header: HeaderBytes, start: number, end: number): readonly Extension[] {
  const found: Extension[] = [];
  for (let at = start; at + 8 <= Math.min(end, header.length); ) {
    const [type, length] = [header.u32(at), header.u32(at + 4)];
    if (type === END) break;
    if (at + 8 + length > end) throw brokenHeader("qcow2", `the extension at ${at} has ${length} bytes`);
    found.push({ type, at: at + 8, length });
    at += 8 + Math.ceil(length / 8) * 8;
  }
  return found;
}

function textOf(header: HeaderBytes, extensions: readonly Extension[], type: number): string | undefined {
  const [first, second] = extensions.filter((extension) => extension.type === type);
  if (first === undefined) return undefined;
  // QEMU uses the last, other programs the first: two of them could name different files.
  if (second !== undefined) throw brokenHeader("qcow2", `it has the extension 0x${type.toString(16)} twice`);
  return header.text(first.at, first.length);
}

/**
 * Reads rows of a byte for the kind (0 incompatible), a byte for the bit number, and 46 for the name, padded
 * with NUL.
 */
function parseFeatureNames(header: HeaderBytes, table: Extension): readonly (readonly [number, string])[] {
  const rows = Math.floor(table.length / FEATURE_NAME_BYTES);
  return [...Array(rows).keys()]
    .map((row) => table.at + row * FEATURE_NAME_BYTES)
    .filter((at) => header.u8(at) === 0)
    .map((at) => [header.u8(at + 1), printable(header, at + 2, FEATURE_NAME_BYTES - 2)] as const);
}

/** Keeps only printable ASCII: the name comes from an image and goes into an error message. */
function printable(header: HeaderBytes, at: number, length: number): string {
  const codes = [...Array(length).keys()].map((index) => header.u8(at + index));
  return String.fromCharCode(...codes.filter((code) => code >= 0x20 && code < 0x7f));
}
