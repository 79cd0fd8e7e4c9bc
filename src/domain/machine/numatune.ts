import { checked, element, type ValueOf } from "../../xml/element.ts";
import { attribute, child, children, required } from "../../xml/field.ts";
import type { XmlNode } from "../../xml/node.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer, oneOf } from "../../xml/value-form.ts";
import { hostNodes } from "../forms/id-set.ts";

const mode = oneOf("strict", "preferred", "interleave", "restrictive");

const memory = element("memory", () => ({
  mode: attribute("mode", mode),
  nodeset: attribute("nodeset", hostNodes),
  placement: attribute("placement", oneOf("static", "auto")),
}));

const memnode = element("memnode", () => ({
  cellid: required(attribute("cellid", integer(0, 127))),
  mode: required(attribute("mode", mode)),
  nodeset: required(attribute("nodeset", hostNodes)),
}));

/**
 * `<numatune>`: NUMA nodes of the host for the guest's memory,
 * https://libvirt.org/formatdomain.html#numa-node-tuning
 */
export const numatune = checked(
  element("numatune", () => ({ memory: child(memory), memnodes: children(memnode) })),
  refuseContradictions,
);
export type Numatune = ValueOf<typeof numatune>;

/** QEMU's policy for the use of the host's NUMA nodes. */
export type NumaMode = "strict" | "preferred" | "interleave" | "restrictive";

// virDomainNumatuneSet() and virDomainNumatuneNodeParseXML() of libvirt
function refuseContradictions(
  {
    memory: whole,
    memnodes,
  }: { readonly memory?: ValueOf<typeof memory>; readonly memnodes: readonly ValueOf<typeof memnode>[] },
  node: XmlNode,
): void {
  if (whole?.placement === "auto" && memnodes.length > 0) {
    throw notUnderstood(
      { node, place: "memnode" },
      "the placement of all memory is left to numad",
      "Leave it out.",
    );
  }
  if (whole?.placement === "static" && whole.nodeset === undefined) {
    throw notUnderstood({ node, place: "memory/@nodeset" }, "it is missing", "Write nodeset there.");
  }
  const cells = memnodes.map(({ cellid }) => cellid);
  if (new Set(cells).size !== cells.length) {
    throw notUnderstood({ node, place: "memnode/@cellid" }, "a cell is listed twice", "Leave one out.");
  }
  const restrictive = [...(whole === undefined ? [] : [whole]), ...memnodes].map(
    (found) => found.mode === "restrictive",
  );
  if (!restrictive.includes(true) || !restrictive.includes(false)) return;
  throw notUnderstood({ node }, "mode='restrictive' must be in all elements or in none", "Write it in each.");
}
