import type { SvirtError } from "../errors.ts";
import type { OpenedFile, OpenedFiles } from "../host/files.ts";
import type { HeldThing } from "../host/processes.ts";
import { fileKey } from "../plan/facts/file-key.ts";
import type { FileMarks } from "../run/labels/file-label.ts";
import { type Instance, registryOf } from "../state/instance.ts";
import { withRegistryLock } from "../state/locks.ts";
import { type EachPath, forEachPath } from "./for-each-path.ts";
import { noFile, refuseUsed } from "./free-file.ts";
import { beginLooks, listChanged } from "./inspect-unlocked.ts";
import { findHeldByOthers } from "./refuse-held.ts";
import { stillInstance } from "./still-instance.ts";

/** Most files that are open at a time, and labelled under a lock. */
const MOST_OPEN = 1000;

/** Act on an unused file, with an instance for the look-ups of all files. */
type Act<Result> = (instance: Instance, file: OpenedFile, marks: FileMarks) => Result;

/**
 * Does an act under the registry's lock on files that are unused, and do not belong to the host. Each file is
 * opened once; the lock is taken, and claims and processes are asked for, once for many files. A file that
 * fails does not stop the others: "not-found", "denied", "in-use".
 */
export async function forEachUnused<Result>(
  instance: Instance,
  paths: readonly string[],
  act: Act<Result>,
): Promise<EachPath<Result>> {
  const done: Result[] = [];
  const errors: SvirtError[] = [];
  for (let begin = 0; begin < paths.length; begin += MOST_OPEN) {
    const acted = await actOnEach(instance, paths.slice(begin, begin + MOST_OPEN), act);
    done.push(...acted.done);
    errors.push(...acted.errors);
  }
  return { done, errors };
}

async function actOnEach<Result>(
  instance: Instance,
  paths: readonly string[],
  act: Act<Result>,
): Promise<EachPath<Result>> {
  using files = instance.host.openEach(paths);
  const things = paths.flatMap((_, at) => thingAt(files, at));
  const before = stillInstance(instance);
  const claimed = claimedFiles(before);
  const looks = beginLooks(before, thingsOf(things, claimed));
  const held = findHeldByOthers(before, things);
  return await withRegistryLock(instance, async () => {
    const now = stillInstance(instance);
    const claimedSince = thingsOf(things, claimed.union(claimedFiles(now)));
    const changed = findHeldByOthers(now, listChanged(now, claimedSince, looks));
    const allHeld = new Map([...held, ...changed]);
    return forEachPath(paths, (path, at) => {
      const acted = files.withOpened(at, (file) => ({
        result: act(now, file, refuseUsed(now, { path, held: allHeld }, file)),
      }));
      if (acted === undefined) throw noFile(path);
      return acted.result;
    });
  });
}

function claimedFiles(instance: Instance): ReadonlySet<string> {
  return new Set(registryOf(instance).listMentioned("file"));
}

/** Files without a claim before and after an inspection have the same owners: none. */
function thingsOf(things: readonly HeldThing[], claimed: ReadonlySet<string>): readonly HeldThing[] {
  return claimed.size === 0 ? [] : things.filter(({ key }) => claimed.has(key));
}

/** The later act on the file reports its error. */
function thingAt(files: OpenedFiles, at: number): readonly HeldThing[] {
  try {
    const id = files.idAt(at);
    return id === undefined ? [] : [{ key: fileKey(id), path: id.path }];
  } catch {
    return [];
  }
}
