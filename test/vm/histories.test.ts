import { expect, test } from "bun:test";
import fc from "fast-check";
import { destroyDomain } from "../../src/vm/destroy.ts";
import { isRunning, readRecords } from "../../src/vm/record.ts";
import { settle, sweep } from "../../src/vm/settle.ts";
import { startDomain } from "../../src/vm/start.ts";
import { type Machine, snapshot } from "../memory-host/machine.ts";
import type { Strike } from "../memory-host/svirt.ts";
import { diskXml, domainXml, labelOf, linkBlockDevice, makeMachine, nodeOn, sweepAll } from "./scene.ts";

const GUESTS = [1, 2, 3, 4] as const;
const TIMEOUT_MS = 120_000;

/** Something that happens on a node; `guest` is one of four. */
type Act =
  | { readonly act: "start" | "destroy"; readonly guest: number; readonly strike: Strike | undefined }
  | { readonly act: "sweep"; readonly strike: Strike | undefined }
  | { readonly act: "end"; readonly guest: number; readonly status: number }
  | { readonly act: "bad-start"; readonly guest: number }
  | { readonly act: "reap" | "reboot" | "kill-reapers" };

const strike = fc.record({
  at: fc.integer({ min: 1, max: 90 }),
  moment: fc.constantFrom("before", "within", "after"),
  how: fc.constantFrom("crash", "fail"),
});
const maybeStrike = fc.option(strike, { nil: undefined });
const guest = fc.constantFrom(...GUESTS);
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ act: fc.constantFrom("start", "destroy"), guest, strike: maybeStrike }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("sweep"), strike: maybeStrike }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant("end"), guest, status: fc.constantFrom(0, 134) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("bad-start"), guest }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constantFrom("reap", "reboot", "kill-reapers") }) },
);

/** Private, shared, read-only and backing files; guests 1 and 2 want one disk for themselves, 3 and 4 a block device. */
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
  return domainXml({ name: `vm${at}`, uuid: uuidOf(at), disks: disks.join(""), lifecycle });
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

/** While a guest runs with a record, its files carry its labels. */
function expectLabelled(machine: Machine): void {
  const node = nodeOn(machine);
  for (const record of readRecords(node).filter((each) => isRunning(node, each))) {
    for (const step of record.steps) {
      if (step.do === "set-label") expect(labelOf(machine, step.file.path)).toBe(step.to);
    }
  }
}

test(
  "any order of starts, stops, crashes, reboots and failures leaves every label as it was, and no two guests meet",
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 14 }), async (history) => {
        const machine = makeMachine();
        machine.sharedFiles.add("/dev/kvm");
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
        expect(snapshot(machine).map(withoutInode)).toEqual(snapshot(makeMachine()).map(withoutInode));
      }),
      { numRuns: 150 },
    );
  },
  TIMEOUT_MS,
);

/** A reboot makes /run and /dev anew. */
function withoutInode(line: string): string {
  return line.replace(/^\d+ |(?<=^process )\d+ /, "");
}
