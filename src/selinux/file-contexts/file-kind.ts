/** What a file is, as far as its default label depends on it. file_contexts(5) */
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

/** The kind that a word of file_contexts stands for, such as `-d`; undefined for any other word. */
export function parseFileKind(word: string): FileKind | undefined {
  return KINDS.get(word);
}
