import { describe, expect, test } from "bun:test";
import { type Machine, snapshot } from "../memory-host/machine.ts";
import { diskXml, domainXml, makeMachine } from "../scenes/scene.ts";
import { runOn } from "./in-memory.ts";

// validate, define, create and start list every refusal, in the order of the document.

function withXml(bytes: Uint8Array): Machine {
  const machine = makeMachine();
  machine.files.put("/vm.xml", "file", { bytes });
  return machine;
}

/** Returns the lines of standard error without the remedies. */
function linesOf(err: string): string[] {
  return err.split("\n").filter((line) => line !== "" && !line.startsWith("remedy: "));
}

const SPICE = "<graphics type='spice'/>";
const CHANNEL = "<channel type='spicevmc'><target type='virtio'/></channel>";
const FROB = "<frob/>";
const BAD_DISK = "<disk type='file'><driver cache='much'/><source file='a'/><target dev='vdb'/></disk>";

const UNKNOWN = "Cannot read /domain/devices/frob in line 1: svirt does not know it";
const CACHE =
  /^error: Cannot read \/domain\/devices\/disk\[2\]\/driver\/@cache in line 1: "much" is not one of/;
const RELATIVE = /^error: Cannot read \/domain\/devices\/disk\[2\]\/source\/@file in line 1: "a" is not/;
const NO_CHANNEL =
  "Cannot start the guest: /domain/devices/channel: svirt does not connect ports and consoles by spicevmc yet";
const NO_SPICE =
  "Cannot start the guest: /domain/devices/graphics: svirt does not support spice displays yet";

const NO_SOUND = "Cannot start the guest: /domain/devices/audio: svirt does not support spice audio yet";

const faulty = domainXml({
  disks: diskXml("/a.raw", "vda"),
  devices: `${SPICE}${BAD_DISK}${FROB}${CHANNEL}`,
});
const unready = domainXml({ disks: diskXml("/a.raw", "vda"), devices: `${CHANNEL}${SPICE}` });

describe("svirt validate", () => {
  test("lists every refusal, and what a start would refuse of the rest", async () => {
    const { code, err, out } = await runOn(withXml(faulty), "validate", "/vm.xml");
    expect([code, out]).toEqual([2, ""]);
    expect(linesOf(err)).toEqual([
      expect.stringMatching(CACHE),
      expect.stringMatching(RELATIVE),
      `error: ${UNKNOWN}`,
      `warning: ${NO_SPICE}`,
      `warning: ${NO_CHANNEL}`,
    ]);
  });

  test("calls a document valid that only a start refuses", async () => {
    const { code, err, out } = await runOn(withXml(unready), "validate", "/vm.xml");
    expect([code, out]).toEqual([0, "Domain 'vm1' is valid\n\n"]);
    expect(linesOf(err)).toEqual([`warning: ${NO_CHANNEL}`, `warning: ${NO_SPICE}`]);
  });

  test("prints both as JSON", async () => {
    const { code, out } = await runOn(withXml(faulty), "validate", "--json", "/vm.xml");
    expect(code).toBe(2);
    const { refusals, ...rest } = JSON.parse(out);
    expect(rest).toEqual({});
    expect(refusals).toHaveLength(5);
    expect(refusals[2]).toEqual({
      by: "define",
      kind: "xml",
      libvirt: { name: "VIR_ERR_XML_ERROR", code: 27, domain: 20 },
      place: "/domain/devices/frob",
      message: UNKNOWN,
      remedy:
        "Remove it, or correct its name: an unknown element could name a file that svirt would not label.",
    });
    expect(refusals[4]).toEqual({
      by: "start",
      kind: "unsupported",
      libvirt: { name: "VIR_ERR_CONFIG_UNSUPPORTED", code: 67, domain: 20 },
      place: "/domain/devices/channel",
      message: NO_CHANNEL,
      remedy: "Leave this <channel> out.",
    });
  });

  test("names a disk by its number in the document, which a definition puts in another order", async () => {
    const ide = "<disk type='file'><source file='/b'/><target dev='hda'/><readonly/></disk>";
    const raw =
      "<disk type='network'><source protocol='ssh' name='a'><host name='b' port='1'/></source><target dev='hdb'/></disk>";
    const xml = domainXml({ disks: `${ide}${raw}${diskXml("/a.raw", "vda")}` });
    const { err } = await runOn(withXml(xml), "validate", "/vm.xml");
    expect(linesOf(err)).toEqual([
      "error: Cannot translate /domain/devices/disk[1]/readonly for QEMU: a disk on IDE or SATA cannot be read-only",
      "warning: Cannot start the guest: /domain/devices/disk[2]/source/@protocol: svirt does not pass SSH keys to a guest yet",
    ]);
  });

  test("lists 100 of many, and says that there are more", async () => {
    const many = domainXml({ devices: "<frob a='' b=''/>".repeat(4000) });
    const { code, err } = await runOn(withXml(many), "validate", "/vm.xml");
    expect(code).toBe(2);
    expect(linesOf(err)).toHaveLength(101);
    expect(linesOf(err).at(-1)).toBe("error: Cannot list all refusals: there are more than 100");
  });
});

