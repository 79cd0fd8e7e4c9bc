import { expect } from "bun:test";
import { type Device, parseDevice } from "../../src/domain/device.ts";
import { type GuestRecord, readRecord } from "../../src/state/record.ts";
import { attachDevice, detachDevice } from "../../src/vm/hotplug/change-devices.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import type { Machine } from "../memory-host/machine.ts";
import { diskXml, domainXml, makeMachine, nodeOn, sweepAll, UUID } from "./scene.ts";
import { strikeEverywhere, type Work, withoutInodes } from "./strikes.ts";

/** A second disk, with a backing file. */
export const SECOND = diskXml("/var/lib/images/top.qcow2", "vdb");

/** A CD-ROM drive with a medium. */
const DRIVE = cdXml("/var/lib/images/install.iso");

/** Returns the XML of a CD-ROM drive with that medium, or empty. */
export function cdXml(file?: string): string {
  const source = file === undefined ? "" : `<source file='${file}'/>`;
  return `<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>${source}<target dev='hdc' bus='ide'/></disk>`;
}

/** Parses the XML of a device. */
export function deviceOf(xml: string): Device {
  return parseDevice(new TextEncoder().encode(xml));
}

/** Returns a machine on which the default guest runs, with a disk, the drive and further disks. */
export async function machineWithDisks(more = ""): Promise<Machine> {
  const machine = makeMachine();
  await startDomain(
    nodeOn(machine),
    domainXml({ disks: diskXml("/var/lib/images/private1.raw", "vda") + DRIVE + more }),
  );
  return machine;
}

/** Returns the record of the guest. Throws if there is none. */
export function recordOf(machine: Machine): GuestRecord {
  const guest = readRecord(nodeOn(machine), UUID);
  if (guest === undefined) throw new Error("the guest has no record");
  return guest;
}

/** Returns the objects of QEMU, one line each. */
function listQemu(machine: Machine): readonly string[] {
  return machine.processes.qemuOf(UUID)?.devices?.list() ?? [];
}

/**
 * Returns the state of the machine, of its guest's QEMU and of its record. Equal states mean that nothing has
 * changed.
 */
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
 * Attaches and detaches a device, with svirt killed at each instant. Expects each change to be complete or
 * undone. `runs` returns a machine on which the guest runs without the device.
 */
export async function comesAndGoesWhole(xml: string, runs: () => Promise<Machine>): Promise<void> {
  const ask = { key: "vm1", options: { live: true }, isDryRun: false } as const;
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
  for (const subject of subjects) {
    await strikeEverywhere(subject, "crash", async (struck, place) => {
      await sweepAll(struck);
      const wanted = having.includes(recordOf(struck).xml) ? having : without;
      expect([place, ...wholeState(struck)]).toEqual([place, ...wanted]);
    });
  }
}
