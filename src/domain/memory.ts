import type { Field } from "../xml/declaration.ts";
import { emptyDraft } from "../xml/draft.ts";
import { element } from "../xml/element.ts";
import { attribute, child, content, required } from "../xml/field.ts";
import { notUnderstood } from "../xml/refusal.ts";
import { integer, oneOf } from "../xml/value-form.ts";

/** Bytes of each unit. https://libvirt.org/formatdomain.html#memory-allocation */
const UNIT_BYTES: ReadonlyMap<string, number> = new Map([
  ["b", 1],
  ["bytes", 1],
  ["KB", 1000],
  ["k", 1024],
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

/** The largest size that stays an exact number: 4 PiB. */
const MOST_KIB = 2 ** 42;

/** `<memory unit='KiB'>1048576</memory>` ⇄ KiB; other units are rounded up to whole KiB and written as KiB. */
export function sizeInKiB(tag: string): Field<number | undefined> {
  const amount = element(tag, {
    unit: attribute("unit", oneOf(...UNIT_BYTES.keys())),
    count: required(content(integer(1, Number.MAX_SAFE_INTEGER))),
  });
  const field = child(amount);
  return {
    place: field.place,
    read(node) {
      const size = field.read(node);
      if (size === undefined) return undefined;
      const kiB = Math.ceil((size.count * (UNIT_BYTES.get(size.unit ?? "KiB") ?? 1024)) / 1024);
      if (kiB <= MOST_KIB) return kiB;
      throw notUnderstood({ node, place: tag }, `it is more than ${MOST_KIB} KiB`, "Write a smaller size.");
    },
    write(draft, value) {
      if (value === undefined) return;
      const written = emptyDraft(tag);
      written.attributes.set("unit", "KiB");
      written.text = String(value);
      draft.children.push(written);
    },
  };
}
