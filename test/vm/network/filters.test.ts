import { describe, expect, test } from "bun:test";
import { filterTable, limitTable } from "../../../src/network/filter/tap-rules.ts";
import { guestPaths } from "../../../src/plan/paths.ts";
import { auditNode } from "../../../src/vm/audit/audit-node.ts";
import type { Ask } from "../../../src/vm/change/change-domain.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { attachDevice, detachDevice, updateDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { deviceOf, recordOf, wholeState } from "../../scenes/hotplug.ts";
import { card, machineWith, pool, start as startMacvtap } from "../../scenes/macvtaps.ts";
import { domainXml, errorOf, makeMachine, nodeOn, sweepAll, UUID } from "../../scenes/scene.ts";
import { leavesNothing, strikeEverywhere, withoutInodes } from "../../scenes/strikes.ts";

const ASK: Ask = { key: "vm1", options: { live: true }, isDryRun: false };
const MAC = "<mac address='52:54:00:00:00:09'/>";
const filter = (name: string, ...ips: readonly string[]): string =>
  `<filterref filter='${name}'>${ips.map((ip) => `<parameter name='IP' value='${ip}'/>`).join("")}</filterref>`;
const CLEAN = filter("clean-traffic", "10.0.0.1");
const ON_BRIDGE = (more = CLEAN): string =>
  `<interface type='bridge'>${MAC}<source bridge='br0'/>${more}</interface>`;
const LASTING = `<interface type='ethernet'>${MAC}<target dev='lasting' managed='no'/>${CLEAN}</interface>`;

function prepared(): Machine {
  const machine = makeMachine();
  machine.taps.addBridge("br0");
  machine.taps.addPersistent("lasting");
  return machine;
}
const start = (machine: Machine, devices: string) => startDomain(nodeOn(machine), domainXml({ devices }));
const tables = (machine: Machine): readonly string[] => [...machine.packetRules.tables.keys()];
const rules = (machine: Machine): string => [...machine.packetRules.tables.values()].join();
const table = (tap: string): string => `netdev ${filterTable(UUID, tap)}`;
const isUp = (machine: Machine, tap: string): boolean =>
  machine.files.find(`/sys/class/net/${tap}/operstate`) !== undefined;

const LIMITS = "<bandwidth><inbound average='10'/><outbound average='20'/></bandwidth>";

test("the limits of a tap are gone after a start that was killed at any step", async () => {
  await leavesNothing(
    {
      name: "start",
      prepare: async () => prepared(),
      work: (node) => startDomain(node, domainXml({ devices: ON_BRIDGE(LIMITS) })),
    },
    { clean: withoutInodes(prepared()), end: (node) => destroyDomain(node, "vm1") },
  );
});

test("limits come and go with a card of a running guest", async () => {
  const machine = prepared();
  await start(machine, "");
  const before = wholeState(machine);
  await attachDevice(nodeOn(machine), ASK, deviceOf(ON_BRIDGE(LIMITS)));
  expect(tables(machine)).toEqual([`netdev ${limitTable(UUID, "vnet0")}`]);
  expect(machine.files.find("/sys/class/net/vnet0/shape")).toBeDefined();
  await detachDevice(nodeOn(machine), ASK, deviceOf(ON_BRIDGE(LIMITS)));
  expect(wholeState(machine)).toEqual(before);
});

// virDomainNetTypeSupportsQoS() of libvirt limits existing taps and macvtaps, too.
test("a limit of an existing tap is refused by its place", async () => {
  const error = await errorOf(start(prepared(), LASTING.replace(CLEAN, LIMITS)));
  expect(error.message).toContain("/domain/devices/interface[1]/bandwidth: svirt does not");
});

describe.each([
  ["made by svirt", "vnet0", ON_BRIDGE()],
  ["of an administrator", "lasting", LASTING],
] as const)("the filter of a tap %s", (_, tap, xml) => {
  test("is there while the guest runs, and gone with it", async () => {
    const machine = prepared();
    await start(machine, xml);
    expect(tables(machine)).toEqual([table(tap)]);
    expect(rules(machine)).toContain("ip saddr 10.0.0.1 return");
    await destroyDomain(nodeOn(machine), "vm1");
    expect(tables(machine)).toEqual([]);
  });

  test("is gone after a start that was killed at any step", async () => {
    await leavesNothing(
      {
        name: "start",
        prepare: async () => prepared(),
        work: (node) => startDomain(node, domainXml({ devices: xml })),
      },
      { clean: withoutInodes(prepared()), end: (node) => destroyDomain(node, "vm1") },
    );
  });

  test("comes and goes with a card of a running guest", async () => {
    const machine = prepared();
    await start(machine, "");
    const before = wholeState(machine);
    await attachDevice(nodeOn(machine), ASK, deviceOf(xml));
    expect(tables(machine)).toEqual([table(tap)]);
    await detachDevice(nodeOn(machine), ASK, deviceOf(xml));
    expect(wholeState(machine)).toEqual(before);
  });
});

