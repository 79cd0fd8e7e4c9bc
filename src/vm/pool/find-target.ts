import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import type { Host } from "../../host/host.ts";
import { belongsToHost, isInstalled } from "../../label/protected-paths.ts";
import { refuseWrittenFolder } from "../../resolve/places/writable-places.ts";

// Rule: A pool's folder is a place for guests, and leads through no link.

/** Target of a pool, as it is on the host. */
export interface FoundTarget {
  /** The target, or the nearest folder above it. */
  readonly nearest: FileFacts;
  /** Paths of the missing folders below the nearest existing folder, from the top; the last is the target. */
  readonly missing: readonly string[];
}

/**
 * Folders with variables of firmware and states of guests, of libvirt and of svirt, which no volume may
 * replace.
 */
const GUESTS_STATE = /^\/var\/lib\/libvirt\/(?:qemu|swtpm)(?:\/|$)/;

/**
 * Looks for the target of a pool. Throws "denied" for a path that leads through a symbolic link, and for a
 * place where guests may not write; "unsupported" for a file in its place.
 */
export function findTarget(host: Host, path: string): FoundTarget {
  // Checked first, because svirt's domain is not permitted to inspect some of these.
  if (belongsToHost(path) || isInstalled(path)) throw refusedTarget(path, "it belongs to the host", "denied");
  if (GUESTS_STATE.test(path)) throw refusedTarget(path, "the states of guests are there", "denied");
  const found = lookFor(host, path);
  refuseWrittenFolder(host, path, found.nearest);
  return found;
}

/**
 * Returns the facts of the target. Throws as findTarget(), and "not-found" with libvirt's message if it is
 * missing: only a defined pool is built.
 */
export function existingTarget(
  host: Host,
  path: string,
  { isDefined, name }: { readonly name: string; readonly isDefined: boolean },
): FileFacts {
  const { missing, nearest } = findTarget(host, path);
  if (missing.length === 0) return nearest;
  throw new SvirtError(`cannot open directory '${path}': No such file or directory`, {
    kind: "not-found",
    remedy: isDefined
      ? `Create it: svirt pool-build ${name}`
      : "Create it with the pool: svirt pool-create FILE --build",
  });
}

/** Finds the nearest existing folder of a path. The kernel names the path of the opened folder. */
function lookFor(host: Host, path: string): FoundTarget {
  const missing: string[] = [];
  for (let at = path; ; at = at.slice(0, at.lastIndexOf("/")) || "/") {
    const facts = host.inspectFile(at);
    if (facts === undefined) {
      missing.unshift(at);
      continue;
    }
    if (facts.id.path !== at)
      throw refusedTarget(path, `${at} leads through a symbolic link to ${facts.id.path}`, "denied");
    if (facts.type !== "folder") throw refusedTarget(path, `${at} is no folder`, "unsupported");
    return { nearest: facts, missing };
  }
}

function refusedTarget(path: string, why: string, kind: "denied" | "unsupported"): SvirtError {
  return new SvirtError(`Cannot use ${path} as the target of a storage pool: ${why}`, {
    kind,
    remedy: "Write a folder for guests' files into <path>, such as one in /var/lib/libvirt/images or /srv.",
    place: "/pool/target/path",
  });
}
