import { expect, test } from "bun:test";
import { createNetwork } from "../../../src/vm/network/start-network.ts";
import { listAddresses } from "../../../src/vm/query/interface-addresses.ts";
import { getInterfaceStatistics } from "../../../src/vm/query/interface-statistics.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { domainXml, makeMachine, nodeOn, putText } from "../../scenes/scene.ts";

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

test("listAddresses() returns the answers of the host's ARP table", async () => {
  const machine = await runningMachine();
  putText(machine, "/proc/net/arp", `IP HW Flags MAC Mask Device\n10.0.0.7 0x1 0x2 ${MAC} * br0\n`);
  expect(await listAddresses(nodeOn(machine), "vm1", { source: "arp", name: undefined })).toEqual([
    { interface: "vnet0", mac: MAC, addresses: [{ type: "ipv4", address: "10.0.0.7", prefix: 0 }] },
  ]);
});

test("listAddresses() returns the leases of the DHCP server of an interface's network", async () => {
  const machine = makeMachine();
  putText(machine, "/usr/sbin/dnsmasq", "");
  const uuid = "22222222-2222-4333-8444-000000000001";
  const xml = `<network><name>inner</name><uuid>${uuid}</uuid><bridge name='virbr7'/><ip address='10.8.0.1' prefix='24'/></network>`;
  await createNetwork(nodeOn(machine), new TextEncoder().encode(xml));
  const card = `<interface type='network'><mac address='${MAC}'/><source network='inner'/><model type='virtio'/></interface>`;
  await startDomain(nodeOn(machine), domainXml({ devices: card }));
  const listed = () => listAddresses(nodeOn(machine), "vm1", { source: "lease", name: undefined });
  expect(await listed()).toEqual([]);
  putText(
    machine,
    `/run/svirt-networks/${uuid}/leases`,
    `0 ${MAC} 10.8.0.7 web 01:${MAC}\n0 52:54:00:00:00:02 10.8.0.8 * *\n`,
  );
  // qemuGetDHCPInterfaces() of libvirt: the prefix is that of the network.
  expect(await listed()).toEqual([
    { interface: "vnet0", mac: MAC, addresses: [{ type: "ipv4", address: "10.8.0.7", prefix: 24 }] },
  ]);
});
