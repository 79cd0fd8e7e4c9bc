import { expect } from "bun:test";
import fc from "fast-check";
import { isRunning, readRecords } from "../../src/state/record.ts";
import type { Ask } from "../../src/vm/change/change-domain.ts";
import { destroyDomain } from "../../src/vm/end/destroy.ts";
import { attachDevice, detachDevice } from "../../src/vm/hotplug/change-devices.ts";
import { settle, sweep } from "../../src/vm/recover/recover.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import type { Machine } from "../memory-host/machine.ts";
import type { Strike } from "../memory-host/svirt.ts";
import { deviceOf } from "./hotplug.ts";
import { diskXml, domainXml, labelOf, linkBlockDevice, nodeOn, ORIGINAL, sweepAll } from "./scene.ts";
import { withoutInodes } from "./strikes.ts";

const GUESTS = [1, 2, 3, 4] as const;

/** What guest 4 keeps in its emulated TPM. */
const TPM_MEMORY = `/var/lib/svirt/tpm/${uuidOf(4)}/tpm2-00.permall`;
const TPM = "<tpm><backend type='emulator' version='2.0'/></tpm>";
const MORE_MEMORY =
  "<maxMemory unit='MiB' slots='2'>256</maxMemory><cpu><numa><cell id='0' cpus='0' memory='64' unit='MiB'/></numa></cpu>";

/** Something that happens on a node; `guest` is one of four. */
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
// More often not than so: else hardly a start comes to its end, and guests never meet.
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

/** Any order of these, not too long. */
export const histories: fc.Arbitrary<Act[]> = fc.array(act, {
  minLength: 3,
  maxLength: 14,
  size: "max",
});

/** What the guests need besides the images that every machine of a test has. */
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

/** Memory in a file, which QEMU opens by name: its user gets an entry in the file's ACL. */
export function memoryOf(at: number): string {
  return `/var/lib/images/memory${at}`;
}

/**
 * Private, shared, read-only and backing files; guests 1 and 2 want one disk for themselves, 3 and 4 a block device. 1 and
 * 3 have memory in a file, 4 a TPM whose folder is lent to it.
 */
function xmlOf(at: number): Uint8Array {
  const fought = at <= 2 ? "/var/lib/images/private1.raw" : undefined;
  const disks = [
    fought === undefined
      ? "<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/by-id'/><target dev='vda' bus='virtio'/></disk>"
      : diskXml(fought, "vda"),
    diskXml("/var/lib/images/shared.raw", "vdb", "<shareable/>"),
    diskXml("/var/lib/images/install.iso", "vdc", "<readonly/>"),
    // The base of top.qcow2 is content for guest 4 and read-only for the others.
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

/** A disk that comes while a guest runs, and that each wants for itself. */
const MORE_DISK = deviceOf(diskXml("/var/lib/images/private2.raw", "vde"));

function askOf(at: number): Ask {
  return { key: `vm${at}`, wish: { live: true }, isDryRun: false };
}

function uuidOf(at: number): string {
  return `44444444-2222-4333-8444-00000000000${at}`;
}

/** One svirt: what it throws is its own affair, but when it is gone so are its locks. */
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
      return await svirtDoes(machine, what.strike, sweep);
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
        await svirtDoes(machine, undefined, (node) => settle(node, uuid));
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

/** While a guest runs with a record, its files carry its labels, but for those that it is about to let go of. */
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
 * Lets all of it happen on a machine, then ends every guest. While any runs its files carry its labels, no two guests meet,
 * and at the end all is as it was: what `stateOf` tells of the machine.
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
  // The first may start again what wants to be, or fail to because another guest has its disk by now.
  machine.pass(1000);
  await svirtDoes(machine, undefined, sweep);
  for (const at of GUESTS) await destroyDomain(nodeOn(machine), `vm${at}`).catch(() => undefined);
  expect(await sweepAll(machine)).toEqual([]);
  machine.pass(1000);
  expect(machine.violations).toEqual([]);
  expect(stateOf()).toEqual(before);
}
