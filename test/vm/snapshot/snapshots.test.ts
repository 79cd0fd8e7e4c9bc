import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { parseSnapshotText } from "../../../src/domain/other-documents/snapshot.ts";
import type { Instance } from "../../../src/state/instance.ts";
import { readSnapshots } from "../../../src/state/snapshots/snapshots.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { undefineDomain } from "../../../src/vm/define/undefine.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { carryOut } from "../../../src/vm/object-change/carry-out.ts";
import { createSnapshot, newSnapshot } from "../../../src/vm/snapshot/create-snapshot.ts";
import { deleteSnapshot } from "../../../src/vm/snapshot/delete-snapshot.ts";
import { newCurrent } from "../../../src/vm/snapshot/make-current.ts";
import { redefineSnapshot } from "../../../src/vm/snapshot/redefine-snapshot.ts";
import { revertToSnapshot } from "../../../src/vm/snapshot/revert-snapshot.ts";
import { type SnapshotFilter, selectSnapshots } from "../../../src/vm/snapshot/select-snapshots.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { deleteVolume } from "../../../src/vm/volume/delete-volume.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { IMAGES, machineWithChain } from "../../scenes/block.ts";
import { sources } from "../../scenes/block-checks.ts";
import { diskXml, domainXml, errorOf, makeMachine, nodeOn, reapAll, UUID } from "../../scenes/scene.ts";
import { activatePool, POOL_UUID } from "../../scenes/volumes.ts";

setDefaultTimeout(60_000);

/** Takes a snapshot of the default guest's disks. */
async function take(instance: Instance, name: string, isKept = true): Promise<void> {
  const flags = { isDiskOnly: true, isKept, reuses: false };
  const snapshot = newSnapshot(instance, { name, description: "as it was", disks: [], flags });
  await createSnapshot(instance, UUID, { snapshot });
}

/** Returns the names of the snapshots that a filter selects. */
function namesOf(machine: Machine, filter: SnapshotFilter = {}, from?: string): string[] {
  return selectSnapshots(nodeOn(machine), UUID, { filter, from }).map(({ name }) => name);
}

/** Returns a machine with the default guest, which is off. */
async function machineThatIsOff(): Promise<Machine> {
  const machine = makeMachine();
  await defineDomain(nodeOn(machine), domainXml({ disks: diskXml(`${IMAGES}/top.qcow2`, "vda") }));
  return machine;
}

/** Returns a machine with this tree: s1 above s2 and s3, which is above s4, the current one. */
async function machineWithTree(): Promise<Machine> {
  const machine = await machineThatIsOff();
  for (const name of ["s1", "s2"]) await take(nodeOn(machine), name);
  await revertToSnapshot(nodeOn(machine), UUID, { name: "s1", isForced: false });
  for (const name of ["s3", "s4"]) await take(nodeOn(machine), name);
  return machine;
}

