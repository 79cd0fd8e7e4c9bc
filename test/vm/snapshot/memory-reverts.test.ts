// In turn: it takes seconds of a processor.
import { describe, expect, test } from "bun:test";
import { parseQcow2Header } from "../../../src/images/qcow2-header.ts";
import { listChanged } from "../../../src/state/changes/changes.ts";
import { readDefinition } from "../../../src/state/definitions.ts";
import { readRecord } from "../../../src/state/record.ts";
import { readSnapshots } from "../../../src/state/snapshots/snapshots.ts";
import type { SnapshotDisk } from "../../../src/vm/block/snapshot-options.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { suspendGuest } from "../../../src/vm/lifecycle/ask-guest.ts";
import { recoverAll } from "../../../src/vm/recover/recover.ts";
import { managedSaveDomain } from "../../../src/vm/save/save-domain.ts";
import { readSaveImage } from "../../../src/vm/save/save-image.ts";
import { undefineSecret } from "../../../src/vm/secret/define-secret.ts";
import { createSnapshot, newSnapshot } from "../../../src/vm/snapshot/create-snapshot.ts";
import { redefineSnapshot } from "../../../src/vm/snapshot/redefine-snapshot.ts";
import { revertDomain } from "../../../src/vm/snapshot/revert-memory.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { sampleOf } from "../../sample.ts";
import { copyOn, IMAGES, machineWithChain } from "../../scenes/block.ts";
import { expectUnlabelled } from "../../scenes/block-checks.ts";
import { ENCRYPTION, machineWithLuks, withQuickKeys } from "../../scenes/luks.ts";
import { fileText, REMEMBERED, stateOf } from "../../scenes/saving.ts";
import { diskXml, domainXml, errorOf, labelOf, nodeOn, reapAll, UUID } from "../../scenes/scene.ts";
import { SECRET_UUID } from "../../scenes/secrets.ts";
import { remove, takeDisks } from "../../scenes/snapshots.ts";
import { beStruck, instantsOf, type Work } from "../../scenes/strikes.ts";

const TEST_MS = 600_000;
const MEMORY = `${IMAGES}/vm1-mem.s1`;
const LATER = "what it counted since";

const take =
  (name: string, disks: readonly SnapshotDisk[] = []): Work =>
  async (node) => {
    const memory = `${IMAGES}/vm1-mem.${name}`;
    const flags = { isDiskOnly: false, isKept: true, reuses: false };
    const snapshot = newSnapshot(node, { name, description: undefined, disks, memory, flags });
    await createSnapshot(node, UUID, { snapshot });
  };

const revert =
  (how: Partial<Parameters<typeof revertDomain>[2]> = {}): Work =>
  (node) =>
    revertDomain(node, UUID, { name: "s1", isForced: false, runs: false, onLeft: () => undefined, ...how });

/**
 * Returns a machine whose guest has the snapshot s1 with REMEMBERED in its memory, and runs on with LATER.
 */
async function machineWithSnapshot(isPaused = false): Promise<Machine> {
  const machine = await machineWithChain();
  remember(machine, REMEMBERED);
  if (isPaused) await suspendGuest(nodeOn(machine), "vm1");
  await take("s1")(nodeOn(machine));
  remember(machine, LATER);
  return machine;
}

function remember(machine: Machine, text: string): void {
  const stream = machine.processes.qemuOf(UUID)?.stream;
  if (stream !== undefined) stream.memory = text;
}

async function machineThatIsOff(): Promise<Machine> {
  const machine = await machineWithSnapshot();
  await destroyDomain(nodeOn(machine), "vm1");
  await reapAll(machine);
  return machine;
}

/**
 * Returns whether the guest runs, its memory, the images of guest and definition, the current snapshot, and
 * the new images.
 */
function seen(machine: Machine) {
  const node = nodeOn(machine);
  const qemu = machine.processes.qemuOf(UUID);
  const imageIn = (xml = "") => /<source file='([^']*)'/.exec(xml)?.[1];
  return {
    status: qemu?.status,
    memory: qemu?.stream?.memory,
    runs: imageIn(readRecord(node, UUID)?.xml),
    image: imageIn(readDefinition(node, "vm1")?.xml),
    current: readSnapshots(node, UUID).current,
    images: node.host.listFolder(IMAGES).filter((name) => /^top\.\d+$|^\./.test(name)),
  };
}

