import { expect, test } from "bun:test";
import { canHaveFile } from "../../src/state/xml-files.ts";

// NAME_MAX of linux/limits.h is 255 bytes; the ending .xml has 4 of them.
test.each([
  ["a".repeat(251), true],
  ["a".repeat(252), false],
  ["é".repeat(125), true],
  ["é".repeat(126), false],
  ["../a", false],
  ["a\0", false],
])("canHaveFile() knows which names the kernel takes: %s", (name, can) => {
  expect(canHaveFile(name)).toBe(can);
});
