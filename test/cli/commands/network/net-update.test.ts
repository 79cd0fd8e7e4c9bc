import { describe, expect, test } from "bun:test";
import { createNetwork } from "../../../../src/vm/network/start-network.ts";
import { startDomain } from "../../../../src/vm/start/start.ts";
import type { Machine } from "../../../memory-host/machine.ts";
import { recordOf } from "../../../scenes/hotplug.ts";
import { LAN_UUID, networkXml } from "../../../scenes/networks.ts";
import { domainXml, makeMachine, nodeOn, putText } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

const POOL = "<forward mode='private' dev='eth0'/>";

/** Returns a machine with a network that is active, and defined in /lan.xml. */
async function machineWith(content = POOL): Promise<Machine> {
  const machine = makeMachine();
  for (const name of ["eth0", "eth1"]) machine.taps.addBridge(name);
  machine.files.put("/lan.xml", "file", { bytes: networkXml(content, "lan", LAN_UUID) });
  machine.files.put("/group.xml", "file", {
    bytes: new TextEncoder().encode("<portgroup name='from-file'/>\n"),
  });
  await runOn(machine, "net-define", "/lan.xml");
  return machine;
}

async function said(machine: Machine, ...words: readonly string[]): Promise<string> {
  const { code, err, out } = await runOn(machine, ...words);
  return `${code} ${out}${err}`;
}

const GROUP = ["portgroup", "<portgroup name='web'/>"];

describe("svirt net-update", () => {
  // cmdNetworkUpdate() of libvirt's tools/virsh-network.c
  test("says what virsh says, of each document", async () => {
    const machine = await machineWith();
    const inactive = await said(machine, "net-update", "lan", "add", ...GROUP);
    expect(inactive).toBe("0 Updated network lan persistent config\n");
    await runOn(machine, "net-start", "lan");
    for (const [options, parts] of [
      [[], "live state"],
      [["--current"], "live state"],
      [["--live"], "live state"],
      [["--config"], "persistent config"],
      [["--live", "--config"], "persistent config and live state"],
    ] as const) {
      const line = ["net-update", LAN_UUID, "modify", ...GROUP, ...options];
      expect([options, await said(machine, ...line)]).toEqual([options, `0 Updated network lan ${parts}\n`]);
    }
  });

  test("reads the entry from the command line or from a file", async () => {
    const machine = await machineWith();
    await runOn(machine, "net-update", "lan", "add-last", "portgroup", "<portgroup name='web'/>");
    await runOn(machine, "net-update", "lan", "add-first", "portgroup", "/group.xml");
    expect((await runOn(machine, "net-dumpxml", "lan")).out).toContain(
      "  <portgroup name='from-file'>\n  </portgroup>\n  <portgroup name='web'>\n  </portgroup>\n",
    );
  });

  test("takes the number of the <ip>", async () => {
    const machine = await machineWith(
      "<forward/><ip address='10.0.0.1' prefix='24'/><ip family='ipv6' address='2001:db8::1' prefix='64'/>",
    );
    const range = ["ip-dhcp-range", "<range start='2001:db8::2' end='2001:db8::9'/>"];
    const line = ["net-update", "lan", "add-last", ...range, "--parent-index"];
    expect(await said(machine, ...line, "1")).toBe("0 Updated network lan persistent config\n");
    expect((await runOn(machine, ...line, "7")).err).toContain("no <ip> element found at index 7");
    expect((await runOn(machine, ...line, "-1")).code).toBe(2);
  });

  test.each([
    [["lan", "frob", ...GROUP], 2, "unrecognized command name 'frob'"],
    [["lan", "constructor", ...GROUP], 2, "unrecognized command name 'constructor'"],
    [["lan", "add", "frob", "<a/>"], 2, "unrecognized section name 'frob'"],
    [["lan", "add", "constructor", "<a/>"], 2, "unrecognized section name 'constructor'"],
    [
      ["lan", "add", ...GROUP, "--live", "--current"],
      2,
      "Options --current and --live are mutually exclusive",
    ],
    [
      ["lan", "add", ...GROUP, "--current", "--config"],
      2,
      "Options --current and --config are mutually exclusive",
    ],
    [["lan", "add", ...GROUP, "--live"], 4, "network is not running"],
    [["lan", "add", "bridge", "<bridge/>"], 2, "can't update 'bridge' section of network 'lan'"],
    [["lan", "add", "portgroup", "<portgroup"], 2, "error: "],
    [["wan", "add", ...GROUP], 3, "failed to get network 'wan'"],
  ] as const)("%j ends with %i: %s", async (words, code, message) => {
    const machine = await machineWith();
    const result = await runOn(machine, "net-update", ...words);
    expect([result.code, result.err]).toEqual([code, expect.stringContaining(message)]);
  });
});

