import { choice } from "../../xml/choice.ts";
import { element, type ValueOf } from "../../xml/element.ts";
import { attribute, child, required } from "../../xml/field.ts";
import { parseDocument } from "../../xml/parse-document.ts";
import { oneOf } from "../../xml/value-form.ts";
import { encryption } from "../forms/secret.ts";
import { absolutePath } from "../forms/text.ts";

const driver = child(
  element("driver", () => ({
    name: attribute("name", oneOf("qemu")),
    type: attribute("type", oneOf("raw", "qcow2")),
  })),
);
const file = element("source", () => ({ file: required(attribute("file", absolutePath)), encryption }));
const block = element("source", () => ({ dev: required(attribute("dev", absolutePath)), encryption }));

/** `<disk>` of `virsh blockcopy --xml`, the destination of a copy: only its source, format and encryption. */
const copyTarget = choice("disk", {
  attribute: "type",
  absent: "file",
  of: () => ({
    file: { source: required(child(file)), driver },
    block: { source: required(child(block)), driver },
  }),
});

/** Reads the destination of a copy. Throws "xml", "unsupported". */
export function parseCopyTarget(bytes: Uint8Array): ValueOf<typeof copyTarget> {
  return copyTarget.parse(parseDocument(bytes));
}
