import { SvirtError } from "../errors.ts";
import type { FileFacts, OpenedFile } from "../host/files.ts";
import type { HeldThing } from "../host/processes.ts";
import { belongsToHost } from "../label/protected-paths.ts";
import type { FileId } from "../plan/facts/file.ts";
import { fileKey } from "../plan/facts/file-key.ts";
import { type FileMarks, readMarks } from "../run/labels/file-label.ts";
import { heldElsewhere, othersOf } from "../run/labels/machine-marks.ts";
import { type Instance, registryOf } from "../state/instance.ts";
import { withRegistryLock } from "../state/locks.ts";
import { ownerName } from "../state/record.ts";
import { heldUnmarked, mayBeHeld } from "./held-elsewhere.ts";
import { beginLooks, listChanged } from "./inspect-unlocked.ts";
import { refuseOtherTool } from "./original-label.ts";
import { findHeldByOthers } from "./refuse-held.ts";

/** Inspects the file at a path. Throws "not-found". */
export function inspectExisting(instance: Instance, path: string): FileFacts {
  return withExisting(instance, path, ({ facts }) => facts);
}

/** Calls `work` with the file at a path. Throws "not-found". */
export function withExisting<Result>(
  instance: Instance,
  path: string,
  work: (file: OpenedFile) => Result,
): Result {
  const done = instance.host.withInspected(path, (file) => ({ result: work(file) }));
  if (done !== undefined) return done.result;
  throw noFile(path);
}

/** Returns the error for a missing file. */
export function noFile(path: string): SvirtError {
  return new SvirtError(`Cannot access file '${path}': No such file or directory`, {
    kind: "not-found",
    remedy: "Correct the path.",
  });
}

/** A file to be unused. */
interface UnusedFile {
  readonly path: string;
  /** Errors for files still held by a guest. */
  readonly held: ReadonlyMap<string, SvirtError>;
  /** Verb for messages; absent: the file is labelled. */
  readonly attempt?: string;
  /** Whether a guest may keep its claim on the file; absent: none may. */
  mayHave?(owner: string, file: FileId): boolean;
}

/**
 * Calls `work` with the file at a path, unless it belongs to the host or is in use. Throws "not-found",
 * "denied", "in-use".
 */
export function withUnusedFile<Result>(
  instance: Instance,
  unused: UnusedFile,
  work: (file: OpenedFile, marks: FileMarks) => Result,
): Result {
  return withExisting(instance, unused.path, (file) => work(file, refuseUsed(instance, unused, file)));
}

/**
 * Returns the marks of a file, unless it belongs to the host or is in use. Throws "denied", "in-use". The
 * caller holds the registry's lock.
 */
export function refuseUsed(
  instance: Instance,
  { attempt = "label", held, mayHave = () => false, path }: UnusedFile,
  file: OpenedFile,
): FileMarks {
  const { id } = file.facts;
  if (belongsToHost(id.path)) throw attempt === "label" ? ofHost(path) : keptForHost(attempt, path);
  const holder = registryOf(instance)
    .listHolders("file", fileKey(id))
    .find(({ owner }) => !mayHave(owner, id));
  if (holder !== undefined) throw inUse(`${attempt} ${path}`, ownerName(instance, holder));
  const stillHeld = held.get(fileKey(id));
  if (stillHeld !== undefined) throw stillHeld;
  const marks = readMarks(instance.host, { id, file });
  asAttempt(`${attempt} ${path}`, path, () => {
    refuseOtherTool(instance, path, marks);
    refuseHeld(instance, path, { id, marks });
  });
  return marks;
}

/** Runs a check with an error about an unlabelled file. Its error then names the attempt. */
function asAttempt(attempt: string, path: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof SvirtError)) throw error;
    const { kind, message, remedy } = error;
    const said = message.replace(`Cannot label ${path}: `, () => `Cannot ${attempt}: `);
    throw new SvirtError(said, { kind, remedy, cause: error });
  }
}

/** Throws "in-use" for a file that guests of another machine hold, or may hold. */
function refuseHeld(
  instance: Instance,
  named: string,
  file: { readonly id: FileId; readonly marks: FileMarks },
): void {
  const others = othersOf(instance.host, file.marks.machines);
  if (others.length > 0) throw heldElsewhere(named, others);
  const through = heldUnmarked(instance, file);
  if (through !== undefined) throw mayBeHeld(instance, { ...file, named }, through);
}

function inUse(attempt: string, guest: string): SvirtError {
  return new SvirtError(`Cannot ${attempt}: the guest ${guest} uses that file`, {
    kind: "in-use",
    remedy: `Stop that guest: svirt shutdown ${guest}`,
  });
}

function keptForHost(attempt: string, path: string): SvirtError {
  return new SvirtError(`Cannot ${attempt} ${path}: that file belongs to the host`, {
    kind: "denied",
    remedy: "Name a volume of a folder for images.",
  });
}

/** Returns the error for a file of the host, which svirt does not label. */
export function ofHost(path: string): SvirtError {
  return new SvirtError(`Cannot label ${path}: that file belongs to the host`, {
    kind: "denied",
    remedy: "Label files of the host with restorecon or chcon.",
  });
}

/**
 * Does the work under the registry lock, with the errors for files still held by a guest, keyed by fileKey().
 * All files are inspected together and without the lock, because the inspection covers all guests. Files
 * created or claimed since are inspected under the lock. Unlike withLooks(), a held file does not stop the
 * work on the others.
 */
export async function withHeld<Result>(
  instance: Instance,
  paths: readonly string[],
  work: (held: ReadonlyMap<string, SvirtError>) => Result | Promise<Result>,
): Promise<Result> {
  const things = listThings(instance, paths);
  const looks = beginLooks(instance, things);
  const held = findHeldByOthers(instance, things);
  return await withRegistryLock(instance, async () => {
    const changed = listChanged(instance, listThings(instance, paths), looks);
    return await work(new Map([...held, ...findHeldByOthers(instance, changed)]));
  });
}

function listThings(instance: Instance, paths: readonly string[]): HeldThing[] {
  return paths.flatMap((path) => {
    try {
      const id = instance.host.inspectFile(path)?.id;
      return id === undefined ? [] : [{ key: fileKey(id), path: id.path }];
    } catch {
      // The later work on the file reports the error.
      return [];
    }
  });
}
