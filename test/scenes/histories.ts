import { expect } from "bun:test";
import fc from "fast-check";
import { isRunning, readRecords } from "../../src/state/record.ts";
import type { Ask } from "../../src/vm/change/change-domain.ts";
import { destroyDomain } from "../../src/vm/end/destroy.ts";
import { attachDevice, detachDevice } from "../../src/vm/hotplug/change-devices.ts";
import { recoverAll, recoverGuest } from "../../src/vm/recover/recover.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import type { Machine } from "../memory-host/machine.ts";
import type { Strike } from "../memory-host/svirt.ts";
import { deviceOf } from "./hotplug.ts";
import { diskXml, domainXml, labelOf, linkBlockDevice, nodeOn, ORIGINAL, sweepAll } from "./scene.ts";
import { withoutInodes } from "./strikes.ts";

const GUESTS = [1, 2, 3, 4] as const;

/** State of guest 4's emulated TPM. */
const TPM_MEMORY = `/var/lib/svirt/tpm/${uuidOf(4)}/tpm2-00.permall`;
const TPM = "<tpm><backend type='emulator' version='2.0'/></tpm>";
const MORE_MEMORY =
  "<maxMemory unit='MiB' slots='2'>256</maxMemory><cpu><numa><cell id='0' cpus='0' memory='64' unit='MiB'/></numa></cpu>";

/** An event on a machine; `guest` is one of four. */
export type Act =
  | {
      readonly act: "start" | "destroy" | "attach" | "detach";
      readonly guest: number;
      readonly strike: Strike | undefined;
    }
  | { readonly act: "sweep"; readonly strike: Strike | undefined }
  | { readonly act: "end"; readonly guest: number; readonly status: number }
  | { readonly act: "bad-start"; readonly guest: number }
  | { readonly act: "reap" | "reboot" | "kill-reapers" };

const strike = fc.record({
  at: fc.integer({ min: 1, max: 90 }),
  moment: fc.constantFrom("before", "within", "after"),
  how: fc.constantFrom("crash", "fail"),
});
// Most acts have no strike: otherwise hardly any start would complete, and guests would never meet.
const maybeStrike = fc.oneof(
  { weight: 2, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: strike },
);
const guest = fc.constantFrom(...GUESTS);
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 7, arbitrary: fc.record({ act: fc.constant("start"), guest, strike: maybeStrike }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant("destroy"), guest, strike: maybeStrike }) },
  { weight: 3, arbitrary: fc.record({ act: fc.constant("attach"), guest, strike: maybeStrike }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant("detach"), guest, strike: maybeStrike }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("sweep"), strike: maybeStrike }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant("end"), guest, status: fc.constantFrom(0, 134) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("bad-start"), guest }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constantFrom("reap", "reboot", "kill-reapers") }) },
);

/** Arbitrary sequences of events, of limited length. */
export const histories: fc.Arbitrary<Act[]> = fc.array(act, {
  minLength: 3,
  maxLength: 14,
  size: "max",
});

/** Adds the files that the guests need besides the images of makeMachine(). */
export function prepareForHistories(machine: Machine): Machine {
  machine.sharedFiles.add("/dev/kvm");
  for (const at of [1, 3]) {
    const memory = machine.files.put(memoryOf(at), "file", { mode: 0o640, bytes: new Uint8Array(4096) });
    memory.xattrs.set("security.selinux", ORIGINAL);
  }
  const [home, folder] = ["/var/lib/svirt/tpm", TPM_MEMORY.slice(0, TPM_MEMORY.lastIndexOf("/"))];
  for (const path of [home, folder]) machine.files.putFolder(path, 0o700);
  machine.files.put(TPM_MEMORY, "file");
  for (const path of [home, folder, TPM_MEMORY])
    machine.files.get(path).xattrs.set("security.selinux", "system_u:object_r:svirt_var_lib_t:s0");
  return machine;
}

/**
 * Returns the path of a guest's memory. QEMU opens it by name, so its user gets an entry in the file's ACL.
 */
export function memoryOf(at: number): string {
  return `/var/lib/images/memory${at}`;
}

/**
 * Returns the XML of a guest with private, shared, read-only and backing files. Guests 1 and 2 compete for
 * one disk, 3 and 4 for a block device. Guests 1 and 3 have memory in a file, guest 4 a TPM whose folder is
 * assigned to it.
 */
