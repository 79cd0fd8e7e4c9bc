import { describe, expect, test } from "bun:test";
import type { Instance } from "../../../../src/state/instance.ts";
import { auditNode } from "../../../../src/vm/audit/audit-node.ts";
import { findStaleLabels } from "../../../../src/vm/audit/stale-labels.ts";
import { defineDomain } from "../../../../src/vm/define/define.ts";
import { getPoolFacts } from "../../../../src/vm/pool/pool-facts.ts";
import { refreshPool } from "../../../../src/vm/pool/start-pool.ts";
import { planDomainStart, startDomain } from "../../../../src/vm/start/start.ts";
import { createVolumeFrom } from "../../../../src/vm/volume/create-volume.ts";
import { deleteVolume } from "../../../../src/vm/volume/delete-volume.ts";
import { findVolume } from "../../../../src/vm/volume/find-volume.ts";
import { listPoolVolumes } from "../../../../src/vm/volume/list-volumes.ts";
import type { Machine } from "../../../memory-host/machine.ts";
import { hanging, machineWithBoth } from "../../../scenes/hanging-server.ts";
import { makeSharedStorage, NET, OWN_DISKS } from "../../../scenes/mounted-pools.ts";
import { diskXml, domainXml, errorOf, nodeOn } from "../../../scenes/scene.ts";
import { IMAGES } from "../../../scenes/volumes.ts";

// A server that does not answer is asked once, for two seconds; any other call for its files would wait for
// hours.

const ANSWER_MS = 2000;
const VOLUME =
  "<disk type='volume' device='disk'><source pool='net' volume='a.img'/><target dev='vda'/></disk>";
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

async function silentMachine(): Promise<Machine> {
  const machine = await machineWithBoth();
  machine.mounts.silent.add(NET);
  return machine;
}

/** Expects that the work names the server after the time for an answer, without waiting for it. */
async function expectTold(machine: Machine, work: (node: Instance) => unknown): Promise<void> {
  const began = machine.nowMs;
  const { kind, message } = await errorOf((async () => work(hanging(machine).node))());
  expect([kind, message]).toEqual([
    "timeout",
    expect.stringContaining(`the server of ${NET} has not answered`),
  ]);
  expect(machine.nowMs - began).toBe(ANSWER_MS);
  expect(machine.violations).toEqual([]);
}

describe("while the server of a pool does not answer", () => {
  test.each<readonly [string, (node: Instance) => unknown]>([
    ["vol-list", async (node) => await listPoolVolumes(node, "net")],
    ["a volume by its name", async (node) => await findVolume(node, "a.img", "net")],
    ["a volume by its path", async (node) => await findVolume(node, `${NET}/a.img`)],
    [
      "vol-create",
      (node) =>
        createVolumeFrom(node, "net", {
          bytes: bytesOf("<volume><name>b.img</name><capacity>1</capacity></volume>"),
          flags: {},
        }),
    ],
    ["pool-refresh", (node) => refreshPool(node, "net")],
    [
      "a start with a file there",
      (node) => startDomain(node, domainXml({ disks: diskXml(`${NET}/a.img`, "vda") })),
    ],
    ["a start with a volume there", (node) => startDomain(node, domainXml({ disks: VOLUME }))],
    ["the plan of a start", (node) => planDomainStart(node, domainXml({ disks: VOLUME }))],
    [
      "vol-delete of a volume that one there may need",
      (node) => deleteVolume(node, { key: "private1.raw", pool: "images" }),
    ],
  ])("%s says so after two seconds", async (_, work) => {
    await expectTold(await silentMachine(), work);
  });

  test("a pool stays active, and a volume elsewhere is found by its path", async () => {
    const machine = await silentMachine();
    const { node } = hanging(machine);
    await errorOf(refreshPool(node, "net"));
    expect((await findVolume(node, `${IMAGES}/private1.raw`)).pool.name).toBe("images");
    machine.mounts.silent.clear();
    expect((await getPoolFacts(nodeOn(machine), "net")).state).toBe("running");
  });

  test("the audit names each file that it could not look at, and recover that of a definition", async () => {
    const machine = await makeSharedStorage();
    const [disk] = OWN_DISKS;
    await defineDomain(nodeOn(machine), domainXml({ disks: diskXml(disk, "vda") }));
    const notChecked = `is not checked: the server of ${NET} does not answer`;
    machine.mounts.silent.add(NET);
    const { node } = hanging(machine);
    expect(await findStaleLabels(node)).toEqual([`${disk} ${notChecked}`]);
    const began = machine.nowMs;
    expect((await auditNode(node)).findings).toEqual([`${disk} ${notChecked}`]);
    expect(machine.nowMs - began).toBe(ANSWER_MS);
    machine.mounts.silent.clear();
    await startDomain(nodeOn(machine), domainXml({ disks: diskXml(disk, "vda") }));
    expect((await auditNode(nodeOn(machine))).findings).toEqual([]);
    machine.mounts.silent.add(`${NET}/one`);
    const { findings, guests } = await auditNode(hanging(machine).node);
    expect(findings).toContain(`vm1: ${disk} is not checked: the server of ${NET}/one does not answer`);
    expect(guests[0]?.files.some(({ label, path }) => path === disk && label === undefined)).toBe(true);
  });
});
