import { describe, expect, test } from "bun:test";
import { Glob } from "bun";
import fc from "fast-check";
import { parseDomain } from "../../src/domain/document.ts";
import type { Domain } from "../../src/domain/domain.ts";
import { completeGuest } from "../../src/qemu/complete-guest.ts";
import { listDescriptors } from "../../src/qemu/descriptors.ts";
import { formatArgv } from "../../src/qemu/domain-argv.ts";
import { parsePtys } from "../../src/qemu/monitor/ptys.ts";
import { listStartCommands } from "../../src/qemu/start-commands.ts";
import { randomDomain } from "../domain/random-domain.ts";
import { declaredChain } from "./declared-chain.ts";
import { attempt } from "./recorded.ts";

/**
 * Folder of cases: `<case>.xml` beside `<case>.txt`, libvirt's form, and `<case>.start.txt`, that of a real
 * start.
 */
const FOLDER = new URL("../data/argv/", import.meta.url).pathname;
const UUID = "6ca317fc-5004-49bf-8cd8-26628e15f990";
const cases = [...new Glob("*.xml").scanSync(FOLDER)].map((file) => file.replace(".xml", "")).toSorted();

describe.each(cases)("formatArgv() of %s", (name) => {
  const read = async (): Promise<Domain> => parseDomain(await Bun.file(`${FOLDER}${name}.xml`).bytes(), UUID);
  const recorded = (ending: string): Promise<string> => Bun.file(`${FOLDER}${name}${ending}.txt`).text();

  test("gives the reference's words", async () => {
    expect(onLines(formatArgv(await read()))).toBe(await recorded(""));
  });

  test("gives a real start's words", async () => {
    expect(startWords(await read())).toBe(await recorded(".start"));
  });
});

/** Formats one option per line, with its value. */
function onLines(words: readonly string[]): string {
  return `${words
    .map((word) => (word.startsWith("-") ? `\n${word}` : ` ${word}`))
    .join("")
    .trim()}\n`;
}

function startWords(domain: Domain): string {
  const chains = new Map(domain.devices.disks.map((disk) => [disk.target.dev, declaredChain(disk)]));
  const descriptors = listDescriptors(completeGuest(domain), chains, 4);
  const launch = { monitorFd: 3, listeners: [], descriptors, folder: "/run/guest" };
  const opened = descriptors.map(({ fd, path, access, truncate, direct }) =>
    [fd, access, ...(truncate ? ["truncate"] : []), ...(direct ? ["direct"] : []), path].join(" "),
  );
  return `${opened.join("\n")}\n${onLines(formatArgv(domain, { chains, launch }))}`;
}

const minimal = (inside: string, more = ""): Domain =>
  parseDomain(
    new TextEncoder().encode(
      `<domain type='qemu'><name>n</name><memory>65536</memory><os><type machine='pc'>hvm</type></os><devices>${inside}</devices>${more}</domain>`,
    ),
    UUID,
  );

