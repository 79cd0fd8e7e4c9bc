import type { Disk } from "../../domain/devices/disk/disk.ts";
import { luksBy, type PassphraseName } from "../../domain/devices/disk/secrets.ts";
import type { Domain } from "../../domain/domain.ts";
import type { Snapshot, SnapshotDiskElement } from "../../domain/other-documents/snapshot.ts";

/** Path of an overlay, and the secret with its passphrase if it is encrypted. */
export interface DescribedOverlay {
  readonly path: string;
  readonly secret?: PassphraseName | undefined;
}

/** Facts of a snapshot. */
interface TakenSnapshot {
  readonly name: string;
  readonly description: string | undefined;
  readonly state: "disk-snapshot" | "shutoff" | "running" | "paused";
  /** File with the guest's memory, if the snapshot has it. */
  readonly memory?: string | undefined;
  /** Seconds since 1970. */
  readonly createdAt: number;
  /** The domain before the snapshot, and the definition of a running domain. */
  readonly domain: Domain;
  readonly inactiveDomain: Domain | undefined;
  /** The overlays by the targets of their disks. */
  readonly overlays: ReadonlyMap<string, DescribedOverlay>;
}

/**
 * Returns the snapshot as its XML describes it, without its parent. qemuSnapshotCreateAlignDisks() of libvirt
 */
export function describeSnapshot(taken: TakenSnapshot): Snapshot {
  const { createdAt, description, domain, inactiveDomain, memory, name, overlays, state } = taken;
  return {
    name,
    ...(description === undefined ? {} : { description }),
    state,
    creationTime: createdAt,
    memory: memory === undefined ? { snapshot: "no" } : { snapshot: "external", file: memory },
    disks: { disks: describeDisks(domain.devices.disks, overlays) },
    domain,
    ...(inactiveDomain === undefined ? {} : { inactiveDomain }),
  };
}

/** Returns the disks of a snapshot: disks with an overlay, and disks left out. */
export function describeDisks(
  disks: readonly Disk[],
  overlays: ReadonlyMap<string, DescribedOverlay>,
): readonly SnapshotDiskElement[] {
  return disks.map(({ snapshot, target: { dev: name } }) => {
    const overlay = overlays.get(name);
    if (overlay === undefined) return { name, snapshot: snapshot === "manual" ? snapshot : "no" };
    const { path: file, secret } = overlay;
    const encrypted = secret === undefined ? {} : { encryption: luksBy(secret) };
    const place = { driver: { type: "qcow2" }, source: { file, seclabels: [], ...encrypted } } as const;
    return { name, snapshot: "external", type: "file", ...place };
  });
}
