import { describe, expect, test } from "bun:test";
import { registryOf } from "../../../src/state/instance.ts";
import { auditNode } from "../../../src/vm/audit/audit-node.ts";
import type { Ask } from "../../../src/vm/change/change-domain.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { attachDevice, detachDevice, updateDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { runOn } from "../../cli/in-memory.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { testInTurn } from "../../sample.ts";
import {
  commitOn,
  copyOn,
  endOn,
  IMAGES,
  machineWithChain,
  pullOn,
  takeOn,
  waitOn,
} from "../../scenes/block.ts";
import { GROUP, machineWithGroups } from "../../scenes/groups.ts";
import { cdXml, deviceOf, machineWithDisks, recordOf, SECOND, wholeState } from "../../scenes/hotplug.ts";
import { nbdDisk, SOCKET, withSocket } from "../../scenes/peer.ts";
import {
  diskXml,
  domainXml,
  errorOf,
  labelOf,
  nodeOn,
  ORIGINAL,
  OTHER,
  sweepAll,
  UUID,
} from "../../scenes/scene.ts";
import { strikeEverywhere, type Work } from "../../scenes/strikes.ts";

const inTurn = testInTurn(3);

const ASK: Ask = { key: "vm1", options: {}, isDryRun: false };
const TOP = `${IMAGES}/top.qcow2`;
const CONTENT = "system_u:object_r:virt_content_t:s0";

const attach = (machine: Machine) => attachDevice(nodeOn(machine), ASK, deviceOf(SECOND));
const detach = (machine: Machine) => detachDevice(nodeOn(machine), ASK, deviceOf(SECOND));
const holders = (machine: Machine, path: string): readonly string[] => {
  const { inode, device } = machine.svirt().host.inspectFile(path)?.id ?? { inode: "", device: "" };
  return registryOf(nodeOn(machine))
    .listHolders("file", `inode-${device}-${inode}`)
    .map(({ owner }) => owner);
};
const closeKept = (machine: Machine): void => machine.processes.qemuOf(UUID)?.devices?.closeKept();
const otherOn = (machine: Machine, path: string) =>
  startDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER, disks: diskXml(path, "vda") }));

/** Returns a machine with a second disk, whose QEMU keeps files open that it was told to close. */
async function liar(): Promise<Machine> {
  const machine = await machineWithDisks();
  machine.qemu = { keepsFiles: true };
  await attach(machine);
  return machine;
}

