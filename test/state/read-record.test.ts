import { expect, test } from "bun:test";
import { guestPaths } from "../../src/plan/paths.ts";
import { readRecord, writeRecord } from "../../src/state/record.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import { domainXml, errorOf, makeMachine, nodeOn, UUID } from "../scenes/scene.ts";

test("a record is parsed again only when its text has changed", async () => {
  const node = nodeOn(makeMachine());
  await startDomain(node, domainXml());
  const first = readRecord(node, UUID);
  if (first === undefined) throw new Error("it has no record");
  expect(readRecord(node, UUID)).toBe(first);
  writeRecord(node, { ...first, state: "stopping" });
  expect(readRecord(node, UUID)?.state).toBe("stopping");
  writeRecord(node, first);
  expect(readRecord(node, UUID)).toEqual(first);
});

test("a record that is damaged after it was read is damaged", async () => {
  const node = nodeOn(makeMachine());
  await startDomain(node, domainXml());
  expect(readRecord(node, UUID)).toBeDefined();
  node.host.writeText(guestPaths(node.paths, UUID).record, "{", 0o600);
  const error = await errorOf(Promise.resolve().then(() => readRecord(node, UUID)));
  expect(error.message).toContain("it is damaged");
});

/** Changes the text of the record of a guest, started by the build "one", and reads it with another build. */
async function readChanged(change: (text: string) => string, build = "one") {
  const node = { ...nodeOn(makeMachine()), build: "one" };
  await startDomain(node, domainXml());
  const path = guestPaths(node.paths, UUID).record;
  const text = node.host.readText(path) ?? "";
  node.host.writeText(path, change(text), 0o600);
  return { text, read: () => readRecord({ ...node, build }, UUID) };
}

test("a record has the seal of the build that wrote it, and is the same for this build and for another", async () => {
  const { read, text } = await readChanged((same) => same);
  const guest = read();
  const other = await readChanged((same) => same, "two");
  expect(text).toMatch(/,"seal":"one:[0-9a-f]+"\}\n$/);
  expect(JSON.stringify(guest)).not.toContain('"seal"');
  expect({ ...guest, startedMs: 0 }).toEqual({ ...other.read(), startedMs: 0 });
});

test.each([
  {
    build: "one",
    by: "somebody who kept the seal",
    text: (text: string) => text.replace('"id":1,', '"id":"1",'),
  },
  {
    build: "one",
    by: "somebody who removed the seal",
    text: (text: string) => text.replace(/,"seal":.*/, ',"x":1}'),
  },
  { build: "two", by: "another build", text: (text: string) => text.replace('"id":1,', '"id":1,"more":1,') },
  { build: "one", by: "a disk that lost its end", text: (text: string) => text.slice(0, 200) },
])("a record changed by $by is checked, and refused", async ({ build, text: change }) => {
  const { read, text } = await readChanged(change, build);
  expect(change(text)).not.toBe(text);
  const error = await errorOf(Promise.resolve().then(read));
  expect(error.message).toContain("it is damaged");
});
