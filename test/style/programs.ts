/** Starts a program, in the host's layer. */
const STARTS = /\bBun\.spawn(?:Sync)?\(|\bspawnProgram\(|\bcall\("execve"|\bnode:child_process\b/;
/** Asks the host to start a program. */
const ASKS = /\.(?:readOutput|readProbe|runProgram|spawnDaemon|spawnHelper|spawnGuest|editFile)\(/;
/** Path of a program, as a text of its own. */
const PATH = /["'`]((?:\/usr)?\/(?:s?bin|libexec)\/[\w.-]+)["'`]/g;
/** Only passes calls of the host on. */
const PASSES_ON: ReadonlySet<string> = new Set(["host/linux/linux-host.ts"]);

/**
 * Lists the files of src/ that start programs, or ask the host to, and that no link of the table leads to.
 */
export function listUnlistedStarts(sources: ReadonlyMap<string, string>, table: string): string[] {
  return [...sources]
    .filter(([file, text]) => !PASSES_ON.has(file) && (STARTS.test(text) || ASKS.test(text)))
    .map(([file]) => file)
    .filter((file) => !table.includes(`(../src/${file})`));
}

/** Lists the paths of programs in src/ that the table does not have. */
export function listUnlistedPaths(sources: ReadonlyMap<string, string>, table: string): string[] {
  const paths = [...sources.values()].flatMap((text) =>
    [...text.matchAll(PATH)].map(([, path = ""]) => path),
  );
  return [...new Set(paths)].filter((path) => !isListed(path, table)).toSorted();
}

/** A program that is found in several folders is listed by its last word. */
function isListed(path: string, table: string): boolean {
  return table.includes(`\`${path}\``) || FOLDERS.has(path);
}

/** Folders of FHS 3.0, which are no programs. */
const FOLDERS: ReadonlySet<string> = new Set(["/usr/bin", "/usr/sbin", "/usr/libexec"]);