describe("a QEMU that keeps what it was told to close", () => {
  test("does not get a detached disk's label and claim given back, and the command says so", async () => {
    const machine = await liar();
    const own = labelOf(machine, TOP);
    const error = await errorOf(detach(machine));
    expect([error.kind, error.exitCode]).toEqual(["partly", 7]);
    expect(error.message).toContain(`still holds ${TOP}`);
    expect(error.remedy).toContain("svirt destroy");
    expect(labelOf(machine, TOP)).toBe(own);
    expect(holders(machine, TOP)).toEqual([UUID]);
    expect(recordOf(machine).change?.what).toBe("detach vdb");
    expect((await errorOf(otherOn(machine, TOP))).kind).toBe("in-use");
  });

  test("is told of by an audit, as long as it is so", async () => {
    const machine = await liar();
    expect((await auditNode(nodeOn(machine))).findings).toEqual([]);
    await errorOf(detach(machine));
    const { findings } = await auditNode(nodeOn(machine));
    expect(
      findings.filter((finding) => finding.startsWith("vm1 has not released a device (detach vdb)")),
    ).toHaveLength(2);
    expect(findings.join()).toContain(`still holds ${TOP}`);
    closeKept(machine);
    await sweepAll(machine);
    expect((await auditNode(nodeOn(machine))).findings).toEqual([]);
  });

  test("is explained, too, as long as it is so, and changes nothing by that", async () => {
    const machine = await liar();
    await errorOf(detach(machine));
    const before = wholeState(machine);
    const { out } = await runOn(machine, "explain", "vm1");
    expect(out).toContain("Told to");
    expect(out).toMatch(/process \d+ still holds \/var\/lib\/images\/top.qcow2 \(descriptor \d+\)/);
    const { out: json } = await runOn(machine, "explain", "--json");
    expect(JSON.parse(json)).toMatchObject([{ guest: { name: "vm1" }, change: "detach vdb" }]);
    expect(wholeState(machine)).toEqual(before);
    closeKept(machine);
    await sweepAll(machine);
    expect((await runOn(machine, "explain", "vm1")).out).toBe("No denials.\n");
  });

  test("is asked again by each call, which finishes once it is true", async () => {
    const machine = await machineWithDisks();
    const before = wholeState(machine);
    machine.qemu = { keepsFiles: true };
    await attach(machine);
    await errorOf(detach(machine));
    const { nowMs } = machine;
    await expect(sweepAll(machine)).rejects.toMatchObject({ kind: "partly" });
    // Other commands do not wait for this guest.
    expect(machine.nowMs - nowMs).toBeLessThan(1100);
    expect((await errorOf(detach(machine))).kind).toBe("partly");
    closeKept(machine);
    await sweepAll(machine);
    expect(wholeState(machine)).toEqual(before);
    expect((await otherOn(machine, TOP)).did).toBe(true);
  });

  test("is seen to hold what its processes hand each other: all are stopped for the look, and go on", async () => {
    const machine = machineWithGroups();
    await startDomain(nodeOn(machine), domainXml({ disks: diskXml(`${IMAGES}/private1.raw`, "vda") }));
    machine.qemu = { keepsFiles: true, juggles: true };
    await attach(machine);
    const error = await errorOf(detach(machine));
    expect([error.kind, holders(machine, TOP)]).toEqual(["partly", [UUID]]);
    expect(machine.groups.isFrozen(GROUP)).toBe(false);
    closeKept(machine);
    await sweepAll(machine);
    expect([labelOf(machine, TOP), machine.groups.isFrozen(GROUP)]).toEqual([ORIGINAL, false]);
  });

  inTurn(
    "runs on at the next call, or is ended, wherever svirt was killed",
    async () => {
      const runs = async (): Promise<Machine> => {
        const machine = machineWithGroups();
        await startDomain(nodeOn(machine), domainXml({ disks: diskXml(`${IMAGES}/private1.raw`, "vda") }));
        await attach(machine);
        return machine;
      };
      const work: Work = (node) => detachDevice(node, ASK, deviceOf(SECOND));
      let frozen = 0;
      const subject = { name: "detach", prepare: runs, work, needsAll: true };
      await strikeEverywhere(subject, "crash", async (struck, place) => {
        frozen += struck.groups.isFrozen(GROUP) ? 1 : 0;
        await sweepAll(struck);
        expect([place, recordOf(struck).change, struck.groups.isFrozen(GROUP)]).toEqual([
          place,
          undefined,
          false,
        ]);
      });
      expect(frozen).toBeGreaterThan(0);
    },
    60_000,
  );

  test("is ended in its own time where svirt was killed as it looked", async () => {
    const machine = machineWithGroups();
    await startDomain(nodeOn(machine), domainXml());
    machine.groups.write(`${GROUP}/cgroup.freeze`, "1");
    const thawed: boolean[] = [];
    await destroyDomain(nodeOn(machine), "vm1", {
      observer: (moment, step) => {
        if (moment === "before" && step.do === "kill") thawed.push(!machine.groups.isFrozen(GROUP));
      },
    });
    expect(thawed).toEqual([true]);
  });

  test("has everything given back when it is ended", async () => {
    const machine = await liar();
    await errorOf(detach(machine));
    await destroyDomain(nodeOn(machine), "vm1");
    expect([labelOf(machine, TOP), holders(machine, TOP)]).toEqual([ORIGINAL, []]);
  });

  test("keeps the label of a disk that it refused to take", async () => {
    const machine = await machineWithDisks();
    machine.qemu = { keepsFiles: true, refuses: "device_add" };
    const error = await errorOf(attach(machine));
    expect([error.kind, holders(machine, TOP)]).toEqual(["partly", [UUID]]);
    expect(error.message).toContain("as the test wants it");
    closeKept(machine);
    await sweepAll(machine);
    expect([labelOf(machine, TOP), holders(machine, TOP)]).toEqual([ORIGINAL, []]);
  });

  test("keeps the label of a medium that was changed", async () => {
    const machine = await machineWithDisks(diskXml(`${IMAGES}/private2.raw`, "vdc"));
    machine.qemu = { keepsFiles: true };
    const empty = { device: deviceOf(cdXml()), force: true };
    expect((await errorOf(updateDevice(nodeOn(machine), ASK, empty))).kind).toBe("partly");
    expect(labelOf(machine, `${IMAGES}/install.iso`)).toBe(CONTENT);
    closeKept(machine);
    await sweepAll(machine);
    expect(labelOf(machine, `${IMAGES}/install.iso`)).toBe(ORIGINAL);
  });

  test("keeps the label of a socket as long as it has more connections than are left to it", async () => {
    const machine = withSocket();
    await startDomain(nodeOn(machine), domainXml({ devices: nbdDisk() }));
    const second = deviceOf(nbdDisk().replace("vda", "vdb").replace("name='x'", "name='y'"));
    await attachDevice(nodeOn(machine), ASK, second);
    const own = labelOf(machine, SOCKET);
    machine.qemu = { keepsFiles: true };
    const error = await errorOf(detachDevice(nodeOn(machine), ASK, second));
    expect([error.kind, labelOf(machine, SOCKET)]).toEqual(["partly", own]);
    expect(error.message).toContain("a connection to another program (socket:[");
    closeKept(machine);
    await sweepAll(machine);
    expect([recordOf(machine).change, labelOf(machine, SOCKET)]).toEqual([undefined, own]);
    machine.qemu = {};
    await detachDevice(nodeOn(machine), ASK, deviceOf(nbdDisk()));
    expect(labelOf(machine, SOCKET)).toBe(ORIGINAL);
  });

  test("does not make an image content for all by a snapshot while it can write to it", async () => {
    const machine = await machineWithChain();
    const own = labelOf(machine, TOP);
    machine.qemu = { keepsFiles: true };
    const error = await errorOf(takeOn(nodeOn(machine)));
    expect([error.kind, labelOf(machine, TOP)]).toEqual(["partly", own]);
    expect(error.message).toContain(`can still write to ${TOP}`);
    closeKept(machine);
    await sweepAll(machine);
    expect(labelOf(machine, TOP)).toBe(CONTENT);
  });

  test.each(["commit", "copy", "abort", "pull"])("keeps what the end of a %s leaves over", async (job) => {
    const machine = await machineWithChain();
    const node = nodeOn(machine);
    if (job === "commit") await commitOn(node);
    else if (job === "pull") await pullOn(node);
    else await copyOn(node);
    machine.qemu = { keepsFiles: true };
    const left =
      { commit: TOP, copy: TOP, abort: `${IMAGES}/copy.qcow2`, pull: `${IMAGES}/base.raw` }[job] ?? "";
    const own = labelOf(machine, left);
    const end = async (): Promise<void> => {
      await waitOn(node);
      if (job === "pull") await sweepAll(machine);
      else await endOn(node, job === "abort" ? "abort" : "pivot");
    };
    expect((await errorOf(end())).kind).toBe("partly");
    expect([labelOf(machine, left), holders(machine, left)]).toEqual([own, [UUID]]);
    closeKept(machine);
    await sweepAll(machine);
    expect(holders(machine, left)).toEqual([]);
  });
});
