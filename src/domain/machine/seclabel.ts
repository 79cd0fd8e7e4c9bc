import type { SvirtError } from "../../errors.ts";
import { choice } from "../../xml/choice.ts";
import { checked, dropped, type ValueOf } from "../../xml/element.ts";
import { attribute, required, textOf } from "../../xml/field.ts";
import type { XmlNode } from "../../xml/node.ts";
import { notSupported, notUnderstood } from "../../xml/refusal.ts";
import { yesNo } from "../../xml/value-form.ts";
import { DEFAULT_MODEL, LABEL_MODELS } from "../forms/label-model.ts";
import { modelAttribute } from "../forms/security-model.ts";
import { securityLabel } from "../forms/text.ts";

// Rule: A contradictory seclabel is refused, and dac if it requests anything.

const model = modelAttribute([...LABEL_MODELS, "dac"], "guest");
const relabel = attribute("relabel", yesNo);

const grammar = choice("seclabel", {
  attribute: "type",
  absent: "dynamic",
  of: () => ({
    dynamic: { model, relabel, baselabel: textOf("baselabel", securityLabel) },
    static: { model, relabel, label: required(textOf("label", securityLabel), "security label is missing") },
    none: { model, relabel },
  }),
  exceptions: [
    dropped("label", "svirt gives a dynamic guest its label at each start"),
    dropped("imagelabel", "svirt makes the image label at each start"),
  ],
});
export type Seclabel = ValueOf<typeof grammar>;

/**
 * `<seclabel>` of a domain; the default type is dynamic. The label of a dynamic seclabel and every image
 * label belong to a single run of the guest and are ignored.
 * https://libvirt.org/formatdomain.html#security-label
 */
export const seclabel = checked(grammar, refuseContradiction);

/**
 * Refuses two seclabels of a model. Refuses a seclabel without a model among several, or with a label or base
 * label. Uses the messages of libvirt's virSecurityLabelDefsParseXML().
 */
export function refuseModels(labels: readonly Seclabel[], domain: XmlNode): void {
  const nodes = domain.children.filter((node) => node.tag === "seclabel");
  const seen = new Set<string>();
  for (const [index, label] of labels.entries()) {
    const node = nodes[index] ?? domain;
    if (label.model === undefined) refuseNoModel(label, node, labels.length);
    else if (seen.has(label.model)) throw alreadyProvided(node, label.model);
    seen.add(label.model ?? "");
  }
}

/** Returns the error for a second seclabel of a model, of a domain or a source. Kind "xml". */
export function alreadyProvided(node: XmlNode, name: string): SvirtError {
  return notUnderstood(
    { node },
    `seclabel for model ${name} is already provided`,
    "Leave one of the two out.",
  );
}

function refuseNoModel(label: Seclabel, node: XmlNode, count: number): void {
  const remedy = `Write model='${DEFAULT_MODEL}' there.`;
  if (count > 1) throw notUnderstood({ node }, "missing security model when using multiple labels", remedy);
  const isPlain = label.type === "none" || (label.type === "dynamic" && label.baselabel === undefined);
  if (!isPlain) throw notUnderstood({ node }, "missing security model in domain seclabel", remedy);
}

/** Refuses contradictions with the messages of libvirt's virSecurityLabelDefParseXML(). */
function refuseContradiction(value: Seclabel, node: XmlNode): void {
  if (value.type === "dynamic" && value.relabel === false) {
    throw notUnderstood(
      { node, place: "@relabel" },
      "dynamic label type must use resource relabeling",
      "Write relabel='yes', or give a static label.",
    );
  }
  if (value.type === "none" && (value.relabel === true || node.children.length > 0)) {
    const problem = "resource relabeling is not compatible with 'none' label type, and neither is a label";
    throw notUnderstood({ node }, problem, "Leave them out.");
  }
  if (value.model === "none" && value.type !== "none") {
    throw notUnderstood(
      { node, place: "@model" },
      `model 'none' cannot give a ${value.type} label`,
      "Write type='none' if the guest is to run unconfined.",
    );
  }
  const ownOwner = value.type === "static" || (value.type === "dynamic" && value.baselabel !== undefined);
  if (value.model === "dac" && ownOwner) {
    throw notSupported({ node }, "svirt chooses the guest's user itself", "Leave this seclabel out.");
  }
}
