import { describe, expect, test } from "bun:test";
import { createDefaultNetwork } from "../../../src/vm/network/default-network.ts";
import { defineNetwork } from "../../../src/vm/network/define-network.ts";
import { listDhcpLeases } from "../../../src/vm/network/dhcp-leases.ts";
import { getNetworkFacts, getNetworkXml } from "../../../src/vm/network/network-facts.ts";
import { destroyNetwork, startNetwork } from "../../../src/vm/network/start-network.ts";
import { updateStoredNetwork } from "../../../src/vm/network/update-network.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { networkXml } from "../../scenes/networks.ts";
import { errorOf, makeMachine, nodeOn, putText } from "../../scenes/scene.ts";
import { beStruck, instantsOf, type Work } from "../../scenes/strikes.ts";

const IP = "<ip address='192.168.150.1' prefix='24'/>";
const DHCP =
  "<ip address='192.168.150.1' prefix='24'><dhcp><range start='192.168.150.2' end='192.168.150.9'/></dhcp></ip>";
const UUID = "81ff0d90-c91e-6742-64da-4a736edb9acb";
const FOLDER = `/run/svirt-networks/${UUID}`;
const HOST = "<host mac='52:54:00:00:00:07' ip='192.168.150.7'/>";

async function defined(content: string, hasProgram = true): Promise<Machine> {
  const machine = makeMachine();
  if (hasProgram) putText(machine, "/usr/sbin/dnsmasq", "");
  await defineNetwork(nodeOn(machine), networkXml(`<bridge name='virbr7'/>${content}`, "lan", UUID));
  return machine;
}

async function active(content = DHCP): Promise<Machine> {
  const machine = await defined(content);
  await startNetwork(nodeOn(machine), "lan");
  return machine;
}

const start: Work = (node) => startNetwork(node, "lan");
const destroy: Work = (node) => destroyNetwork(node, "lan");
const other: Work = (node) => defineNetwork(node, networkXml("<bridge name='virbr9'/>", "other"));
const addHost: Work = (node) =>
  updateStoredNetwork(node, "lan", {
    options: { live: true },
    update: {
      section: "ip-dhcp-host",
      command: "add-last",
      parentIndex: undefined,
      entry: new TextEncoder().encode(HOST),
    },
  });

const read = (machine: Machine, path: string): string =>
  new TextDecoder().decode(machine.files.get(path).bytes);

test("createDefaultNetwork() defines and starts libvirt's default network, once, and leaves a definition of its name", async () => {
  const machine = makeMachine();
  putText(machine, "/usr/sbin/dnsmasq", "");
  putText(machine, "/proc/sys/net/ipv4/ip_forward", "1\n");
  expect(await createDefaultNetwork(nodeOn(machine))).toMatchObject({ name: "default", did: true });
  expect(await createDefaultNetwork(nodeOn(machine))).toMatchObject({ name: "default", did: false });
  // networkxml2xmlout of default.xml.in of libvirt
  expect(
    (await getNetworkXml(nodeOn(machine), "default", "defined")).xml.replace(/ {2}<(?:uuid|mac).*\n/g, ""),
  ).toBe(
    "<network>\n  <name>default</name>\n  <forward mode='nat'/>\n  <bridge name='virbr0' stp='on' delay='0'/>\n" +
      "  <ip address='192.168.122.1' netmask='255.255.255.0'>\n    <dhcp>\n      <range start='192.168.122.2' end='192.168.122.254'/>\n" +
      "    </dhcp>\n  </ip>\n</network>",
  );

  const other = await defined("");
  await defineNetwork(nodeOn(other), networkXml("<bridge name='virbr3'/>", "default"));
  await createDefaultNetwork(nodeOn(other));
  expect(getNetworkFacts(nodeOn(other), "default")).toMatchObject({ active: true, bridge: "virbr3" });
});

