import { type OnRefused, unlessRefused } from "../../../errors.ts";
import { askServers, type SilentAt } from "../../../resolve/silent-server.ts";
import type { Instance } from "../../../state/instance.ts";
import { listUnfinished, removeUnfinished, removeUnfinishedParts } from "../../../state/unfinished.ts";
import type { Unfinished } from "../../../state/unfinished-schema.ts";
import { isPoolWorkOver, mayGoOn } from "../../pool/left-work.ts";

/** Looks at no file of a silent server. The errors of damaged notes go to `onDamaged`. */
interface LeftSearch {
  readonly silentAt: SilentAt;
  readonly onDamaged: OnRefused;
}

/**
 * Lists the work on pools and volumes left in part by killed calls, as far as files of the host and of the
 * kernel show it. Asks no server and no program.
 */
export function listLeftWork(instance: Instance, { onDamaged, silentAt }: LeftSearch): readonly Unfinished[] {
  return listUnfinished(instance, onDamaged).flatMap(({ work }) =>
    isOver(instance, work, silentAt) ? [] : [work],
  );
}

/**
 * Removes the notes of killed calls whose work was not begun, is done, or is without its object. A missing
 * file may be on an unmounted file system, and a login may go on for a while: the note stays.
 */
export async function removeOverNotes(instance: Instance): Promise<void> {
  removeUnfinishedParts(instance);
  const left = listUnfinished(instance);
  if (left.length === 0) return;
  const silentAt = await askServers(instance.host);
  for (const { id, work } of left) {
    if (!isOver(instance, work, silentAt)) continue;
    const mayReturn =
      work.kind === "volume" ? inodeAt(instance, work.path) === undefined : mayGoOn(instance, work);
    if (!mayReturn) removeUnfinished(instance, id);
  }
}

function isOver(instance: Instance, work: Unfinished, silentAt: SilentAt): boolean {
  if (work.kind !== "volume") return isPoolWorkOver(instance, work);
  if (silentAt(work.path) !== undefined) return false;
  const inode = inodeAt(instance, work.path);
  return inode === undefined || (work.inode !== undefined && inode !== work.inode);
}

function inodeAt({ host }: Instance, path: string): string | undefined {
  return unlessRefused(() => host.inspectFile(path))?.id.inode;
}
