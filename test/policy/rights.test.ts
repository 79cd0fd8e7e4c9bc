import { expect, test } from "bun:test";
import {
  binaryOf,
  findBuiltPolicy,
  needsSetools,
  type Policy,
  parseRule,
  readPolicy,
} from "./built-policy.ts";
import { rightsOf, waysInto } from "./rights.ts";
import { formatRightsTable } from "./rights-table.ts";

const folder = findBuiltPolicy();
const needsPolicy =
  folder === undefined
    ? " (skipped: the policy of this checkout is not built, run image/build)"
    : needsSetools;

test.skipIf(needsPolicy !== "")(
  `guests and svirt may do what rights.txt lists, and nothing else${needsPolicy}`,
  async () => {
    const table = await Bun.file(new URL("rights.txt", import.meta.url)).text();
    expect(formatRightsTable(readPolicy(binaryOf(folder ?? "")))).toBe(table);
  },
  60_000,
);

const SMALL: Policy = {
  rules: [
    "allow virt_domain qemu_exec_t:file { execute read };",
    "allow a_t a_t:process fork;",
    "allow b_t b_t:process { execmem fork };",
    "allow b_t deny_rule_attr_1:dir search;",
    "allow a_t disk_t:file write; [ some_boolean ]:False",
    "allow init_t virt_domain:process { sigkill transition };",
    "allow other_t disk_t:file write;",
  ].map(parseRule),
  extended: [],
  attributes: new Map([
    ["virt_domain", new Set(["a_t", "b_t"])],
    ["deny_rule_attr_1", new Set(["etc_t", "var_t"])],
  ]),
};

test("rightsOf() tells what all may do, and then what only some may", () => {
  expect(rightsOf(SMALL, ["a_t", "b_t"])).toEqual([
    { domains: ["a_t", "b_t"], lines: ["qemu_exec_t file { execute read }", "self process { fork }"] },
    { domains: ["a_t"], lines: ["disk_t file { write } if not some_boolean"] },
    { domains: ["b_t"], lines: ["etc_t dir { search }", "self process { execmem }", "var_t dir { search }"] },
  ]);
});

test("waysInto() tells who may become such a domain", () => {
  expect(waysInto(SMALL, ["b_t"])).toEqual(["transition { init_t }"]);
});

test("parseRule() refuses what sesearch does not print", () => {
  expect(() => parseRule("neverallow a b:c d;")).toThrow("Cannot read what sesearch printed");
});