describe("the server of a network", () => {
  test("runs from the network's start until its end, for each network with an address", async () => {
    for (const content of [DHCP, IP]) {
      const machine = await active(content);
      expect([...machine.daemons]).toEqual([
        `--conf-file=${FOLDER}/dnsmasq.conf --dhcp-leasefile=${FOLDER}/leases --dhcp-ignore-clid`,
      ]);
      expect(read(machine, `${FOLDER}/dnsmasq.conf`)).toContain("interface=virbr7\n");
      await destroy(nodeOn(machine));
      expect([machine.daemons.size, machine.files.find(FOLDER)]).toEqual([0, undefined]);
    }
    expect((await active("")).daemons.size).toBe(0);
  });

  test("is missing without dnsmasq, and a network that needs it is refused", async () => {
    const plain = await defined(IP, false);
    expect(await startNetwork(nodeOn(plain), "lan")).toMatchObject({ did: true });
    expect(plain.daemons.size).toBe(0);
    for (const part of [DHCP, `<domain name='a'/>${IP}`, `<dns><txt name='a' value='b'/></dns>${IP}`]) {
      const machine = await defined(part, false);
      const before = snapshot(machine);
      const error = await errorOf(startNetwork(nodeOn(machine), "lan"));
      expect([error.kind, error.message]).toEqual([
        "unsupported",
        "Cannot start the network 'lan': its DHCP and DNS server is not installed",
      ]);
      expect(snapshot(machine)).toEqual(before);
    }
  });

  test("that was killed is noticed by net-dhcp-leases, and started again by net-start", async () => {
    const machine = await active();
    putText(machine, `${FOLDER}/leases`, "0 52:54:00:00:00:07 192.168.150.3 web *\n");
    expect(listDhcpLeases(nodeOn(machine), "lan", undefined)).toMatchObject([
      { address: "192.168.150.3", prefix: 24, hostname: "web" },
    ]);
    expect(listDhcpLeases(nodeOn(machine), "lan", "52:54:00:00:00:08")).toEqual([]);
    machine.daemons.clear();
    const error = await errorOf(
      Promise.resolve().then(() => listDhcpLeases(nodeOn(machine), "lan", undefined)),
    );
    expect([error.kind, error.remedy]).toEqual(["wrong-state", "Start it again: svirt net-start lan"]);
    expect(await startNetwork(nodeOn(machine), "lan")).toMatchObject({ did: false });
    expect(machine.daemons.size).toBe(1);
    expect(listDhcpLeases(nodeOn(machine), "lan", undefined)).toHaveLength(1);
  });

  test("gets an entry that net-update adds to the active network", async () => {
    const machine = await active();
    await addHost(nodeOn(machine));
    expect(read(machine, `${FOLDER}/hostsfile`)).toBe("52:54:00:00:00:07,192.168.150.7\n");
    expect(machine.daemons.size).toBe(1);
  });

  // dnsmasq 2.91: "bad TXT record at line 17". It would not start again, and the guests would have no DHCP
  // server.
  test("keeps running when net-update adds an entry that dnsmasq refuses, and the network stays as it is", async () => {
    const machine = await active();
    const before = snapshot(machine);
    const error = await errorOf(
      updateStoredNetwork(nodeOn(machine), "lan", {
        options: { live: true, config: true },
        update: {
          section: "dns-txt",
          command: "add-last",
          parentIndex: undefined,
          entry: new TextEncoder().encode(`<txt name='${"x".repeat(64)}' value='a'/>`),
        },
      }),
    );
    expect([error.kind, error.message]).toEqual(["failed", expect.stringContaining("bad record")]);
    expect([snapshot(machine), machine.daemons.size]).toEqual([before, 1]);
  });

  test("is missing for an entry that net-update adds to an active network without one, which stays as it is", async () => {
    const machine = await defined(IP, false);
    await start(nodeOn(machine));
    const before = snapshot(machine);
    const error = await errorOf(addHost(nodeOn(machine)));
    expect(error.message).toContain("its DHCP and DNS server is not installed");
    expect(snapshot(machine)).toEqual(before);
  });

  test("has the network's entries after net-start, wherever net-update was killed", async () => {
    for (const strike of await instantsOf(() => active(), addHost)) {
      const machine = await active();
      await beStruck(machine, addHost, strike);
      await start(nodeOn(machine));
      const xml = getNetworkFacts(nodeOn(machine), "lan").active
        ? read(machine, "/run/svirt/networks/lan.xml")
        : "";
      const hasEntry = read(machine, `${FOLDER}/hostsfile`).includes("192.168.150.7");
      expect([strike, hasEntry, machine.daemons.size]).toEqual([strike, xml.includes("192.168.150.7"), 1]);
    }
  });

  test.each([
    { name: "net-start", prepare: () => defined(DHCP), work: start },
    { name: "net-destroy", prepare: () => active(), work: destroy },
  ])(
    "runs for an active network alone, wherever $name was killed, after the next change",
    async (subject) => {
      for (const strike of await instantsOf(subject.prepare, subject.work)) {
        const machine = await subject.prepare();
        await beStruck(machine, subject.work, strike);
        await other(nodeOn(machine));
        const { active: isActive } = getNetworkFacts(nodeOn(machine), "lan");
        expect([strike, machine.daemons.size]).toEqual([strike, isActive ? 1 : 0]);
        expect([strike, machine.files.find(FOLDER) !== undefined]).toEqual([strike, isActive]);
      }
    },
  );
});
