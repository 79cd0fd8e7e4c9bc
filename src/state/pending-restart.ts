import type { Instance } from "./instance.ts";
import type { GuestRecord } from "./record.ts";

// Rule: A pending restart is on disk, with the definition that the guest ran with.

/** Suffix of a partly written file. */
const PART_SUFFIX = ".new";

/** An ended guest to be restarted, with its definition. */
export interface PendingRestart {
  readonly uuid: string;
  readonly name: string;
  readonly xml: string;
}

/**
 * Writes the request to disk before it returns. The file is named after the UUID; its first line is the name,
 * the rest the definition.
 */
export function writePendingRestart(
  instance: Instance,
  guest: Pick<GuestRecord, "uuid" | "name" | "xml">,
): void {
  instance.host.makeFolder({ path: folder(instance), mode: 0o700 });
  instance.host.writeText(`${folder(instance)}/${guest.uuid}`, `${guest.name}\n${guest.xml}`, 0o600);
}

/** Lists the restarts not carried out yet. */
export function listPendingRestarts(instance: Instance): PendingRestart[] {
  return listFiles(instance).flatMap((uuid) => readPendingRestart(instance, uuid) ?? []);
}

/** Reports whether any restart is pending. */
export function hasPendingRestart(instance: Instance): boolean {
  // A loop rather than array methods, since every `svirt list` runs it.
  for (const name of instance.host.listFolder(folder(instance))) if (!name.endsWith(PART_SUFFIX)) return true;
  return false;
}

/** Returns undefined if no restart is pending for the guest. */
export function readPendingRestart(instance: Instance, uuid: string): PendingRestart | undefined {
  const text = instance.host.readText(`${folder(instance)}/${uuid}`);
  if (text === undefined) return undefined;
  const end = text.indexOf("\n");
  return { uuid, name: text.slice(0, end), xml: text.slice(end + 1) };
}

/** Removes a restart carried out or abandoned. A missing restart is not an error. */
export function removePendingRestart(instance: Instance, uuid: string): void {
  instance.host.removeFile(`${folder(instance)}/${uuid}`);
}

/** Lists the files, without partial files of a killed svirt. */
function listFiles(instance: Instance): string[] {
  return instance.host.listFolder(folder(instance)).filter((name) => !name.endsWith(PART_SUFFIX));
}

function folder(instance: Instance): string {
  return `${instance.paths.run}/restart`;
}
