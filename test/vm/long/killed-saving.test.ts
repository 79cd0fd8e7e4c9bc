import { describe, expect, test } from "bun:test";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { findDomain } from "../../../src/vm/guest/find-domain.ts";
import { dumpDomain } from "../../../src/vm/save/dump-domain.ts";
import { startDefined } from "../../../src/vm/save/restore-domain.ts";
import { managedSaveDomain, saveDomain } from "../../../src/vm/save/save-domain.ts";
import { takeScreenshot } from "../../../src/vm/save/screenshot.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import {
  FILE,
  fileText,
  guestState,
  MANAGED,
  machineWithGuest,
  PRIVATE,
  REMEMBERED,
  restored,
  save,
} from "../../scenes/saving.ts";
import { domainXml, makeMachine, nodeOn, reapAll, sweepAll, UUID } from "../../scenes/scene.ts";
import { beStruck, endUnseen, instantsOf, type Work, withoutInodes } from "../../scenes/strikes.ts";

/** Hundreds of runs take longer than the runner's five seconds on a busy machine. */
const TIMEOUT_MS = 120_000;
const OLDER = "an older file";

/** Returns a machine with the guest, and with an older file at the path of the save. */
async function machineWithOlder(): Promise<Machine> {
  const machine = await machineWithGuest("<video><model type='vga'/></video>");
  machine.files.put(FILE, "file", { bytes: new TextEncoder().encode(OLDER) });
  return machine;
}

const saving: Work = (node) => saveDomain(node, "vm1", { resumes: undefined, path: FILE });
const dumping =
  (format: string | undefined): Work =>
  (node) =>
    dumpDomain(node, "vm1", { path: FILE, options: { format, live: false, afterwards: "go-on" } });
const drawing: Work = (node) => takeScreenshot(node, "vm1", { screen: 0, pathFor: () => FILE });

/**
 * Expects either the guest with its memory as before, or no guest and its whole state in the file. Returns
 * which.
 */
function expectGuestOrFile(machine: Machine, before: readonly unknown[], place: string): "guest" | "file" {
  const text = fileText(machine, FILE);
  if (machine.processes.qemuOf(UUID) !== undefined) {
    expect([place, text, ...guestState(machine)]).toEqual([place, OLDER, ...before]);
    return "guest";
  }
  expect([place, text.endsWith(`QEVM${REMEMBERED}`), text.startsWith("LibvirtQemudSave")]).toEqual([
    place,
    true,
    true,
  ]);
  return "file";
}

