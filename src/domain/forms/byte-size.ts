import type { Field } from "../../xml/declaration.ts";
import { textDraft } from "../../xml/draft.ts";
import { element } from "../../xml/element.ts";
import { attribute, child, content, required } from "../../xml/field.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer } from "../../xml/value-form.ts";
import { unitForm } from "./parse-size.ts";

/**
 * Options of sizeInBytes(); by default, the minimum is 1, the written unit is bytes, and an empty element is
 * refused.
 */
interface ByteSize {
  readonly empty?: "absent" | "refused";
  readonly least?: number;
  readonly written?: "bytes" | "B";
}

/** `<max_size unit='KiB'>64</max_size>` ⇄ bytes. */
export function sizeInBytes(
  tag: string,
  { empty = "refused", least = 1, written: unit = "bytes" }: ByteSize = {},
): Field<number | undefined> {
  const count = content(integer(least, Number.MAX_SAFE_INTEGER));
  const amount = element(tag, () => ({
    unitBytes: attribute("unit", unitForm),
    count: empty === "absent" ? count : required(count),
  }));
  const field = child(amount);
  return {
    place: field.place,
    read(node, faults) {
      const size = field.read(node, faults);
      if (size?.count === undefined) return undefined;
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
