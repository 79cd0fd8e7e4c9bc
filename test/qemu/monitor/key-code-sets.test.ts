import { expect, test } from "bun:test";
import { CODESETS, qcodeIn } from "../../../src/qemu/monitor/key-code-sets.ts";

// Codes from data/keymaps.csv of https://gitlab.com/keycodemap/keycodemapdb; those of xt_kbd and qnum by its
// tools/keymap-gen.
test.each([
  ["linux", 30, 111, 99],
  ["xt", 0x1e, 0xe053, 0x54],
  ["atset1", 0x1e, 0xe053, 0x54],
  ["atset2", 0x1c, 0xe071, 0x7f],
  ["atset3", 0x1c, 0x64, 0x57],
  ["xt_kbd", 0x1e, 0x153, 0x54],
  ["usb", 4, 76, 70],
  ["qnum", 0x1e, 0xd3, 0x54],
  ["win32", 0x41, 0x2e, 0x2c],
] as const)("%s has codes of A, Delete and SysRq", (set, ...[a, remove, sysrq]) => {
  expect([a, remove, sysrq].map((code) => qcodeIn(set, code))).toEqual(["a", "delete", "sysrq"]);
});

test("os_x has no SysRq, and a code of 0", () => {
  expect([0, 0x75, 0xff].map((code) => qcodeIn("os_x", code))).toEqual(["a", "delete", undefined]);
});

test("a code that two keys have is that of the first one", () => {
  expect(qcodeIn("atset3", 0x4e)).toBe("minus");
});

test.each(CODESETS)("%s has no key for other codes", (set) => {
  expect([-1, 0.5, Number.NaN, 65_535].map((code) => qcodeIn(set, code))).toEqual(
    Array.from({ length: 4 }, () => undefined),
  );
});
