// In turn: it takes seconds of a processor.
import { describe, expect, test } from "bun:test";
import { definitionIn, parseSnapshotText } from "../../../src/domain/other-documents/snapshot.ts";
import { readDefinition } from "../../../src/state/definitions.ts";
import type { Instance } from "../../../src/state/instance.ts";
import { readRecord } from "../../../src/state/record.ts";
import { readSnapshots } from "../../../src/state/snapshots/snapshots.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { suspendGuest } from "../../../src/vm/lifecycle/ask-guest.ts";
import { recoverAll } from "../../../src/vm/recover/recover.ts";
import { abortDomainJob } from "../../../src/vm/save/domain-job.ts";
import { restoreDomain } from "../../../src/vm/save/restore-domain.ts";
import { saveDomain } from "../../../src/vm/save/save-domain.ts";
import { readSaveImage } from "../../../src/vm/save/save-image.ts";
import { createSnapshot, snapshotFromXml } from "../../../src/vm/snapshot/create-snapshot.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { sampleOf } from "../../sample.ts";
import { copyOn, IMAGES, machineWithChain } from "../../scenes/block.ts";
import { expectUnlabelled } from "../../scenes/block-checks.ts";
import { fileText, PRIVATE, REMEMBERED, stateOf } from "../../scenes/saving.ts";
import { diskXml, domainXml, errorOf, labelOf, nodeOn, reapAll, UUID } from "../../scenes/scene.ts";
import { beStruck, endUnseen, instantsOf, type Work } from "../../scenes/strikes.ts";

const TEST_MS = 120_000;
/** As virt-manager names it. */
const MEMORY = `${IMAGES}/vm1-mem.s1`;
const SECOND = diskXml(`${IMAGES}/private1.raw`, "vdb");

const take =
  (content = `<memory snapshot='external' file='${MEMORY}'/>`, flags = {}): Work =>
  async (node) => {
    const xml = `<domainsnapshot><name>s1</name>${content}</domainsnapshot>`;
    const given = { isDiskOnly: false, isKept: true, reuses: false, ...flags };
    const snapshot = snapshotFromXml(node, new TextEncoder().encode(xml), given);
    await createSnapshot(node, UUID, { snapshot });
  };

/** Returns a machine on which the default guest runs with two disks, and REMEMBERED in its memory. */
async function machineWithMemory(): Promise<Machine> {
  const machine = await machineWithChain(SECOND);
  const stream = machine.processes.qemuOf(UUID)?.stream;
  if (stream !== undefined) stream.memory = REMEMBERED;
  return machine;
}

/**
 * Returns whether the guest runs, the images of its definition, the stored snapshots, and the files that a
 * snapshot makes.
 */
function seen(machine: Machine) {
  const node = nodeOn(machine);
  const images = [...(readDefinition(node, "vm1")?.xml ?? "").matchAll(/<source file='([^']*)'/g)];
  const files = node.host.listFolder(IMAGES).filter((name) => /\.s1$|^\./.test(name));
  return {
    status: machine.processes.qemuOf(UUID)?.status,
    images: images.map(([, path]) => path),
    names: readSnapshots(node, UUID).snapshots.map(({ name }) => name),
    files: files.sort(),
    rest: readRecord(node, UUID)?.jobs,
  };
}

describe("a snapshot with memory", () => {
  test("has the memory in a saved state that only root reads, and the domain at that time; the guest runs on", async () => {
    const machine = await machineWithMemory();
    await take()(nodeOn(machine));
    expect(seen(machine)).toEqual({
      status: "running",
      images: [`${IMAGES}/top.s1`, `${IMAGES}/private1.s1`],
      names: ["s1"],
      files: ["private1.s1", "top.s1", "vm1-mem.s1"],
      rest: undefined,
    });
    const [stored] = readSnapshots(nodeOn(machine), UUID).snapshots;
    const { memory, state, ...snapshot } = parseSnapshotText(stored?.xml ?? "");
    expect([memory, state]).toEqual([{ snapshot: "external", file: MEMORY }, "running"]);
    const sources = definitionIn(snapshot)?.devices.disks.map(({ source }) => source);
    expect(sources).toMatchObject([{ file: `${IMAGES}/top.qcow2` }, { file: `${IMAGES}/private1.raw` }]);
    const { wasRunning, xml } = readSaveImage(nodeOn(machine), MEMORY);
    expect([wasRunning, xml]).toEqual([true, expect.stringContaining(`${IMAGES}/top.qcow2`)]);
    expect(xml).toContain("machine='pc-i440fx-10.0'");
    expect(fileText(machine, MEMORY)).toEndWith(REMEMBERED);
    expect(labelOf(machine, MEMORY)).not.toMatch(PRIVATE);
    expect(machine.files.get(MEMORY).mode).toBe(0o600);
    expect(machine.violations).toEqual([]);
  });

  test("of a paused guest leaves it paused, and says so", async () => {
    const machine = await machineWithMemory();
    await suspendGuest(nodeOn(machine), "vm1");
    await take()(nodeOn(machine));
    expect(machine.processes.qemuOf(UUID)?.status).not.toBe("running");
    expect(readSnapshots(nodeOn(machine), UUID).snapshots.map(({ state }) => state)).toEqual(["paused"]);
    expect(readSaveImage(nodeOn(machine), MEMORY).wasRunning).toBe(false);
  });

  test("that is not stored leaves the files alone", async () => {
    const machine = await machineWithMemory();
    await take(undefined, { isKept: false })(nodeOn(machine));
    expect(seen(machine)).toMatchObject({ names: [], files: ["private1.s1", "top.s1", "vm1-mem.s1"] });
  });

  test("that ends the guest leaves it off, with the snapshot", async () => {
    const machine = await machineWithMemory();
    await take(undefined, { halts: true })(nodeOn(machine));
    await reapAll(machine);
    expect(seen(machine)).toMatchObject({ status: undefined, names: ["s1"] });
    expect(fileText(machine, MEMORY)).toEndWith(REMEMBERED);
  });
});

