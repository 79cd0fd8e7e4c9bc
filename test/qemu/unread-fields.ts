/**
 * Fields that no decision about the XML alone reads. A new field is no reason to add a line: have code read
 * it, or refuse it.
 */
export const UNREAD: ReadonlySet<string> = new Set(
  (await Bun.file(new URL("../data/unread-fields.txt", import.meta.url)).text())
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#")),
);
