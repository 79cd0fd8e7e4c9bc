import { describe, expect, test } from "bun:test";
import { listNetworkEntries } from "../../../src/state/networks/networks.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { attachDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { defineNetwork } from "../../../src/vm/network/define-network.ts";
import { getNetworkFacts, getNetworkXml } from "../../../src/vm/network/network-facts.ts";
import { getPortXml, listPortUuids } from "../../../src/vm/network/network-ports.ts";
import { createNetwork, destroyNetwork, startNetwork } from "../../../src/vm/network/start-network.ts";
import { getDomainXml } from "../../../src/vm/query/domain-xml.ts";
import { listInterfaces } from "../../../src/vm/query/interface-list.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { deviceOf } from "../../scenes/hotplug.ts";
import { networkXml } from "../../scenes/networks.ts";
import { domainXml, errorOf, makeMachine, nodeOn, putText, reapAll, UUID } from "../../scenes/scene.ts";
import { beStruck, instantsOf, type Work } from "../../scenes/strikes.ts";

const DEVICES = "/sys/class/net";
const FORWARDING = "/proc/sys/net/ipv4/ip_forward";
const FORWARDING_IPV6 = "/proc/sys/net/ipv6/conf/all/forwarding";
const MAC = "52:54:00:00:00:aa";
const IP = "<ip address='192.168.150.1' netmask='255.255.255.0'/>";
const IPV6 = "<ip family='ipv6' address='fd00:150::1' prefix='64'/>";
const ISOLATED = `<bridge name='virbr7' stp='off' delay='3'/><mac address='${MAC}'/><mtu size='1400'/>${IP}`;
const BANDWIDTH =
  "<bandwidth><inbound average='1000' peak='5000' burst='1024'/><outbound average='128' burst='256'/></bandwidth>";
const OPEN = `<forward mode='open'/><bridge name='virbr7'/><mac address='${MAC}'/>`;
const NAT = `<forward mode='nat'/><bridge name='virbr7'/><mac address='${MAC}'/>${IP}`;
const CARD =
  "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='lan'/><model type='virtio'/></interface>";

/** Header and lines of /proc/net/route. fib_route_seq_show() of Linux */
const ROUTES =
  "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n" +
  "eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n" +
  "eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n" +
  "virbr0\t007AA8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";

const read = (machine: Machine, path: string): string =>
  new TextDecoder().decode(machine.files.get(path).bytes).trim();
const isThere = (machine: Machine, name: string): boolean =>
  machine.files.find(`${DEVICES}/${name}`) !== undefined;
const portsOf = (machine: Machine): readonly string[] => [
  ...machine.files.get(`${DEVICES}/virbr7/brif`).entries.keys(),
];

async function defined(content = ISOLATED): Promise<Machine> {
  const machine = makeMachine();
  await defineNetwork(nodeOn(machine), networkXml(content));
  return machine;
}

async function active(content = ISOLATED): Promise<Machine> {
  const machine = await defined(content);
  await startNetwork(nodeOn(machine), "lan");
  return machine;
}

