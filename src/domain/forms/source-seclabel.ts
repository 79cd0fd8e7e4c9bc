import { checked, element, refused, type ValueOf } from "../../xml/element.ts";
import { attribute, textOf } from "../../xml/field.ts";
import type { XmlNode } from "../../xml/node.ts";
import { notSupported, notUnderstood } from "../../xml/refusal.ts";
import { yesNo } from "../../xml/value-form.ts";
import { DEFAULT_MODEL, FILE_MODELS } from "./label-model.ts";
import { modelAttribute } from "./security-model.ts";
import { securityLabel } from "./text.ts";

// Rule: relabel='no' of a disk keeps the label of its file.

const grammar = element(
  "seclabel",
  () => ({
    model: modelAttribute([...FILE_MODELS, "dac"], "file"),
    relabel: attribute("relabel", yesNo),
    label: textOf("label", securityLabel),
  }),
  [refused("@labelskip", "svirt labels every file that can have a label")],
);
export type SourceSeclabel = ValueOf<typeof grammar>;

/**
 * `<seclabel>` inside a `<source>`: another label for this file, or none. The default model is selinux.
 * https://libvirt.org/formatdomain.html#security-label
 */
export const sourceSeclabel = checked(grammar, refuseContradiction);

/** Refuses contradictions with the messages of libvirt's virSecurityDeviceLabelDefParseXML(). */
function refuseContradiction(value: SourceSeclabel, node: XmlNode): void {
  if (value.model === "dac" && value.label !== undefined) {
    throw notSupported(
      { node },
      "svirt chooses the owner of a guest's files itself",
      "Leave this seclabel out.",
    );
  }
  if (value.relabel === false && value.label !== undefined) {
    throw notUnderstood(
      { node, place: "label" },
      `Cannot specify a label if relabelling is turned off. model=${DEFAULT_MODEL}`,
      "Leave one out.",
    );
  }
  if (value.relabel !== false && value.label === undefined) {
    throw notUnderstood(
      { node },
      `Cannot specify relabel if label is missing. model=${value.model ?? DEFAULT_MODEL}`,
      "Write <label>, or relabel='no'.",
    );
  }
}
