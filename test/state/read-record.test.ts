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
