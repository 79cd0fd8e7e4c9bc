import type { Node } from "./instance.ts";
import type { GuestRecord } from "./record.ts";

/** Ending of a file that is being written. */
const PART_SUFFIX = ".new";

/** A guest that has ended and must restart, with the definition that it ran with. */
export interface PendingRestart {
  readonly uuid: string;
  readonly name: string;
  readonly xml: string;
}

/**
 * Writes the request to disk before it returns. The file is named after the UUID; its first line is the name, the rest the
 * definition.
 */
export function writePendingRestart(node: Node, guest: Pick<GuestRecord, "uuid" | "name" | "xml">): void {
  node.host.makeFolder({ path: folder(node), mode: 0o700 });
  node.host.writeText(`${folder(node)}/${guest.uuid}`, `${guest.name}\n${guest.xml}`, 0o600);
}

/** Lists the restarts that are not carried out yet. */
export function listPendingRestarts(node: Node): PendingRestart[] {
  return listFiles(node).flatMap((uuid) => readPendingRestart(node, uuid) ?? []);
}

/** Returns whether any restart is pending. */
export function hasPendingRestart(node: Node): boolean {
  // A loop, as svirt list asks each time.
  for (const name of node.host.listFolder(folder(node))) if (!name.endsWith(PART_SUFFIX)) return true;
  return false;
}

/** Returns undefined if no restart is pending for the guest. */
export function readPendingRestart(node: Node, uuid: string): PendingRestart | undefined {
  const text = node.host.readText(`${folder(node)}/${uuid}`);
  if (text === undefined) return undefined;
  const end = text.indexOf("\n");
  return { uuid, name: text.slice(0, end), xml: text.slice(end + 1) };
}

/** Removes a restart that was carried out or abandoned. A missing one is no error. */
export function removePendingRestart(node: Node, uuid: string): void {
  node.host.removeFile(`${folder(node)}/${uuid}`);
}

/** Lists the files, without those that a killed svirt wrote in part. */
function listFiles(node: Node): string[] {
  return node.host.listFolder(folder(node)).filter((name) => !name.endsWith(PART_SUFFIX));
}

function folder(node: Node): string {
  return `${node.paths.run}/restart`;
}
