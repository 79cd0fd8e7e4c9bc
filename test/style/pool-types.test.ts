import { describe, expect, test } from "bun:test";
import { Glob } from "bun";
import { EXCEPTIONS, listTypeComparisons } from "./pool-types.ts";
import type { Sources } from "./source-rules.ts";

const SRC = new URL("../../src/", import.meta.url).pathname;
const files = [...new Glob("**/*.ts").scanSync(SRC)];
const sources: Sources = new Map(
  await Promise.all(files.map(async (file) => [file, await Bun.file(SRC + file).text()] as const)),
);

test("the type of a pool is compared with a word in its backend alone", () => {
  expect(listTypeComparisons(sources)).toEqual([]);
});

test.each([...EXCEPTIONS])("%s needs its exception: %s", (file) => {
  const own: Sources = new Map([[file, sources.get(file) ?? ""]]);
  expect(listTypeComparisons(own, new Map())).not.toEqual([]);
});

describe("listTypeComparisons() can fail: ", () => {
  test.each([
    ['if (pool.type === "logical") endGroup();', "equal"],
    ['const isMounted = type !== "netfs";', "unequal"],
    ['return "iscsi" === seen.type;', "the word first"],
    ['if (poolType === "iscsi-direct") return;', "a name of its own"],
    ["switch (pool.type) {\n  case 'zfs':\n    return;\n}", "a switch"],
    ['if (["logical", "disk"].includes(pool.type)) return;', "a list"],
    ['const MADE: readonly PoolType[] = ["logical", "disk"];', "a named list"],
    ['const MADE = new Set<PoolType>(["fs"]);', "a set"],
  ])("%j (%s)", (text) => {
    expect(listTypeComparisons(new Map([["vm/pool/a.ts", text]]))).toHaveLength(1);
    const elsewhere = `import type { Pool } from "../../storage/pool/stored-pool.ts";\n${text}`;
    expect(listTypeComparisons(new Map([["vm/start/a.ts", elsewhere]]))).toHaveLength(1);
  });

  test.each([
    ["vm/pool/backends/fs.ts", 'if (pool.type === "fs") return;', "a backend"],
    ["vm/hotplug/a.ts", 'if (device.type === "scsi") return;', "a device"],
    ["vm/pool/a.ts", '// Once: pool.type === "fs".', "a comment"],
    ["vm/volume/a.ts", 'return { type: "dir", format: "dir" };', "a value"],
  ])("permits in %s %j (%s)", (file, text) => {
    expect(listTypeComparisons(new Map([[file, text]]))).toEqual([]);
  });
});
