import { describe, expect, test } from "bun:test";
import { definitionIn, parseSnapshotText } from "../../../src/domain/other-documents/snapshot.ts";
import { formatChange } from "../../../src/plan/change/object-change.ts";
import { listChanged, readChange, writeChange } from "../../../src/state/changes/changes.ts";
import { defineStep, readDefinition, writeDefinition } from "../../../src/state/definitions.ts";
import type { Instance } from "../../../src/state/instance.ts";
import { readSnapshots, writeSnapshots } from "../../../src/state/snapshots/snapshots.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { recoverBefore } from "../../../src/vm/recover/recover-before.ts";
import { changeImagesOff, planImagesOff } from "../../../src/vm/snapshot/change-images-off.ts";
import {
  createSnapshot,
  type NewSnapshot,
  newSnapshot,
  planSnapshot,
} from "../../../src/vm/snapshot/create-snapshot.ts";
import { deleteSnapshot } from "../../../src/vm/snapshot/delete-snapshot.ts";
import { revertToSnapshot } from "../../../src/vm/snapshot/revert-snapshot.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { sampleOf } from "../../sample.ts";
import { IMAGES, machineWithChain } from "../../scenes/block.ts";
import { diskXml, domainXml, errorOf, makeMachine, nodeOn, UUID } from "../../scenes/scene.ts";
import { beStruck, instantsOf, type Work } from "../../scenes/strikes.ts";

const TEST_MS = 120_000;

function newDisks(node: Instance, name: string): NewSnapshot {
  const flags = { isDiskOnly: true, isKept: true, reuses: false };
  return newSnapshot(node, { name, description: undefined, disks: [], flags });
}

const take =
  (name: string): Work =>
  async (node) => {
    await createSnapshot(node, UUID, { snapshot: newDisks(node, name) });
  };
const revert: Work = (node) => revertToSnapshot(node, UUID, { name: "s1", isForced: false });
const forget: Work = (node) => deleteSnapshot(node, UUID, { name: "s1", which: "one", isMetadataOnly: true });

async function machineThatIsOff(): Promise<Machine> {
  const machine = makeMachine();
  await defineDomain(nodeOn(machine), domainXml({ disks: diskXml(`${IMAGES}/top.qcow2`, "vda") }));
  await take("s1")(nodeOn(machine));
  return machine;
}

/**
 * Returns the image that the definition has, the names of the stored snapshots with the current one, and the
 * images there are.
 */
function seen(node: Instance) {
  const [, image] = /<source file='([^']*)'/.exec(readDefinition(node, "vm1")?.xml ?? "") ?? [];
  const { current, snapshots } = readSnapshots(node, UUID);
  const images = node.host
    .listFolder(IMAGES)
    .filter((name) => name.startsWith("top.") || name.startsWith("."));
  return { image, current, names: snapshots.map(({ name }) => name), images: images.sort() };
}

describe("killed at any call of the host", () => {
  test.each([
    ["a snapshot of a guest that is off", machineThatIsOff, take("s2")],
    ["a revert", machineThatIsOff, revert],
    ["the removal of a snapshot's data", machineThatIsOff, forget],
    ["a snapshot of a running guest", machineWithChain, take("s1")],
  ])(
    "%s is as before or as after, once the next call has begun",
    async (_, prepare, work) => {
      const whole = await prepare();
      const before = seen(nodeOn(whole));
      await work(nodeOn(whole));
      const after = seen(nodeOn(whole));
      expect(after).not.toEqual(before);
      const results = new Set<string>();
      for (const strike of sampleOf(await instantsOf(prepare, work))) {
        const machine = await prepare();
        await beStruck(machine, work, strike);
        const node = nodeOn(machine);
        const { errors } = await recoverBefore(node, "all");
        expect([strike, errors, listChanged(node, ["domain"])]).toEqual([strike, [], []]);
        const now = seen(node);
        const is = now.image === after.image && now.names.join() === after.names.join() ? after : before;
        expect([strike, now]).toEqual([strike, is]);
        results.add(is === after ? "after" : "before");
      }
      expect([...results].sort()).toEqual(["after", "before"]);
    },
    TEST_MS,
  );
});

test("a snapshot has the domain before it, whichever call stores it", async () => {
  const machine = await machineWithChain();
  await take("s1")(nodeOn(machine));
  const [stored] = readSnapshots(nodeOn(machine), UUID).snapshots;
  const disks = definitionIn(parseSnapshotText(stored?.xml ?? ""))?.devices.disks ?? [];
  expect(disks.map(({ source }) => source)).toMatchObject([{ file: `${IMAGES}/top.qcow2` }]);
});

test("a domain that was started meanwhile is refused before anything is settled or decided", async () => {
  const node = nodeOn(await machineWithChain());
  const object = { kind: "domain", key: UUID } as const;
  const steps = [defineStep(node, "vm1", "<domain/>")];
  writeChange(node, { object, what: "snapshot-create vm1", steps, commit: 0 });
  const decide = () => {
    throw new Error("it is decided");
  };
  const request = { command: "snapshot-create", uuid: UUID, encryption: "", decide };
  for (const work of [changeImagesOff(node, request), planImagesOff(node, request)])
    expect(await errorOf(work)).toMatchObject({
      kind: "wrong-state",
      message: "Requested operation is not valid: domain 'vm1' is running",
    });
  expect(readChange(node, object)?.steps).toEqual(steps);
});

test("a change is finished though another command has changed the definition since", async () => {
  const machine = await machineThatIsOff();
  const node = nodeOn(machine);
  const before = readSnapshots(node, UUID);
  const change = await planSnapshot(node, UUID, newDisks(node, "s2"));
  await take("s2")(node);
  const after = seen(node);
  writeSnapshots(node, UUID, before);
  const { xml = "" } = readDefinition(node, "vm1") ?? {};
  const changed = xml.replace("</name>", "</name>\n  <title>new</title>");
  writeDefinition(node, { name: "vm1", xml: changed });
  const object = { kind: "domain", key: UUID } as const;
  writeChange(node, { object, what: "snapshot-create vm1", commit: 0, ...change });
  expect((await recoverBefore(node, "all")).errors).toEqual([]);
  expect([seen(node), readDefinition(node, "vm1")?.xml]).toEqual([after, changed]);
});

test("svirt plan prints the steps with the point from which an interruption is finished", async () => {
  const machine = await machineThatIsOff();
  const before = snapshot(machine);
  const change = await planSnapshot(nodeOn(machine), UUID, newDisks(nodeOn(machine), "s2"));
  expect(snapshot(machine)).toEqual(before);
  expect(formatChange({ commit: "begin", ...change })).toBe(
    [
      `  1  create the image ${IMAGES}/top.s2: qcow2, 1048576 bytes, backing file ${IMAGES}/top.s1 (qcow2)`,
      "  2  replace /etc/svirt/domains/vm1.xml",
      "     -- an interruption before step 2 is undone, one after it is finished --",
      `  3  replace /var/lib/svirt/snapshots/${UUID}.json\n`,
    ].join("\n"),
  );
});