describe("createSnapshot()", () => {
  test.each([
    ["that runs", machineWithChain, "disk-snapshot"],
    ["that is off", machineThatIsOff, "shutoff"],
  ])(
    "stores the snapshots of a guest %s with its domain of that time, one after another",
    async (_, prepare, state) => {
      const machine = await prepare();
      await take(nodeOn(machine), "s1");
      await take(nodeOn(machine), "s2");
      const { current, snapshots } = readSnapshots(nodeOn(machine), UUID);
      expect([current, ...snapshots.map(({ name, parent }) => [name, parent])]).toEqual([
        "s2",
        ["s1", undefined],
        ["s2", "s1"],
      ]);
      const [first, second] = snapshots.map(({ xml }) => parseSnapshotText(xml));
      expect(first).toMatchObject({
        name: "s1",
        description: "as it was",
        state,
        memory: { snapshot: "no" },
      });
      expect(first?.disks?.disks).toEqual([
        {
          name: "vda",
          snapshot: "external",
          type: "file",
          driver: { type: "qcow2" },
          source: { file: `${IMAGES}/top.s1`, seclabels: [] },
        },
      ]);
      expect(first?.domain).toMatchObject({
        devices: { disks: [{ source: { file: `${IMAGES}/top.qcow2` } }] },
      });
      expect(second?.domain).toMatchObject({
        devices: { disks: [{ source: { file: `${IMAGES}/top.s1` } }] },
      });
      expect(first?.inactiveDomain === undefined).toBe(state === "shutoff");
    },
  );

  test("gives a domain that is off an overlay, on which its next start begins", async () => {
    const machine = await machineThatIsOff();
    await take(nodeOn(machine), "s1");
    const node = nodeOn(machine);
    const xml = new TextEncoder().encode(node.host.readText("/etc/svirt/domains/vm1.xml") ?? "");
    await startDomain(node, xml);
    expect(sources(machine)).toEqual([`${IMAGES}/top.s1 qcow2`, `${IMAGES}/top.s1 qcow2`]);
  });

  test("stores nothing on request, and refuses a name that is stored", async () => {
    const machine = await machineWithChain();
    await take(nodeOn(machine), "s1", false);
    expect(namesOf(machine)).toEqual([]);
    await take(nodeOn(machine), "s2");
    const error = await errorOf(take(nodeOn(machine), "s2"));
    expect(error.message).toBe("operation failed: domain moment s2 already exists");
    expect(machine.files.find(`${IMAGES}/top.s2`) !== undefined).toBe(true);
  });

  test.each([
    ["a/b", "invalid snapshot name 'a/b': name can't contain '/'"],
    [".a", "invalid snapshot name '.a': name can't start with '.'"],
  ])("refuses the name %s with libvirt's message", async (name, message) => {
    const error = await errorOf(take(nodeOn(await machineWithChain()), name));
    expect([error.message, error.libvirt.name]).toEqual([message, "VIR_ERR_XML_DETAIL"]);
  });

  test("stores nothing for a guest that ends without a definition", async () => {
    const machine = await machineWithChain();
    await take(nodeOn(machine), "s1");
    await undefineDomain(nodeOn(machine), "vm1");
    expect(namesOf(machine)).toEqual(["s1"]);
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    expect(readSnapshots(nodeOn(machine), UUID).snapshots).toEqual([]);
  });
});

describe("selectSnapshots()", () => {
  test("lists each after its parent, by libvirt's filters", async () => {
    const machine = await machineWithTree();
    expect(namesOf(machine)).toEqual(["s1", "s2", "s3", "s4"]);
    expect(namesOf(machine, { roots: true })).toEqual(["s1"]);
    expect(namesOf(machine, { leaves: true })).toEqual(["s2", "s4"]);
    expect(namesOf(machine, { noLeaves: true })).toEqual(["s1", "s3"]);
    expect(namesOf(machine, { leaves: true, noLeaves: true })).toEqual(["s1", "s2", "s3", "s4"]);
    expect(namesOf(machine, { noMetadata: true })).toEqual([]);
    expect(namesOf(machine, { inactive: true, external: true })).toEqual(["s1", "s2", "s3", "s4"]);
    expect(namesOf(machine, { diskOnly: true })).toEqual([]);
    expect(namesOf(machine, { internal: true })).toEqual([]);
    expect(namesOf(machine, {}, "s1")).toEqual(["s2", "s3"]);
    expect(namesOf(machine, { descendants: true }, "s1")).toEqual(["s2", "s3", "s4"]);
  });
});

