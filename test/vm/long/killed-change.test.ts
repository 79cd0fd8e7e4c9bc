import { describe, expect, test } from "bun:test";
import { destroyDomain } from "../../../src/vm/destroy.ts";
import { attachDevice, changeMedium, detachDevice } from "../../../src/vm/devices/change-devices.ts";
import { takeSource } from "../../../src/vm/devices/update-rules.ts";
import { startDomain } from "../../../src/vm/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { cdXml, deviceOf, leftState, machineWithDisks, SECOND, wholeState } from "../hotplug-scene.ts";
import { domainXml, makeMachine, nodeOn, reapAll, sweepAll } from "../scene.ts";
import { endUnseen, type Subject, strikeEverywhere, type Work } from "../strikes.ts";

/** Hundreds of deaths: on a busy machine more than the runner's five seconds. */
const TIMEOUT_MS = 120_000;
const ASK = { key: "vm1", wish: {}, isDryRun: false } as const;

const attach: Work = (node) => attachDevice(node, ASK, deviceOf(SECOND));
const detach: Work = (node) => detachDevice(node, ASK, deviceOf(SECOND));
const insert: Work = (node) =>
  changeMedium(node, ASK, {
    target: "hdc",
    force: false,
    change: (drive) => {
      const other = deviceOf(cdXml("/var/lib/images/private2.raw"));
      return other.element === "disk" ? takeSource(drive, other.value) : drive;
    },
  });

async function machineWithAttached(): Promise<Machine> {
  const machine = await machineWithDisks();
  await attach(nodeOn(machine));
  return machine;
}

const CASES: readonly Subject[] = [
  { name: "attaching", prepare: () => machineWithDisks(), work: attach },
  { name: "detaching what was there from the start", prepare: () => machineWithDisks(SECOND), work: detach },
  { name: "detaching what was attached", prepare: machineWithAttached, work: detach },
  { name: "changing a medium", prepare: () => machineWithDisks(), work: insert },
];

/** What is left of a guest that has ended: as if it had never had the device. */
async function cleanState(): Promise<readonly string[]> {
  const machine = makeMachine();
  await startDomain(nodeOn(machine), domainXml());
  await destroyDomain(nodeOn(machine), "vm1");
  await reapAll(machine);
  return leftState(machine);
}

async function statesOf({ prepare, work }: Subject): Promise<readonly string[]> {
  const machine = await prepare();
  const before = wholeState(machine);
  await work(nodeOn(machine));
  return [before, wholeState(machine)].map((state) => state.join("\n"));
}

async function expectClean(machine: Machine, clean: readonly string[], place: string): Promise<void> {
  await destroyDomain(nodeOn(machine), "vm1");
  await reapAll(machine);
  expect([place, ...machine.violations, ...leftState(machine)]).toEqual([place, ...clean]);
}

describe.each([...CASES])(
  "$name, killed before, within and after every call that changes something",
  (subject) => {
    test(
      "is undone or finished by the next svirt, and nothing is left when the guest has ended",
      async () => {
        const [states, clean] = [await statesOf(subject), await cleanState()];
        const seen = new Set<number>();
        await strikeEverywhere(subject, "crash", async (machine, place) => {
          await sweepAll(machine);
          const now = wholeState(machine).join("\n");
          seen.add(states.indexOf(now));
          expect([place, states.includes(now) || now]).toEqual([place, true]);
          await expectClean(machine, clean, place);
        });
        // Killed early it was undone, killed late it was finished.
        expect([...seen].toSorted()).toEqual([0, 1]);
      },
      TIMEOUT_MS,
    );

    test(
      "leaves nothing when the guest ends before anybody looks",
      async () => {
        const clean = await cleanState();
        await strikeEverywhere(subject, "crash", async (machine, place) => {
          endUnseen(machine);
          await sweepAll(machine);
          expect([place, ...machine.violations, ...leftState(machine)]).toEqual([place, ...clean]);
        });
      },
      TIMEOUT_MS,
    );

    test(
      "throws when that call fails instead, and is undone or finished by the next svirt",
      async () => {
        const [states, clean] = [await statesOf(subject), await cleanState()];
        await strikeEverywhere(subject, "fail", async (machine, place) => {
          await sweepAll(machine);
          const now = wholeState(machine).join("\n");
          expect([place, states.includes(now) || now]).toEqual([place, true]);
          await expectClean(machine, clean, place);
        });
      },
      TIMEOUT_MS,
    );
  },
);
