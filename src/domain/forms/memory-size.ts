import type { Field } from "../../xml/declaration.ts";
import { emptyDraft } from "../../xml/draft.ts";
import { element, rewritten } from "../../xml/element.ts";
import { attribute, child, content, required } from "../../xml/field.ts";
import type { XmlNode } from "../../xml/node.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer, oneOf, onOff, type ValueForm } from "../../xml/value-form.ts";

/** Bytes of each unit. https://libvirt.org/formatdomain.html#memory-allocation */
const UNIT_BYTES: ReadonlyMap<string, number> = new Map([
  ["b", 1],
  ["bytes", 1],
  ["B", 1],
  ["byte", 1],
  ["KB", 1000],
  ["k", 1024],
  ["K", 1024],
  ["KiB", 1024],
  ["MB", 1000 ** 2],
  ["M", 1024 ** 2],
  ["MiB", 1024 ** 2],
  ["GB", 1000 ** 3],
  ["G", 1024 ** 3],
  ["GiB", 1024 ** 3],
  ["TB", 1000 ** 4],
  ["T", 1024 ** 4],
  ["TiB", 1024 ** 4],
]);

/** Largest exact size: 4 PiB. */
const MOST_KIB = 2 ** 42;

/** Options of sizeInKiB(): minimum count, maximum, unit of a bare number, and written unit. */
export interface SizeBounds {
  readonly least?: number;
  readonly mostKiB?: number;
  readonly bare?: "KiB" | "b";
  readonly written?: "KiB" | "M";
}

/** Unit of memory. */
export const memoryUnit: ValueForm<string> = oneOf(...UNIT_BYTES.keys());

/** Number of units, at least `least`. */
export function sizeCount(least = 1): ValueForm<number> {
  return integer(least, Number.MAX_SAFE_INTEGER);
}

/**
 * Returns a size in whole KiB, rounded up; the default unit is KiB. Throws "xml" for a size above `mostKiB`.
 */
export function kiBOf(
  { count, unit }: { readonly count: number; readonly unit?: string | undefined },
  node: XmlNode,
  mostKiB = MOST_KIB,
): number {
  const kiB = Math.ceil((count * (UNIT_BYTES.get(unit ?? "KiB") ?? 1024)) / 1024);
  if (kiB <= mostKiB) return kiB;
  throw notUnderstood({ node }, `it is more than ${mostKiB} KiB`, "Write a smaller size.");
}

/**
 * Returns the size of an argument in virsh's notation, `524288` (KiB) or `512MiB`, in whole KiB; undefined
 * for other text.
 */
export function parseSizeInKiB(text: string): number | undefined {
  const [, digits, unit = ""] = /^([1-9]\d{0,14})([A-Za-z]*)$/.exec(text) ?? [];
  const bytes = UNIT_BYTES.get(unit === "" ? "KiB" : unit);
  return digits === undefined || bytes === undefined ? undefined : Math.ceil((Number(digits) * bytes) / 1024);
}

/**
 * `<memory unit='KiB'>1048576</memory>` ⇄ KiB; other units are rounded up to whole KiB and written as KiB.
 */
export function sizeInKiB(
  tag: string,
  { least = 1, mostKiB = MOST_KIB, bare = "KiB", written: unit = "KiB" }: SizeBounds = {},
): Field<number | undefined> {
  const amount = element(tag, () => ({
    unit: attribute("unit", memoryUnit),
    count: required(content(sizeCount(least))),
  }));
  const field = child(amount);
  return {
    place: field.place,
    read(node, faults) {
      const size = field.read(node, faults);
      return (
        size &&
        kiBOf(
          { ...size, unit: size.unit ?? bare },
          node.children.find((found) => found.tag === tag) ?? node,
          mostKiB,
        )
      );
    },
    write(draft, value) {
      if (value === undefined) return;
      const written = emptyDraft(tag);
      written.attributes.set("unit", unit);
      written.text = String(unit === "M" ? value / 1024 : value);
      draft.children.push(written);
    },
  };
}

/** `<memory>` of a domain, in KiB; `dumpCore` is whether QEMU's core dump contains it. */
export const memory = rewritten(
  element("memory", () => ({
    dumpCore: attribute("dumpCore", onOff),
    unit: attribute("unit", memoryUnit),
    kiB: required(content(sizeCount())),
  })),
  inKiB,
);

/** `<maxMemory>`: limit of the memory including memory devices, and number of their slots. */
export const maxMemory = rewritten(
  element("maxMemory", () => ({
    slots: attribute("slots", integer(1, 256)),
    unit: attribute("unit", memoryUnit),
    kiB: required(content(sizeCount())),
  })),
  inKiB,
);

function inKiB<T extends { readonly kiB: number; readonly unit?: string }>(value: T, node: XmlNode): T {
  return { ...value, unit: "KiB", kiB: kiBOf({ count: value.kiB, unit: value.unit }, node) };
}
