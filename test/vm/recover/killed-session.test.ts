import { describe, expect, test } from "bun:test";
import { readRecords } from "../../../src/state/record.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { diskXml, domainXml, nodeOn, reapAll, sweepAll } from "../../scenes/scene.ts";
import { DISK, logIn, makeUsersMachine } from "../../scenes/session.ts";
import { beStruck, instantsOf, type Work, withoutInodes } from "../../scenes/strikes.ts";

const TIMEOUT_MS = 120_000;
const XML = domainXml({ type: "qemu", disks: diskXml(DISK, "vda") });

const start: Work = (node) => startDomain(node, XML);
const destroy: Work = (node) => destroyDomain(node, "vm1");
async function withGuest(): Promise<Machine> {
  const machine = makeUsersMachine();
  await start(nodeOn(machine));
  // QEMU can do this by the descriptor that was passed to it.
  Object.assign(machine.files.get(DISK), { mode: 0o4777, gid: 27 });
  return machine;
}

describe.each([
  { name: "a start", prepare: async () => makeUsersMachine(), work: start },
  { name: "a destroy", prepare: withGuest, work: destroy },
])(
  "$name of a user's guest, killed before, within and after every call that changes something",
  (subject) => {
    test(
      "leaves nothing that his next svirt does not clear away",
      async () => {
        const clean = snapshot(makeUsersMachine());
        for (const strike of await instantsOf(subject.prepare, subject.work)) {
          const machine = await subject.prepare();
          await beStruck(machine, subject.work, strike);
          await sweepAll(machine);
          await reapAll(machine);
          const place = `${subject.name} ${strike.moment} call ${strike.at}`;
          const isWhole =
            machine.liveGuests().length > 0 && readRecords(nodeOn(machine))[0]?.state === "running";
          expect([place, ...(isWhole ? clean : snapshot(machine))]).toEqual([place, ...clean]);
        }
      },
      TIMEOUT_MS,
    );

    test(
      "leaves nothing after a reboot, once he has logged in again",
      async () => {
        const reboot = (machine: Machine): void => {
          machine.reboot("8:17");
          logIn(machine);
        };
        const fresh = makeUsersMachine();
        reboot(fresh);
        const clean = withoutInodes(fresh);
        for (const strike of await instantsOf(subject.prepare, subject.work)) {
          const machine = await subject.prepare();
          await beStruck(machine, subject.work, strike);
          reboot(machine);
          await sweepAll(machine);
          const place = `${subject.name} ${strike.moment} call ${strike.at}`;
          expect([place, ...withoutInodes(machine)]).toEqual([place, ...clean]);
        }
      },
      TIMEOUT_MS,
    );
  },
);