describe("deleteSnapshot()", () => {
  const options = { isMetadataOnly: true } as const;

  test("puts the parent in the place of one, also as the current one", async () => {
    const machine = await machineWithTree();
    await deleteSnapshot(nodeOn(machine), UUID, { ...options, name: "s4", which: "one" });
    await deleteSnapshot(nodeOn(machine), UUID, { ...options, name: "s1", which: "one" });
    const { current, snapshots } = readSnapshots(nodeOn(machine), UUID);
    expect([current, ...snapshots.map(({ name, parent }) => [name, parent])]).toEqual([
      "s3",
      ["s2", undefined],
      ["s3", undefined],
    ]);
    expect(snapshots.map(({ xml }) => xml.includes("<parent>"))).toEqual([false, false]);
  });

  test.each([
    ["tree", [], undefined],
    ["children", ["s1"], "s1"],
  ] as const)("removes those below one: %s", async (which, names, current) => {
    const machine = await machineWithTree();
    const images = nodeOn(machine).host.listFolder(IMAGES);
    await deleteSnapshot(nodeOn(machine), UUID, { ...options, name: "s1", which });
    expect([readSnapshots(nodeOn(machine), UUID).current, namesOf(machine)]).toEqual([current, [...names]]);
    expect(nodeOn(machine).host.listFolder(IMAGES)).toEqual(images);
  });

  test.each([
    ["s3", "deletion of non-leaf external snapshot that is not in active chain is not supported", "s2"],
    ["s1", "deletion of external disk snapshot with multiple children snapshots not supported", "s4"],
    ["s3", "deletion of active external snapshot that is not a leaf snapshot is not supported", "s3"],
    ["s2", "svirt does not remove the images of a snapshot that is not in the active chain: s2", "s4"],
  ])("refuses to merge %s: %s", async (name, words, current) => {
    const machine = await machineWithTree();
    await carryOut(nodeOn(machine), newCurrent(UUID, current));
    const images = nodeOn(machine).host.listFolder(IMAGES);
    const one = { isMetadataOnly: false, name, which: "one" } as const;
    const error = await errorOf(deleteSnapshot(nodeOn(machine), UUID, one));
    expect(error.message).toContain(words);
    expect(nodeOn(machine).host.listFolder(IMAGES)).toEqual(images);
    expect(namesOf(machine)).toEqual(["s1", "s2", "s3", "s4"]);
  });
});

describe("revertToSnapshot()", () => {
  test("puts new overlays on the images of that time, and names those that the domain had", async () => {
    const machine = await machineThatIsOff();
    for (const name of ["s1", "s2"]) await take(nodeOn(machine), name);
    const { left } = await revertToSnapshot(nodeOn(machine), UUID, { name: "s1", isForced: false });
    expect(left).toEqual([`${IMAGES}/top.s2`]);
    const xml = nodeOn(machine).host.readText("/etc/svirt/domains/vm1.xml") ?? "";
    const [, path = ""] = /<source file='([^']*)'/.exec(xml) ?? [];
    expect(path).toMatch(/^\/var\/lib\/images\/top\.\d+$/);
    const bytes = new TextDecoder("latin1").decode(machine.files.get(path).bytes);
    expect(bytes).toContain(`${IMAGES}/top.qcow2`);
    const { current, snapshots } = readSnapshots(nodeOn(machine), UUID);
    // It has a child, so that the child's images stay in <disks>.
    expect([current, parseSnapshotText(snapshots[0]?.xml ?? "").revertDisks?.disks[0]?.source?.file]).toEqual(
      ["s1", path],
    );
  });

  test("refuses a running guest, and another kind of snapshot", async () => {
    const machine = await machineWithChain();
    await take(nodeOn(machine), "s1");
    const revert = { name: "s1", isForced: false };
    expect((await errorOf(revertToSnapshot(nodeOn(machine), UUID, revert))).kind).toBe("wrong-state");
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    const bytes = new TextEncoder().encode(
      "<domainsnapshot><name>old</name><state>running</state><creationTime>1</creationTime></domainsnapshot>",
    );
    const flags = { isCurrent: false, isDiskOnly: false };
    await redefineSnapshot(nodeOn(machine), UUID, { bytes, flags });
    const error = await errorOf(revertToSnapshot(nodeOn(machine), UUID, { ...revert, name: "old" }));
    expect(error.message).toContain("svirt does not revert to a snapshot with memory");
    await revertToSnapshot(nodeOn(machine), UUID, revert);
    expect(readSnapshots(nodeOn(machine), UUID).current).toBe("s1");
  });
});

