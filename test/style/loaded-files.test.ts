import { expect, test } from "bun:test";
import { eagerImportsOf } from "./source-rules.ts";

const SRC = new URL("../../src/", import.meta.url).pathname;
/**
 * Parts that take most of a command on a file in a folder, and that such a command needs only for other
 * volumes or other requests.
 */
const LARGE =
  /^(?:xml\/(?:parse-document|element|format-document)|domain\/(?:devices|machine|rules|resources|document-forms)|plan\/steps\/kinds|selinux\/file-contexts|resolve\/pools|storage\/(?:pool|volume)\/(?:forms\/|source\/|document-forms)|host\/linux\/(?:network|mounts|processes|holders))/;
const LIBRARY = /^import (?!type )[^;]*from "(?!\.|node:|bun:)[^"]+";$/m;

/** Lists the files of src/ that are loaded with a file. */
async function listLoaded(file: string): Promise<ReadonlyMap<string, string>> {
  const loaded = new Map<string, string>();
  const next = [file];
  for (let at = next.pop(); at !== undefined; at = next.pop()) {
    if (loaded.has(at)) continue;
    const text = await Bun.file(SRC + at).text();
    loaded.set(at, text);
    next.push(...eagerImportsOf(at, text));
  }
  return loaded;
}

/** Calls of the host for files, which a command loads with the first of them. */
const HOST_CALLS = "host/linux/file-calls.ts";

test.each([
  ["cli/commands/volume/vol-create-as.ts", "vm/volume/create-volume.ts"],
  ["cli/commands/volume/vol-delete.ts", "vm/volume/volumes-above.ts"],
  ["cli/commands/volume/vol-resize.ts", "vm/volume/resize-volume.ts"],
  [HOST_CALLS, "host/linux/content/make-within.ts"],
])("%s loads neither the XML parser, nor forms of XML, nor a library", async (file, part) => {
  const loaded = await listLoaded(file);
  expect(loaded.has(part)).toBe(true);
  expect([...loaded.keys()].filter((one) => LARGE.test(one))).toEqual([]);
  expect([...loaded].filter(([, text]) => LIBRARY.test(text)).map(([one]) => one)).toEqual([]);
});
