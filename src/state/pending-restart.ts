import type { Node } from "./instance.ts";
import type { GuestRecord } from "./record.ts";

/** A guest that has ended and is to be started again, with the definition that it ran with. */
export interface PendingRestart {
  readonly uuid: string;
  readonly name: string;
  readonly xml: string;
}

/** On disk before it returns. The file is the definition: its UUID is the file's name, its name the first line. */
export function writePendingRestart(node: Node, guest: Pick<GuestRecord, "uuid" | "name" | "xml">): void {
  node.host.makeFolder({ path: folder(node), mode: 0o700 });
  node.host.writeText(`${folder(node)}/${guest.uuid}`, `${guest.name}\n${guest.xml}`, 0o600);
}

/** Those whose restart nobody has carried out yet. */
export function listPendingRestarts(node: Node): PendingRestart[] {
  return node.host
    .listFolder(folder(node))
    .filter((name) => !name.endsWith(".new"))
    .flatMap((uuid) => readPendingRestart(node, uuid) ?? []);
}

/** Whether there is any at all. */
export function hasPendingRestart(node: Node): boolean {
  return node.host.listFolder(folder(node)).length > 0;
}

/** Undefined when none is asked for. */
export function readPendingRestart(node: Node, uuid: string): PendingRestart | undefined {
  const text = node.host.readText(`${folder(node)}/${uuid}`);
  if (text === undefined) return undefined;
  const end = text.indexOf("\n");
  return { uuid, name: text.slice(0, end), xml: text.slice(end + 1) };
}

/** Carried out, or given up. Missing is fine. */
export function removePendingRestart(node: Node, uuid: string): void {
  node.host.removeFile(`${folder(node)}/${uuid}`);
}

function folder(node: Node): string {
  return `${node.paths.run}/restart`;
}
