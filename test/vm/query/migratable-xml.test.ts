import { expect, test } from "bun:test";
import { runOn } from "../../cli/in-memory.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { asked, call, domain, errorIn, word } from "../../rpc/remote-client.ts";
import { type DomainOptions, domainXml, makeMachine, nodeOn, UUID } from "../../scenes/scene.ts";

// qemuDomainDefFormatBufInternal() of libvirt 11.3.0, and what its daemon shows for such domains.

const [INACTIVE, MIGRATABLE] = [2, 8];

async function defined(board: "pc" | "q35", inside: DomainOptions = {}): Promise<Machine> {
  const machine = makeMachine();
  const xml = new TextDecoder().decode(domainXml(inside)).replace("<type>", `<type machine='${board}'>`);
  machine.files.put("/vm.xml", "file", { bytes: new TextEncoder().encode(xml) });
  expect((await runOn(machine, "define", "/vm.xml")).code).toBe(0);
  return machine;
}

async function shown(machine: Machine, flags: number): Promise<string> {
  const { payload, status } = await asked(nodeOn(machine), call(14, domain("vm1", UUID) + word(flags)));
  expect(status).toBe(0);
  const bytes = Buffer.from(payload, "hex");
  return bytes.subarray(4, 4 + bytes.readUInt32BE(0)).toString();
}

/** Returns the lines that only the plain XML has, and those that only the migratable one has. */
async function changed(
  machine: Machine,
  flags = 0,
): Promise<{ readonly lost: string[]; readonly new: string[] }> {
  const [plain, asked] = [await shown(machine, flags), await shown(machine, flags | MIGRATABLE)].map((text) =>
    text.split("\n").map((line) => line.trim()),
  );
  const [have, had] = [new Set(asked), new Set(plain)];
  return {
    lost: (plain ?? []).filter((line) => !have.has(line)),
    new: (asked ?? []).filter((line) => !had.has(line)),
  };
}

const KEYBOARD = "<input type='keyboard' bus='ps2'/>";
const AUDIO = "<audio type='none' id='1'/>";

test("VIR_DOMAIN_XML_MIGRATABLE leaves out what old versions of libvirt add to an i440fx by themselves", async () => {
  const machine = await defined("pc");
  const { lost, new: others } = await changed(machine);
  expect(others).toEqual([]);
  expect(lost).toContain("<controller type='pci' index='0' model='pci-root'/>");
  expect(lost).toContain("<controller type='usb' index='0' model='piix3-uhci'>");
  expect(lost).toContain(KEYBOARD);
  expect(lost).toContain(AUDIO);
});

test("of a q35 it leaves out the watchdog, but not one with an action", async () => {
  expect((await changed(await defined("q35"))).lost).toEqual([
    KEYBOARD,
    AUDIO,
    "<watchdog model='itco' action='reset'/>",
  ]);
  const chosen = await defined("q35", { devices: "<watchdog model='itco' action='pause'/>" });
  expect((await changed(chosen)).lost).toEqual([KEYBOARD, AUDIO]);
});

test("it keeps controllers and an audio backend that the user has chosen", async () => {
  const chosen =
    "<controller type='usb' index='0'><alias name='ua-usb'/></controller><audio id='2' type='none'/>" +
    "<controller type='pci' index='1' model='pci-bridge'/>";
  expect((await changed(await defined("pc", { devices: chosen }))).lost).toEqual([KEYBOARD]);
});

test("it disables pconfig of Icelake-Server", async () => {
  const lifecycle = "<cpu match='exact'><model>Icelake-Server</model></cpu>";
  const { new: added } = await changed(await defined("q35", { lifecycle }));
  expect(added).toEqual(["<feature policy='disable' name='pconfig'/>"]);
});

test("of a running guest it has no id, label and names of QEMU", async () => {
  const machine = await defined("q35");
  const before = await shown(machine, MIGRATABLE);
  expect((await runOn(machine, "start", "vm1")).code).toBe(0);
  const live = await shown(machine, MIGRATABLE);
  expect(live).toStartWith("<domain type='kvm'>\n");
  expect(live).not.toMatch(/<alias|<imagelabel|<label>/);
  expect(await shown(machine, MIGRATABLE | INACTIVE)).toBe(before);
});

test("a connection for reading does not get it", async () => {
  const machine = await defined("pc");
  const packet = call(14, domain("vm1", UUID) + word(MIGRATABLE));
  expect(errorIn(await asked(nodeOn(machine), packet, 1))).toEqual({
    code: 29,
    domain: 20,
    message: "operation forbidden: virDomainGetXMLDesc with secure flag",
  });
});

test("dumpxml --migratable shows it", async () => {
  const machine = await defined("q35");
  // virsh prints a line break after the XML.
  expect((await runOn(machine, "dumpxml", "vm1", "--migratable")).out).toBe(
    `${await shown(machine, MIGRATABLE)}\n`,
  );
  const plain = await runOn(machine, "dumpxml", "vm1");
  expect(await runOn(machine, "dumpxml", "vm1", "--security-info")).toEqual(plain);
});
