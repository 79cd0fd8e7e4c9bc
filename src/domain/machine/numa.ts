import { checked, element, rewritten, type ValueOf } from "../../xml/element.ts";
import { attribute, child, children, required } from "../../xml/field.ts";
import type { XmlNode } from "../../xml/node.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer, oneOf, yesNo } from "../../xml/value-form.ts";
import { commonIds, cpuSet } from "../forms/id-set.ts";
import { kiBOf, memoryUnit, sizeCount } from "../forms/memory-size.ts";
import { listCells } from "./list-cells.ts";
import { memoryAccess } from "./memory-backing.ts";

/** Number of a cell, up to QEMU's limit. MAX_NODES in qemu.git include/sysemu/numa.h */
const cellId = integer(0, 127);
const number = integer(0, 2 ** 32 - 1);

const sibling = element("sibling", () => ({
  id: required(attribute("id", cellId)),
  value: required(attribute("value", integer(10, 255))),
}));

const cacheSize = rewritten(
  element("size", () => ({
    value: required(attribute("value", sizeCount())),
    unit: required(attribute("unit", memoryUnit)),
  })),
  ({ value, unit }, node) => ({ value: kiBOf({ count: value, unit }, node), unit: "KiB" }),
);
const cacheLine = element("line", () => ({
  value: required(attribute("value", integer(1, 2 ** 31))),
  unit: required(attribute("unit", oneOf("B"))),
}));

const cache = element("cache", () => ({
  level: required(attribute("level", integer(1, 3))),
  associativity: required(attribute("associativity", oneOf("none", "direct", "full"))),
  policy: required(attribute("policy", oneOf("none", "writeback", "writethrough"))),
  size: required(child(cacheSize)),
  line: required(child(cacheLine)),
}));

const cell = rewritten(
  element("cell", () => ({
    id: attribute("id", cellId),
    cpus: attribute("cpus", cpuSet),
    memory: required(attribute("memory", sizeCount())),
    unit: attribute("unit", memoryUnit),
    memAccess: attribute("memAccess", memoryAccess),
    discard: attribute("discard", yesNo),
    distances: child(element("distances", () => ({ siblings: children(sibling) }))),
    caches: children(cache),
  })),
  (value, node) => ({
    ...value,
    unit: "KiB",
    memory: kiBOf({ count: value.memory, unit: value.unit }, node),
  }),
);

const between = {
  initiator: required(attribute("initiator", cellId)),
  target: required(attribute("target", cellId)),
  cache: attribute("cache", integer(1, 3)),
  type: required(attribute("type", oneOf("access", "read", "write"))),
};
const latency = element("latency", () => ({ ...between, value: required(attribute("value", number)) }));
const bandwidth = rewritten(
  element("bandwidth", () => ({
    ...between,
    value: required(attribute("value", sizeCount())),
    unit: required(attribute("unit", memoryUnit)),
  })),
  (found, node) => ({ ...found, unit: "KiB", value: kiBOf({ count: found.value, unit: found.unit }, node) }),
);

const grammar = element("numa", () => ({
  cells: children(cell),
  interconnects: child(
    element("interconnects", () => ({ latencies: children(latency), bandwidths: children(bandwidth) })),
  ),
}));

/** `<numa>` of a `<cpu>`, https://libvirt.org/formatdomain.html#guest-numa-topology */
export const numa = checked(grammar, refuseContradictions);
export type Numa = ValueOf<typeof grammar>;
export type Cell = Numa["cells"][number];

function refuseContradictions(value: Numa, node: XmlNode): void {
  const cells = listCells(value);
  if (cells.some(({ id }, at) => id !== at)) {
    throw notUnderstood({ node }, "the cells must be numbered from 0, each once", "Number them so.");
  }
  for (const [at, { cpus = [] }] of cells.entries()) {
    const twice = cells.slice(0, at).flatMap((other) => commonIds(other.cpus ?? [], cpus));
    if (twice.length === 0) continue;
    throw notUnderstood({ node, place: "cell/@cpus" }, `${twice[0]} is in two cells`, "Write it in one.");
  }
  refuseDistances(cells, node);
  refuseInterconnects(value, node);
}

function refuseDistances(cells: readonly Cell[], node: XmlNode): void {
  const place = "cell/distances/sibling";
  for (const [at, { distances, caches }] of cells.entries()) {
    const siblings = distances?.siblings ?? [];
    const ids = siblings.map(({ id }) => id);
    if (new Set(ids).size !== ids.length || ids.some((id) => id >= cells.length)) {
      throw notUnderstood(
        { node, place },
        "each sibling must name another cell, and each cell once",
        "Correct its id.",
      );
    }
    if (siblings.some(({ id, value }) => (id === at) !== (value === 10))) {
      throw notUnderstood({ node, place }, "10 is the distance of a cell from itself", "Correct its value.");
    }
    const levels = caches.map(({ level }) => level);
    if (levels.every((level, index) => level === index + 1)) continue;
    throw notUnderstood({ node, place: "cell/cache" }, "the levels must ascend from 1", "Order them so.");
  }
}

// virDomainNumaDefValidate() of libvirt
function refuseInterconnects(value: Numa, node: XmlNode): void {
  const cells = listCells(value);
  const { latencies = [], bandwidths = [] } = value.interconnects ?? {};
  for (const found of [latencies, bandwidths]) {
    const keys = found.map(({ initiator, target, cache: level, type }) =>
      [initiator, target, level, type].join(),
    );
    if (new Set(keys).size === keys.length) continue;
    throw notUnderstood({ node, place: "interconnects" }, "one is listed twice", "Leave one out.");
  }
  for (const { initiator, target, cache: level } of [...latencies, ...bandwidths]) {
    const known = level === undefined || cells[target]?.caches.some((found) => found.level === level);
    if (cells[initiator]?.cpus !== undefined && cells[target] !== undefined && known === true) continue;
    const why = "it must begin in a cell with processors, and end in an existing cell or a cache of it";
    throw notUnderstood({ node, place: "interconnects" }, why, "Correct its numbers.");
  }
}
