import { describe, expect, test } from "bun:test";
import { parseRecord } from "../../src/state/record/record-schema.ts";
import { readRecord } from "../../src/state/record.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import { domainXml, makeMachine, nodeOn, UUID } from "../scenes/scene.ts";

const CONTEXT = "system_u:system_r:svirt_t:s0:c1,c2";

/** The text of a record with this label. */
function textWith(label: object): string {
  return JSON.stringify({
    format: 1,
    uuid: UUID,
    name: "vm1",
    id: 1,
    uid: 1,
    bootId: "b",
    state: "running",
    startedMs: 0,
    xml: "<domain/>",
    label,
    enforcing: true,
    steps: [],
    onPoweroff: "destroy",
    onCrash: "destroy",
  });
}

describe("the label model of a record", () => {
  test.each([
    ["selinux", { type: "dynamic", relabel: true, label: CONTEXT }],
    ["selinux", { type: "static", relabel: false, label: CONTEXT }],
    ["none", { type: "none", relabel: false }],
  ])("of a svirt that recorded none is %s: %j", (model, label) => {
    expect<string>(parseRecord(textWith(label)).label.model).toBe(model);
  });

  test.each(["selinux", "none"])("%s is read as it was written", (model) => {
    const written = { model, type: "none", relabel: false };
    expect<unknown>(parseRecord(textWith(written)).label).toEqual(written);
  });

  test("that this svirt does not know makes the record unreadable", () => {
    const label = { model: "flask", type: "dynamic", relabel: true, label: CONTEXT };
    expect(() => parseRecord(textWith(label))).toThrow();
  });

  test("is recorded at a start", async () => {
    const node = nodeOn(makeMachine());
    await startDomain(node, domainXml({}));
    expect(readRecord(node, UUID)?.label.model).toBe("selinux");
  });
});
