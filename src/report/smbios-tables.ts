/** Structure of the firmware's tables: its formatted bytes, and the strings to which they refer by number. */
export interface SmbiosStructure {
  readonly type: number;
  readonly bytes: Uint8Array;
  readonly strings: readonly string[];
}

/** Entry of libvirt's `<sysinfo>`; the value is undefined if the firmware has none. */
export type SmbiosEntry = readonly [name: string, value: string | undefined];

const HEADER_BYTES = 4;
const END_OF_TABLE = 127;

/**
 * Splits the tables into structures and stops at a damaged structure. SMBIOS 3.7 (DMTF DSP0134), 6.1: type,
 * length, handle, the rest of `length` bytes, then strings, each with a NUL, and a last NUL.
 */
export function parseSmbios(table: Uint8Array): readonly SmbiosStructure[] {
  const found: SmbiosStructure[] = [];
  for (let at = 0; at + HEADER_BYTES <= table.length; ) {
    const [type = 0, length = 0] = [table[at], table[at + 1]];
    const end = endOfStrings(table, at + length);
    if (length < HEADER_BYTES || end === undefined || type === END_OF_TABLE) break;
    const bytes = table.subarray(at, at + length);
    found.push({ type, bytes, strings: stringsIn(table.subarray(at + length, end)) });
    at = end;
  }
  return found;
}

/** Returns the offset after the two NULs that end a structure; undefined if the table ends before. */
function endOfStrings(table: Uint8Array, from: number): number | undefined {
  for (let at = from; at + 1 < table.length; at += 1)
    if (table[at] === 0 && table[at + 1] === 0) return at + 2;
  return undefined;
}

function stringsIn(bytes: Uint8Array): readonly string[] {
  const text = new TextDecoder("latin1").decode(bytes);
  return text.split("\0").filter((part) => part !== "");
}

/** Reads a number of a structure; undefined for an older, shorter structure. */
export function numberAt({ bytes }: SmbiosStructure, at: number, size: 1 | 2 | 4): number | undefined {
  if (at + size > bytes.length) return undefined;
  let value = 0;
  for (let byte = size - 1; byte >= 0; byte -= 1) value = value * 256 + (bytes[at + byte] ?? 0);
  return value;
}

/**
 * Reads a string of a structure: "Not Specified" for none, as dmidecode(8) has it; undefined in an older
 * structure.
 */
export function stringAt(structure: SmbiosStructure, at: number): string | undefined {
  const number = numberAt(structure, at, 1);
  if (number === undefined) return undefined;
  // Blanks and control characters are not part of a name, and the latter would move a terminal's cursor.
  const found = structure.strings[number - 1]?.replace(/\p{Cc}/gu, ".").trim();
  return found ?? "Not Specified";
}
