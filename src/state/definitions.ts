import { SvirtError } from "../errors.ts";
import type { Node } from "./instance.ts";

const ENDING = ".xml";
/** The domain's uuid in the stored form, which svirt writes itself: the first element after the name. */
const STORED_UUID = /^ {2}<uuid>([0-9a-f-]{36})<\/uuid>$/m;

/** A defined domain. */
export interface Definition {
  readonly name: string;
  readonly uuid: string;
  readonly xml: string;
}

/** Lists the names of all defined domains, in libvirt's order: ignoring case. */
export function listDefinitionNames(node: Node): string[] {
  return node.host
    .listFolder(folder(node))
    .filter((file) => file.endsWith(ENDING))
    .map((file) => file.slice(0, -ENDING.length))
    .sort((a, b) => a.toLowerCase().localeCompare(b.toLowerCase(), "en"));
}

/**
 * Returns undefined if no domain of that name is defined. Throws "failed" if the file has no <uuid> where svirt writes it.
 */
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

/** Writes the definition to disk before it returns. */
export function writeDefinition(node: Node, definition: Pick<Definition, "name" | "xml">): void {
  node.host.makeFolder({ path: folder(node), mode: 0o700 });
  node.host.writeText(definitionPath(node, definition.name), definition.xml, 0o600);
}

/** Removes the definition and its autostart mark. A missing one is no error. */
export function removeDefinition(node: Node, name: string): void {
  setAutostart(node, name, false);
  node.host.removeFile(definitionPath(node, name));
}

/** Returns whether the domain starts at boot. */
export function isAutostarted(node: Node, name: string): boolean {
  return node.host.listFolder(autostartFolder(node)).includes(`${name}${ENDING}`);
}

/** Marks a domain to start at boot, by a symlink as libvirt does, or removes the mark. */
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
