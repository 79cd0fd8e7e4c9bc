import { asSvirtError } from "../../errors.ts";
import { findLeftLabel } from "../../labelling/original-label.ts";
import { folderOf } from "../../plan/folder-of.ts";
import { askServers, type SilentAt } from "../../resolve/silent-server.ts";
import { UNKNOWN_MACHINE } from "../../run/labels/machine-marks.ts";
import { listDefinitionNames, readDefinition } from "../../state/definitions.ts";
import { type Instance, isSession } from "../../state/instance.ts";
import { type GuestRecord, readRecords } from "../../state/record.ts";
import { allSteps } from "../../state/shutoff-reason.ts";
import { ownPathsIn } from "./own-paths.ts";

/** Folders of libvirt, and the folders recommended by its documentation. */
const IMAGE_FOLDERS = ["/var/lib/libvirt/images", "/var/lib/libvirt/qemu/nvram"];

/** Guests on the host, and the silent servers. */
interface Known {
  readonly records: readonly GuestRecord[];
  readonly silentAt: SilentAt;
}

/**
 * Finds unused files of defined domains with the label of an ended guest, left because their original label
 * was lost. Returns a line per file, with its remedy; for a file of a silent server, a line about the server.
 * A folder mounted for a guest is left out: if the guest has ended, its record is the finding.
 */
export async function findStaleLabels(instance: Instance, known?: Known): Promise<string[]> {
  const records = known?.records ?? readRecords(instance, () => undefined);
  const silentAt = known?.silentAt ?? (await askServers(instance.host));
  const mounted = mountedFor(records);
  return listDefinitionNames(instance).flatMap((name) => {
    try {
      return pathsOf(instance, name)
        .filter((path) => !isIn(mounted, path))
        .flatMap((path) => {
          const mount = silentAt(path);
          return mount === undefined ? findStaleLabel(instance, path) : [`${path} ${notChecked(mount)}`];
        });
    } catch (error) {
      return [`${name}: its files cannot be inspected: ${asSvirtError(error).message}`];
    }
  });
}

/** Returns the finding of a file of a silent server. */
export function notChecked(mount: string): string {
  return `is not checked: the server of ${mount} does not answer`;
}

/**
 * Finds such labels on all files in folders with a guest's file, and in the usual folders for images. They
 * are on disks of removed domains, or on copies made with the label. Folders of silent servers are left out:
 * their files have a finding already.
 */
export function findStaleNeighbours(instance: Instance, { silentAt, records }: Known): string[] {
  const steps = records.flatMap((guest) => allSteps(guest));
  const used = steps.flatMap((step) => ("file" in step ? step.file.path : []));
  // Created again at each start, so they are claimed by path, not as files.
  const sockets = new Set(steps.flatMap((step) => (step.do === "expect-socket" ? step.path : [])));
  const mounted = mountedFor(records);
  const named = listDefinitionNames(instance).flatMap((name) => {
    try {
      return pathsOf(instance, name);
    } catch {
      return [];
    }
  });
  const usual = isSession(instance) ? [] : IMAGE_FOLDERS;
  const folders = new Set([...usual, ...[...used, ...named].map(folderOf)]);
  return [...folders]
    .filter((folder) => folder !== "" && folder !== "/dev" && !folder.startsWith("/dev/"))
    .filter((folder) => silentAt(folder) === undefined)
    .flatMap((folder) => instance.host.listFolder(folder).map((name) => `${folder}/${name}`))
    .filter((path) => !sockets.has(path) && !isIn(mounted, path) && silentAt(path) === undefined)
    .flatMap((path) => findAround(instance, path));
}

/** Lists the folders mounted by svirt for a guest each. */
function mountedFor(records: readonly GuestRecord[]): readonly string[] {
  return records.flatMap(allSteps).flatMap((step) => (step.do === "mount-folder" ? [step.path] : []));
}

function isIn(folders: readonly string[], path: string): boolean {
  return folders.some((folder) => path.startsWith(`${folder}/`));
}

function pathsOf(instance: Instance, name: string): readonly string[] {
  const xml = readDefinition(instance, name)?.xml;
  return xml === undefined ? [] : ownPathsIn(xml);
}

/** Ignores errors: a file that svirt is not permitted to inspect belongs to no guest. */
function findAround(instance: Instance, path: string): string[] {
  try {
    return findStaleLabel(instance, path);
  } catch {
    return [];
  }
}

function findStaleLabel(instance: Instance, path: string): string[] {
  const facts = instance.host.inspectFile(path);
  const left = facts === undefined ? undefined : findLeftLabel(instance, facts);
  if (facts === undefined || left === undefined) return [];
  const real = facts.id.path;
  if (left.through === undefined)
    return [`${real} has the label of a guest that does not use it; run svirt label restore ${real}`];
  return [
    `${real} has the label of a guest that this machine does not run, and other machines access it by ${left.through}; if none runs that guest, ` +
      `run svirt label release ${real} --machine ${UNKNOWN_MACHINE}`,
  ];
}