describe("a revert to a snapshot with memory", () => {
  test.each([
    ["that runs", machineWithSnapshot, {}, "running"],
    ["that is off", machineThatIsOff, {}, "running"],
    ["that was paused", () => machineWithSnapshot(true), {}, "paused"],
    ["that was paused and is to run", () => machineWithSnapshot(true), { runs: true }, "running"],
  ] as const)("of a guest %s goes on where it was, on a new overlay", async (...[, prepare, how, status]) => {
    const machine = await prepare();
    await revert(how)(nodeOn(machine));
    const now = seen(machine);
    const { image = "" } = now;
    expect(now).toEqual({
      status,
      memory: REMEMBERED,
      runs: image,
      image,
      current: "s1",
      images: [image.slice(IMAGES.length + 1)],
    });
    expect(image).toMatch(/\/top\.\d+$/);
    expect(fileText(machine, MEMORY)).toEndWith(REMEMBERED);
    expect(machine.violations).toEqual([]);
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    expectUnlabelled(machine);
  });

  test("names the image that the domain no longer has, can be repeated, and is followed by another snapshot", async () => {
    const machine = await machineWithSnapshot();
    const left: string[] = [];
    await revert({ onLeft: (path) => void left.push(path) })(nodeOn(machine));
    expect(left).toEqual([`${IMAGES}/top.s1`]);
    remember(machine, LATER);
    await revert()(nodeOn(machine));
    expect(seen(machine)).toMatchObject({ status: "running", memory: REMEMBERED });
    await take("s2")(nodeOn(machine));
    expect(readSnapshots(nodeOn(machine), UUID).snapshots.map(({ name, parent }) => [name, parent])).toEqual([
      ["s1", undefined],
      ["s2", "s1"],
    ]);
  });

  test(
    "killed at any call of the host, succeeds when it is repeated; the guest never runs with another memory or image",
    async () => {
      const prepare = machineWithSnapshot;
      const results = new Set<string>();
      const first = seen(await prepare());
      for (const strike of sampleOf(await instantsOf(prepare, revert()))) {
        const machine = await prepare();
        await beStruck(machine, revert(), strike);
        machine.pass(1000);
        machine.reaps.splice(0);
        const { errors } = await recoverAll(nodeOn(machine));
        const now = seen(machine);
        const is = now.status === undefined ? "off" : `${now.status} ${now.memory}`;
        results.add(is);
        expect([strike, errors, listChanged(nodeOn(machine), ["domain"])]).toEqual([strike, [], []]);
        if (now.status !== undefined) expect([strike, now.runs]).toEqual([strike, now.image]);
        if (now.image === first.image) expect([strike, now.images]).toEqual([strike, []]);
        await revert()(nodeOn(machine));
        expect([strike, seen(machine)]).toMatchObject([strike, { status: "running", memory: REMEMBERED }]);
      }
      expect([...results]).toContain(`running ${REMEMBERED}`);
      expect([...results]).toContain("off");
    },
    TEST_MS,
  );
});