describe("a network that makes its bridge", () => {
  test("has it from its start until its end, which leaves the host as before", async () => {
    const machine = await defined();
    machine.taps.addBridge("br0");
    const before = snapshot(machine);
    expect(await startNetwork(nodeOn(machine), "lan")).toMatchObject({ did: true });
    const facts = ["address", "mtu", "addresses", "operstate"].map((file) =>
      read(machine, `${DEVICES}/virbr7/${file}`),
    );
    expect(facts).toEqual([MAC, "1400", '[{"address":"192.168.150.1","prefix":24}]', "up"]);
    expect(await startNetwork(nodeOn(machine), "lan")).toMatchObject({ did: false });
    await destroyNetwork(nodeOn(machine), "lan");
    expect(isThere(machine, "virbr7")).toBe(false);
    expect(snapshot(machine).filter((line) => !line.includes("/run/svirt"))).toEqual(
      before.filter((line) => !line.includes("/run/svirt")),
    );
  });

  test("gets the first unused name and an address if its XML has none", async () => {
    const machine = makeMachine();
    machine.taps.addBridge("virbr0");
    await createNetwork(nodeOn(machine), networkXml(""));
    const { xml } = await getNetworkXml(nodeOn(machine), "lan", "active");
    expect(xml).toMatch(
      /<bridge name='virbr1' stp='on' delay='0'\/>\n {2}<mac address='52:54:00:[0-9a-f:]{8}'\/>/,
    );
    expect(xml).toContain(read(machine, `${DEVICES}/virbr1/address`));
    await destroyNetwork(nodeOn(machine), "lan");
    expect([isThere(machine, "virbr0"), isThere(machine, "virbr1")]).toEqual([true, false]);
  });

  test("is refused with libvirt's message if a device has the name of its bridge, which stays", async () => {
    const machine = await defined();
    machine.taps.addBridge("virbr7");
    const before = snapshot(machine);
    const error = await errorOf(startNetwork(nodeOn(machine), "lan"));
    expect(error.message).toContain("virbr7");
    expect(snapshot(machine)).toEqual(before);
    expect(listNetworkEntries(nodeOn(machine))).toMatchObject([{ isActive: false }]);
  });

  // networkCheckRouteCollision() of libvirt
  test.each([
    ["<ip address='10.0.0.77' prefix='24'/>", "Network is already in use by interface eth0"],
    [
      "<ip address='192.168.122.1' netmask='255.255.255.0'/>",
      "Network is already in use by interface virbr0",
    ],
    [
      `${IP}<route address='192.168.122.0' prefix='24' gateway='192.168.150.9'/>`,
      "Route address '192.168.122.0' conflicts with IP address for 'virbr0'",
    ],
  ])("is refused with libvirt's message for a network of the host: %s", async (content, message) => {
    const machine = await defined(content);
    putText(machine, "/proc/net/route", ROUTES);
    const before = snapshot(machine);
    const error = await errorOf(startNetwork(nodeOn(machine), "lan"));
    expect([error.kind, error.message]).toEqual(["in-use", `internal error: ${message}`]);
    expect(snapshot(machine)).toEqual(before);
  });

  test("starts beside other networks of the host, and a larger one", async () => {
    const machine = await defined(`${IP}<ip address='10.0.0.1' prefix='16'/>`);
    putText(machine, "/proc/net/route", ROUTES);
    expect(await startNetwork(nodeOn(machine), "lan")).toMatchObject({ did: true });
  });

  test("of mode open makes the host forward IPv4, also after its end, and needs a host that forwards IPv6", async () => {
    const machine = await defined(`${OPEN}${IP}`);
    putText(machine, FORWARDING, "0\n");
    await startNetwork(nodeOn(machine), "lan");
    await destroyNetwork(nodeOn(machine), "lan");
    expect(read(machine, FORWARDING)).toBe("1");

    const other = await defined(`${OPEN}${IP}${IPV6}`);
    putText(other, FORWARDING, "0\n");
    putText(other, FORWARDING_IPV6, "0\n");
    const error = await errorOf(startNetwork(nodeOn(other), "lan"));
    expect([error.kind, error.message]).toEqual([
      "wrong-state",
      "Cannot start the network 'lan': the host does not forward IPv6",
    ]);
    expect([isThere(other, "virbr7"), read(other, FORWARDING)]).toEqual([false, "0"]);
    putText(other, FORWARDING_IPV6, "1\n");
    await startNetwork(nodeOn(other), "lan");
    expect(read(other, `${DEVICES}/virbr7/addresses`)).toContain("fd00:150::1");
  });

  test("that is isolated leaves forwarding as it is", async () => {
    const machine = await defined();
    putText(machine, FORWARDING, "0\n");
    await startNetwork(nodeOn(machine), "lan");
    expect(read(machine, FORWARDING)).toBe("0");
  });

  test("of mode nat or route has tables of the packet filter from its start until its end", async () => {
    for (const mode of ["nat", "route"]) {
      const machine = await defined(NAT.replace("nat", mode));
      putText(machine, FORWARDING, "0\n");
      await startNetwork(nodeOn(machine), "lan");
      const { uuid } = getNetworkFacts(nodeOn(machine), "lan");
      expect([...machine.packetRules.tables.keys()]).toEqual([`ip svirt_${uuid.replaceAll("-", "")}`]);
      expect([isThere(machine, "virbr7"), read(machine, FORWARDING)]).toEqual([true, "1"]);
      await destroyNetwork(nodeOn(machine), "lan");
      expect([isThere(machine, "virbr7"), machine.packetRules.tables.size]).toEqual([false, 0]);
    }
  });

  test("has the limits of its bandwidth from its start until its end", async () => {
    const machine = await defined(`${ISOLATED}${BANDWIDTH}`);
    await startNetwork(nodeOn(machine), "lan");
    const { uuid } = getNetworkFacts(nodeOn(machine), "lan");
    // tc(8): kbps are 1,000 bytes per second, kb are 1,024 bytes.
    expect(JSON.parse(read(machine, `${DEVICES}/virbr7/shape`))).toEqual({
      bytesPerSecond: 1_000_000,
      peakBytesPerSecond: 5_000_000,
      burstBytes: 1_048_576,
    });
    const limit = `netdev svirt_limit_${uuid.replaceAll("-", "")}_virbr7`;
    expect(machine.packetRules.tables.get(limit)).toContain('device "virbr7"');
    await destroyNetwork(nodeOn(machine), "lan");
    expect([isThere(machine, "virbr7"), machine.packetRules.tables.size]).toEqual([false, 0]);
  });

  test.each([
    ["of mode nat", NAT],
    ["that is isolated", ISOLATED],
  ])("%s is refused without nft, and nothing changes", async (_, content) => {
    const machine = await defined(content);
    machine.packetRules.isThere = false;
    const before = snapshot(machine);
    await errorOf(startNetwork(nodeOn(machine), "lan"));
    expect(snapshot(machine)).toEqual(before);
    expect(
      await defineNetwork(nodeOn(machine), networkXml("<bridge name='virbr9'/>", "other")),
    ).toMatchObject({
      name: "other",
    });
  });

  test("is refused in a session", async () => {
    const machine = await defined();
    const node = nodeOn(machine);
    const session = { ...node, paths: { ...node.paths, instance: "session" as const } };
    const error = await errorOf(startNetwork(session, "lan"));
    expect([error.kind, error.message]).toEqual([
      "unsupported",
      "Cannot start the network 'lan': creating bridges requires root",
    ]);
  });
});

