import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { findBuiltPolicy } from "./built-policy.ts";

const IMAGE = fileURLToPath(new URL("../../image", import.meta.url));
const policy = findBuiltPolicy() ?? "";
const missing = [
  ...(policy === "" ? ["the policy of this checkout, run image/build"] : []),
  ...(process.getuid?.() === 0 ? [] : ["root"]),
  ...["setfiles", "setfattr", "getfattr"].filter((tool) => Bun.which(tool) === null),
];
const testImage = test.skipIf(missing.length > 0);
const needs = missing.length === 0 ? "" : ` (skipped: needs ${missing.join(", ")})`;
const root = mkdtempSync(`${tmpdir()}/svirt-image-`);

beforeAll(() => {
  mkdirSync(`${root}/usr/bin`, { recursive: true });
  writeFileSync(`${root}/usr/bin/svirt`, "");
  writeFileSync(`${root}/usr/bin/qemu-system-x86_64`, "");
});

afterAll(() => rmSync(root, { recursive: true }));

function run(...words: string[]): { readonly code: number; readonly errors: string } {
  const { exitCode, stderr } = Bun.spawnSync(words);
  return { code: exitCode, errors: stderr.toString() };
}

const check = () => run(`${IMAGE}/check-labels`, policy, root);
const label = () => run(`${IMAGE}/label-tree`, policy, root);
const setLabel = (value: string) =>
  run("setfattr", "-n", "security.selinux", "-v", value, `${root}/usr/bin/svirt`);

testImage(`a tree whose files all have a label is an image${needs}`, () => {
  expect(label()).toEqual({ code: 0, errors: "" });
  expect(check()).toEqual({ code: 0, errors: "" });
});

testImage(`an image with a file that has no label cannot be built${needs}`, () => {
  label();
  run("setfattr", "-x", "security.selinux", `${root}/usr/bin/svirt`);
  expect(check()).toEqual({ code: 1, errors: `Cannot use ${root}: these have no label\n./usr/bin/svirt\n` });
});

testImage(`an image with no label at all cannot be built${needs}`, () => {
  const paths = [".", "usr", "usr/bin", "usr/bin/svirt", "usr/bin/qemu-system-x86_64"];
  label();
  for (const path of paths) run("setfattr", "-x", "security.selinux", `${root}/${path}`);
  expect(check().errors.split("\n").length).toBe(paths.length + 2);
});

testImage(`an image with a label that the policy does not know cannot be built${needs}`, () => {
  label();
  setLabel("system_u:object_r:no_such_t:s0");
  expect(check().code).toBe(1);
  expect(check().errors).toContain("invalid context system_u:object_r:no_such_t:s0");
  setLabel("system_u:object_r:svirt_manager_exec_t:s0:c5000");
  expect(check().code).toBe(1);
});
