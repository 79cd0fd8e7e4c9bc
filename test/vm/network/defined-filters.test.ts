import { expect, test } from "bun:test";
import { definedFilters } from "../../../src/resolve/host/defined-filters.ts";
import type { Ask } from "../../../src/vm/change/change-domain.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { attachDevice, updateDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { defineFilter, undefineFilter } from "../../../src/vm/network/define-filter.ts";
import { listFilters } from "../../../src/vm/network/filter-list.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { runOn } from "../../cli/in-memory.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { deviceOf } from "../../scenes/hotplug.ts";
import { domainXml, errorOf, makeMachine, nodeOn, putText, sweepAll } from "../../scenes/scene.ts";
import { strikeEverywhere, withoutInodes } from "../../scenes/strikes.ts";

const UUID = "5c6d49af-b071-6127-b4ec-6f8ed4b55335";
const ASK: Ask = { key: "vm1", options: { live: true }, isDryRun: false };
const filterXml = (name: string, content: string): string => `<filter name='${name}'>${content}</filter>`;
const DROP = "<rule action='drop' direction='out'><mac protocolid='0x88b5'/></rule>";
const card = (filter: string): string =>
  `<interface type='bridge'><mac address='52:54:00:00:00:09'/><source bridge='br0'/><filterref filter='${filter}'/></interface>`;
const bytesOf = (xml: string): Uint8Array => new TextEncoder().encode(xml);
const define = (machine: Machine, xml: string) => defineFilter(nodeOn(machine), bytesOf(xml));
const names = (machine: Machine): readonly string[] => listFilters(nodeOn(machine)).map(({ name }) => name);
const tables = (machine: Machine): string => [...machine.packetRules.tables.values()].join();

function prepared(): Machine {
  const machine = makeMachine();
  machine.taps.addBridge("br0");
  return machine;
}

/** Returns a machine with the filters `outer`, which includes `inner`, and with a guest that has `outer`. */
async function filtered(): Promise<Machine> {
  const machine = prepared();
  await define(
    machine,
    filterXml("outer", "<filterref filter='inner'/><filterref filter='no-mac-spoofing'/>"),
  );
  await define(machine, filterXml("inner", DROP));
  await startDomain(nodeOn(machine), domainXml({ devices: card("outer") }));
  return machine;
}

test("a guest has the rules of a defined filter, and of all that it includes, until it ends", async () => {
  const machine = await filtered();
  expect(tables(machine)).toContain("@ll,96,16 0x88b5 counter drop");
  expect(tables(machine)).toContain("@ll,48,48 0x525400000009 return");
  machine.packetRules.clear();
  expect((await runOn(machine, "recover")).out).toContain("Packet rules of domain 'vm1' set again");
  expect(tables(machine)).toContain("0x88b5");
  await destroyDomain(nodeOn(machine), "vm1");
  expect(tables(machine)).toBe("");
});

// nwfilterUndefine() of libvirt
test("a filter that a running guest has is neither replaced nor undefined, also if another one includes it", async () => {
  const machine = await filtered();
  const before = withoutInodes(machine);
  for (const name of ["outer", "inner"]) {
    for (const work of [undefineFilter(nodeOn(machine), name), define(machine, filterXml(name, ""))]) {
      const error = await errorOf(work);
      expect([error.message, error.kind]).toEqual([
        `Requested operation is not valid: nwfilter is in use: '${name}' by the guest vm1`,
        "in-use",
      ]);
    }
  }
  expect(withoutInodes(machine)).toEqual(before);
  await updateDevice(nodeOn(machine), ASK, {
    device: deviceOf(card("no-mac-spoofing")),
    force: false,
  });
  await undefineFilter(nodeOn(machine), "outer");
  await destroyDomain(nodeOn(machine), "vm1");
  await sweepAll(machine);
  await undefineFilter(nodeOn(machine), "inner");
  expect(names(machine)).not.toContain("inner");
});

