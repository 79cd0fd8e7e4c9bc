/** Folder of the modules in an executable of `bun build --compile`. */
const IN_EXECUTABLE = "/$bunfs/";

/** Returns the words that start this program: the executable, or bun with the program's first file. */
export function ownWords(): readonly string[] {
  const isBuilt = import.meta.path.startsWith(IN_EXECUTABLE);
  return isBuilt ? [process.execPath] : [process.execPath, `${import.meta.dir}/../../../main.ts`];
}