describe("svirt define", () => {
  test("lists every refusal, and defines nothing", async () => {
    const machine = withXml(faulty);
    const before = snapshot(machine);
    const { code, err, out } = await runOn(machine, "define", "/vm.xml");
    expect([code, out]).toEqual([2, ""]);
    expect(linesOf(err)).toEqual([
      expect.stringMatching(CACHE),
      expect.stringMatching(RELATIVE),
      `error: ${UNKNOWN}`,
    ]);
    expect(snapshot(machine)).toEqual(before);
  });

  test("keeps what only a start refuses, without a word", async () => {
    const { code, err } = await runOn(withXml(unready), "define", "/vm.xml");
    expect([code, err]).toEqual([0, ""]);
  });
});

describe("a start", () => {
  test("lists all that it refuses of a definition", async () => {
    const machine = withXml(unready);
    await runOn(machine, "define", "/vm.xml");
    const before = snapshot(machine);
    for (const command of ["start", "plan"]) {
      const { code, err, out } = await runOn(machine, command, "vm1");
      expect([code, out]).toEqual([2, ""]);
      // The definition also has the display's audio device.
      expect(linesOf(err)).toEqual([`error: ${NO_CHANNEL}`, `error: ${NO_SPICE}`, `error: ${NO_SOUND}`]);
    }
    expect(snapshot(machine)).toEqual(before);
  });

  test("lists with what is refused of a document what it would refuse besides", async () => {
    const { code, err } = await runOn(withXml(faulty), "create", "/vm.xml");
    expect(code).toBe(2);
    expect(linesOf(err)).toEqual([
      `error: ${NO_SPICE}`,
      expect.stringMatching(CACHE),
      expect.stringMatching(RELATIVE),
      `error: ${UNKNOWN}`,
      `error: ${NO_CHANNEL}`,
    ]);
  });

  test("names each network that is not there, and all else in the order of the definition", async () => {
    const card = (name: string): string =>
      `<interface type='network'><source network='${name}'/></interface>`;
    const xml = domainXml({ devices: `<vsock><cid auto='yes'/></vsock>${card("a")}${card("b")}` });
    const { code, err } = await runOn(withXml(xml), "create", "/vm.xml");
    expect(code).toBe(3);
    expect(linesOf(err)).toEqual([
      "error: Network not found: no network with matching name 'a' (/domain/devices/interface[1]/source/@network)",
      "error: Network not found: no network with matching name 'b' (/domain/devices/interface[2]/source/@network)",
      "error: Cannot start the guest: /domain/devices/vsock: svirt does not open /dev/vhost-vsock yet",
    ]);
  });
});
