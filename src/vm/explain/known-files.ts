import { listResources } from "../../domain/resources/resources.ts";
import type { FileId } from "../../plan/facts/file.ts";
import { folderOf } from "../../plan/folder-of.ts";
import { guestPaths } from "../../plan/paths.ts";
import { listPlugged } from "../../plan/record/qemu-objects.ts";
import type { DeniedObject } from "../../selinux/denials/denial.ts";
import type { Node } from "../../state/instance.ts";
import { allSteps } from "../../state/reason.ts";
import type { KnownGuest } from "./known-guests.ts";

/** A file that svirt knows to be a guest's. */
export interface KnownFile {
  readonly id: FileId;
  readonly guest: KnownGuest;
  /** The label that svirt gave it for the guest; undefined where it gave none. */
  readonly given: string | undefined;
}

/** The files of all guests: what those that run were given, and what the others name. */
export function listKnownFiles(node: Node, guests: readonly KnownGuest[]): KnownFile[] {
  return guests.flatMap((guest) => [
    ...givenFiles(guest),
    ...ownPaths(node, guest).flatMap((path) => inspectFor(node, guest, path)),
    ...namedPaths(guest).flatMap((path) => inspectFor(node, guest, path)),
  ]);
}

/**
 * The file that the kernel means: by inode and device, since a process may see it under another path than svirt. Where
 * the device's name does not tell its number, by the last part of the path.
 */
export function findKnownFile(
  node: Node,
  files: readonly KnownFile[],
  object: DeniedObject,
): KnownFile | undefined {
  const device = deviceOf(node, object.fileSystem);
  const name = object.name ?? object.path?.split("/").at(-1);
  return files.find(({ id }) => {
    if (object.inode === undefined) return id.path === object.path;
    if (id.inode !== object.inode) return false;
    return device === undefined ? id.path.split("/").at(-1) === name : id.device === device;
  });
}

/** Where to look for a name besides the folders of guests' files. */
const USUAL_FOLDERS = ["/dev", "/var/lib/libvirt/images"];

/** The path of a file of which the kernel only tells the name: in a folder that has one of the guests' files. */
export function findPath(
  node: Node,
  files: readonly KnownFile[],
  { fileSystem, inode, name }: DeniedObject,
): string | undefined {
  if (inode === undefined || name === undefined || /^$|\/|^\.+$/.test(name)) return undefined;
  const device = deviceOf(node, fileSystem);
  const folders = new Set([...files.map(({ id }) => folderOf(id.path)), ...USUAL_FOLDERS]);
  return [...folders]
    .map((folder) => `${folder}/${name}`)
    .find((path) => {
      const id = inspectOrUndefined(node, path);
      return id?.inode === inode && (device === undefined || id.device === device);
    });
}

/** `MAJOR:MINOR` of a file system by the name that the kernel's log has for it. */
function deviceOf(node: Node, name: string | undefined): string | undefined {
  if (name === "devtmpfs") return node.host.inspectFile("/dev")?.id.device;
  if (name === undefined || !/^[\w!.-]{1,64}$/.test(name) || /^\.+$/.test(name)) return undefined;
  return node.host.readText(`/sys/class/block/${name}/dev`)?.trim();
}

function givenFiles(guest: KnownGuest): KnownFile[] {
  const steps = guest.record === undefined ? [] : allSteps(guest.record);
  const labelled = steps.flatMap((step) =>
    step.do === "set-label" ? [{ id: step.file, guest, given: step.to }] : [],
  );
  // Devices that it was only handed, such as /dev/kvm, are everybody's.
  const handed = [...listPlugged(steps).files.values()].filter(({ node }) => node === undefined);
  return [...labelled, ...handed.map((id) => ({ id, guest, given: undefined }))];
}

function ownPaths(node: Node, { record, uuid }: KnownGuest): string[] {
  if (record === undefined || uuid === undefined) return [];
  const { folder, monitor, workFolder } = guestPaths(node.paths, uuid);
  return [folder, workFolder, monitor, `${node.paths.log}/${record.name}.log`];
}

function namedPaths({ domain }: KnownGuest): string[] {
  if (domain === undefined) return [];
  return listResources(domain).flatMap((resource) =>
    "path" in resource && resource.kind !== "random-device" && resource.kind !== "nvram-template"
      ? [resource.path]
      : [],
  );
}

function inspectFor(node: Node, guest: KnownGuest, path: string): KnownFile[] {
  const id = inspectOrUndefined(node, path);
  return id === undefined ? [] : [{ id, guest, given: undefined }];
}

/** What svirt may not look at it does not know. */
function inspectOrUndefined(node: Node, path: string): FileId | undefined {
  try {
    return node.host.inspectFile(path)?.id;
  } catch {
    return undefined;
  }
}
