import { unlessRefused } from "../../../errors.ts";
import { targetLock } from "../../../plan/paths.ts";
import type { Instance } from "../../../state/instance.ts";
import { DATABASES, DRAFT_START } from "../../../storage/pool/iscsi/record.ts";

/**
 * Lists the drafts of records of iSCSI targets left by killed starts of pools. They have a password. A folder
 * closed to svirt has no draft.
 */
export function listLeftDrafts(instance: Instance): readonly string[] {
  // A policy may forbid to list a folder without records.
  const used = DATABASES.filter((database) => instance.host.inspectFile(`${database}/nodes`) !== undefined);
  return used.flatMap((database) =>
    (unlessRefused(() => instance.host.listFolder(database)) ?? [])
      .filter((name) => name.startsWith(DRAFT_START) && !isWriting(instance, name))
      .map((name) => `${database}/${name}`),
  );
}

/** Removes those drafts. */
export function removeLeftDrafts(instance: Instance): void {
  for (const path of listLeftDrafts(instance)) instance.host.removeFile(path);
}

/** Reports whether a start holds the lock of the target. A look at a missing lock would create it. */
function isWriting({ host, paths }: Instance, draft: string): boolean {
  const target = draft.slice(DRAFT_START.length);
  return [target, target.replace(/[.]new$/, "")]
    .map((name) => targetLock(paths, name))
    .some((lock) => host.inspectFile(lock) !== undefined && host.isLocked(lock));
}
