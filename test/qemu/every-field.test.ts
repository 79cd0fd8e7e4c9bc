import { expect, test } from "bun:test";
import { testInTurn } from "../sample.ts";
import { withoutDevices } from "./field-mutations.ts";
import { documents, readFields, refusalOf, related } from "./field-readers.ts";
import { UNREAD } from "./unread-fields.ts";

const inTurn = testInTurn(4);

inTurn(
  "every field of a device changes what svirt decides, but for those of unread-fields.txt",
  () => {
    const seen = readFields(documents, UNREAD, [related]);
    expect(seen.size).toBeGreaterThan(900);
    expect([...seen].flatMap(([field, isRead]) => (isRead || UNREAD.has(field) ? [] : [field]))).toEqual([]);
  },
  120_000,
);

test("devices that refer to each other are not refused", () => {
  expect(refusalOf(related)).toBeUndefined();
});

test("a field that no code reads is named", () => {
  const first = documents.find(({ devices }) => devices.rngs.length > 0);
  const [rng] = first?.devices.rngs ?? [];
  if (first === undefined || rng === undefined) throw new Error("no <rng>");
  const unused = { ...rng, unused: "a" };
  const seen = readFields([withoutDevices(first, { rngs: [unused] })]);
  expect(seen.get("rng.unused")).toBe(false);
  expect(seen.get("rng.backend.path")).toBe(true);
});