describe("formatArgv() refuses", () => {
  const disk = (dev: string, rest = ""): string =>
    `<disk type='file'><source file='/${dev}'/><target dev='${dev}'/>${rest}</disk>`;
  const at = (slot: number): string => `<address type='pci' slot='${slot}'/>`;
  test.each([
    ["two devices in one place", disk("vda", at(5)) + disk("vdb", at(5)), "disk[2]/address"],
    ["a device where the board is", disk("vda", at(1)), "disk[1]/address"],
    [
      "a USB bus that is not there",
      "<input type='tablet'><address type='usb' bus='3' port='1'/></input>",
      "the guest has no USB bus 3",
    ],
    ["two disks of one name", disk("vda") + disk("vda"), "disk[2]/target/@dev"],
    [
      "two disks on one unit",
      disk("hda", "<address type='drive'/>") + disk("hdb", "<address type='drive'/>"),
      "disk[2]/address",
    ],
    ["a PCI address for an IDE disk", disk("hda", at(5)), "disk[1]/address/@type"],
    ["a read-only IDE disk", disk("hda", "<readonly/>"), "disk[1]/readonly"],
    [
      "a USB port that is taken",
      "<input type='tablet'><address type='usb' bus='0' port='1'/></input>".repeat(2),
      "input[2]/address/@port",
    ],
    [
      "a USB port behind no hub",
      "<input type='tablet'><address type='usb' bus='0' port='1.1'/></input>",
      "input[1]/address/@port",
    ],
    ["a USB device without USB", "<controller type='usb' model='none'/><input type='tablet'/>", "USB is off"],
    [
      "PCI Express on a pc",
      "<controller type='pci' model='pcie-root-port' index='1'/>",
      "controller[1]/@model",
    ],
    ["a second root", "<controller type='pci' model='pci-root' index='1'/>", "controller[1]/@model"],
    [
      "watchdogs of two minds",
      "<watchdog model='ib700' action='pause'/><watchdog model='i6300esb' action='reset'/>",
      "watchdog[2]/@action",
    ],
    ["a second display", "<graphics type='vnc'/><graphics type='vnc'/>", "graphics[2]"],
    ["an interface without an address", "<interface type='user'/>", "interface[1]/mac"],
    ["a card with an odd size", "<video><model type='qxl' vgamem='9000'/></video>", "video[1]/model"],
  ])("%s", (_, inside, place) => {
    expect(() => formatArgv(minimal(inside))).toThrow(place);
  });

  test.each([
    ["a machine that is neither pc nor q35", "microvm"],
    ["half a machine's name", "pc-q35"],
  ])("%s", (_, machine) => {
    const domain = minimal("");
    const os = { ...domain.os, type: { ...domain.os.type, machine } };
    expect(() => formatArgv({ ...domain, os })).toThrow("/domain/os/type/@machine");
  });
});

test("formatArgv() fills a pc's bus, and adds a bridge when it is full", () => {
  const disks = (count: number): string =>
    [...Array(count).keys()]
      .map(
        (n) =>
          `<disk><source file='/${n}'/><target dev='vd${String.fromCharCode(97 + Math.floor(n / 26))}${String.fromCharCode(97 + (n % 26))}'/></disk>`,
      )
      .join("");
  const bridges = (count: number): number =>
    formatArgv(minimal(`${disks(count)}<memballoon model='none'/>`)).filter((word) =>
      word.includes('"pci-bridge"'),
    ).length;
  // Slots 2 to 31, one of which stays free.
  expect([bridges(29), bridges(30), bridges(60), bridges(61)]).toEqual([0, 1, 1, 2]);
});

test("formatArgv() answers any declared document with words or a refusal, and always with the same", () => {
  fc.assert(
    fc.property(randomDomain, fc.constantFrom("pc", "q35"), (text, machine) => {
      const written = attempt(() => parseDomain(new TextEncoder().encode(text), UUID));
      if (written instanceof Error) return;
      const { cpu: _cpu, clock: _clock, ...rest } = written;
      const domain = { ...rest, os: { ...rest.os, type: { ...rest.os.type, machine } } };
      const words = attempt(() => formatArgv(domain));
      const started = attempt(() => startWords(domain));
      if (words instanceof Error || started instanceof Error) return;
      expect(formatArgv(domain)).toEqual([...words]);
      expect(words.every((word) => !/[\n\0]|undefined|NaN/.test(word))).toBe(true);
    }),
    { numRuns: 300 },
  );
}, 30_000);

describe("listStartCommands()", () => {
  test("says no more than it must", () => {
    expect(listStartCommands(completeGuest(minimal(""))).map(({ execute }) => execute)).toEqual([
      "qmp_capabilities",
      "cont",
    ]);
  });

  test("reads terminals and ports from the answers", () => {
    const answer = [
      { label: "charserial0", filename: "pty:/dev/pts/7", "frontend-open": true },
      { label: "charmonitor", filename: "unix:/run/guest/monitor.sock,server=on", "frontend-open": true },
    ];
    expect([...parsePtys(answer)]).toEqual([["serial0", "/dev/pts/7"]]);
  });
});
