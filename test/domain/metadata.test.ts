import { expect, test } from "bun:test";
import { sanitizeMetadata } from "../../src/domain/metadata.ts";

test.each([
  ["<metadata/>", "<metadata/>"],
  ["<metadata> <a:b xmlns:a='x'>1</a:b> <a:b xmlns:a='y'/></metadata>", undefined],
  [
    "<metadata><a:b xmlns:a='x'>1</a:b><a:b xmlns:a='x'>1</a:b></metadata>",
    "<metadata><a:b xmlns:a='x'>1</a:b></metadata>",
  ],
  ["<metadata><a:b xmlns:a='x'/><c:d xmlns:c='x'/></metadata>", "<metadata><a:b xmlns:a='x'/></metadata>"],
  ["<metadata xmlns:a='x'><a:b/>-<a:c/></metadata>", "<metadata xmlns:a='x'><a:b/>-</metadata>"],
  ["<metadata><b xmlns='x'/><c xmlns='x'/></metadata>", "<metadata><b xmlns='x'/></metadata>"],
  [
    "<metadata><b/><a:c xmlns:a='x'><b/></a:c></metadata>",
    "<metadata><a:c xmlns:a='x'><b/></a:c></metadata>",
  ],
])("sanitizeMetadata() of %s", (source, kept) => {
  expect(sanitizeMetadata(source)).toBe(kept ?? source);
});
