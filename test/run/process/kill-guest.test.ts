import { expect, test } from "bun:test";
import type { Host } from "../../../src/host/host.ts";
import { killGuest } from "../../../src/run/process/kill-guest.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { domainXml, errorOf, makeMachine, nodeOn, orderOf, UUID } from "../../scenes/scene.ts";

const GRACE_MS = 10_000;

test("killGuest() kills before it gives up, however long a look at the processes takes", async () => {
  const machine = makeMachine();
  await startDomain(nodeOn(machine), domainXml());
  machine.qemu = { ignoresTerm: true };
  const { uid } = orderOf(machine);
  const { host } = nodeOn(machine);
  // The guest occupies all processors, so each list of processes takes long.
  const slow: Host = {
    ...host,
    listProcesses(user) {
      machine.pass(60_000);
      return host.listProcesses(user);
    },
  };
  await killGuest(slow, { uuid: UUID, uid }, { graceMs: GRACE_MS });
  expect(host.listProcesses(uid)).toEqual([]);
});

test("killGuest() believes no list of processes before all of the user's are killed at once", async () => {
  const machine = makeMachine();
  await startDomain(nodeOn(machine), domainXml());
  const { uid } = orderOf(machine);
  const { host } = nodeOn(machine);
  // No list contains a process that has forked and ended.
  await killGuest({ ...host, listProcesses: () => [] }, { uuid: UUID, uid }, { graceMs: GRACE_MS });
  expect(host.listProcesses(uid)).toEqual([]);
});

test("killGuest() asks each process once to end, and kills it when its grace is over", async () => {
  const machine = makeMachine();
  await startDomain(nodeOn(machine), domainXml());
  machine.qemu = { ignoresTerm: true };
  const { uid } = orderOf(machine);
  const { host } = nodeOn(machine);
  const sent: string[] = [];
  const noting: Host = {
    ...host,
    killUser: async () => undefined,
    signalProcess(target, signal) {
      sent.push(signal);
      return host.signalProcess(target, signal);
    },
  };
  const before = host.nowMs();
  await killGuest(noting, { uuid: UUID, uid }, { graceMs: GRACE_MS });
  expect([sent[0], sent.lastIndexOf("SIGTERM"), sent.at(-1)]).toEqual(["SIGTERM", 0, "SIGKILL"]);
  expect(host.nowMs() - before).toBeGreaterThan(GRACE_MS);
});

/**
 * Returns a host on which signals have no effect. List number `look` of a user's processes has `count(look)`
 * of them.
 */
function endingSlowly(
  host: Host,
  machine: ReturnType<typeof makeMachine>,
  count: (look: number) => number,
): Host {
  let looks = 0;
  return {
    ...host,
    killUser: async () => undefined,
    signalProcess: () => true,
    listProcesses(user) {
      if (user === host.getUid()) return [];
      machine.pass(GRACE_MS);
      looks += 1;
      const [process] = host.listProcesses(user);
      return process === undefined ? [] : Array.from({ length: count(looks) }, () => process);
    },
  };
}

test("killGuest() waits for processes that are killed as long as they become fewer", async () => {
  const machine = makeMachine();
  await startDomain(nodeOn(machine), domainXml());
  const { uid } = orderOf(machine);
  const { host } = nodeOn(machine);
  const before = host.nowMs();
  await killGuest(
    endingSlowly(host, machine, (look) => Math.max(0, 20 - look)),
    { uuid: UUID, uid },
    { graceMs: GRACE_MS },
  );
  expect(host.nowMs() - before).toBeGreaterThan(100_000);
});

test("killGuest() gives up when no process has ended for a while", async () => {
  const machine = makeMachine();
  await startDomain(nodeOn(machine), domainXml());
  const { uid } = orderOf(machine);
  const { host } = nodeOn(machine);
  const error = await errorOf(
    killGuest(
      endingSlowly(host, machine, (look) => Math.max(3, 20 - look)),
      { uuid: UUID, uid },
      { graceMs: GRACE_MS },
    ),
  );
  expect(error.kind).toBe("timeout");
});