describe("a guest on a network that makes its bridge", () => {
  test("has a tap on it, and the live XML, the list and the port are libvirt's", async () => {
    const machine = await active();
    await startDomain(nodeOn(machine), domainXml({ devices: CARD }));
    expect(portsOf(machine)).toEqual(["vnet0"]);
    const { xml } = await getDomainXml(nodeOn(machine), "vm1", "running");
    // virDomainActualNetDefContentsFormat() of libvirt
    expect(xml).toMatch(
      /<interface type='network'>\n {6}<mac address='52:54:00:00:00:01'\/>\n {6}<source network='lan' portid='[0-9a-f-]{36}' bridge='virbr7'\/>\n {6}<target dev='vnet0'\/>/,
    );
    expect(listInterfaces(nodeOn(machine), "vm1", "running")).toMatchObject([
      { interface: "vnet0", type: "network", source: "lan" },
    ]);
    expect((await getNetworkXml(nodeOn(machine), "lan", "active")).xml).toStartWith(
      "<network connections='1'>",
    );
    const [id = ""] = listPortUuids(nodeOn(machine), "lan");
    // virNetworkPortDefFormatBuf() of libvirt; tests/virnetworkportxml2xmldata/plug-network.xml
    expect(getPortXml(nodeOn(machine), "lan", id).xml).toBe(
      `<networkport>\n  <uuid>${id}</uuid>\n  <owner>\n    <name>vm1</name>\n    <uuid>${UUID}</uuid>\n  </owner>\n` +
        "  <mac address='52:54:00:00:00:01'/>\n  <plug type='network' bridge='virbr7'/>\n</networkport>\n",
    );
  });

  test("gets a card by hot-plug", async () => {
    const machine = await active();
    await startDomain(nodeOn(machine), domainXml({}));
    const ask = { key: "vm1", options: { live: true }, isDryRun: false };
    await attachDevice(nodeOn(machine), ask, deviceOf(CARD));
    expect(portsOf(machine)).toEqual(["vnet0"]);
    expect((await getDomainXml(nodeOn(machine), "vm1", "running")).xml).toContain("bridge='virbr7'");
  });

  test("is restarted from its own live XML on the network's new bridge", async () => {
    const machine = await active();
    await startDomain(nodeOn(machine), domainXml({ devices: CARD }));
    const { xml } = await getDomainXml(nodeOn(machine), "vm1", "running");
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    await destroyNetwork(nodeOn(machine), "lan");
    await createNetwork(nodeOn(machine), networkXml("<bridge name='virbr8'/>"));
    await startDomain(nodeOn(machine), new TextEncoder().encode(xml));
    expect((await getDomainXml(nodeOn(machine), "vm1", "running")).xml).toContain("bridge='virbr8'");
  });

  // networkShutdownNetworkVirtual() of libvirt removes the bridge with its ports.
  test("keeps running when the network is destroyed, and ends as usual", async () => {
    const machine = await active();
    await startDomain(nodeOn(machine), domainXml({ devices: CARD }));
    await destroyNetwork(nodeOn(machine), "lan");
    expect([isThere(machine, "virbr7"), isThere(machine, "vnet0")]).toEqual([false, true]);
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    expect(isThere(machine, "vnet0")).toBe(false);
  });
});