test.each([
  ["vnet0", ON_BRIDGE()],
  ["lasting", LASTING],
] as const)("the filter of %s stays while a QEMU that lies keeps the tap", async (tap, xml) => {
  const machine = prepared();
  await start(machine, "");
  await attachDevice(nodeOn(machine), ASK, deviceOf(xml));
  machine.qemu = { keepsTaps: true };
  expect((await errorOf(detachDevice(nodeOn(machine), ASK, deviceOf(xml)))).kind).toBe("partly");
  expect(tables(machine)).toEqual([table(tap)]);
  await destroyDomain(nodeOn(machine), "vm1");
  expect(tables(machine)).toEqual([]);
});

test("a new tap is not up before its filter is there, wherever svirt is killed", async () => {
  await strikeEverywhere(
    {
      name: "start",
      prepare: async () => prepared(),
      work: (node) => startDomain(node, domainXml({ devices: ON_BRIDGE() })),
    },
    "crash",
    async (machine, place) => {
      expect([place, isUp(machine, "vnet0") && tables(machine).length === 0]).toEqual([place, false]);
    },
  );
});

test.each([
  ["a new tap before its setup", ON_BRIDGE(), ["spawn", "set-tap-rules", "set-up-tap"]],
  ["a tap of an administrator before QEMU starts", LASTING, ["set-tap-rules", "spawn"]],
] as const)("the filter is set on %s", async (_, xml, order) => {
  const machine = prepared();
  await start(machine, xml);
  const names: readonly string[] = order;
  expect(recordOf(machine).steps.flatMap((step) => (names.includes(step.do) ? [step.do] : []))).toEqual([
    ...order,
  ]);
});

test.each([
  ["whose address would have to be learned", filter("clean-traffic"), "Cannot learn the IP address"],
  ["that libvirt does not install", filter("mine"), "Network filter not found: Could not find filter 'mine'"],
])("a filter %s is refused before anything changes", async (_, more, message) => {
  const machine = prepared();
  const clean = withoutInodes(machine);
  const error = await errorOf(start(machine, ON_BRIDGE(more)));
  expect(error.message).toContain(message);
  expect(error.place).toStartWith("/domain/devices/interface[1]/filterref");
  expect(withoutInodes(machine)).toEqual(clean);
});

test("without nft a guest with a filter does not start, and leaves nothing", async () => {
  const machine = prepared();
  const clean = withoutInodes(machine);
  machine.packetRules.isThere = false;
  const { message } = await errorOf(start(machine, ON_BRIDGE()));
  expect(message).toContain("rules of the packet filter");
  expect(message).not.toContain("undoing");
  expect(withoutInodes(machine)).toEqual(clean);
});

test("a guest whose host has lost nft ends, and its filter and limits with it", async () => {
  const machine = prepared();
  const clean = withoutInodes(machine);
  await start(machine, ON_BRIDGE(`${CLEAN}${LIMITS}`));
  expect(tables(machine)).toHaveLength(2);
  machine.packetRules.isThere = false;
  await destroyDomain(nodeOn(machine), "vm1");
  expect(tables(machine)).toEqual([]);
  await start(machine, ON_BRIDGE(""));
  await destroyDomain(nodeOn(machine), "vm1");
  expect(withoutInodes(machine)).toEqual(clean);
});

test("an audit names a guest that an older svirt has started with a filter and headers", async () => {
  const machine = prepared();
  await start(machine, ON_BRIDGE(`<model type='virtio'/>${CLEAN}`));
  expect((await auditNode(nodeOn(machine))).findings).toEqual([]);
  const { paths } = nodeOn(machine);
  const { record } = guestPaths(paths, UUID);
  const text = new TextDecoder().decode(machine.files.get(record).bytes);
  machine.files.get(record).bytes = new TextEncoder().encode(
    text.replaceAll('"hasHeader":false', '"hasHeader":true'),
  );
  expect((await auditNode(nodeOn(machine))).findings).toEqual([
    "vm1: headers of its frames bypass its packet filter; start it again: svirt shutdown vm1",
  ]);
});

test("a card that comes to a guest with a filter has no vhost-net", async () => {
  const machine = prepared();
  machine.files.put("/dev/vhost-net", "character", { node: "10:238" });
  await start(machine, ON_BRIDGE());
  const other = `<interface type='bridge'><mac address='52:54:00:00:00:0a'/><source bridge='br0'/><model type='virtio'/></interface>`;
  await attachDevice(nodeOn(machine), ASK, deviceOf(other));
  const passed = recordOf(machine).steps.flatMap((step) => (step.do === "pass-tap" ? [step.tap] : []));
  expect(passed).toMatchObject([{ hasHeader: true, vhosts: [] }]);
});

test("a name that nft reads as a pattern is refused", async () => {
  const xml = `<interface type='bridge'>${MAC}<source bridge='br0'/><target dev='v*'/>${CLEAN}</interface>`;
  expect((await errorOf(start(prepared(), xml))).message).toContain(
    "Cannot filter the frames of the tap v*: its name has characters that nft interprets",
  );
});

