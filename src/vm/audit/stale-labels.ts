import { parseDomainText } from "../../domain/document.ts";
import type { Resource } from "../../domain/resources/resource.ts";
import { listResources } from "../../domain/resources/resources.ts";
import { asSvirtError } from "../../errors.ts";
import { findLeftLabel } from "../../labelling/original-label.ts";
import { folderOf } from "../../plan/folder-of.ts";
import { UNKNOWN_MACHINE } from "../../run/labels/machine-marks.ts";
import { listDefinitionNames, readDefinition } from "../../state/definitions.ts";
import { isSession, type Node } from "../../state/instance.ts";
import { allSteps } from "../../state/reason.ts";
import type { GuestRecord } from "../../state/record.ts";

/** libvirt's own, and what its documents recommend. */
const IMAGE_FOLDERS = ["/var/lib/libvirt/images", "/var/lib/libvirt/qemu/nvram"];

/**
 * What is wrong with the files of defined domains that nobody uses, one line each with its remedy: they carry the label
 * of a guest that is gone, because what was known of their own was lost.
 */
export function findStaleLabels(node: Node): string[] {
  return listDefinitionNames(node).flatMap((name) => {
    try {
      return pathsOf(node, name).flatMap((path) => findStaleLabel(node, path));
    } catch (error) {
      return [`${name}: its files cannot be looked at: ${asSvirtError(error).message}`];
    }
  });
}

/**
 * The same for all that lies in a folder with a guest's file, or where images usually lie: a disk of a domain that is
 * no longer defined, or a copy that was made with its label.
 */
export function findStaleNeighbours(node: Node, records: readonly GuestRecord[]): string[] {
  const steps = records.flatMap((guest) => allSteps(guest));
  const used = steps.flatMap((step) => ("file" in step ? step.file.path : []));
  // Made anew at each start: claimed by their names, not as files.
  const sockets = new Set(steps.flatMap((step) => (step.do === "expect-socket" ? step.path : [])));
  const named = listDefinitionNames(node).flatMap((name) => {
    try {
      return pathsOf(node, name);
    } catch {
      return [];
    }
  });
  const usual = isSession(node) ? [] : IMAGE_FOLDERS;
  const folders = new Set([...usual, ...[...used, ...named].map(folderOf)]);
  return [...folders]
    .filter((folder) => folder !== "" && folder !== "/dev" && !folder.startsWith("/dev/"))
    .flatMap((folder) => node.host.listFolder(folder).map((name) => `${folder}/${name}`))
    .filter((path) => !sockets.has(path))
    .flatMap((path) => findAround(node, path));
}

function pathsOf(node: Node, name: string): string[] {
  const xml = readDefinition(node, name)?.xml;
  if (xml === undefined) return [];
  return listResources(parseDomainText(xml)).flatMap(pathOf);
}

/** Of what a guest may have to itself: the rest is never labelled for one guest alone. */
function pathOf(resource: Resource): string[] {
  return OWN.has(resource.kind) && "path" in resource ? [resource.path] : [];
}

const OWN: ReadonlySet<Resource["kind"]> = new Set([
  "disk",
  "shared-folder",
  "chardev-file",
  "chardev-log",
  "chardev-device",
  "nvram",
]);

/** What svirt may not look at is no guest's. */
function findAround(node: Node, path: string): string[] {
  try {
    return findStaleLabel(node, path);
  } catch {
    return [];
  }
}

function findStaleLabel(node: Node, path: string): string[] {
  const facts = node.host.inspectFile(path);
  const left = facts === undefined ? undefined : findLeftLabel(node, facts);
  if (facts === undefined || left === undefined) return [];
  const real = facts.id.path;
  if (left.through === undefined)
    return [`${real} carries the label of a guest that does not use it; run svirt label restore ${real}`];
  return [
    `${real} carries the label of a guest that is not here, and other machines see it by ${left.through}; if none runs it, ` +
      `run svirt label release ${real} --machine ${UNKNOWN_MACHINE}`,
  ];
}
