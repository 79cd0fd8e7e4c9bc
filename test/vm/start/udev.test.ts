// In turn: it takes seconds of a processor.
import { describe, expect, test } from "bun:test";
import { describe as describeStep } from "../../../src/plan/steps/describe.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { attachDevice, detachDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { planDomainStart, startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { deviceOf, recordOf, wholeState } from "../../scenes/hotplug.ts";
import { domainXml, labelOf, makeMachine, nodeOn, reapAll, sweepAll, UUID } from "../../scenes/scene.ts";
import { beStruck, instantsOf, type Work, withoutInodes } from "../../scenes/strikes.ts";

const OTHER = "11111111-2222-4333-8444-000000000002";
const RULES = "/run/udev/rules.d";
const RULE = `${RULES}/99-svirt-${UUID}-block-254-16.rules`;
const TIMEOUT_MS = 120_000;

/** Returns the XML of a disk that is a block device, named by a stable link. */
const blockDisk = (target: string, extra = ""): string =>
  `<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/by-id'/><target dev='${target}' bus='virtio'/>${extra}</disk>`;
const XML = domainXml({ disks: blockDisk("vda") });

function machineWithUdev(): Machine {
  const machine = makeMachine();
  machine.files.putFolder("/run/udev");
  machine.files.put("/run/udev/control", "socket");
  return machine;
}

function textOf(machine: Machine, path: string): string | undefined {
  const found = machine.files.find(path);
  return found === undefined ? undefined : new TextDecoder().decode(found.inode.bytes);
}

const rulesOf = (machine: Machine): string[] => [...(machine.files.find(RULES)?.inode.entries.keys() ?? [])];

describe("a guest with a device node, on a host where udevd runs", () => {
  test("has udev keep the node's label, by its number, as long as it runs", async () => {
    const machine = machineWithUdev();
    const before = snapshot(machine);
    await startDomain(nodeOn(machine), XML);
    // udev(7): SECLABEL{module}, ENV{key}; values are quoted.
    expect(textOf(machine, RULE)?.trim().split("\n").at(-1)).toBe(
      `SUBSYSTEM=="block", ENV{MAJOR}=="254", ENV{MINOR}=="16", SECLABEL{selinux}="${labelOf(machine, "/dev/vdb")}"`,
    );
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    expect(snapshot(machine)).toEqual(before);
  });

  test("says so in the plan, beside the labelling: the rule comes after it and goes before it", async () => {
    const machine = machineWithUdev();
    const steps = await planDomainStart(nodeOn(machine), XML);
    const at = steps.findIndex((step) => step.do === "write-udev-rule");
    expect(steps[at - 1]).toMatchObject({ do: "set-label", file: { path: "/dev/vdb" } });
    expect(steps.slice(at, at + 1).map(describeStep)).toEqual([
      `write the udev rule that keeps the label of /dev/vdb (${RULE})`,
    ]);
    expect(rulesOf(machine)).toEqual([]);
  });

  test("leaves the link by which its XML names the node alone", async () => {
    const machine = machineWithUdev();
    await startDomain(nodeOn(machine), XML);
    expect(machine.files.find("/dev/by-id", false)?.inode.xattrs.size).toBe(0);
    expect(labelOf(machine, "/dev/vdb")).toContain(":svirt_image_t:");
  });

  test("has a rule of its own for a node that another guest has as well", async () => {
    const machine = machineWithUdev();
    const disks = blockDisk("vda", "<readonly/>");
    await startDomain(nodeOn(machine), domainXml({ disks }));
    await startDomain(nodeOn(machine), domainXml({ disks, name: "vm2", uuid: OTHER }));
    expect(rulesOf(machine)).toHaveLength(2);
    await destroyDomain(nodeOn(machine), "vm1");
    expect(rulesOf(machine)).toEqual([`99-svirt-${OTHER}-block-254-16.rules`]);
    expect(textOf(machine, `${RULES}/${rulesOf(machine)[0]}`)).toContain(
      `="${labelOf(machine, "/dev/vdb")}"`,
    );
  });

  test("gets the rule with a disk that it is given later, and gives it back with that", async () => {
    const machine = machineWithUdev();
    await startDomain(nodeOn(machine), domainXml());
    machine.files.putFolder(RULES);
    const before = wholeState(machine);
    const ask = { key: "vm1", options: {}, isDryRun: false };
    await attachDevice(nodeOn(machine), ask, deviceOf(blockDisk("vdb")));
    expect(rulesOf(machine)).toHaveLength(1);
    await detachDevice(nodeOn(machine), ask, deviceOf(blockDisk("vdb")));
    expect(wholeState(machine)).toEqual(before);
  });
});

test("without udevd, or with relabel='no', no rule is written", async () => {
  const without = makeMachine();
  await startDomain(nodeOn(without), XML);
  expect(without.files.find(RULES)).toBeUndefined();
  const machine = machineWithUdev();
  const own = "<seclabel model='selinux' relabel='no'/>";
  const disks = blockDisk("vda").replace("'/dev/by-id'/>", `'/dev/by-id'>${own}</source>`);
  await startDomain(nodeOn(machine), domainXml({ disks }));
  expect(recordOf(machine).steps.filter((step) => step.do === "write-udev-rule")).toEqual([]);
});

const start: Work = (node) => startDomain(node, XML);
const CASES = [
  { name: "a start", prepare: async () => machineWithUdev(), work: start },
  {
    name: "a destroy",
    prepare: async () => {
      const machine = machineWithUdev();
      await start(nodeOn(machine));
      return machine;
    },
    work: (node: ReturnType<typeof nodeOn>) => destroyDomain(node, "vm1"),
  },
] as const;

test.each(CASES)(
  "$name killed at any instant leaves no rule behind",
  async ({ prepare, work }) => {
    const clean = withoutInodes(machineWithUdev());
    for (const strike of await instantsOf(prepare, work)) {
      const machine = await prepare();
      await beStruck(machine, work, strike);
      await sweepAll(machine);
      await reapAll(machine);
      await destroyDomain(nodeOn(machine), "vm1").catch(() => undefined);
      await reapAll(machine);
      expect([strike, ...withoutInodes(machine)]).toEqual([strike, ...clean]);
    }
  },
  TIMEOUT_MS,
);
