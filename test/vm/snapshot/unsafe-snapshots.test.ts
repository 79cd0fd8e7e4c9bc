import { describe, expect, test } from "bun:test";
import { readDefinition } from "../../../src/state/definitions.ts";
import type { Instance } from "../../../src/state/instance.ts";
import { readSnapshots } from "../../../src/state/snapshots/snapshots.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { createSnapshot, newSnapshot } from "../../../src/vm/snapshot/create-snapshot.ts";
import { redefineSnapshot } from "../../../src/vm/snapshot/redefine-snapshot.ts";
import { revertToSnapshot } from "../../../src/vm/snapshot/revert-snapshot.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { IMAGES, machineWithChain } from "../../scenes/block.ts";
import { wholeState } from "../../scenes/hotplug.ts";
import { diskXml, domainXml, errorOf, makeMachine, nodeOn, OTHER, UUID } from "../../scenes/scene.ts";

const FLAGS = { isDiskOnly: true, isKept: true, reuses: false };

async function take(instance: Instance, name: string): Promise<void> {
  const wanted = newSnapshot(instance, { name, description: undefined, disks: [], flags: FLAGS });
  await createSnapshot(instance, UUID, { snapshot: wanted });
}

/** Returns a machine with the default guest, which is off. The header of its disk names base.raw. */
async function machineThatIsOff(): Promise<Machine> {
  const machine = makeMachine();
  await defineDomain(nodeOn(machine), domainXml({ disks: diskXml(`${IMAGES}/top.qcow2`, "vda") }));
  return machine;
}

describe("a snapshot of a domain that is off", () => {
  test("does not follow a header past <backingStore/>", async () => {
    const machine = makeMachine();
    const ends = diskXml(`${IMAGES}/top.qcow2`, "vda").replace("<target", "<backingStore/><target");
    await defineDomain(nodeOn(machine), domainXml({ disks: ends }));
    await take(nodeOn(machine), "s1");
    // The header of top.qcow2 names base.raw.
    const { xml = "" } = readDefinition(nodeOn(machine), "vm1") ?? {};
    expect(xml).toContain(`${IMAGES}/top.qcow2`);
    expect(xml).not.toContain("base.raw");
  });

  test("refuses another domain's disk that a header names, which a start would take from the XML then", async () => {
    const machine = await machineThatIsOff();
    const other = domainXml({ name: "vm2", uuid: OTHER, disks: diskXml(`${IMAGES}/base.raw`, "vda") });
    await defineDomain(nodeOn(machine), other);
    const before = snapshot(machine);
    expect((await errorOf(take(nodeOn(machine), "s1"))).kind).toBe("in-use");
    expect(snapshot(machine)).toEqual(before);
  });
});

describe.each([
  ["that runs", machineWithChain, wholeState],
  ["that is off", machineThatIsOff, snapshot],
] as const)("a snapshot of a domain %s", (_, prepare, stateOf) => {
  test.each([
    ["no name", { name: "" }],
    ["a control character in its description", { description: "\u0001" }],
    ["a description that fills a document", { description: "x".repeat(1_000_000) }],
  ])("with %s, which could not be read again, is refused and changes nothing", async (...[, asked]) => {
    const machine = await prepare();
    const before = stateOf(machine);
    const wanted = { name: "s1", description: undefined, disks: [], flags: FLAGS, ...asked };
    const work = async () =>
      await createSnapshot(nodeOn(machine), UUID, { snapshot: newSnapshot(nodeOn(machine), wanted) });
    expect((await errorOf(work())).kind).toBe("xml");
    expect(stateOf(machine)).toEqual(before);
  });
});

describe("redefineSnapshot() with a password", () => {
  test.each(["domain", "inactiveDomain"])("of a screen in <%s> is refused, as by define", async (tag) => {
    const machine = await machineThatIsOff();
    const inner = new TextDecoder()
      .decode(domainXml({ devices: "<graphics type='vnc' passwd='x'/>" }))
      .replace(/^<domain /, `<${tag} `)
      .replace(/<\/domain>$/, `</${tag}>`);
    const xml = `<domainsnapshot><name>s1</name><state>shutoff</state><creationTime>1</creationTime>${inner}</domainsnapshot>`;
    const bytes = new TextEncoder().encode(xml);
    const flags = { isCurrent: false, isDiskOnly: false };
    expect((await errorOf(redefineSnapshot(nodeOn(machine), UUID, { bytes, flags }))).kind).toBe(
      "unsupported",
    );
    expect(readSnapshots(nodeOn(machine), UUID).snapshots).toEqual([]);
  });
});

test("a revert leaves a disk with snapshot='no' as it is", async () => {
  const machine = makeMachine();
  const shared = diskXml(`${IMAGES}/shared.raw`, "vdb", "<shareable/>").replace(
    "device='disk'",
    "device='disk' snapshot='no'",
  );
  await defineDomain(nodeOn(machine), domainXml({ disks: diskXml(`${IMAGES}/top.qcow2`, "vda") + shared }));
  await take(nodeOn(machine), "s1");
  await revertToSnapshot(nodeOn(machine), UUID, { name: "s1", isForced: false });
  expect(readDefinition(nodeOn(machine), "vm1")?.xml).toContain(`${IMAGES}/shared.raw`);
});
