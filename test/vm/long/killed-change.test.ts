import { expect, test } from "bun:test";
import { attachDevice, changeMedium, detachDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { takeSource } from "../../../src/vm/hotplug/update-rules.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { cdXml, deviceOf, machineWithDisks, SECOND, wholeState } from "../../scenes/hotplug.ts";
import { domainXml, makeMachine, nodeOn } from "../../scenes/scene.ts";
import { type Subject, type Work, withoutInodes } from "../../scenes/strikes.ts";
import { describeDeaths, endedState } from "./deaths.ts";

const ASK = { key: "vm1", options: {}, isDryRun: false } as const;

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

const COMPARISON = { stateOf: wholeState, leftOf: withoutInodes };

for (const subject of CASES) describeDeaths(subject, COMPARISON);

test.each([...CASES])("after $name nothing is left of a guest that has ended", async ({ prepare, work }) => {
  const without = makeMachine();
  await startDomain(nodeOn(without), domainXml());
  const machine = await prepare();
  await work(nodeOn(machine));
  expect(await endedState(machine, COMPARISON)).toBe(await endedState(without, COMPARISON));
});
