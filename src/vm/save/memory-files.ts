import { SvirtError } from "../../errors.ts";
import { listNamedPaths, memoryElement } from "../../resolve/definition-names.ts";
import type { Instance } from "../../state/instance.ts";
import { ownerName, readRecords } from "../../state/record.ts";
import { listSnapshotOwners, readSnapshots } from "../../state/snapshots/snapshots.ts";
import { definitionByUuid } from "../guest/find-domain.ts";

/** Throws "in-use" for a path that has the memory of a snapshot, or will have once it is taken. The caller holds the registry's lock. */
export function refuseMemoryFile(instance: Instance, path: string): void {
  const taking = readRecords(instance).find(({ change, jobs = [] }) =>
    [...jobs, ...(change?.jobs ?? [])].some(({ memory }) => memory?.path === path),
  );
  if (taking !== undefined)
    throw inUse(path, `a snapshot of the guest ${taking.name} is being taken there`, "Name another file.");
  for (const uuid of listSnapshotOwners(instance)) {
    const needing = readSnapshots(instance, uuid).snapshots.find(({ xml }) =>
      listNamedPaths(memoryElement(xml)).includes(path),
    );
    if (needing === undefined) continue;
    const owner = definitionByUuid(instance, uuid)?.name ?? ownerName(instance, { owner: uuid });
    throw inUse(
      path,
      `the snapshot '${needing.name}' of the domain '${owner}' has its memory there`,
      `Name another file, or forget that snapshot: svirt snapshot-delete ${owner} ${needing.name} --metadata`,
    );
  }
}

function inUse(path: string, why: string, remedy: string): SvirtError {
  return new SvirtError(`Cannot write ${path}: ${why}`, { kind: "in-use", remedy });
}
