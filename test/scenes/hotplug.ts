import { expect } from "bun:test";
import { type Device, parseDevice } from "../../src/domain/device.ts";
import { type GuestRecord, readRecord } from "../../src/state/record.ts";
import { attachDevice, detachDevice } from "../../src/vm/hotplug/change-devices.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import type { Machine } from "../memory-host/machine.ts";
import { diskXml, domainXml, makeMachine, nodeOn, sweepAll, UUID } from "./scene.ts";
import { strikeEverywhere, type Work, withoutInodes } from "./strikes.ts";

/** A second disk, with a file below it. */
export const SECOND = diskXml("/var/lib/images/top.qcow2", "vdb");

/** A drive with a medium, and another medium for it. */
const DRIVE = cdXml("/var/lib/images/install.iso");

/** A CD-ROM drive with that medium, or none. */
export function cdXml(file?: string): string {
  const source = file === undefined ? "" : `<source file='${file}'/>`;
  return `<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>${source}<target dev='hdc' bus='ide'/></disk>`;
}

/** A device from its XML. */
export function deviceOf(xml: string): Device {
  return parseDevice(new TextEncoder().encode(xml));
}

/** A machine on which the usual guest runs, with a disk, the drive, and whatever else is given. */
export async function machineWithDisks(more = ""): Promise<Machine> {
  const machine = makeMachine();
  await startDomain(
    nodeOn(machine),
    domainXml({ disks: diskXml("/var/lib/images/private1.raw", "vda") + DRIVE + more }),
  );
  return machine;
}

/** The record of the guest. Fails when there is none. */
export function recordOf(machine: Machine): GuestRecord {
  const guest = readRecord(nodeOn(machine), UUID);
  if (guest === undefined) throw new Error("the guest has no record");
  return guest;
}

/** What QEMU has, a line each. */
function listQemu(machine: Machine): readonly string[] {
  return machine.processes.qemuOf(UUID)?.devices?.list() ?? [];
}

/** All of the machine, of its guest's QEMU and of its record: two of these are equal when nothing has changed. */
export function wholeState(machine: Machine): string[] {
  const { change, steps, xml } = recordOf(machine);
  return [
    ...withoutInodes(machine),
    ...listQemu(machine).toSorted(),
    xml,
    JSON.stringify({ change, steps: steps.length }),
  ];
}

/**
 * A device comes to the guest and goes whole or not at all, wherever svirt is killed meanwhile. `runs` gives a machine on
 * which the guest runs without it.
 */
export async function comesAndGoesWhole(xml: string, runs: () => Promise<Machine>): Promise<void> {
  const ask = { key: "vm1", wish: { live: true }, isDryRun: false } as const;
  const comes: Work = (node) => attachDevice(node, ask, deviceOf(xml));
  const goes: Work = (node) => detachDevice(node, ask, deviceOf(xml));
  const runsWith = async (): Promise<Machine> => {
    const machine = await runs();
    await comes(nodeOn(machine));
    return machine;
  };
  const [without, having] = [wholeState(await runs()), wholeState(await runsWith())];
  const subjects = [
    { name: "attach", prepare: runs, work: comes },
    { name: "detach", prepare: runsWith, work: goes },
  ];
  const [element = ""] = /^<\w+/.exec(xml) ?? [];
  for (const subject of subjects) {
    await strikeEverywhere(subject, "crash", async (struck, place) => {
      await sweepAll(struck);
      const wanted = recordOf(struck).xml.includes(element) ? having : without;
      expect([place, ...wholeState(struck)]).toEqual([place, ...wanted]);
    });
  }
}
