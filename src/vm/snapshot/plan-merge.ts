import { imagePath } from "../../domain/devices/disk/images.ts";
import { parseSnapshotText } from "../../domain/other-documents/snapshot.ts";
import { SvirtError } from "../../errors.ts";
import { fileKey } from "../../plan/facts/file-key.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import type { MergedDisk } from "../../state/snapshots/snapshot-merge.ts";
import type { StoredSnapshot } from "../../state/snapshots/snapshots.ts";
import type { CommitOptions } from "../block/commit.ts";
import { findRunningDisk, listImagePaths } from "../block/running-disk.ts";
import type { ExternalDisk } from "./refuse-delete.ts";
import type { MergedImages } from "./refuse-shared-base.ts";

/** Planned merge of the overlay of one disk. */
export interface PlannedMerge {
  readonly disk: MergedDisk;
  readonly commit: CommitOptions;
  readonly images: MergedImages;
}

/** Lists the disks of a snapshot that have overlays. */
export function listExternal({ xml }: StoredSnapshot): readonly ExternalDisk[] {
  const { disks } = parseSnapshotText(xml).disks ?? { disks: [] };
  return disks.filter(({ snapshot }) => snapshot === "external");
}

/** Lists the paths that planMerge() inspects for a snapshot. */
export function listPlannedPaths(guest: GuestRecord, snapshot: StoredSnapshot): readonly string[] {
  const named = listExternal(snapshot).flatMap(({ name, source }) => [
    source?.file,
    pathThen(snapshot, name),
  ]);
  return listImagePaths(guest, ...named.filter((path) => path !== undefined));
}

/**
 * Finds the overlay of a snapshot's disk in the chain of a running guest. The chain is from svirt's record,
 * in agreement with the headers. The snapshot's XML, possibly written by a client, only chooses an image of
 * the chain. Throws libvirt's refusals of another chain, and as findRunningDisk().
 * qemuSnapshotDeleteExternalPrepareData() of libvirt
 */
export function planMerge(
  instance: Instance,
  guest: GuestRecord,
  {
    disk: { name: target, source },
    snapshot,
  }: { readonly disk: ExternalDisk; readonly snapshot: StoredSnapshot },
): PlannedMerge {
  const then = pathThen(snapshot, target);
  const named = source?.file;
  if (named === undefined) throw failed(`the overlay of disk '${target}' is not a file`);
  const running = findRunningDisk(instance, guest, target);
  const file = instance.host.inspectFile(named);
  const at = running.images.findIndex(
    ({ found }) => file !== undefined && fileKey(found.facts.id) === fileKey(file.id),
  );
  const [overlay, below] = [running.images[at], running.images[at + 1]];
  if (overlay === undefined) throw notInChain(named);
  if (below === undefined) throw failed("failed to find parent disk source in backing chain");
  const before = instance.host.inspectFile(then);
  if (before === undefined || fileKey(before.id) !== fileKey(below.found.facts.id))
    throw failed("snapshot VM disk source and parent disk source are not the same");
  if (overlay.found.facts.type !== "file") throw failed(`the overlay of disk '${target}' is not a file`);
  return {
    disk: { target: running.disk.target.dev, named, overlay: overlay.found.facts.id },
    commit: {
      path: running.disk.target.dev,
      top: at === 0 ? undefined : overlay.found.path,
      base: below.found.path,
      isShallow: true,
      isActive: at === 0,
      bytesPerSecond: undefined,
    },
    images: {
      uuid: guest.uuid,
      snapshot: snapshot.name,
      base: below,
      above: running.images.slice(0, at + 1),
    },
  };
}

/** Returns the path of the image that a disk had when the snapshot was taken. */
function pathThen({ xml }: StoredSnapshot, target: string): string {
  const { domain } = parseSnapshotText(xml);
  const disks = domain !== undefined && "devices" in domain ? domain.devices.disks : [];
  const found = disks.find((disk) => disk.target.dev === target);
  const path = found === undefined ? undefined : imagePath(found);
  if (path !== undefined) return path;
  throw failed(`failed to find disk '${target}' in snapshot VM XML`);
}

/** virStorageSourceChainLookupBySource() of libvirt */
function notInChain(path: string): SvirtError {
  return new SvirtError("invalid argument: could not find base disk source in disk source chain", {
    kind: "usage",
    from: "STORAGE",
    remedy: `The disk does not have the image ${path}: remove the data of the snapshot alone, svirt snapshot-delete --metadata`,
  });
}

function failed(why: string): SvirtError {
  return new SvirtError(`operation failed: ${why}`, {
    kind: "wrong-state",
    libvirt: "OPERATION_FAILED",
    remedy:
      "Remove the data of the snapshot alone, and merge its images yourself: svirt snapshot-delete --metadata, svirt blockcommit",
  });
}
