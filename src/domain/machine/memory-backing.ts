import { checked, element, rewritten, type ValueOf } from "../../xml/element.ts";
import { attribute, child, children, flag, required } from "../../xml/field.ts";
import type { XmlNode } from "../../xml/node.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer, oneOf } from "../../xml/value-form.ts";
import { commonIds, guestNodes } from "../forms/id-set.ts";
import { kiBOf, memoryUnit, sizeCount } from "../forms/memory-size.ts";

const page = rewritten(
  element("page", () => ({
    size: required(attribute("size", sizeCount())),
    unit: attribute("unit", memoryUnit),
    nodeset: attribute("nodeset", guestNodes),
  })),
  (value, node) => ({ ...value, unit: "KiB", size: kiBOf({ count: value.size, unit: value.unit }, node) }),
);

const hugepages = checked(
  element("hugepages", () => ({ pages: children(page) })),
  ({ pages }, node) => {
    for (const [at, { nodeset }] of pages.entries()) refuseOverlap(pages.slice(0, at), nodeset, node);
  },
);

/** Sharing of the guest's memory between QEMU and other programs. */
export const memoryAccess = oneOf("shared", "private");

/** `<memoryBacking>`, https://libvirt.org/formatdomain.html#memory-backing */
export const memoryBacking = checked(
  element("memoryBacking", () => ({
    hugepages: child(hugepages),
    nosharepages: flag("nosharepages"),
    locked: flag("locked"),
    source: child(
      element("source", () => ({ type: required(attribute("type", oneOf("file", "anonymous", "memfd"))) })),
    ),
    access: child(element("access", () => ({ mode: required(attribute("mode", memoryAccess)) }))),
    allocation: child(
      element("allocation", () => ({
        mode: attribute("mode", oneOf("immediate", "ondemand")),
        threads: attribute("threads", integer(1, 65_535)),
      })),
    ),
    discard: flag("discard"),
  })),
  (value, node) => {
    if (value.hugepages === undefined) return;
    // virDomainDefValidateMemory() of libvirt
    const place = value.allocation?.mode === "ondemand" ? "allocation" : "source";
    if (place === "source" && value.source?.type !== "anonymous") return;
    throw notUnderstood({ node, place }, "huge pages are allocated at the start", "Leave one of them out.");
  },
);
export type MemoryBacking = ValueOf<typeof memoryBacking>;

type Page = ValueOf<typeof page>;

// qemuValidateDomainDefMemory() of libvirt
function refuseOverlap(others: readonly Page[], nodeset: Page["nodeset"], node: XmlNode): void {
  for (const other of others) {
    const overlaps =
      nodeset === undefined || other.nodeset === undefined
        ? nodeset === other.nodeset
        : commonIds(nodeset, other.nodeset).length > 0;
    if (!overlaps) continue;
    throw notUnderstood({ node }, "two <page> are for the same memory", "Leave one of them out.");
  }
}
