import { describe, expect, test } from "bun:test";
import { SYSTEM_PATHS } from "../../../../src/plan/paths.ts";
import { ClaimRegistry } from "../../../../src/registry/claims.ts";
import { isRunning, readRecords } from "../../../../src/state/record.ts";
import { destroyDomain } from "../../../../src/vm/end/destroy.ts";
import { recoverAll, recoverGuest } from "../../../../src/vm/recover/recover.ts";
import { startDomain } from "../../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../../memory-host/machine.ts";
import type { Strike } from "../../../memory-host/svirt.ts";
import {
  ALL_DEVICES,
  ALL_KINDS,
  domainXml,
  makeMachine,
  nodeOn,
  reapAll,
  sweepAll,
  UUID,
} from "../../../scenes/scene.ts";
import { beStruck, endUnseen, instantsOf, type Work, withoutInodes } from "../../../scenes/strikes.ts";

/** Hundreds of runs take longer than the runner's five seconds on a busy machine. */
const TIMEOUT_MS = 120_000;
/** A socket that is recognized by its inode, since it has no label. */
const SOCKET =
  "<serial type='unix'><source mode='bind' path='/var/lib/images/serial.sock'>" +
  "<seclabel model='selinux' relabel='no'/></source></serial>";
const XML = domainXml({ disks: ALL_KINDS, devices: ALL_DEVICES + SOCKET });

const start: Work = (node) => startDomain(node, XML);
const destroy: Work = (node) => destroyDomain(node, "vm1");
/** Work of a reaper after the guest has ended by itself. */
const reap: Work = (node) => recoverGuest(node, UUID);
/** Work that every command does first. */
const recover: Work = (node) => recoverAll(node);

async function machineWithGuest(): Promise<Machine> {
  const machine = makeMachine();
  await start(nodeOn(machine));
  return machine;
}

async function machineWithEndedGuest(): Promise<Machine> {
  const machine = await machineWithGuest();
  endUnseen(machine);
  return machine;
}

/** Expects that the guest runs with its record, or that no trace of it is left. */
function expectWhole(machine: Machine, clean: readonly string[], place: string): void {
  const node = nodeOn(machine);
  const running = readRecords(node).filter((guest) => isRunning(node, guest));
  expect([place, ...machine.violations]).toEqual([place]);
  if (running.length > 0) {
    const guest = machine.processes.qemuOf(UUID);
    expect([place, guest?.status, guest?.pid]).toEqual([place, "running", running[0]?.process?.pid]);
    return;
  }
  expect([place, ...snapshot(machine)]).toEqual([place, ...clean]);
}

const CASES = [
  { name: "a start", prepare: async () => makeMachine(), work: start },
  { name: "a destroy", prepare: machineWithGuest, work: destroy },
  { name: "the reaping of a guest that has ended", prepare: machineWithEndedGuest, work: reap },
] as const;

describe.each(CASES)("$name killed before, within and after every call that changes something", (subject) => {
  test(
    "leaves nothing that the next svirt does not clear away",
    async () => {
      const clean = snapshot(makeMachine());
      const instants = await instantsOf(subject.prepare, subject.work);
      expect(instants.length).toBeGreaterThan(30);
      for (const strike of instants) {
        const machine = await subject.prepare();
        await beStruck(machine, subject.work, strike);
        await sweepAll(machine);
        await reapAll(machine);
        expectWhole(machine, clean, `${subject.name} ${strike.moment} call ${strike.at}`);
      }
    },
    TIMEOUT_MS,
  );

  test(
    "leaves nothing when the node is rebooted then, and its disk bears another number",
    async () => {
      const clean = withoutInodes(rebooted(makeMachine()));
      for (const strike of await instantsOf(subject.prepare, subject.work)) {
        const machine = await subject.prepare();
        await beStruck(machine, subject.work, strike);
        rebooted(machine);
        await sweepAll(machine);
        const place = `${subject.name} ${strike.moment} call ${strike.at}`;
        expect([place, ...withoutInodes(machine)]).toEqual([place, ...clean]);
      }
    },
    TIMEOUT_MS,
  );

  test(
    "leaves nothing when the recovery is killed as well, and the next one too",
    async () => {
      const clean = snapshot(makeMachine());
      const instants = await instantsOf(subject.prepare, subject.work);
      // A prime stride selects every kind of call without all pairs of them.
      for (const strike of instants.filter((_, at) => at % 7 === 3)) {
        const killed = async (): Promise<Machine> => {
          const machine = await subject.prepare();
          await beStruck(machine, subject.work, strike);
          return machine;
        };
        for (const second of (await instantsOf(killed, recover)).filter((_, at) => at % 13 === 5)) {
          const machine = await killed();
          await recoverKilled(machine, second);
          await recoverKilled(machine, { ...second, at: Math.ceil(second.at / 2) });
          await sweepAll(machine);
          await reapAll(machine);
          expectWhole(
            machine,
            clean,
            `${subject.name} ${strike.moment} call ${strike.at}, recovery ${second.moment} call ${second.at}`,
          );
        }
      }
    },
    TIMEOUT_MS,
  );

  test(
    "throws and leaves nothing half done when that call fails instead",
    async () => {
      const clean = snapshot(makeMachine());
      for (const strike of await instantsOf(subject.prepare, subject.work)) {
        const machine = await subject.prepare();
        const place = `${subject.name} failing ${strike.moment} call ${strike.at}`;
        await beStruck(machine, subject.work, { ...strike, how: "fail" });
        await sweepAll(machine);
        await reapAll(machine);
        expectWhole(machine, clean, place);
      }
    },
    TIMEOUT_MS,
  );
});

/**
 * Runs a recovery that is struck. A sweep returns errors and does not throw them, so only later calls show
 * the kill.
 */
async function recoverKilled(machine: Machine, strike: Strike): Promise<void> {
  const node = nodeOn(machine, strike);
  await recover(node).catch(() => undefined);
  node.svirt.exit();
}

function rebooted(machine: Machine): Machine {
  machine.reboot("8:17");
  return machine;
}

test("after a destroy that was killed no level, user or file is held", async () => {
  const machine = await machineWithGuest();
  await beStruck(machine, destroy, { at: 5, moment: "after", how: "crash" });
  await sweepAll(machine);
  expect(new ClaimRegistry(nodeOn(machine).host, SYSTEM_PATHS.state).listAll()).toEqual([]);
});
