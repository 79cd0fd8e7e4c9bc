import { SvirtError } from "../errors.ts";
import type { Node } from "./instance.ts";

const ENDING = ".xml";
/** In the stored form, which svirt writes itself, the domain's own uuid is the first element after its name. */
const STORED_UUID = /^ {2}<uuid>([0-9a-f-]{36})<\/uuid>$/m;

/** A domain that is defined. */
export interface Definition {
  readonly name: string;
  readonly uuid: string;
  readonly xml: string;
}

/** The names of all defined domains, in libvirt's order: without regard to case. */
export function listDefinitionNames(node: Node): string[] {
  return node.host
    .listFolder(folder(node))
    .filter((file) => file.endsWith(ENDING))
    .map((file) => file.slice(0, -ENDING.length))
    .sort((a, b) => a.toLowerCase().localeCompare(b.toLowerCase(), "en"));
}

/** Undefined when no domain of that name is defined. Throws "failed" when its file is not what svirt wrote. */
export function readDefinition(node: Node, name: string): Definition | undefined {
  if (name.includes("/") || name.includes("\0")) return undefined;
  const path = definitionPath(node, name);
  const xml = node.host.readText(path);
  if (xml === undefined) return undefined;
  const uuid = STORED_UUID.exec(xml)?.[1];
  if (uuid !== undefined) return { name, uuid, xml };
  throw new SvirtError(`Cannot read the definition ${path}: it has no <uuid> where svirt writes it`, {
    kind: "failed",
    remedy: `Define it again: mv ${path} /tmp && svirt define /tmp/${name}.xml`,
  });
}

/** On disk before it returns. */
export function writeDefinition(node: Node, definition: Pick<Definition, "name" | "xml">): void {
  node.host.makeFolder({ path: folder(node), mode: 0o700 });
  node.host.writeText(definitionPath(node, definition.name), definition.xml, 0o600);
}

/** With its autostart mark. Missing is fine. */
export function removeDefinition(node: Node, name: string): void {
  setAutostart(node, name, false);
  node.host.removeFile(definitionPath(node, name));
}

/** Whether the domain is started at boot. */
export function isAutostarted(node: Node, name: string): boolean {
  return node.host.listFolder(autostartFolder(node)).includes(`${name}${ENDING}`);
}

/** Marks a domain to be started at boot, by a symlink as libvirt does, or takes the mark away. */
export function setAutostart(node: Node, name: string, wanted: boolean): void {
  const mark = `${autostartFolder(node)}/${name}${ENDING}`;
  if (!wanted) {
    node.host.removeFile(mark);
    return;
  }
  node.host.makeFolder({ path: autostartFolder(node), mode: 0o700 });
  node.host.makeSymlink(mark, `../domains/${name}${ENDING}`);
}

function folder(node: Node): string {
  return `${node.paths.config}/domains`;
}

function autostartFolder(node: Node): string {
  return `${node.paths.config}/autostart`;
}

function definitionPath(node: Node, name: string): string {
  return `${folder(node)}/${name}${ENDING}`;
}
