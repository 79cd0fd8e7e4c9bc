import { expect, test } from "bun:test";
import { eagerImportsOf } from "./source-rules.ts";

const SRC = new URL("../../src/", import.meta.url).pathname;
/** Parts that take most of a command on a file in a folder, and that such a command needs only for other volumes or other requests. */
const LARGE =
  /^(?:xml\/(?:parse-document|element|format-document)|domain\/(?:devices|machine|rules|document-forms)|registry|plan\/(?:actions|steps)|selinux|resolve\/pools|storage\/(?:pool|volume)\/(?:forms\/|document-forms))/;
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

test("vol-create-as loads neither the XML parser, nor forms of XML, nor a library", async () => {
  const loaded = await listLoaded("cli/commands/volume/vol-create-as.ts");
  expect(loaded.has("vm/volume/create-volume.ts")).toBe(true);
  expect([...loaded.keys()].filter((file) => LARGE.test(file))).toEqual([]);
  expect([...loaded].filter(([, text]) => LIBRARY.test(text)).map(([file]) => file)).toEqual([]);
});
