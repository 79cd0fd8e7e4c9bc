import { listImports } from "./imports.ts";
import { isUnforgiven } from "./rules.ts";

/** Begins the first line of a test file of the host that takes seconds of a processor. */
export const IN_TURN = "// In turn";
/** One of so many samples runs a slow file. */
export const SLOW_TURNS = 4;
/** One of so many samples runs another file. */
export const TURNS = 3;
/** Divides the seed, so that the turn of a file does not decide which of its tests run: test/sample.ts. */
const BY_FILE = 19;

/** A test file of the host, named from the checkout. */
export interface HostFile {
  readonly file: string;
  readonly text: string;
}

/** Test files of a sample, and files that are left to other samples. */
export interface Turns {
  readonly run: readonly string[];
  readonly left: readonly string[];
}

/**
 * Divides test files. Every sample runs a third of the files, a quarter of the slow files, all files whose
 * failure is never forgiven, and all files that a path of `changed` touches.
 */
export function decideTurns(files: readonly HostFile[], seed: number, changed: readonly string[]): Turns {
  const isTouched = touchedBy(changed);
  const begin = Math.floor(seed / BY_FILE);
  const left = (group: readonly HostFile[], turns: number): readonly HostFile[] =>
    group.filter((one, at) => (at + begin) % turns !== 0 && !isUnforgiven(one.file) && !isTouched(one));
  const slow = files.filter(isSlow);
  const others = files.filter((one) => !isSlow(one));
  const all = new Set([...left(slow, SLOW_TURNS), ...left(others, TURNS)]);
  const names = (isLeft: boolean): readonly string[] =>
    files.filter((one) => all.has(one) === isLeft).map(({ file }) => file);
  return { run: names(false), left: names(true) };
}

function isSlow({ text }: HostFile): boolean {
  return text.startsWith(IN_TURN);
}

/**
 * Returns whether a change touches a test file: in its folder, in the folder of source that it mirrors, or in
 * a module that it imports.
 */
function touchedBy(changed: readonly string[]): (file: HostFile) => boolean {
  const paths = new Set(changed);
  const folders = new Set(changed.map(folderOf));
  return ({ file, text }) =>
    folders.has(folderOf(file)) || listImports(file, text).some((path) => paths.has(path));
}

/** Returns `vm/snapshot` of `src/vm/snapshot/delete.ts` and of its tests. */
function folderOf(path: string): string {
  return path.split("/").slice(1, -1).join("/");
}
