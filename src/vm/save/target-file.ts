import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/host.ts";
import { belongsToHost } from "../../label/protected-paths.ts";
import { originalOf } from "../../labelling/original-label.ts";
import type { TargetFile } from "../../plan/actions/stream.ts";
import { fileKey } from "../../plan/facts/file.ts";
import { privateRange } from "../../report/policy-facts.ts";
import { wrongType } from "../../resolve/inspect-file.ts";
import { placeOfMade, refuseWritten } from "../../resolve/written-place.ts";
import { type Node, registryOf } from "../../state/instance.ts";
import { partPath } from "../../state/part-path.ts";
import { readRecord } from "../../state/record.ts";

/**
 * Where a guest's state is to be written: a new file, or in place of one that no guest uses, whose label the new one
 * gets. One that carries the label of a guest that is gone is replaced by one with the label that policy gives it.
 * Throws "not-found" without its folder, "label-taken", "denied", "unsupported" for what is no regular file.
 */
export function decideTarget(node: Node, named: string, uuid: string): TargetFile {
  const old = node.host.inspectFile(named);
  const path = old?.id.path ?? newPath(node, named);
  if (belongsToHost(path)) throw ofHost(named);
  if (node.isForKey === true) refuseForKey(node, old, path);
  const part = partPath(path, uuid);
  if (old === undefined) return { part, path, label: undefined };
  if (old.type !== "file") throw wrongType(named, old.type);
  const [holder] = registryOf(node).listHolders("file", fileKey(old.id));
  if (holder !== undefined) throw inUse(named, readRecord(node, holder.owner)?.name ?? holder.owner);
  const label = originalOf(node, { named, facts: old });
  // Where policy has no default for it, the new file gets what any new file there gets.
  return { part, path, label: privateRange(node.host, label) === undefined ? label : undefined };
}

/** A guest has a say in what is written, and the key has none in who reads it. */
function refuseForKey({ host }: Node, old: FileFacts | undefined, path: string): void {
  if (old === undefined) placeOfMade(host, path);
  else refuseWritten(host, old);
}

/** By its folder, with the symlinks resolved. */
function newPath({ host }: Node, named: string): string {
  const cut = named.lastIndexOf("/");
  const name = named.slice(cut + 1);
  const folder = host.inspectFile(cut < 0 ? "." : named.slice(0, cut + 1));
  if (folder?.type !== "folder" || name === "" || name === "." || name === "..") {
    throw new SvirtError(`Failed to create file '${named}': No such file or directory`, {
      kind: "not-found",
      remedy: "Name a file in a folder that is there.",
    });
  }
  return `${folder.id.path === "/" ? "" : folder.id.path}/${name}`;
}

function inUse(path: string, guest: string): SvirtError {
  return new SvirtError(`Cannot write ${path}: the guest ${guest} uses it`, {
    kind: "label-taken",
    remedy: "Name another file.",
  });
}

function ofHost(path: string): SvirtError {
  return new SvirtError(`Cannot write ${path}: it belongs to the host`, {
    kind: "denied",
    remedy: "Name a file elsewhere, such as in /var/lib/libvirt/images.",
  });
}