function xmlOf(at: number): Uint8Array {
  const fought = at <= 2 ? "/var/lib/images/private1.raw" : undefined;
  const disks = [
    fought === undefined
      ? "<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/by-id'/><target dev='vda' bus='virtio'/></disk>"
      : diskXml(fought, "vda"),
    diskXml("/var/lib/images/shared.raw", "vdb", "<shareable/>"),
    diskXml("/var/lib/images/install.iso", "vdc", "<readonly/>"),
    // The base of top.qcow2 is content for guest 4 and a read-only disk of the others.
    at === 4
      ? diskXml("/var/lib/images/top.qcow2", "vdd")
      : diskXml("/var/lib/images/base.raw", "vdd", "<readonly/>"),
  ];
  const lifecycle = at % 2 === 0 ? "<on_crash>restart</on_crash>" : "<on_poweroff>restart</on_poweroff>";
  return domainXml({
    name: `vm${at}`,
    uuid: uuidOf(at),
    disks: disks.join(""),
    devices: devicesOf(at),
    lifecycle: lifecycle + (at % 2 === 0 ? "" : MORE_MEMORY),
  });
}

function devicesOf(at: number): string {
  if (at % 2 === 0) return at === 4 ? TPM : "";
  return `<memory model='virtio-pmem' access='shared'><source><path>${memoryOf(at)}</path></source><target><size unit='KiB'>4096</size></target></memory>`;
}

/** Disk to attach to running guests, each of which requires it exclusively. */
const MORE_DISK = deviceOf(diskXml("/var/lib/images/private2.raw", "vde"));

function askOf(at: number): Ask {
  return { key: `vm${at}`, options: { live: true }, isDryRun: false };
}

function uuidOf(at: number): string {
  return `44444444-2222-4333-8444-00000000000${at}`;
}

/** Runs one svirt process and ignores its errors. Its locks end with it. */
async function svirtDoes(
  machine: Machine,
  struck: Strike | undefined,
  work: (node: ReturnType<typeof nodeOn>) => Promise<unknown>,
): Promise<void> {
  const node = nodeOn(machine, struck);
  await work(node).catch(() => undefined);
  node.svirt.exit();
}

async function happen(machine: Machine, what: Act): Promise<void> {
  switch (what.act) {
    case "start":
      return await svirtDoes(machine, what.strike, (node) => startDomain(node, xmlOf(what.guest)));
    case "destroy":
      return await svirtDoes(machine, what.strike, (node) => destroyDomain(node, `vm${what.guest}`));
    case "attach":
      return await svirtDoes(machine, what.strike, (node) =>
        attachDevice(node, askOf(what.guest), MORE_DISK),
      );
    case "detach":
      return await svirtDoes(machine, what.strike, (node) =>
        detachDevice(node, askOf(what.guest), MORE_DISK),
      );
    case "sweep":
      return await svirtDoes(machine, what.strike, recoverAll);
    case "end":
      machine.processes.end(machine.processes.qemuOf(uuidOf(what.guest))?.pid ?? 0, what.status);
      return;
    case "bad-start":
      machine.qemu = { endsAtOnce: { status: 1, says: "no" } };
      await svirtDoes(machine, undefined, (node) => startDomain(node, xmlOf(what.guest)));
      machine.qemu = {};
      return;
    case "reap":
      machine.pass(1000);
      for (const uuid of machine.reaps.splice(0))
        await svirtDoes(machine, undefined, (node) => recoverGuest(node, uuid));
      return;
    case "reboot":
      machine.reboot();
      linkBlockDevice(machine);
      return;
    case "kill-reapers":
      for (const process of machine.processes.list()) {
        if (process.role === "reaper") machine.processes.signal(process, "SIGKILL");
      }
  }
}

/** Expects that files of running guests have their labels, except those that a pending change restores. */
function expectLabelled(machine: Machine): void {
  const node = nodeOn(machine);
  for (const record of readRecords(node).filter((each) => isRunning(node, each))) {
    const leaving = (record.change?.after ?? []).flatMap((step) =>
      step.do === "restore-label" ? [step.file.path] : [],
    );
    for (const step of record.steps) {
      if (step.do === "set-label" && !leaving.includes(step.file.path))
        expect(labelOf(machine, step.file.path)).toBe(step.to);
    }
  }
}

/**
 * Runs a history on a machine, then ends every guest. Expects correct labels meanwhile and no conflict
 * between guests. At the end `stateOf` must return the state from before.
 */
export async function liveThrough(
  machine: Machine,
  history: readonly Act[],
  stateOf: () => readonly string[] = () => withoutInodes(machine),
): Promise<void> {
  const before = stateOf();
  for (const what of history) {
    await happen(machine, what);
    expectLabelled(machine);
    expect(machine.violations).toEqual([]);
  }
  // This sweep may restart guests, or fail to because another guest now has their disk.
  machine.pass(1000);
  await svirtDoes(machine, undefined, recoverAll);
  for (const at of GUESTS) await destroyDomain(nodeOn(machine), `vm${at}`).catch(() => undefined);
  expect(await sweepAll(machine)).toEqual([]);
  machine.pass(1000);
  expect(machine.violations).toEqual([]);
  expect(stateOf()).toEqual(before);
}
