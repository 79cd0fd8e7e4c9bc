import { type OnRefused, SvirtError, unlessRefused } from "../errors.ts";
import { stagedPath } from "../plan/partial-names.ts";
import { unfinishedLock } from "../plan/paths.ts";
import { removeIfPresent, removeText } from "../run/remove-text.ts";
import type { Instance } from "./instance.ts";
import { isWritten } from "./record.ts";
import type { Unfinished } from "./unfinished-schema.ts";

// Rule: Work that no other command can settle is noted before its first step.

const ENDING = ".json";
/** Work left by a killed call. */
export interface LeftWork {
  readonly id: string;
  readonly work: Unfinished;
}

/** Locks a new note until the returned function is called. Nothing is written yet. */
export async function lockUnfinished({ host, paths }: Instance, id: string): Promise<() => void> {
  return await host.lock(unfinishedLock(paths, id), 0);
}

/**
 * Writes a note to disk before it returns. Without space there it is in /run: a pool must end all the same.
 * The caller has locked it.
 */
export function writeUnfinished(instance: Instance, id: string, work: Unfinished): void {
  const text = `${JSON.stringify(work)}\n`;
  const [onDisk, inRun] = foldersOf(instance);
  const writeIn = (folder: string): void => {
    instance.host.makeFolder({ path: folder, mode: 0o700 });
    instance.host.writeText(pathIn(folder, id), text, 0o600);
  };
  if (work.kind === "source" || !isWritten(() => writeIn(onDisk))) writeIn(inRun);
}

/** Removes a note, the part of it left by a killed call, and its lock. */
export function removeUnfinished(instance: Instance, id: string): void {
  const { host, paths } = instance;
  for (const folder of foldersOf(instance)) removeText(host, pathIn(folder, id));
  removeIfPresent(host, unfinishedLock(paths, id));
}

/** Lists the notes left by killed calls. The error of a damaged note goes to `onDamaged`. */
export function listUnfinished(instance: Instance, onDamaged?: OnRefused): readonly LeftWork[] {
  return listLeft(instance).flatMap((id) => {
    const found = findText(instance, id);
    const work = found && unlessRefused(() => parse(found), onDamaged);
    return work === undefined ? [] : [{ id, work }];
  });
}

/** Removes the parts of notes left by killed calls. Their work was not begun. */
export function removeUnfinishedParts(instance: Instance): void {
  for (const id of listLeft(instance))
    if (findText(instance, id) === undefined) removeUnfinished(instance, id);
}

interface NoteText {
  readonly path: string;
  readonly text: string;
}

function parse({ path, text }: NoteText): Unfinished {
  try {
    const { parseUnfinished }: typeof import("./unfinished-schema.ts") = require("./unfinished-schema.ts");
    return parseUnfinished(text);
  } catch (cause) {
    throw new SvirtError(`Cannot read the note of unfinished work ${path}: it is damaged`, {
      kind: "failed",
      remedy: `Compare it with docs/state.md, check the pool or volume in it, and remove it: rm ${path}`,
      cause,
    });
  }
}

function findText(instance: Instance, id: string): NoteText | undefined {
  for (const folder of foldersOf(instance)) {
    const path = pathIn(folder, id);
    const text = instance.host.readText(path);
    if (text !== undefined) return { path, text };
  }
  return undefined;
}

/**
 * Lists the unlocked notes and parts of notes. A call removes its note before it unlocks it, so a note
 * present after this look is left.
 */
function listLeft(instance: Instance): readonly string[] {
  const names = foldersOf(instance).flatMap((folder) => instance.host.listFolder(folder));
  const ids = new Set(names.flatMap((name) => idIn(name) ?? []));
  return [...ids].sort().filter((id) => !isHeld(instance, id));
}

/** A look at a missing lock would create it. */
function isHeld({ host, paths }: Instance, id: string): boolean {
  const lock = unfinishedLock(paths, id);
  return host.inspectFile(lock) !== undefined && host.isLocked(lock);
}

function idIn(name: string): string | undefined {
  const whole = name.endsWith(stagedPath(ENDING)) ? name.slice(0, -stagedPath("").length) : name;
  return /^([0-9a-f-]{36})\.json$/.exec(whole)?.[1];
}

function pathIn(folder: string, id: string): string {
  return `${folder}/${id}${ENDING}`;
}

function foldersOf({ paths }: Pick<Instance, "paths">): readonly [onDisk: string, inRun: string] {
  return [`${paths.state}/unfinished`, `${paths.run}/unfinished`];
}