describe("a save killed before, within and after every call that changes something", () => {
  test(
    "leaves the guest as it was or the whole file, never both and never neither",
    async () => {
      const before = guestState(await machineWithOlder());
      const seen = new Set<string>();
      const instants = await instantsOf(machineWithOlder, saving);
      expect(instants.length).toBeGreaterThan(60);
      for (const strike of instants) {
        const machine = await machineWithOlder();
        const place = `${strike.moment} call ${strike.at}`;
        await beStruck(machine, saving, strike);
        expectNoLabels(machine, place);
        await sweepAll(machine);
        await reapAll(machine);
        seen.add(expectGuestOrFile(machine, before, place));
        await endAndExpectClean(machine, place);
      }
      expect([...seen].toSorted()).toEqual(["file", "guest"]);
    },
    TIMEOUT_MS,
  );

  test(
    "leaves nothing half done when that call fails instead",
    async () => {
      const before = guestState(await machineWithOlder());
      for (const strike of await instantsOf(machineWithOlder, saving)) {
        const machine = await machineWithOlder();
        const place = `failing ${strike.moment} call ${strike.at}`;
        await beStruck(machine, saving, { ...strike, how: "fail" });
        await sweepAll(machine);
        await reapAll(machine);
        expectGuestOrFile(machine, before, place);
        await endAndExpectClean(machine, place);
      }
    },
    TIMEOUT_MS,
  );

  test(
    "and then the node rebooted, leaves the old file or the whole new one, and no other",
    async () => {
      const clean = await cleanAfterReboot();
      for (const strike of await instantsOf(machineWithOlder, saving)) {
        const machine = await machineWithOlder();
        await beStruck(machine, saving, strike);
        machine.reboot("8:17");
        await sweepAll(machine);
        const place = `${strike.moment} call ${strike.at}`;
        const text = fileText(machine, FILE);
        expect([place, text === OLDER || text.endsWith(`QEVM${REMEMBERED}`)]).toEqual([place, true]);
        machine.files.remove(FILE);
        expect([place, ...withoutInodes(machine)]).toEqual([place, ...clean]);
      }
    },
    TIMEOUT_MS,
  );

  test(
    "and its QEMU ended before anybody looks, leaves the old file or the whole new one, and no other",
    async () => {
      const clean = withoutInodes(makeMachine());
      for (const strike of await instantsOf(machineWithOlder, saving)) {
        const machine = await machineWithOlder();
        await beStruck(machine, saving, strike);
        endUnseen(machine, 137);
        await sweepAll(machine);
        const place = `${strike.moment} call ${strike.at}`;
        const text = fileText(machine, FILE);
        expect([place, text === OLDER || text.endsWith(`QEVM${REMEMBERED}`)]).toEqual([place, true]);
        machine.files.remove(FILE);
        expect([place, ...machine.violations, ...withoutInodes(machine)]).toEqual([place, ...clean]);
      }
    },
    TIMEOUT_MS,
  );
});

describe.each([
  { name: "a dump of memory", work: dumping("elf"), text: `elf of ${REMEMBERED}` },
  { name: "a dump of all", work: dumping(undefined), text: `QEVM${REMEMBERED}` },
  { name: "a screenshot", work: drawing, text: `png of ${REMEMBERED}` },
])("$name killed before, within and after every call that changes something", ({ text, work }) => {
  test(
    "leaves the guest as it was, and the old file or the whole new one",
    async () => {
      const before = guestState(await machineWithOlder());
      const seen = new Set<string>();
      for (const how of ["crash", "fail"] as const) {
        for (const strike of await instantsOf(machineWithOlder, work)) {
          const machine = await machineWithOlder();
          const place = `${how} ${strike.moment} call ${strike.at}`;
          await beStruck(machine, work, { ...strike, how });
          await sweepAll(machine);
          expect([place, ...guestState(machine)]).toEqual([place, ...before]);
          const found = fileText(machine, FILE);
          expect([place, [OLDER, text].includes(found) || found]).toEqual([place, true]);
          seen.add(found);
          await endAndExpectClean(machine, place);
        }
      }
      expect([...seen].toSorted()).toEqual([OLDER, text].toSorted());
    },
    TIMEOUT_MS,
  );
});

describe("a restore killed before, within and after every call that changes something", () => {
  async function savedMachine(): Promise<Machine> {
    const machine = await machineWithGuest();
    await save(machine);
    return machine;
  }
  const restore: Work = async (node) => {
    const { restoreDomain } = await import("../../../src/vm/save/restore-domain.ts");
    return await restoreDomain(node, FILE, { resumes: undefined, xml: undefined });
  };

  test(
    "leaves nothing, or the guest that goes on where it was",
    async () => {
      const off = withoutInodes(await savedMachine());
      const seen = new Set<boolean>();
      for (const how of ["crash", "fail"] as const) {
        for (const strike of await instantsOf(savedMachine, restore)) {
          const machine = await savedMachine();
          const place = `${how} ${strike.moment} call ${strike.at}`;
          await beStruck(machine, restore, { ...strike, how });
          await sweepAll(machine);
          await reapAll(machine);
          const guest = machine.processes.qemuOf(UUID);
          seen.add(guest !== undefined);
          if (guest === undefined) {
            expect([place, ...machine.violations, ...withoutInodes(machine)]).toEqual([place, ...off]);
            // The next restore succeeds.
            await restored(machine);
          }
          const now = machine.processes.qemuOf(UUID);
          expect([place, now?.status, now?.stream?.memory]).toEqual([place, "running", REMEMBERED]);
          await endAndExpectClean(machine, place);
        }
      }
      expect([...seen].toSorted()).toEqual([false, true]);
    },
    TIMEOUT_MS,
  );
});

