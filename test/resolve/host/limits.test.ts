import { describe, expect, test } from "bun:test";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { sampleOf } from "../../sample.ts";
import { GROUP, machineWithGroups, vcpuThreads } from "../../scenes/groups.ts";
import { domainXml, errorOf, nodeOn, reapAll, sweepAll, UUID } from "../../scenes/scene.ts";
import { beStruck, instantsOf, type Work } from "../../scenes/strikes.ts";

const TIMEOUT_MS = 120_000;
const LIMITS = `<vcpu cpuset='0-1'>2</vcpu><memtune><hard_limit unit='MiB'>512</hard_limit></memtune>
  <cputune><shares>200</shares><quota>50000</quota><vcpupin vcpu='1' cpuset='1'/><emulatorpin cpuset='0'/>
  <emulatorsched scheduler='batch'/></cputune>`;

const start: Work = (node) => startDomain(node, domainXml({ lifecycle: LIMITS }));

/**
 * Leaves out the files of svirt's own group: the controllers that it delegates belong to no guest and stay.
 */
function withoutParent(machine: Machine): string[] {
  return snapshot(machine).filter((line) => !line.includes("/sys/fs/cgroup/svirt/cgroup"));
}

describe("a start", () => {
  test("puts QEMU into a group with its limits, and its threads where they are to run", async () => {
    const machine = machineWithGroups();
    await start(nodeOn(machine));
    const read = (file: string): string | undefined => machine.groups.read(`${GROUP}/${file}`);
    expect(["memory.max", "cpu.weight", "pids.max", "vcpu0/cpu.max", "vcpu1/cpu.max"].map(read)).toEqual([
      "536870912",
      "200",
      "578",
      "50000 100000",
      "50000 100000",
    ]);
    expect(read("vcpu0/cgroup.type")).toBe("threaded");
    const guest = machine.processes.qemuOf(UUID);
    expect(guest?.order?.group).toBe(GROUP);
    const [first = 0, second = 0] = vcpuThreads(machine);
    expect(machine.threads.get(first)).toEqual({ group: `${GROUP}/vcpu0`, cpus: [0, 1] });
    expect(machine.threads.get(second)).toEqual({ group: `${GROUP}/vcpu1`, cpus: [1] });
    expect(machine.threads.get(guest?.pid ?? 0)).toEqual({
      cpus: [0],
      scheduler: { policy: "batch", priority: 0 },
    });
  });

  test("leaves nothing of it when the guest has ended", async () => {
    const machine = machineWithGroups();
    const before = withoutParent(machine);
    await start(nodeOn(machine));
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    expect(withoutParent(machine)).toEqual(before);
  });

  test("does not touch a thread that is not QEMU's, whatever QEMU says", async () => {
    const machine = machineWithGroups();
    machine.groups.lie = 1;
    const error = await errorOf(start(nodeOn(machine)));
    expect(error.message).toContain("QEMU reports 1, which is not a thread of the guest");
    expect(machine.threads.get(1)).toBeUndefined();
  });

  test.each([
    ["<vcpu cpuset='64-65'>1</vcpu>", "Cannot pin emulator to CPUs 64-65: none of them is online"],
    [
      "<vcpu>1</vcpu><numatune><memory mode='strict' nodeset='3'/></numatune>",
      "unsupported configuration: NUMA node 3 is unavailable",
    ],
  ])("with %s is refused, and changes nothing", async (lifecycle, message) => {
    const machine = machineWithGroups();
    const before = withoutParent(machine);
    const error = await errorOf(startDomain(nodeOn(machine), domainXml({ lifecycle })));
    expect(error.message).toBe(message);
    expect(withoutParent(machine)).toEqual(before);
  });
});

test.each(["crash", "fail"] as const)(
  "a start struck at every call leaves no group: %s",
  async (how) => {
    const clean = withoutParent(machineWithGroups());
    const instants = await instantsOf(async () => machineWithGroups(), start);
    expect(instants.length).toBeGreaterThan(60);
    for (const strike of sampleOf(instants)) {
      const machine = machineWithGroups();
      await beStruck(machine, start, { ...strike, how });
      await sweepAll(machine);
      await reapAll(machine);
      const place = `${strike.moment} call ${strike.at}`;
      // A strike at the very last calls leaves a running guest.
      if (machine.processes.qemuOf(UUID) !== undefined) continue;
      expect([place, ...withoutParent(machine)]).toEqual([place, ...clean]);
    }
  },
  TIMEOUT_MS,
);
