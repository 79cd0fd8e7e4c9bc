/** Begins the first line of a test file of the host that takes seconds of a processor. */
export const IN_TURN = "// In turn";
/** One of so many samples runs such a file. */
export const TURNS = 4;
/** Divides the seed, so that the turn of a file does not decide which of its tests run: test/sample.ts. */
const BY_FILE = 19;

/** A test file of the host, and its first line. */
export interface HostFile {
  readonly file: string;
  readonly head: string;
}

/** Test files of a sample, and files that are left to other samples. */
export interface Turns {
  readonly run: readonly string[];
  readonly left: readonly string[];
}

/**
 * Divides test files, named from the checkout. Every sample runs a quarter of the files in turn, and those
 * whose folder, of tests or of source, has a path in `changed`.
 */
export function decideTurns(files: readonly HostFile[], seed: number, changed: readonly string[]): Turns {
  const touched = new Set(changed.map((path) => folderOf(path)));
  const left = files
    .filter(({ head }) => head.startsWith(IN_TURN))
    .map(({ file }) => file)
    .filter((file, at) => (at + Math.floor(seed / BY_FILE)) % TURNS !== 0 && !touched.has(folderOf(file)));
  return { run: files.map(({ file }) => file).filter((file) => !left.includes(file)), left };
}

/** Returns `vm/snapshot` of `src/vm/snapshot/delete.ts` and of its tests. */
function folderOf(path: string): string {
  return path.split("/").slice(1, -1).join("/");
}