describe("the commands of ports and leases", () => {
  const CARD =
    "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='lan'/><model type='virtio'/></interface>";

  async function running(): Promise<readonly [Machine, string]> {
    const machine = await machineWith();
    await createNetwork(nodeOn(machine), networkXml(POOL, "lan", LAN_UUID));
    await startDomain(nodeOn(machine), domainXml({ devices: CARD }));
    const [, id = ""] = /portid='([^']*)'/.exec(recordOf(machine).xml) ?? [];
    return [machine, id];
  }

  // cmdNetworkPortList() of libvirt's tools/virsh-network.c
  test("net-port-list has virsh's table, and uuids alone", async () => {
    const [machine, id] = await running();
    expect(await said(machine, "net-port-list", "lan")).toBe(
      ` UUID\n---------------------------------------\n ${id}\n\n`.replace(/^/, "0 "),
    );
    expect(await said(machine, "net-port-list", "lan", "--uuid")).toBe(`0 ${id}\n`);
    expect(JSON.parse((await runOn(machine, "net-port-list", "lan", "--json")).out)).toEqual([id]);
    expect((await runOn(machine, "net-port-list", "lan", "--uuid", "--table")).code).toBe(2);
  });

  test("net-port-dumpxml prints the port", async () => {
    const [machine, id] = await running();
    const { out } = await runOn(machine, "net-port-dumpxml", "lan", id);
    expect(out).toStartWith(`<networkport>\n  <uuid>${id}</uuid>\n`);
    expect(out).toEndWith("  <plug type='direct' dev='eth0' mode='private'/>\n</networkport>\n\n");
    const json = JSON.parse((await runOn(machine, "net-port-dumpxml", "lan", id, "--json")).out);
    expect(json).toEqual({ uuid: id, xml: out.slice(0, -1) });
    const missing = await runOn(machine, "net-port-dumpxml", "lan", LAN_UUID);
    expect([missing.code, missing.err]).toEqual([
      3,
      expect.stringContaining(`failed to get network port '${LAN_UUID}'`),
    ]);
  });

  // cmdNetworkDHCPLeases() of libvirt's tools/virsh-network.c; networkGetDHCPLeases() finds none without a
  // file of leases.
  test("net-dhcp-leases has virsh's empty table, of an active and an inactive network", async () => {
    const machine = await machineWith();
    const table =
      " Expiry Time   MAC address   Protocol   IP address   Hostname   Client ID or DUID\n" +
      "-----------------------------------------------------------------------------------\n\n";
    expect(await said(machine, "net-dhcp-leases", "lan")).toBe(`0 ${table}`);
    await runOn(machine, "net-start", "lan");
    expect(await said(machine, "net-dhcp-leases", "lan", "--mac", "52:54:00:00:00:01")).toBe(`0 ${table}`);
    expect((await runOn(machine, "net-dhcp-leases", "lan", "--json")).out).toBe("[]\n");
    const bad = await runOn(machine, "net-dhcp-leases", "lan", "--mac", "x");
    expect([bad.code, bad.err]).toEqual([2, expect.stringContaining("invalid MAC address: x")]);
    expect((await runOn(machine, "net-dhcp-leases", "wan")).code).toBe(3);
  });

  // cmdNetworkDHCPLeases() of libvirt's tools/virsh-network.c; svirt's times are in UTC.
  test("net-dhcp-leases shows the leases of a network's server as virsh does, and no control characters of guests", async () => {
    const machine = makeMachine();
    for (const path of ["/usr/sbin/dnsmasq", "/net.xml"]) putText(machine, path, "");
    putText(
      machine,
      "/net.xml",
      `<network><name>inner</name><uuid>${LAN_UUID}</uuid><bridge name='virbr7'/><ip address='10.8.0.1' prefix='24'/></network>`,
    );
    await runOn(machine, "net-create", "/net.xml");
    putText(
      machine,
      `/run/svirt-networks/${LAN_UUID}/leases`,
      "1893456000 52:54:00:00:00:07 10.8.0.7 w\u001bb 01:52:54:00:00:00:07\n0 52:54:00:00:00:06 10.8.0.6 * *\n",
    );
    const { out } = await runOn(machine, "net-dhcp-leases", "inner");
    expect(out.split("\n").slice(2)).toEqual([
      " 1970-01-01 00:00:00   52:54:00:00:00:06   ipv4       10.8.0.6/24   -          -",
      " 2030-01-01 00:00:00   52:54:00:00:00:07   ipv4       10.8.0.7/24   w?b        01:52:54:00:00:00:07",
      "",
      "",
    ]);
    const [lease] = JSON.parse((await runOn(machine, "net-dhcp-leases", "inner", "--json")).out);
    expect(lease).toEqual({
      expiresAt: 0,
      mac: "52:54:00:00:00:06",
      protocol: "ipv4",
      address: "10.8.0.6",
      prefix: 24,
    });
  });
});
