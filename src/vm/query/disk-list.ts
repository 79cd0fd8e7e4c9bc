import { unboundDisk } from "../../domain/devices/disk/bound.ts";
import type { Disk } from "../../domain/devices/disk/disk.ts";
import type { Domain } from "../../domain/domain.ts";
import type { Instance } from "../../state/instance.ts";
import { type Form, formOf } from "../guest/domain-form.ts";
import { findDomain } from "../guest/find-domain.ts";

/** A disk of a domain and its source. */
export interface ListedDisk {
  readonly type: Disk["type"];
  readonly device: NonNullable<Disk["device"]>;
  readonly target: string;
  /** Path, volume or name of the source, by the type of the disk; undefined for an empty drive. */
  readonly source: string | undefined;
  /** Pool of a source on a volume. */
  readonly pool?: string;
}

/** Lists the disks of a domain in the order of its XML. Throws "not-found". */
export function listDisks(instance: Instance, key: string, form: Form): readonly ListedDisk[] {
  return disksOf(formOf(instance, findDomain(instance, key), form));
}

/** Lists the disks of a domain in the order of its XML. */
export function disksOf({ devices }: Domain): readonly ListedDisk[] {
  return devices.disks.map(unboundDisk).map((disk) => ({
    type: disk.type,
    device: disk.device ?? "disk",
    target: disk.target.dev,
    source: disk.source === undefined ? undefined : sourceName(disk.source),
    ...(disk.type === "volume" && disk.source !== undefined ? { pool: disk.source.pool } : {}),
  }));
}

/** Returns the source as virsh shows it. */
function sourceName(source: NonNullable<Disk["source"]>): string | undefined {
  if ("file" in source) return source.file;
  if ("dev" in source) return source.dev;
  if ("dir" in source) return source.dir;
  if ("protocol" in source) return source.name;
  if ("volume" in source) return source.volume;
  return "path" in source ? source.path : undefined;
}
