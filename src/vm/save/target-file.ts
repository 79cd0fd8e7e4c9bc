import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import { belongsToHost } from "../../label/protected-paths.ts";
import { originalOf } from "../../labelling/original-label.ts";
import type { TargetFile } from "../../plan/actions/stream.ts";
import { fileKey } from "../../plan/facts/file-key.ts";
import { privateRange } from "../../report/policy-facts.ts";
import { wrongType } from "../../resolve/inspect-file.ts";
import { placeOfMade, refuseWritten } from "../../resolve/places/writable-places.ts";
import { getFileLabel } from "../../run/labels/get-file-label.ts";
import { type Instance, registryOf } from "../../state/instance.ts";
import { partPath } from "../../state/part-path.ts";
import { ownerName } from "../../state/record.ts";
import { refuseMemoryFile } from "./memory-files.ts";

// Rule: A saved guest, a dump and a screenshot never have a guest's label.

/**
 * Decides the place of a guest's written state: a new file, or the place of an unused file, with its label. A
 * file with the label of an ended guest is replaced by a file with the policy's label. Throws "not-found"
 * without its folder, "in-use", "denied", "unsupported" for any but a regular file.
 */
export function decideTarget(instance: Instance, named: string, uuid: string): TargetFile {
  const old = instance.host.inspectFile(named);
  const path = old?.id.path ?? newPath(instance, named);
  if (belongsToHost(path)) throw ofHost(named);
  if (instance.isForKey === true) refuseForKey(instance, old, path);
  refuseMemoryFile(instance, path, old !== undefined);
  const part = partPath(path, uuid);
  if (old === undefined) return { part, path, label: undefined, before: undefined };
  if (old.type !== "file") throw wrongType(named, old.type);
  const [holder] = registryOf(instance).listHolders("file", fileKey(old.id));
  if (holder !== undefined) throw inUse(named, ownerName(instance, holder));
  const label = originalOf(instance, { named, facts: old });
  // If policy has no default for it, the new file gets the label of any new file there.
  const kept = privateRange(instance.host, label) === undefined ? label : undefined;
  return { part, path, label: kept, before: getFileLabel(instance.host, old.id) };
}

/**
 * Refuses places closed to guests: a guest influences the content, and a restricted key must not choose the
 * reading program of the host.
 */
function refuseForKey({ host }: Instance, old: FileFacts | undefined, path: string): void {
  if (old === undefined) placeOfMade(host, path);
  else refuseWritten(host, old);
}

/** Returns the path below its folder, with symlinks resolved. */
function newPath({ host }: Instance, named: string): string {
  const cut = named.lastIndexOf("/");
  const name = named.slice(cut + 1);
  const folder = host.inspectFile(cut < 0 ? "." : named.slice(0, cut + 1));
  if (folder?.type !== "folder" || name === "" || name === "." || name === "..") {
    throw new SvirtError(`Failed to create file '${named}': No such file or directory`, {
      kind: "not-found",
      remedy: "Name a file in an existing folder.",
    });
  }
  return `${folder.id.path === "/" ? "" : folder.id.path}/${name}`;
}

function inUse(path: string, guest: string): SvirtError {
  return new SvirtError(`Cannot write ${path}: the guest ${guest} uses that file`, {
    kind: "in-use",
    remedy: "Name another file.",
  });
}

function ofHost(path: string): SvirtError {
  return new SvirtError(`Cannot write ${path}: its folder belongs to the host`, {
    kind: "denied",
    remedy: "Name a file elsewhere, such as in /var/lib/libvirt/images.",
  });
}
