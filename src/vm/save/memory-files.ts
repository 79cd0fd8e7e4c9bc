import { SvirtError } from "../../errors.ts";
import { listNamedPaths, memoryElement } from "../../resolve/definition-names.ts";
import type { Instance } from "../../state/instance.ts";
import { ownerName, readRecords } from "../../state/record.ts";
import { listSnapshotOwners, readSnapshots } from "../../state/snapshots/snapshots.ts";
import { definitionByUuid } from "../guest/find-domain.ts";

/**
 * Throws "in-use" for a path that has the memory of a snapshot, if `isThere`, or will have it once the
 * snapshot is taken. The caller holds the registry's lock. Throws "failed" for damaged snapshots, if
 * `isThere`: they may need the file.
 */
export function refuseMemoryFile(instance: Instance, path: string, isThere: boolean): void {
  const taking = readRecords(instance).find(({ change, jobs = [] }) =>
    [...jobs, ...(change?.jobs ?? [])].some(({ memory }) => memory?.path === path),
  );
  if (taking !== undefined)
    throw inUse(
      `Cannot write ${path}: a snapshot of the guest ${taking.name} is being taken there`,
      "Name another file.",
    );
  const owner = isThere ? findMemoryOwner(instance, path) : undefined;
  if (owner !== undefined)
    throw inUse(
      `Cannot write ${path}: the snapshot '${owner.snapshot}' of the domain '${owner.name}' has its memory there`,
      `Name another file, or forget that snapshot: svirt snapshot-delete ${owner.name} ${owner.snapshot} --metadata`,
    );
}

/**
 * Throws "in-use" for the memory of a snapshot: no guest must write by it into the images kept by the
 * snapshot. Throws as refuseMemoryFile().
 */
export function refuseSnapshotMemory(instance: Instance, path: string): void {
  const owner = findMemoryOwner(instance, path);
  if (owner === undefined) return;
  throw inUse(
    `Cannot restore ${path}: the snapshot '${owner.snapshot}' of the domain '${owner.name}' has its memory there, and the guest would change its images`,
    `Revert to the snapshot: svirt snapshot-revert ${owner.name} ${owner.snapshot}`,
  );
}

function findMemoryOwner(
  instance: Instance,
  path: string,
): { readonly name: string; readonly snapshot: string } | undefined {
  for (const uuid of listSnapshotOwners(instance)) {
    const found = readSnapshots(instance, uuid).snapshots.find(({ xml }) =>
      listNamedPaths(memoryElement(xml)).includes(path),
    );
    const name = definitionByUuid(instance, uuid)?.name ?? ownerName(instance, { owner: uuid });
    if (found !== undefined) return { name, snapshot: found.name };
  }
  return undefined;
}

function inUse(message: string, remedy: string): SvirtError {
  return new SvirtError(message, { kind: "in-use", remedy });
}
