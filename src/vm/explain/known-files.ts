import { listResources } from "../../domain/resources/resources.ts";
import type { FileId } from "../../plan/facts/file.ts";
import { folderOf } from "../../plan/folder-of.ts";
import { guestPaths } from "../../plan/paths.ts";
import { listQemuObjects } from "../../plan/record/qemu-objects.ts";
import type { DeniedObject } from "../../selinux/denials/denial.ts";
import type { Instance } from "../../state/instance.ts";
import { allSteps } from "../../state/shutoff-reason.ts";
import type { KnownGuest } from "./known-guests.ts";

/** File of a guest, as far as svirt knows. */
export interface KnownFile {
  readonly id: FileId;
  readonly guest: KnownGuest;
  /** svirt's label of the guest; undefined if none. */
  readonly given: string | undefined;
}

/** Lists the files of all guests: files passed by svirt, and files of their XML. */
export function listKnownFiles(instance: Instance, guests: readonly KnownGuest[]): KnownFile[] {
  return guests.flatMap((guest) => [
    ...givenFiles(guest),
    ...ownPaths(instance, guest).flatMap((path) => inspectFor(instance, guest, path)),
    ...namedPaths(guest).flatMap((path) => inspectFor(instance, guest, path)),
  ]);
}

/**
 * Finds the file of a kernel message by inode and device, since a process may see it under a different path
 * than svirt does. If the device's name does not give its number, the last component of the path decides.
 */
export function findKnownFile(
  instance: Instance,
  files: readonly KnownFile[],
  object: DeniedObject,
): KnownFile | undefined {
  const device = deviceOf(instance, object.fileSystem);
  const name = object.name ?? object.path?.split("/").at(-1);
  return files.find(({ id }) => {
    if (object.inode === undefined) return id.path === object.path;
    if (id.inode !== object.inode) return false;
    return device === undefined ? id.path.split("/").at(-1) === name : id.device === device;
  });
}

/** Folders to search for a name, in addition to those of guests' files. */
const USUAL_FOLDERS = ["/dev", "/var/lib/libvirt/images"];

/**
 * Finds the path of a file that the kernel reports only by name, in the folders of guests' files and the
 * usual ones.
 */
export function findPath(
  instance: Instance,
  files: readonly KnownFile[],
  { fileSystem, inode, name }: DeniedObject,
): string | undefined {
  if (inode === undefined || name === undefined || /^$|\/|^\.+$/.test(name)) return undefined;
  const device = deviceOf(instance, fileSystem);
  const folders = new Set([...files.map(({ id }) => folderOf(id.path)), ...USUAL_FOLDERS]);
  return [...folders]
    .map((folder) => `${folder}/${name}`)
    .find((path) => {
      const id = inspectOrUndefined(instance, path);
      return id?.inode === inode && (device === undefined || id.device === device);
    });
}

/** Returns `MAJOR:MINOR` of a file system by its name in the kernel's log. */
function deviceOf(instance: Instance, name: string | undefined): string | undefined {
  if (name === "devtmpfs") return instance.host.inspectFile("/dev")?.id.device;
  if (name === undefined || !/^[\w!.-]{1,64}$/.test(name) || /^\.+$/.test(name)) return undefined;
  return instance.host.readText(`/sys/class/block/${name}/dev`)?.trim();
}

function givenFiles(guest: KnownGuest): KnownFile[] {
  const steps = guest.record === undefined ? [] : allSteps(guest.record);
  const labelled = steps.flatMap((step) =>
    step.do === "set-label" ? [{ id: step.file, guest, given: step.to }] : [],
  );
  // Devices that were passed without a label, such as /dev/kvm, belong to no guest.
  const passedFiles = [...listQemuObjects(steps).files.values()].filter(({ node }) => node === undefined);
  return [...labelled, ...passedFiles.map((id) => ({ id, guest, given: undefined }))];
}

function ownPaths(instance: Instance, { record, uuid }: KnownGuest): string[] {
  if (record === undefined || uuid === undefined) return [];
  const { folder, monitor, workFolder } = guestPaths(instance.paths, uuid);
  return [folder, workFolder, monitor, `${instance.paths.log}/${record.name}.log`];
}

function namedPaths({ domain }: KnownGuest): string[] {
  if (domain === undefined) return [];
  return listResources(domain).flatMap((resource) =>
    "path" in resource && resource.kind !== "random-device" && resource.kind !== "nvram-template"
      ? [resource.path]
      : [],
  );
}

function inspectFor(instance: Instance, guest: KnownGuest, path: string): KnownFile[] {
  const id = inspectOrUndefined(instance, path);
  return id === undefined ? [] : [{ id, guest, given: undefined }];
}

/** Inspects a file; undefined if svirt is not permitted to. */
function inspectOrUndefined(instance: Instance, path: string): FileId | undefined {
  try {
    return instance.host.inspectFile(path)?.id;
  } catch {
    return undefined;
  }
}
