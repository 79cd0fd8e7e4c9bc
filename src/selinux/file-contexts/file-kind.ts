/** Kinds of files in rules for default labels. file_contexts(5) */
export type FileKind = "file" | "block" | "character" | "folder" | "fifo" | "socket" | "symlink";

const KINDS: ReadonlyMap<string, FileKind> = new Map([
  ["--", "file"],
  ["-b", "block"],
  ["-c", "character"],
  ["-d", "folder"],
  ["-p", "fifo"],
  ["-s", "socket"],
  ["-l", "symlink"],
]);

/** Returns the kind for a word of file_contexts, such as `-d`; undefined for any other word. */
export function parseFileKind(word: string): FileKind | undefined {
  return KINDS.get(word);
}
