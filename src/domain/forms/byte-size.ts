import type { Field } from "../../xml/declaration.ts";
import { textDraft } from "../../xml/draft.ts";
import { element } from "../../xml/element.ts";
import { attribute, child, content, required } from "../../xml/field.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer, type ValueForm } from "../../xml/value-form.ts";

/** Bytes of each unit, regardless of case. virScaleInteger() of libvirt */
const UNIT_BYTES: ReadonlyMap<string, number> = new Map(
  ["k", "m", "g", "t", "p", "e"].flatMap((letter, power) => [
    [letter, 1024 ** (power + 1)],
    [`${letter}ib`, 1024 ** (power + 1)],
    [`${letter}b`, 1000 ** (power + 1)],
  ]),
);

const unitForm: ValueForm<number> = {
  expects: 'one of "bytes", "KiB", "KB", "MiB", "MB", "GiB", "GB", "TiB", "TB", "PiB", "PB", "EiB", "EB"',
  decode: (text) => (/^b(?:ytes?)?$/i.test(text) ? 1 : UNIT_BYTES.get(text.toLowerCase())),
  encode: String,
};

/** Returns the bytes of a size such as `10G` or `512 KiB`; undefined for another text. virshVolSize() of libvirt's tools */
export function parseSize(text: string): number | undefined {
  const [, count = "", unit = ""] = /^\s*\+?([0-9]{1,16})\s*([A-Za-z]*)$/.exec(text) ?? [];
  const unitBytes = unit === "" ? 1 : unitForm.decode(unit);
  const bytes = count === "" || unitBytes === undefined ? Number.NaN : Number(count) * unitBytes;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Options of sizeInBytes(); by default, the minimum is 1 and the written unit is bytes. */
interface ByteSize {
  readonly least?: number;
  readonly written?: "bytes" | "B";
}

/** `<max_size unit='KiB'>64</max_size>` ⇄ bytes. */
export function sizeInBytes(
  tag: string,
  { least = 1, written: unit = "bytes" }: ByteSize = {},
): Field<number | undefined> {
  const amount = element(tag, () => ({
    unitBytes: attribute("unit", unitForm),
    count: required(content(integer(least, Number.MAX_SAFE_INTEGER))),
  }));
  const field = child(amount);
  return {
    place: field.place,
    read(node, faults) {
      const size = field.read(node, faults);
      if (size === undefined) return undefined;
      const bytes = size.count * (size.unitBytes ?? 1);
      if (Number.isSafeInteger(bytes)) return bytes;
      throw notUnderstood({ node, place: tag }, "it is too large", "Write a smaller size.");
    },
    write(draft, value) {
      if (value === undefined) return;
      const written = textDraft(tag, String(value));
      written.attributes.set("unit", unit);
      draft.children.push(written);
    },
  };
}