test("an update of a guest's interface with the filter that it has changes no rules", async () => {
  const machine = await filtered();
  putText(machine, "/same.xml", card("outer").replace("</interface>", "<link state='down'/></interface>"));
  putText(machine, "/other.xml", card("inner"));
  const planned = async (path: string): Promise<string> =>
    (await runOn(machine, "update-device", "vm1", path, "--live", "--dry-run")).out;
  expect(await planned("/other.xml")).toContain("filter the frames of tap vnet0");
  expect(await planned("/same.xml")).not.toContain("filter the frames");
});

test("a filter is read once for a decision, however often others include it", async () => {
  const machine = await filtered();
  const find = definedFilters(nodeOn(machine));
  const found = find("inner");
  expect(found?.entries).toHaveLength(1);
  machine.files.remove("/etc/svirt/nwfilters/inner.xml");
  expect(find("inner")).toBe(found);
});

test("the rules of all taps of a guest are bounded, at its start and while it runs", async () => {
  const machine = prepared();
  await define(machine, filterXml("half", "<rule action='drop' direction='in'/>".repeat(1000)));
  await define(machine, filterXml("full", "<filterref filter='half'/>".repeat(2)));
  const cards = (count: number): string =>
    Array.from({ length: count }, (_, at) => card("full").replace("00:09", `01:0${at}`)).join("");
  const clean = withoutInodes(machine);
  const tooMany = "the filters of its interfaces have more than 10000 rules together";
  const error = await errorOf(startDomain(nodeOn(machine), domainXml({ devices: cards(6) })));
  expect([error.message, error.place]).toEqual([
    expect.stringContaining(tooMany),
    "/domain/devices/interface[6]/filterref",
  ]);
  expect(withoutInodes(machine)).toEqual(clean);
  await startDomain(nodeOn(machine), domainXml({ devices: cards(5) }));
  const sixth = attachDevice(nodeOn(machine), ASK, deviceOf(card("half")));
  expect((await errorOf(sixth)).message).toContain(tooMany);
  // The rules that an update replaces do not count.
  const first = deviceOf(cards(1).replaceAll("full", "half"));
  await updateDevice(nodeOn(machine), ASK, { device: first, force: false });
  await attachDevice(nodeOn(machine), ASK, deviceOf(card("half")));
  const again = updateDevice(nodeOn(machine), ASK, { device: deviceOf(cards(1)), force: false });
  expect((await errorOf(again)).message).toContain(tooMany);
});

test("a filter whose <filterref> names none is defined, and refused by its interface", async () => {
  const machine = prepared();
  await define(machine, filterXml("outer", "<filterref filter='inner'/>"));
  const clean = withoutInodes(machine);
  const error = await errorOf(startDomain(nodeOn(machine), domainXml({ devices: card("outer") })));
  expect(error.message).toContain("referenced filter 'inner' is missing");
  expect(withoutInodes(machine)).toEqual(clean);
});

test.each([
  [filterXml("clean-traffic", ""), "the filter 'clean-traffic' is a part of svirt"],
  [filterXml("a", "<filterref filter='a'/>"), "filter would introduce a loop"],
  [filterXml("b", "<filterref filter='one'/>").replace("one", "a"), "filter would introduce a loop"],
  [
    filterXml("other", `<uuid>${UUID}</uuid>`),
    "filter with same UUID but different name ('mine') already exists",
  ],
  [
    filterXml("mine", `<uuid>${UUID.replace("5", "6")}</uuid>`),
    `filter 'mine' already exists with uuid ${UUID}`,
  ],
  [filterXml("x/../y", ""), "/filter/@name"],
  ["<network/>", "it is not a <filter>"],
])("%s is not defined: %s", async (xml, message) => {
  const machine = prepared();
  await define(machine, filterXml("mine", `<uuid>${UUID}</uuid>`));
  await define(machine, filterXml("a", "<filterref filter='b'/>"));
  const before = withoutInodes(machine);
  expect((await errorOf(define(machine, xml))).message).toContain(message);
  expect(withoutInodes(machine)).toEqual(before);
});