describe("killed at any call of the host, a snapshot with memory", () => {
  test(
    "is as before or as after once the next call has begun, and the guest runs",
    async () => {
      const whole = await machineWithMemory();
      const before = seen(whole);
      await take()(nodeOn(whole));
      const after = seen(whole);
      const results = new Set<string>();
      for (const strike of sampleOf(await instantsOf(machineWithMemory, take()))) {
        const machine = await machineWithMemory();
        await beStruck(machine, take(), strike);
        const { errors } = await recoverAll(nodeOn(machine));
        expect([strike, errors]).toEqual([strike, []]);
        const now = seen(machine);
        const is = now.names.length > 0 ? after : before;
        expect([strike, now]).toEqual([strike, is]);
        results.add(is === after ? "after" : "before");
      }
      expect([...results].sort()).toEqual(["after", "before"]);
    },
    TEST_MS,
  );

  test(
    "is whole or gone if QEMU ends, too: a stored one has its memory, and no memory is left without one",
    async () => {
      for (const strike of sampleOf(await instantsOf(machineWithChain, take()))) {
        const machine = await machineWithChain();
        await beStruck(machine, take(), strike);
        endUnseen(machine);
        const { errors } = await recoverAll(nodeOn(machine));
        const { files, names } = seen(machine);
        const memory = files.filter((name) => name.includes("mem"));
        expect([strike, errors, memory]).toEqual([strike, [], names.length > 0 ? ["vm1-mem.s1"] : []]);
      }
    },
    TEST_MS,
  );
});

