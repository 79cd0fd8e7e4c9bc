import { stagedPath } from "../../plan/partial-names.ts";
import type { Paths } from "../../plan/paths.ts";
import type { Instance } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";

/** Folders of texts that are written under the registry's lock alone. */
function foldersOf({ config, run, state }: Paths): readonly string[] {
  return [
    ...["domains", "networks", "nwfilters", "storage", "secrets"].map((name) => `${config}/${name}`),
    ...["networks", "storage", "secrets"].map((name) => `${run}/${name}`),
    ...["snapshots", "snapshot-changes"].map((name) => `${state}/${name}`),
  ];
}

/**
 * Lists the parts of texts that a killed call has left, or that the holder of the registry's lock is writing.
 * No call reads one.
 */
export function listParts({ host, paths }: Pick<Instance, "host" | "paths">): readonly string[] {
  return foldersOf(paths).flatMap((folder) =>
    host
      .listFolder(folder)
      .filter((name) => name.endsWith(stagedPath("")))
      .map((name) => `${folder}/${name}`),
  );
}

/** Removes those parts. */
export async function removeParts(instance: Instance): Promise<void> {
  if (listParts(instance).length === 0) return;
  await withRegistryLock(instance, async () => dropParts(instance));
}

/** Removes those parts. The caller holds the registry's lock. */
export function dropParts(instance: Instance): void {
  for (const path of listParts(instance)) instance.host.removeFile(path);
}
