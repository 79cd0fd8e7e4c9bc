import type { Disk } from "../../domain/devices/disk/disk.ts";
import type { Domain } from "../../domain/domain.ts";
import type { Snapshot, SnapshotDiskElement } from "../../domain/other-documents/snapshot.ts";

/** Facts of a snapshot of disks. */
interface TakenSnapshot {
  readonly name: string;
  readonly description: string | undefined;
  readonly state: "disk-snapshot" | "shutoff";
  /** Seconds since 1970. */
  readonly createdAt: number;
  /** The domain before the snapshot, and the definition of one that runs. */
  readonly domain: Domain;
  readonly inactiveDomain: Domain | undefined;
  /** Paths of the overlays by the targets of their disks. */
  readonly overlays: ReadonlyMap<string, string>;
}

/** Returns the snapshot as its XML describes it, without its parent. qemuSnapshotCreateAlignDisks() of libvirt */
export function describeSnapshot(taken: TakenSnapshot): Snapshot {
  const { createdAt, description, domain, inactiveDomain, name, overlays, state } = taken;
  return {
    name,
    ...(description === undefined ? {} : { description }),
    state,
    creationTime: createdAt,
    memory: { snapshot: "no" },
    disks: { disks: describeDisks(domain.devices.disks, overlays) },
    domain,
    ...(inactiveDomain === undefined ? {} : { inactiveDomain }),
  };
}

/** Returns the disks of a snapshot: those with an overlay, and those that it leaves out. */
export function describeDisks(
  disks: readonly Disk[],
  overlays: ReadonlyMap<string, string>,
): readonly SnapshotDiskElement[] {
  return disks.map(({ snapshot, target: { dev: name } }) => {
    const file = overlays.get(name);
    if (file === undefined) return { name, snapshot: snapshot === "manual" ? snapshot : "no" };
    const place = { driver: { type: "qcow2" }, source: { file, seclabels: [] } } as const;
    return { name, snapshot: "external", type: "file", ...place };
  });
}