describe("a start from a managed save killed before, within and after every call that changes something", () => {
  async function savedMachine(): Promise<Machine> {
    const machine = makeMachine();
    await defineDomain(nodeOn(machine), domainXml());
    await startDomain(nodeOn(machine), domainXml());
    const stream = machine.processes.qemuOf(UUID)?.stream;
    if (stream !== undefined) stream.memory = REMEMBERED;
    await managedSaveDomain(nodeOn(machine), "vm1", { resumes: undefined });
    await reapAll(machine);
    return machine;
  }
  const start: Work = (node) => {
    const found = findDomain(node, "vm1");
    return startDefined(node, { ...found, xml: found.definition?.xml ?? "" }, { forceBoot: false });
  };

  /** Expects the state in the file or in a running guest, but not in both. Returns which. */
  async function expectState(machine: Machine, place: string): Promise<"file" | "guest"> {
    const guest = machine.processes.qemuOf(UUID);
    const isThere = machine.files.find(MANAGED) !== undefined;
    expect([place, guest !== undefined, isThere]).toEqual([place, !isThere, isThere]);
    if (guest === undefined) await start(nodeOn(machine));
    const now = machine.processes.qemuOf(UUID);
    expect([place, now?.status, now?.stream?.memory]).toEqual([place, "running", REMEMBERED]);
    return isThere ? "file" : "guest";
  }

  test(
    "loses no state, and never starts a guest with one that has run already",
    async () => {
      const seen = new Set<string>();
      for (const how of ["crash", "fail"] as const) {
        for (const strike of await instantsOf(savedMachine, start)) {
          const machine = await savedMachine();
          await beStruck(machine, start, { ...strike, how });
          await sweepAll(machine);
          await reapAll(machine);
          seen.add(await expectState(machine, `${how} ${strike.moment} call ${strike.at}`));
        }
      }
      expect([...seen].toSorted()).toEqual(["file", "guest"]);
    },
    TIMEOUT_MS,
  );

  test(
    "and the node rebooted then, starts with the state or afresh, never with one that has run",
    async () => {
      for (const strike of await instantsOf(savedMachine, start)) {
        const machine = await savedMachine();
        await beStruck(machine, start, strike);
        const hasRun = machine.processes.qemuOf(UUID)?.status === "running";
        machine.reboot("8:17");
        await sweepAll(machine);
        const isThere = machine.files.find(MANAGED) !== undefined;
        const place = `${strike.moment} call ${strike.at}`;
        expect([place, hasRun && isThere]).toEqual([place, false]);
      }
    },
    TIMEOUT_MS,
  );
});

/** Expects that no file for a guest's state has a guest's label. */
function expectNoLabels(machine: Machine, place: string): void {
  const written = [...machine.files.walk()].filter(({ path }) => path === FILE || path.endsWith(".part"));
  const labels = written.map(({ inode }) => inode.xattrs.get("security.selinux") ?? "");
  expect([place, ...labels.filter((label) => PRIVATE.test(label))]).toEqual([place]);
}

/** Ends the guest and expects no trace of it except the file. */
async function endAndExpectClean(machine: Machine, place: string): Promise<void> {
  await destroyDomain(nodeOn(machine), "vm1").catch(() => undefined);
  await reapAll(machine);
  machine.files.remove(FILE);
  expect([place, ...machine.violations, ...withoutInodes(machine)]).toEqual([
    place,
    ...withoutInodes(makeMachine()),
  ]);
}

async function cleanAfterReboot(): Promise<readonly string[]> {
  const machine = makeMachine();
  machine.reboot("8:17");
  return withoutInodes(machine);
}