describe("a revert to a snapshot with memory that cannot be", () => {
  test("because QEMU does not take the state leaves the domain off, with the images that it had", async () => {
    const machine = await machineWithSnapshot();
    const before = seen(machine);
    const text = fileText(machine, MEMORY);
    const broken = `${text.slice(0, text.indexOf("QEVM"))}XXXX`;
    machine.files.get(MEMORY).bytes = new TextEncoder().encode(broken);
    const error = await errorOf(revert()(nodeOn(machine)));
    expect(error.message).toContain("domain restore job: Not a migration stream");
    machine.pass(1000);
    machine.reaps.splice(0);
    const { image, current, images } = before;
    expect(seen(machine)).toEqual({
      status: undefined,
      memory: undefined,
      runs: undefined,
      image,
      current,
      images,
    });
  });

  const OTHER = UUID.replace(/^./, (digit) => (digit === "1" ? "2" : "1"));
  test.each<readonly [string, (text: string) => string | undefined, string, string]>([
    ["its file is gone", () => undefined, "not-found", "No such file"],
    [
      "its file is not whole",
      (text) => text.replace("LibvirtQemudSave", "LibvirtQemudPart"),
      "failed",
      "save image is incomplete",
    ],
    [
      "its file is another domain's",
      (text) => text.replaceAll(UUID, OTHER),
      "failed",
      "which belongs to domain 'vm1'",
    ],
  ])("because %s is refused before the guest ends", async (...[, spoil, kind, words]) => {
    const machine = await machineWithSnapshot();
    const spoilt = spoil(fileText(machine, MEMORY));
    if (spoilt === undefined) machine.files.remove(MEMORY);
    else machine.files.get(MEMORY).bytes = new TextEncoder().encode(spoilt);
    const before = stateOf(machine);
    const error = await errorOf(revert()(nodeOn(machine)));
    expect<unknown>([error.kind, error.message]).toEqual([kind, expect.stringContaining(words)]);
    expect(stateOf(machine)).toEqual(before);
  });

  test("because QEMU copies its image, or it has a saved state, is refused before anything changes", async () => {
    const copying = await machineWithSnapshot();
    await copyOn(nodeOn(copying));
    const saved = await machineWithSnapshot();
    await managedSaveDomain(nodeOn(saved), "vm1", { resumes: undefined });
    await reapAll(saved);
    const messages: string[] = [];
    for (const machine of [copying, saved]) {
      const before = stateOf(machine);
      const { message } = await errorOf(revert()(nodeOn(machine)));
      messages.push(message);
      expect(stateOf(machine)).toEqual(before);
    }
    expect(messages).toEqual([
      "Requested operation is not valid: domain has active block job",
      expect.stringContaining("revert requires force"),
    ]);
    await revert({ isForced: true })(nodeOn(saved));
    expect(seen(saved)).toMatchObject({ status: "running", memory: REMEMBERED });
    expect(nodeOn(saved).host.listFolder("/var/lib/svirt/save")).toEqual([]);
  });

  test("because a passphrase of its images is missing is refused before the guest ends", async () => {
    const machine = await machineWithLuks();
    const disk = { name: "vda", snapshot: "external", driver: undefined, encryption: ENCRYPTION };
    const disks = [{ ...disk, file: `${IMAGES}/over.qcow2` }];
    const node = nodeOn(machine);
    const quick = { ...node, host: withQuickKeys(node).host };
    await take("s1", disks)(quick);
    await undefineSecret(node, SECRET_UUID);
    const before = stateOf(machine);
    const { message } = await errorOf(revert()(quick));
    expect(message).toContain("no secret");
    expect(stateOf(machine)).toEqual(before);
  });

  test("of a snapshot whose XML a client has changed gets no image of another guest", async () => {
    const other = UUID.replace(/.$/, "9");
    const machine = await machineWithSnapshot();
    await startDomain(
      nodeOn(machine),
      domainXml({ name: "vm2", uuid: other, disks: diskXml(`${IMAGES}/private2.raw`, "vda") }),
    );
    const before = seen(machine);
    const label = labelOf(machine, `${IMAGES}/private2.raw`);
    const [stored] = readSnapshots(nodeOn(machine), UUID).snapshots;
    const bytes = new TextEncoder().encode(
      (stored?.xml ?? "").replaceAll("top.qcow2", "private2.raw").replaceAll("type='qcow2'", "type='raw'"),
    );
    await redefineSnapshot(nodeOn(machine), UUID, { bytes, flags: { isCurrent: false, isDiskOnly: false } });
    const { message } = await errorOf(revert()(nodeOn(machine)));
    expect(message).toContain(`the guest ${other} uses that file`);
    await reapAll(machine);
    const { image, current, images } = before;
    expect(seen(machine)).toMatchObject({ status: undefined, image, current, images });
    expect(labelOf(machine, `${IMAGES}/private2.raw`)).toBe(label);
    expect(machine.violations).toEqual([]);
  });
});

describe("after the snapshot above it is deleted, a revert to a snapshot with memory", () => {
  test.each([
    ["takes the image into which the overlay was merged", "s0"],
    ["does not take a later overlay of the same name", "again"],
  ])("%s", async (_, which) => {
    const machine = await machineWithChain();
    const node = nodeOn(machine);
    await takeDisks(node, "s0");
    remember(machine, REMEMBERED);
    await take("s1")(node);
    remember(machine, LATER);
    expect(readSaveImage(node, MEMORY).xml).toContain(`${IMAGES}/top.s0`);
    await remove("s0")(node);
    expect(machine.files.find(`${IMAGES}/top.s0`)).toBeUndefined();
    if (which === "again") await takeDisks(node, "s0");
    await revert()(node);
    const { image = "", memory, runs, status } = seen(machine);
    expect([status, memory, runs]).toEqual(["running", REMEMBERED, image]);
    expect(parseQcow2Header(machine.files.get(image).bytes).backingFile).toBe(`${IMAGES}/top.qcow2`);
    expect(machine.violations).toEqual([]);
  });
});
