import { expect, test } from "bun:test";
import { attachDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { getDomainXml } from "../../../src/vm/query/domain-xml.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { deviceOf } from "../../scenes/hotplug.ts";
import { domainXml, makeMachine, nodeOn, OTHER } from "../../scenes/scene.ts";

const bridged = (last: string): string =>
  `<interface type='bridge'><mac address='52:54:00:00:00:${last}'/><source bridge='br0'/><model type='virtio'/></interface>`;
const direct = (last: string): string =>
  `<interface type='direct'><mac address='52:54:00:00:00:${last}'/><source dev='eth0' mode='private'/><model type='virtio'/></interface>`;

async function machineWithGuests(...names: readonly string[]): Promise<Machine> {
  const machine = makeMachine();
  for (const name of ["br0", "eth0"]) machine.taps.addBridge(name);
  for (const name of names) await startDomain(nodeOn(machine), domainOf(name));
  return machine;
}

function domainOf(name: string, devices = ""): Uint8Array {
  return domainXml({ name, devices, ...(name === "vm1" ? {} : { uuid: OTHER }) });
}

async function attach(machine: Machine, key: string, card: string): Promise<void> {
  const ask = { key, options: { live: true }, isDryRun: false };
  await attachDevice(nodeOn(machine), ask, deviceOf(card));
}

async function tapsOf(machine: Machine): Promise<readonly string[]> {
  const texts = await Promise.all(
    ["vm1", "vm2"].map((name) => getDomainXml(nodeOn(machine), name, "running")),
  );
  return texts.map(({ xml }) => /<target dev='([^']*)'\/>\s*<model/.exec(xml)?.[1] ?? "");
}

test.each([
  ["vnet", bridged],
  ["macvtap", direct],
] as const)("two guests that get a card at once get two names of %s", async (prefix, card) => {
  const machine = await machineWithGuests("vm1", "vm2");
  await Promise.all([attach(machine, "vm1", card("01")), attach(machine, "vm2", card("02"))]);
  expect((await tapsOf(machine)).toSorted()).toEqual([`${prefix}0`, `${prefix}1`]);
});

test.each([
  ["vnet", bridged],
  ["macvtap", direct],
] as const)(
  "a guest that gets a card while another one starts has another name of %s",
  async (prefix, card) => {
    const machine = await machineWithGuests("vm1");
    await Promise.all([
      attach(machine, "vm1", card("01")),
      startDomain(nodeOn(machine), domainOf("vm2", card("02"))),
    ]);
    expect((await tapsOf(machine)).toSorted()).toEqual([`${prefix}0`, `${prefix}1`]);
  },
);