test("a damaged filter is left out of the list with a warning, refused by its interface, and defined again", async () => {
  const machine = prepared();
  putText(machine, "/etc/svirt/nwfilters/bad.xml", "<filter name='bad'");
  putText(
    machine,
    "/etc/svirt/nwfilters/odd.xml",
    `<filter name='odd'>\n  <uuid>${UUID}</uuid>\n  <frob/>\n</filter>\n`,
  );
  const { err, out } = await runOn(machine, "nwfilter-list");
  expect([out.includes("bad"), out.includes("odd")]).toEqual([false, true]);
  expect(err).toContain("/etc/svirt/nwfilters/bad.xml");
  for (const name of ["bad", "odd"]) {
    const error = await errorOf(startDomain(nodeOn(machine), domainXml({ devices: card(name) })));
    expect(error.message).toContain(`/etc/svirt/nwfilters/${name}.xml`);
    await define(machine, filterXml(name, DROP));
    await undefineFilter(nodeOn(machine), name);
  }
  putText(machine, "/etc/svirt/nwfilters/bad.xml", "");
  await undefineFilter(nodeOn(machine), "bad");
  expect(machine.files.find("/etc/svirt/nwfilters/bad.xml")).toBeUndefined();
});

test("a filter that was being defined or undefined is there or not, wherever svirt was killed", async () => {
  const withOther = async (): Promise<Machine> => {
    const machine = prepared();
    await define(machine, filterXml("other", DROP));
    return machine;
  };
  const clean = withoutInodes(await withOther());
  const work = async (node: ReturnType<typeof nodeOn>): Promise<void> => {
    await defineFilter(node, bytesOf(filterXml("mine", DROP)));
    await undefineFilter(node, "mine");
  };
  await strikeEverywhere(
    { name: "nwfilter-define", prepare: withOther, work },
    "crash",
    async (machine, place) => {
      if (names(machine).includes("mine")) await undefineFilter(nodeOn(machine), "mine");
      await define(machine, filterXml("mine", DROP));
      await undefineFilter(nodeOn(machine), "mine");
      expect([place, ...withoutInodes(machine)]).toEqual([place, ...clean]);
    },
  );
});

test("the commands say what virsh says", async () => {
  const machine = prepared();
  putText(machine, "/f.xml", filterXml("mine", DROP));
  const said = async (...words: string[]) => {
    const { code, err, out } = await runOn(machine, ...words);
    return [code, out, err.split("\n")[0]];
  };
  expect(await said("nwfilter-define", "/f.xml")).toEqual([
    0,
    "Network filter mine defined from /f.xml\n\n",
    "",
  ]);
  expect((await said("nwfilter-list"))[1]).toMatch(/^ [0-9a-f-]{36} {3}mine$/m);
  expect((await said("nwfilter-dumpxml", "mine"))[1]).toMatch(
    /^<filter name='mine' chain='root'>\n {2}<uuid>.*<\/uuid>\n {2}<rule action='drop' direction='out' priority='500'>\n/,
  );
  expect((await said("nwfilter-edit", "mine"))[1]).toBe(
    "Network filter mine XML configuration not changed.\n\n",
  );
  machine.edit = (text) => text.replace("0x88b5", "arp");
  expect((await said("nwfilter-edit", "mine"))[1]).toBe("Network filter mine XML configuration edited.\n\n");
  expect((await said("nwfilter-dumpxml", "mine"))[1]).toContain("<mac protocolid='arp'/>");
  expect((await said("nwfilter-edit", "clean-traffic"))[2]).toContain("is a part of svirt");
  expect(await said("nwfilter-undefine", "mine")).toEqual([0, "Network filter mine undefined\n\n", ""]);
  expect((await said("nwfilter-undefine", "mine"))[2]).toBe(
    "error: Network filter not found: no nwfilter with matching name 'mine'",
  );
});
