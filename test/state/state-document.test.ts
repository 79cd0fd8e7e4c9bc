import { expect, test } from "bun:test";
import { claim } from "../../src/plan/facts/step-parts.ts";
import { changeRecord } from "../../src/state/changes/change-schema.ts";
import { record } from "../../src/state/record/record-schema.ts";

const text = await Bun.file(new URL("../../docs/state.md", import.meta.url)).text();

/** Returns the names in the first column of the table below that heading. */
function firstColumn(heading: string): string[] {
  const [, part = ""] = text.split(`\n## ${heading}\n`);
  const [section = ""] = part.split("\n## ");
  const cells = [...section.matchAll(/^\| (`[^|]*`) \|/gm)].map(([, cell = ""]) => cell);
  return cells.flatMap((cell) => cell.split(", ").map((name) => name.replaceAll("`", "")));
}

test("docs/state.md tells of every field of a record, and of no other", () => {
  // The seal is no field of the schema: a record is read without it.
  expect(firstColumn("The record").sort()).toEqual([...Object.keys(record.entries), "seal"].sort());
});

test("docs/state.md tells of every kind of claim, and of no other", () => {
  expect(firstColumn("Claims").sort()).toEqual([...claim.entries.kind.options].sort());
});

test("docs/state.md tells of every field of the record of a change, and of no other", () => {
  expect(firstColumn("The record of a change").sort()).toEqual(Object.keys(changeRecord.entries).sort());
});
