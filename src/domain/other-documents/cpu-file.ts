import { SvirtError } from "../../errors.ts";
import { decodeDocument } from "../../xml/decode-document.ts";
import type { XmlNode } from "../../xml/node.ts";
import { parseDocument } from "../../xml/parse-document.ts";
import { type CpuDescription, readCpuDescription } from "./cpu-description.ts";

/** Places of `<cpu>` in documents of libvirt. */
const PLACES: readonly (readonly string[])[] = [
  ["cpu"],
  ["domain", "cpu"],
  ["capabilities", "host", "cpu"],
  ["domainCapabilities", "cpu", "mode"],
];

/**
 * Reads the processors of a file: of any number of `<cpu>`, `<domain>`, `<capabilities>` and
 * `<domainCapabilities>`, in a row. Throws "xml" and "unsupported". vshExtractCPUDefXMLs() of libvirt
 */
export function parseCpuFile(
  bytes: Uint8Array,
  name: string,
): readonly [CpuDescription, ...CpuDescription[]] {
  const text = decodeDocument(bytes).replace(/^<\?xml[^>]*\?>/, "");
  const root = parseText(`<container>${text}</container>`);
  const nodes = root.children.flatMap((child) =>
    PLACES.filter(([tag]) => tag === child.tag).flatMap(([, ...deeper]) => find(child, deeper)),
  );
  const [first, ...others] = nodes.filter(isProcessor).map(describe);
  if (first !== undefined) return [first, ...others];
  throw new SvirtError(
    `File '${name}' does not contain any <cpu> element or valid domain XML, host capabilities XML, or domain capabilities XML`,
    { kind: "xml", remedy: "Name a file with one of these, such as the output of svirt capabilities." },
  );
}

function find(node: XmlNode, [tag, ...deeper]: readonly string[]): readonly XmlNode[] {
  if (tag === undefined) return [node];
  return node.children.filter((child) => child.tag === tag).flatMap((child) => find(child, deeper));
}

/** Of the modes of domain capabilities, only host-model describes a processor. */
function isProcessor({ attributes, tag }: XmlNode): boolean {
  if (tag !== "mode") return true;
  return attributes.get("name") === "host-model" && attributes.get("supported") === "yes";
}

// Reads the element as a document of its own: its path is the path seen by a client of libvirt.
function describe({ source }: XmlNode): CpuDescription {
  const root = parseText(source);
  return readCpuDescription(root.tag === "mode" ? { ...root, tag: "cpu", attributes: new Map() } : root);
}

function parseText(xml: string): XmlNode {
  return parseDocument(new TextEncoder().encode(xml));
}
