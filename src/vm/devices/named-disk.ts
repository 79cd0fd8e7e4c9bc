import type { Disk } from "../../domain/disk.ts";
import { parseDomain } from "../../domain/document.ts";
import { SvirtError } from "../../errors.ts";
import { findDomain } from "../find-domain.ts";
import type { Node } from "../node.ts";
import type { Ask } from "./change-devices.ts";
import { decideImpact } from "./impact.ts";

/**
 * The disk that somebody names by its target or by the path of its source; of drives only, where a medium is meant.
 * Throws "not-found" in virsh's words. virshFindDisk()
 */
export function findNamedDisk(
  node: Node,
  { key, wish }: Ask,
  { isDrive, name }: { readonly name: string; readonly isDrive: boolean },
): Disk {
  const { definition, guest } = decideImpact(findDomain(node, key), wish);
  const xml = guest?.xml ?? definition?.xml ?? "";
  const { disks } = parseDomain(new TextEncoder().encode(xml)).devices;
  const found = disks.find(
    (disk) => (!isDrive || isChangeable(disk)) && (disk.target.dev === name || pathOf(disk) === name),
  );
  if (found !== undefined) return found;
  throw new SvirtError(`No disk found whose source path or target is ${name}`, {
    kind: "not-found",
    remedy: `svirt domblklist ${key} shows the disks there are.`,
  });
}

/** Undefined for an empty drive, and for a source that is no path. */
function pathOf({ source }: Disk): string | undefined {
  if (source === undefined) return undefined;
  if ("file" in source) return source.file;
  return "dev" in source ? source.dev : undefined;
}

function isChangeable({ device }: Disk): boolean {
  return device === "cdrom" || device === "floppy";
}
