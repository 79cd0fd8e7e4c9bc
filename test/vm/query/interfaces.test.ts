import { expect, test } from "bun:test";
import { listAddresses } from "../../../src/vm/query/interface-addresses.ts";
import { getInterfaceStatistics } from "../../../src/vm/query/interface-statistics.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { domainXml, errorOf, makeMachine, nodeOn, putText } from "../../scenes/scene.ts";

const MAC = "52:54:00:00:00:01";
const CARD = `<interface type='bridge'><mac address='${MAC}'/><source bridge='br0'/><model type='virtio'/></interface>`;

async function runningMachine(): Promise<Machine> {
  const machine = makeMachine();
  machine.taps.addBridge("br0");
  await startDomain(nodeOn(machine), domainXml({ devices: CARD }));
  return machine;
}

test("getInterfaceStatistics() returns the counters of a tap from the guest's side", async () => {
  const machine = await runningMachine();
  for (const [at, name] of ["bytes", "packets", "errors", "dropped"].entries()) {
    putText(machine, `/sys/class/net/vnet0/statistics/rx_${name}`, `${at + 1}0\n`);
    putText(machine, `/sys/class/net/vnet0/statistics/tx_${name}`, `${at + 1}1\n`);
  }
  expect(getInterfaceStatistics(nodeOn(machine), "vm1", MAC)).toEqual({
    device: "vnet0",
    statistics: {
      rxBytes: 11,
      rxPackets: 21,
      rxErrors: 31,
      rxDropped: 41,
      txBytes: 10,
      txPackets: 20,
      txErrors: 30,
      txDropped: 40,
    },
  });
});

test("listAddresses() returns the answers of the host's ARP table, and knows no leases", async () => {
  const machine = await runningMachine();
  putText(machine, "/proc/net/arp", `IP HW Flags MAC Mask Device\n10.0.0.7 0x1 0x2 ${MAC} * br0\n`);
  expect(await listAddresses(nodeOn(machine), "vm1", { source: "arp", name: undefined })).toEqual([
    { interface: "vnet0", mac: MAC, addresses: [{ type: "ipv4", address: "10.0.0.7", prefix: 0 }] },
  ]);
  const error = await errorOf(listAddresses(nodeOn(machine), "vm1", { source: "lease", name: undefined }));
  expect([error.kind, error.message]).toEqual(["unsupported", expect.stringContaining("no leases")]);
});
