import { expect, test } from "bun:test";
import { guestPaths, recordsFolder } from "../../../src/plan/paths.ts";
import type { Instance } from "../../../src/state/instance.ts";
import { auditNode } from "../../../src/vm/audit/audit-node.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { runOn } from "../../cli/in-memory.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { sampleOf } from "../../sample.ts";
import { recordOf } from "../../scenes/hotplug.ts";
import { ALL_KINDS, domainXml, makeMachine, nodeOn, UUID } from "../../scenes/scene.ts";
import { beStruck, instantsOf, type Work } from "../../scenes/strikes.ts";

const start: Work = (node) => startDomain(node, domainXml({ disks: ALL_KINDS }));
const end: Work = (node) => destroyDomain(node, "vm1");
const running = async (): Promise<Machine> => {
  const machine = makeMachine();
  await start(nodeOn(machine));
  return machine;
};

// A svirt that is killed stands for one that works: the state is that of the instant, and its locks are held.
test.each([
  ["start", async () => makeMachine(), start],
  ["end", running, end],
] as const)(
  "an audit is silent at any instant of a guest's %s",
  async (_, prepare, work) => {
    for (const strike of sampleOf(await instantsOf(prepare, work))) {
      const machine = await prepare();
      await beStruck(machine, work, { ...strike, how: "crash" });
      const { host, paths } = nodeOn(machine);
      host.makeFolder({ path: paths.run, mode: 0o700 });
      const unlock = await host.lock(guestPaths(paths, UUID).lock, 0);
      const place = `${strike.moment} call ${strike.at}`;
      expect([place, (await auditNode(nodeOn(machine))).findings]).toEqual([place, []]);
      unlock();
    }
  },
  120_000,
);

test("an audit looks again when a guest has started while it looked", async () => {
  const machine = await running();
  const instance = nodeOn(machine);
  const folder = recordsFolder(instance.paths);
  let calls = 0;
  const listFolder = (path: string): readonly string[] => {
    if (path === folder) calls += 1;
    // The state before the look, and its list of guests.
    return path === folder && calls <= 2 ? [] : instance.host.listFolder(path);
  };
  const slow: Instance = { ...instance, host: { ...instance.host, listFolder } };
  expect((await auditNode(slow)).findings).toEqual([]);
  expect(calls).toBeGreaterThan(2);
});

test("a guest whose start takes long is no leftover, and is one when the command was killed", async () => {
  const machine = await running();
  const { host, paths } = nodeOn(machine);
  const { lock, record } = guestPaths(paths, UUID);
  host.writeText(record, `${JSON.stringify({ ...recordOf(machine), state: "starting" })}\n`, 0o600);
  const unlock = await host.lock(lock, 0);
  expect((await auditNode(nodeOn(machine))).findings).toEqual([]);
  unlock();
  expect((await auditNode(nodeOn(machine))).findings).toEqual([
    "vm1: has ended and is not cleaned up; run svirt recover",
  ]);
  expect((await runOn(machine, "audit")).code).toBe(1);
});