test("a macvtap of a network has no filter, as in libvirt", async () => {
  const machine = await machineWith(pool("private", "eth0"));
  const error = await errorOf(startMacvtap(machine, card("09", filter("no-mac-spoofing"))));
  expect([error.kind, error.message]).toEqual([
    "unsupported",
    "Cannot filter the frames of the macvtap macvtap0: only a tap can have a packet filter",
  ]);
});

describe("update-device", () => {
  const update = (machine: Machine, xml: string) =>
    updateDevice(nodeOn(machine), ASK, { device: deviceOf(xml), force: false });
  const running = (more: string): string =>
    `<interface type='bridge'>${MAC}<source bridge='br0'/><target dev='vnet0'/>${more}</interface>`;
  const withModel = (machine: Machine, more: string): string => {
    const [, model = "", rest = ""] =
      /<target dev='vnet0'\/>\s*(<model [^>]*>)?.*?(<alias [^>]*>\s*<address [^>]*>)/s.exec(
        recordOf(machine).xml,
      ) ?? [];
    return running(`${model}${more}${rest}`);
  };

  test("replaces the filter of a running guest, in its record too", async () => {
    const machine = prepared();
    await start(machine, ON_BRIDGE());
    const steps = recordOf(machine).steps.length;
    await update(machine, withModel(machine, filter("clean-traffic", "10.0.0.2", "10.0.0.3")));
    expect(rules(machine)).toContain("ip saddr { 10.0.0.2, 10.0.0.3 } return");
    expect(recordOf(machine).xml).toContain("value='10.0.0.3'");
    expect(recordOf(machine).steps.length).toBe(steps);
    await destroyDomain(nodeOn(machine), "vm1");
    expect(tables(machine)).toEqual([]);
  });

  test("adds a filter, and removes it", async () => {
    const machine = prepared();
    await start(machine, ON_BRIDGE(""));
    const before = wholeState(machine);
    await update(machine, withModel(machine, filter("no-mac-spoofing")));
    expect(tables(machine)).toEqual([table("vnet0")]);
    await update(machine, withModel(machine, ""));
    expect(wholeState(machine)).toEqual(before);
  });

  test("refuses a filter for a card that the guest has with headers, or beside vhost-net, and changes nothing", async () => {
    const machine = prepared();
    machine.files.put("/dev/vhost-net", "character", { node: "10:238" });
    const virtio = (driver: string): string => ON_BRIDGE(`<model type='virtio'/><driver name='${driver}'/>`);
    await start(machine, virtio("qemu"));
    const before = wholeState(machine);
    const xml = recordOf(machine).xml;
    const [, card = ""] = /(<interface .*?)<\/interface>/s.exec(xml) ?? [];
    const filtered = `${card}${filter("no-mac-spoofing")}</interface>`;
    expect((await errorOf(update(machine, filtered))).message).toContain("checksums written behind one");
    expect(wholeState(machine)).toEqual(before);
    await destroyDomain(nodeOn(machine), "vm1");
    await start(machine, virtio("vhost"));
    const other = ON_BRIDGE().replace("00:09", "00:0a");
    const error = await errorOf(attachDevice(nodeOn(machine), ASK, deviceOf(other)));
    expect([error.kind, error.place]).toEqual(["unsupported", "/interface/filterref"]);
    expect(tables(machine)).toEqual([]);
  });

  test("keeps the old filter when nft refuses the new one", async () => {
    const machine = prepared();
    await start(machine, ON_BRIDGE());
    const before = wholeState(machine);
    machine.packetRules.isThere = false;
    await errorOf(update(machine, withModel(machine, filter("no-mac-spoofing"))));
    expect(rules(machine)).toContain("ip saddr 10.0.0.1 return");
    machine.packetRules.isThere = true;
    await sweepAll(machine);
    expect(wholeState(machine)).toEqual(before);
  });

  test("without nft leaves the filter, and the guest ends", async () => {
    const machine = prepared();
    const clean = withoutInodes(machine);
    await start(machine, ON_BRIDGE());
    machine.packetRules.isThere = false;
    await errorOf(update(machine, withModel(machine, filter("no-mac-spoofing"))));
    expect(rules(machine)).toContain("ip saddr 10.0.0.1 return");
    await destroyDomain(nodeOn(machine), "vm1");
    expect(withoutInodes(machine)).toEqual(clean);
  });

  test("leaves nothing when it is killed at any step, and the guest ends", async () => {
    const prepare = async (): Promise<Machine> => {
      const machine = prepared();
      await start(machine, ON_BRIDGE());
      return machine;
    };
    const xml = withModel(await prepare(), filter("no-mac-spoofing"));
    await strikeEverywhere(
      {
        name: "update-device",
        prepare,
        work: (node) => updateDevice(node, ASK, { device: deviceOf(xml), force: false }),
      },
      "crash",
      async (machine, place) => {
        expect([place, ...tables(machine)]).toEqual([place, table("vnet0")]);
        await sweepAll(machine);
        const isNew = recordOf(machine).xml.includes("no-mac-spoofing");
        expect([place, rules(machine).includes("ip saddr")]).toEqual([place, !isNew]);
        await destroyDomain(nodeOn(machine), "vm1");
        expect([place, ...tables(machine)]).toEqual([place]);
      },
    );
  });
});
