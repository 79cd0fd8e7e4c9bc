import { expect, test } from "bun:test";
import { documents, readFields, related } from "../field-readers.ts";
import { UNREAD } from "../unread-fields.ts";

test("unread-fields.txt names no field that changes what svirt decides, and none that does not exist", () => {
  const seen = readFields(documents, new Set(), [related]);
  expect([...UNREAD].filter((field) => seen.get(field) !== false)).toEqual([]);
}, 600_000);