describe("a network that makes its bridge, struck before, within and after every call of", () => {
  const start: Work = (node) => startNetwork(node, "lan");
  const destroy: Work = (node) => destroyNetwork(node, "lan");
  const create: Work = (node) => createNetwork(node, networkXml(ISOLATED));
  const other: Work = (node) => defineNetwork(node, networkXml("<bridge name='virbr9'/>", "other"));
  const nat = async (): Promise<Machine> => {
    const machine = await defined(NAT);
    putText(machine, FORWARDING, "1\n");
    return machine;
  };
  const CASES = [
    { name: "net-start", prepare: () => defined(), work: start },
    { name: "net-create", prepare: async () => makeMachine(), work: create },
    { name: "net-destroy", prepare: () => active(), work: destroy },
    {
      name: "net-start of a limited one",
      prepare: () => defined(`${ISOLATED}${BANDWIDTH}`),
      work: start,
    },
    {
      name: "net-destroy of a limited one",
      prepare: () => active(`${ISOLATED}${BANDWIDTH}`),
      work: destroy,
    },
    { name: "net-start of mode nat", prepare: nat, work: start },
    {
      name: "net-destroy of mode nat",
      prepare: async () => {
        const machine = await nat();
        await start(nodeOn(machine));
        return machine;
      },
      work: destroy,
    },
  ] as const;

  test.each(CASES)(
    "$name, has a bridge if it is active and none otherwise after the next change",
    async (subject) => {
      for (const strike of await instantsOf(subject.prepare, subject.work)) {
        for (const how of ["crash", "fail"] as const) {
          const machine = await subject.prepare();
          await beStruck(machine, subject.work, { ...strike, how });
          await other(nodeOn(machine));
          const entry = listNetworkEntries(nodeOn(machine)).find(({ name }) => name === "lan");
          const place = `${how} ${strike.moment} call ${strike.at}`;
          expect([place, isThere(machine, "virbr7")]).toEqual([place, entry?.isActive === true]);
          const hasRules = machine.packetRules.tables.size > 0;
          expect([place, hasRules]).toEqual([place, entry?.isActive === true]);
          expect([place, machine.files.find("/run/svirt/network-bridge.json")]).toEqual([place, undefined]);
          await subject.work(nodeOn(machine));
          expect([place, isThere(machine, "virbr7")]).toEqual([place, subject.work !== destroy]);
        }
      }
    },
  );
});
