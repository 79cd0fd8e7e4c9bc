import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { Glob } from "bun";
import { readCheckout } from "../../scripts/gate/checkout.ts";
import { NEEDS, type Need } from "../../scripts/gate/needs.ts";
import { ALWAYS, decideReruns, isUnforgiven, UNFORGIVEN } from "../../scripts/gate/rules.ts";
import { isTouchedBy, SOURCES } from "../../scripts/gate/sources.ts";

// The tables of scripts/gate against the files of the checkout.

const ROOT = new URL("../../", import.meta.url).pathname;
const NODE_FILES = [...new Glob("test/node/**/*.test.ts").scanSync(ROOT)].sort();
const TESTS = [...new Glob("test/**/*.test.ts").scanSync(ROOT)].sort();

test("every test file on nodes is in the table of needs, and no other", () => {
  const named = [...NEEDS.keys()].map((name) => `test/node/${name}.test.ts`);
  expect(named.toSorted()).toEqual(NODE_FILES);
});

/** Needs that the text of a test file shows: the file itself, and the files in the folder of its name. */
function needsShownBy(file: string): readonly Need[] {
  const folder = `${ROOT}${file.replace(/\.test\.ts$/, "")}`;
  const beside = existsSync(folder) ? readdirSync(folder).map((name) => `${folder}/${name}`) : [];
  const text = [`${ROOT}${file}`, ...beside.filter((path) => statSync(path).isFile())]
    .map((path) => readFileSync(path, "utf8"))
    .join("\n");
  const signs: readonly (readonly [Need, boolean])[] = [
    ["kvm", /\bkvm\b/.test(text)],
    ["vfio", /\bvfio/.test(text)],
    ["pair", /onTwoNodes|SVIRT_OTHER_NODE/.test(text)],
    ["clients", file.includes("/clients/")],
  ];
  return signs.flatMap(([need, isShown]) => (isShown ? [need] : []));
}

test.each(NODE_FILES)("the needs of %s are those that its text shows", (file) => {
  expect(NEEDS.get(file.replace(/^test\/node\/|\.test\.ts$/g, ""))).toEqual(needsShownBy(file));
});

test("the files that need two nodes are those in the folder pair, which scripts/test runs on both", () => {
  const pairs = [...NEEDS].filter(([, needs]) => needs.includes("pair")).map(([name]) => name);
  expect(pairs).toEqual([...NEEDS.keys()].filter((name) => name.startsWith("pair/")));
});

test("each path that the map of sources names exists", () => {
  const files = [...SOURCES.values()].flat().map((name) => `test/${name}.test.ts`);
  expect([...files, ...SOURCES.keys()].filter((path) => !existsSync(ROOT + path))).toEqual([]);
});

test("a change in any folder of src/ touches a test file on a node", () => {
  const folders = readdirSync(`${ROOT}src`).map((name) =>
    name.endsWith(".ts") ? `src/${name}` : `src/${name}/x/y.ts`,
  );
  expect(folders.filter((path) => !NODE_FILES.some((file) => isTouchedBy(path, file)))).toEqual([]);
});

test("the longest prefix counts, and a change of src/vm touches the host's long tests of vm", () => {
  expect(isTouchedBy("src/vm/save/save.ts", "test/node/save.test.ts")).toBe(true);
  expect(isTouchedBy("src/vm/save/save.ts", "test/node/ends.test.ts")).toBe(false);
  expect(isTouchedBy("src/vm/other/other.ts", "test/node/ends.test.ts")).toBe(true);
  expect(isTouchedBy("src/vm/save/save.ts", "test/vm/long/killed-saving.test.ts")).toBe(true);
  expect(isTouchedBy("src/qemu/run.ts", "test/vm/long/killed-saving.test.ts")).toBe(false);
});

test("what always runs, and each file that is never forgiven, exists", () => {
  expect(ALWAYS.filter((file) => !TESTS.includes(file))).toEqual([]);
  expect(UNFORGIVEN.filter((pattern) => !TESTS.some((file) => pattern.test(file)))).toEqual([]);
});

test.each([
  "test/node/isolation.test.ts",
  "test/node/liar.test.ts",
  "test/node/labels.test.ts",
  "test/node/ends.test.ts",
  "test/node/long/killed-anywhere.test.ts",
  "test/vm/recover/long/killed.test.ts",
])("a failure of %s is never forgiven", (file) => {
  expect(TESTS).toContain(file);
  expect(isUnforgiven(file)).toBe(true);
  expect(decideReruns([file])).toEqual([]);
});

test("up to two failed files run once more; with three the gate fails anyway", () => {
  const files = ["test/node/save.test.ts", "test/node/udev.test.ts", "test/node/pools.test.ts"];
  expect(decideReruns(files.slice(1))).toEqual(files.slice(1));
  expect(decideReruns(files)).toEqual([]);
  expect(decideReruns(["test/node/save.test.ts", "test/node/ends.test.ts"])).toEqual([
    "test/node/save.test.ts",
  ]);
});

test("a program beside a test's module belongs to the test, what all tests share does not", () => {
  const { belongsTo } = readCheckout([]);
  const liar = "test/node/liar.test.ts";
  expect(belongsTo("test/node/liar/hold.c", liar)).toBe(true);
  expect(belongsTo("test/node/liar/parts.ts", liar)).toBe(true);
  expect(belongsTo("test/node/harness/lib.sh", liar)).toBe(false);
  expect(belongsTo("test/node/isolation/table.ts", liar)).toBe(false);
  expect(belongsTo("test/node/isolation/table.ts", "test/node/isolation.test.ts")).toBe(true);
  expect(belongsTo("test/node/network/scene.ts", "test/node/macvtaps.test.ts")).toBe(true);
  expect(belongsTo("test/node/linux-guest/init", "test/node/virtiofs.test.ts")).toBe(true);
});