describe("a snapshot with memory that cannot be", () => {
  test.each([
    ["QEMU cannot write its state", { failsToSave: true }, "State blocked"],
    ["QEMU does not stop", { refuses: "stop" }, "as the test wants it"],
    ["QEMU does not switch the disks", { refuses: "transaction" }, "as the test wants it"],
  ])("because %s leaves the guest as it was, and no file", async (_, qemu, words) => {
    const machine = await machineWithMemory();
    const before = seen(machine);
    machine.qemu = qemu;
    expect((await errorOf(take()(nodeOn(machine)))).message).toContain(words);
    expect(seen(machine)).toEqual(before);
    machine.qemu = {};
    await take()(nodeOn(machine));
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    expectUnlabelled(machine);
  });

  test("because the disk is full leaves the guest as it was", async () => {
    const machine = await machineWithMemory();
    const before = seen(machine);
    machine.isDiskFull = true;
    expect((await errorOf(take()(nodeOn(machine)))).message).toContain("ENOSPC");
    machine.isDiskFull = false;
    await recoverAll(nodeOn(machine));
    expect(seen(machine)).toEqual(before);
  });

  // qemuSnapshotCreateXML(), virDomainSnapshotDefParse() of libvirt
  test.each([
    [
      { isDiskOnly: true },
      undefined,
      "xml",
      "memory state cannot be saved with offline or disk-only snapshot",
    ],
    [{ quiesces: true }, undefined, "usage", "'VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY' is required by flag"],
    [{}, "<memory snapshot='internal'/>", "unsupported", "does not take snapshots inside an image"],
    [{}, "<memory file='relative'/>", "xml", "/domainsnapshot/memory"],
    [{}, "<memory file='/etc/mem'/>", "denied", "its folder belongs to the host"],
    [{}, "<memory file='/nowhere/mem'/>", "not-found", "No such file or directory"],
    [{}, `<memory file='${IMAGES}/top.qcow2'/>`, "in-use", "the guest vm1 uses that file"],
    [{}, `<memory file='${IMAGES}/private2.raw'/>`, "in-use", "the file exists"],
    // The default path of the overlay of vda.
    [{}, `<memory file='${IMAGES}/top.s1'/>`, "in-use", "the file exists"],
    [
      {},
      `<memory file='${IMAGES}/new'/><disks><disk name='vdb'><source file='${IMAGES}/new'/></disk></disks>`,
      "in-use",
      "the file exists",
    ],
    [
      {},
      `<memory file='${MEMORY}'/><disks><disk name='vda' snapshot='no'/><disk name='vdb' snapshot='no'/></disks>`,
      "unsupported",
      "of memory without a disk",
    ],
    [
      {},
      `<memory file='${MEMORY}'/><disks><disk name='vda' snapshot='manual'/></disks>`,
      "unsupported",
      "of memory with the disk 'vda' left to a copy by hand",
    ],
  ])("with %p and %p is refused before the guest stops", async (flags, content, ...[kind, words]) => {
    const machine = await machineWithMemory();
    const before = stateOf(machine);
    const node = nodeOn(machine);
    const error = await errorOf(take(content, flags)(node));
    expect<unknown>([error.kind, `${error.message} ${error.place ?? ""}`]).toEqual([
      kind,
      expect.stringContaining(words),
    ]);
    expect(stateOf(machine)).toEqual(before);
    expect(node.svirt.changes).not.toContain("monitor stop");
  });

  test("of a domain that is off, or sleeps, or whose image is copied, is refused in libvirt's words", async () => {
    const copying = await machineWithMemory();
    await copyOn(nodeOn(copying));
    const asleep = await machineWithMemory();
    asleep.qemu = { answers: new Map([["query-status", { status: "suspended", running: false }]]) };
    const off = await machineWithMemory();
    await destroyDomain(nodeOn(off), "vm1");
    await reapAll(off);
    const messages = await Promise.all(
      [copying, asleep, off].map(async (machine) => (await errorOf(take()(nodeOn(machine)))).message),
    );
    expect(messages).toEqual([
      "Requested operation is not valid: domain has active block job",
      "Operation not supported: qemu doesn't support taking snapshots of PMSUSPENDED guests",
      "XML error: memory state cannot be saved with offline or disk-only snapshot",
    ]);
  });

  test("is aborted by another process: the guest runs as before", async () => {
    const machine = await machineWithMemory();
    const before = seen(machine);
    machine.qemu = { savesForMs: 300 };
    const node = nodeOn(machine);
    let isAsked = false;
    const flags = { isDiskOnly: false, isKept: true, reuses: false };
    const xml = `<domainsnapshot><name>s1</name><memory file='${MEMORY}'/></domainsnapshot>`;
    const snapshot = snapshotFromXml(node, new TextEncoder().encode(xml), flags);
    const onProgress = (): void => {
      if (!isAsked) abortDomainJob(nodeOn(machine), "vm1");
      isAsked = true;
    };
    const error = await errorOf(createSnapshot(node, UUID, { snapshot, onProgress }));
    expect(error.message).toContain("operation aborted: snapshot");
    expect(seen(machine)).toEqual(before);
  });
});

describe("the memory of a snapshot", () => {
  const saveTo = (node: Instance, path: string) => saveDomain(node, "vm1", { resumes: undefined, path });

  test("is not replaced by a saved state", async () => {
    const machine = await machineWithMemory();
    await take()(nodeOn(machine));
    const before = stateOf(machine);
    expect(await errorOf(saveTo(nodeOn(machine), MEMORY))).toMatchObject({
      kind: "in-use",
      message: `Cannot write ${MEMORY}: the snapshot 's1' of the domain 'vm1' has its memory there`,
    });
    expect(stateOf(machine)).toEqual(before);
  });

  test("is not restored, but by a revert or with other XML: the guest would write into the snapshot's images", async () => {
    const machine = await machineWithMemory();
    await take()(nodeOn(machine));
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    const before = stateOf(machine);
    const restore = (xml: Uint8Array | undefined) =>
      restoreDomain(nodeOn(machine), MEMORY, { resumes: undefined, xml });
    expect(await errorOf(restore(undefined))).toMatchObject({
      kind: "in-use",
      message: expect.stringContaining("the snapshot 's1' of the domain 'vm1' has its memory there"),
    });
    expect(stateOf(machine)).toEqual(before);
    await restore(new TextEncoder().encode(readSaveImage(nodeOn(machine), MEMORY).xml));
    expect(machine.processes.qemuOf(UUID)?.stream?.memory).toBe(REMEMBERED);
  });

  test("that is being taken is not replaced either", async () => {
    const node = nodeOn(await machineWithMemory());
    await take()(node);
    const switching = node.svirt.changes.indexOf("monitor transaction") + 1;
    const machine = await machineWithMemory();
    await beStruck(machine, take(), { at: switching, moment: "before", how: "crash" });
    const other = UUID.replace(/.$/, "9");
    const disks = diskXml(`${IMAGES}/private2.raw`, "vda");
    await startDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: other, disks }));
    const options = { resumes: undefined, path: MEMORY };
    expect(await errorOf(saveDomain(nodeOn(machine), "vm2", options))).toMatchObject({
      kind: "in-use",
      message: `Cannot write ${MEMORY}: a snapshot of the guest vm1 is being taken there`,
    });
  });
});