describe("redefineSnapshot()", () => {
  const define = async (machine: Machine, inside: string, isCurrent = false): Promise<void> => {
    const bytes = new TextEncoder().encode(`<domainsnapshot>${inside}</domainsnapshot>`);
    await redefineSnapshot(nodeOn(machine), UUID, { bytes, flags: { isCurrent, isDiskOnly: false } });
  };
  const FACTS = "<state>shutoff</state><creationTime>7</creationTime>";
  const after = (parent: string): string => `<parent><name>${parent}</name></parent>${FACTS}`;

  // virDomainSnapshotDefParse(), virDomainMomentCheckCycles() and virDomainSnapshotRedefineValidate() of
  // libvirt
  test.each([
    ["", "XML error: a redefined snapshot must have a name"],
    ["<name>a</name>", "internal error: missing creationTime from existing snapshot"],
    ["<name>a</name><creationTime>1</creationTime>", "XML error: missing state from existing snapshot"],
    [`<name>a</name>${after("a")}`, "invalid argument: cannot set moment a as its own parent"],
    [`<name>a</name>${after("b")}`, "invalid argument: parent b for moment a not found"],
    [`<name>s1</name>${after("s4")}`, "invalid argument: parent s3 would create cycle to s1"],
    [
      `<name>a</name>${FACTS}<domain><uuid>11111111-1111-4111-8111-111111111111</uuid></domain>`,
      `invalid argument: definition for snapshot a must use uuid ${UUID}`,
    ],
    [
      "<name>s1</name><state>running</state><creationTime>1</creationTime>",
      "invalid argument: cannot change between online and offline snapshot state in snapshot s1",
    ],
  ])("refuses %s in libvirt's words", async (inside, message) => {
    const machine = await machineWithTree();
    expect((await errorOf(define(machine, inside))).message).toBe(message);
  });

  test("stores a snapshot as its XML has it, and makes it current on request", async () => {
    const machine = await machineWithTree();
    await define(machine, `<name>a</name>${after("s2")}`, true);
    const { current, snapshots } = readSnapshots(nodeOn(machine), UUID);
    expect([current, snapshots.at(-1)]).toMatchObject(["a", { name: "a", parent: "s2", state: "shutoff" }]);
  });
});

test("a definition with snapshots is removed only with their data", async () => {
  const machine = await machineThatIsOff();
  await take(nodeOn(machine), "s1");
  const error = await errorOf(undefineDomain(nodeOn(machine), "vm1"));
  // qemuDomainUndefineFlags() of libvirt
  expect(error.message).toBe(
    "Requested operation is not valid: cannot delete inactive domain with 1 snapshots",
  );
  await undefineDomain(nodeOn(machine), "vm1", { snapshots: true });
  expect(readSnapshots(nodeOn(machine), UUID).snapshots).toEqual([]);
  expect(machine.files.find(`${IMAGES}/top.s1`) !== undefined).toBe(true);
});

test("the images of a snapshot are not deleted while it is stored", async () => {
  const machine = await machineWithTree();
  activatePool(nodeOn(machine), { name: "images", folder: IMAGES, uuid: POOL_UUID });
  const remove = async (): Promise<string> =>
    (await errorOf(deleteVolume(nodeOn(machine), { key: "top.s1", pool: "images" }))).message;
  const attempt = `Cannot delete ${IMAGES}/top.s1`;
  expect(await remove()).toBe(`${attempt}: the snapshot 's2' of the domain 'vm1' has it`);
  await deleteSnapshot(nodeOn(machine), UUID, { isMetadataOnly: true, name: "s2", which: "one" });
  // Its overlay is on it, which no domain has since the revert.
  expect(await remove()).toBe(`${attempt}: the volume ${IMAGES}/top.s2 needs it`);
  await deleteVolume(nodeOn(machine), { key: "top.s2", pool: "images" });
  await deleteVolume(nodeOn(machine), { key: "top.s1", pool: "images" });
  expect(machine.files.find(`${IMAGES}/top.s1`)).toBeUndefined();
});
