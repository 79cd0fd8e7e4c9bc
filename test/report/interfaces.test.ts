import { describe, expect, test } from "bun:test";
import { runOn } from "../cli/in-memory.ts";
import type { Machine } from "../memory-host/machine.ts";
import { putNetwork } from "../scenes/host-devices.ts";
import { makeMachine, putText } from "../scenes/scene.ts";
import { faultsBy, LACK } from "./schema.ts";

// Forms: interface_backend_udev.c and virInterfaceDefFormat() of libvirt; files:
// Documentation/ABI/testing/sysfs-class-net of Linux.

const DEVICES = "/sys/devices/virtual";

function makeHost(): Machine {
  const machine = makeMachine();
  const ueventOf = (name: string, type: string) => ({ uevent: `INTERFACE=${name}\nDEVTYPE=${type}` });
  putNetwork(machine, "/sys/devices/pci0000:00/0000:00:03.0/net/eth0");
  putNetwork(machine, `${DEVICES}/net/lo`, { operstate: "unknown", address: "00:00:00:00:00:00" });
  putNetwork(machine, `${DEVICES}/net/vnet3`, { tun_flags: "0x1002", "brport/state": "3" });
  putNetwork(machine, `${DEVICES}/net/eth1`, { "brport/state": "3", address: "52:54:00:00:00:01" });
  putNetwork(machine, `${DEVICES}/net/br0`, {
    ...ueventOf("br0", "bridge"),
    ...{
      operstate: "down",
      address: "52:54:00:00:00:01",
      "bridge/stp_state": "1",
      "bridge/forward_delay": "1500",
    },
  });
  for (const port of ["eth1", "vnet3"]) putText(machine, `${DEVICES}/net/br0/brif/${port}`, "");
  putNetwork(machine, `${DEVICES}/net/eth0.42`, {
    ...ueventOf("eth0.42", "vlan"),
    address: "52:54:00:00:00:02",
  });
  putText(
    machine,
    "/proc/net/vlan/eth0.42",
    "eth0.42  VID: 42\t REORDER_HDR: 1  dev->priv_flags: 1021\n         total frames received 0\nDevice: eth0\nINGRESS priority mappings: 0:0\n",
  );
  putNetwork(machine, `${DEVICES}/net/bond0`, {
    ...ueventOf("bond0", "bond"),
    ...{ address: "52:54:00:00:00:03", "bonding/mode": "active-backup 1", "bonding/miimon": "100" },
    ...{
      "bonding/updelay": "200",
      "bonding/downdelay": "0",
      "bonding/use_carrier": "1",
      "bonding/arp_interval": "0",
    },
    "bonding/arp_validate": "none 0",
  });
  putNetwork(machine, `${DEVICES}/net/eth2`, { operstate: "down", address: "52:54:00:00:00:04" });
  machine.files.put(`${DEVICES}/net/bond0/slave_eth2`, "symlink", { target: `${DEVICES}/net/eth2` });
  return machine;
}

async function printed(...words: readonly string[]): Promise<string> {
  const { code, err, out } = await runOn(makeHost(), ...words);
  expect([code, err]).toEqual([0, ""]);
  return out;
}

describe("svirt iface-list", () => {
  const rows = async (...words: readonly string[]) =>
    (await printed("iface-list", ...words))
      .split("\n")
      .slice(2, -2)
      .map((line) => line.trim().split(/\s+/)[0]);

  test("has virsh's columns, and the interfaces that are up, without ports of bridges and taps", async () => {
    expect(await printed("iface-list")).toBe(
      [
        " Name      State    MAC Address",
        "---------------------------------------",
        " bond0     active   52:54:00:00:00:03",
        " eth0      active   52:54:00:12:34:56",
        " eth0.42   active   52:54:00:00:00:02",
        "\n",
      ].join("\n"),
    );
    expect(await rows("--inactive")).toEqual(["br0", "eth2", "lo"]);
    expect(await rows("--all")).toEqual(["bond0", "br0", "eth0", "eth0.42", "eth2", "lo"]);
  });

  test("iface-mac and iface-name translate", async () => {
    expect(await printed("iface-mac", "br0")).toBe("52:54:00:00:00:01\n\n");
    expect(await printed("iface-name", "52:54:00:12:34:56")).toBe("eth0\n\n");
    const { code, err } = await runOn(makeHost(), "iface-name", "52:54:00:00:00:99");
    expect([code, err]).toEqual([
      3,
      expect.stringContaining("couldn't find interface with MAC address '52:54:00:00:00:99'"),
    ]);
    expect((await runOn(makeHost(), "iface-mac", "../net/eth0")).err).toContain(
      "couldn't find interface named '../net/eth0'",
    );
  });
});

const DOCUMENTS: readonly (readonly [name: string, xml: string])[] = [
  [
    "eth0",
    `<interface type='ethernet' name='eth0'>
  <mtu size='1500'/>
  <link speed='1000' state='up'/>
  <mac address='52:54:00:12:34:56'/>
</interface>`,
  ],
  [
    "br0",
    `<interface type='bridge' name='br0'>
  <mtu size='1500'/>
  <bridge stp='on' delay='1500'>
    <interface type='ethernet' name='eth1'>
      <link speed='1000' state='up'/>
      <mac address='52:54:00:00:00:01'/>
    </interface>
  </bridge>
</interface>`,
  ],
  [
    "eth0.42",
    `<interface type='vlan' name='eth0.42'>
  <mtu size='1500'/>
  <link speed='1000' state='up'/>
  <vlan tag='42'>
    <interface name='eth0'/>
  </vlan>
</interface>`,
  ],
  [
    "bond0",
    `<interface type='bond' name='bond0'>
  <mtu size='1500'/>
  <link speed='1000' state='up'/>
  <bond mode='active-backup'>
    <miimon freq='100' updelay='200' carrier='netif'/>
    <interface type='ethernet' name='eth2'>
      <link state='down'/>
      <mac address='52:54:00:00:00:04'/>
    </interface>
  </bond>
</interface>`,
  ],
];

describe("svirt iface-dumpxml", () => {
  test.each(DOCUMENTS)("of %s has libvirt's form", async (name, xml) => {
    expect((await printed("iface-dumpxml", name)).trimEnd()).toBe(xml);
  });

  test.skipIf(LACK !== "").each(DOCUMENTS)(`of %s is valid by libvirt's schema${LACK}`, (_, xml) => {
    expect(faultsBy("interface.rng", xml)).toBe("");
  });
});
