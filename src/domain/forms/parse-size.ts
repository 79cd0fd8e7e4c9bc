import type { ValueForm } from "../../xml/value-form.ts";

/** Bytes of each unit, regardless of case. virScaleInteger() of libvirt */
const UNIT_BYTES: ReadonlyMap<string, number> = new Map(
  ["k", "m", "g", "t", "p", "e"].flatMap((letter, power) => [
    [letter, 1024 ** (power + 1)],
    [`${letter}ib`, 1024 ** (power + 1)],
    [`${letter}b`, 1000 ** (power + 1)],
  ]),
);

/** Unit of a size, as a number of bytes. */
export const unitForm: ValueForm<number> = {
  expects: 'one of "bytes", "KiB", "KB", "MiB", "MB", "GiB", "GB", "TiB", "TB", "PiB", "PB", "EiB", "EB"',
  decode: (text) => (/^b(?:ytes?)?$/i.test(text) ? 1 : UNIT_BYTES.get(text.toLowerCase())),
  encode: String,
};

/**
 * Returns the bytes of a size such as `10G` or `512 KiB`; undefined for another text. virshVolSize() of
 * libvirt's tools
 */
export function parseSize(text: string): number | undefined {
  const [, count = "", unit = ""] = /^\s*\+?([0-9]{1,16})\s*([A-Za-z]*)$/.exec(text) ?? [];
  const unitBytes = unit === "" ? 1 : unitForm.decode(unit);
  const bytes = count === "" || unitBytes === undefined ? Number.NaN : Number(count) * unitBytes;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
