import type { Field } from "../xml/declaration.ts";
import type { ValueOf } from "../xml/element.ts";
import { child, required } from "../xml/field.ts";
import type { XmlNode } from "../xml/node.ts";
import { memoryDevice } from "./devices/memory.ts";
import { memory } from "./forms/memory-size.ts";
import { numa } from "./machine/numa.ts";

const written = required(child(memory));

/**
 * `<memory>` of a domain. A domain with NUMA cells may omit it: then it is the sum of the cells and the
 * memory devices. virDomainDefPostParseMemory() of libvirt
 */
export const domainMemory: Field<ValueOf<typeof memory>> = {
  place: written.place,
  read(node, faults) {
    const cells = find(find(node, "cpu"), "numa");
    if (cells === undefined || find(node, "memory") !== undefined) return written.read(node, faults);
    const devices = find(node, "devices")?.children.filter(({ tag }) => tag === "memory") ?? [];
    const sizes = [
      ...numa.parse(cells).cells.map((cell) => cell.memory),
      ...devices.map((device) => memoryDevice.parse(device).target.sizeKiB),
    ];
    return { unit: "KiB", kiB: sizes.reduce((sum, size) => sum + size, 0) };
  },
  write: (draft, value) => written.write(draft, value),
};

function find(node: XmlNode | undefined, tag: string): XmlNode | undefined {
  return node?.children.find((child) => child.tag === tag);
}
