import { describe, expect, test } from "bun:test";
import type { Instance } from "../../../src/state/instance.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { diskXml, domainXml, makeMachine, nodeOn, reapAll, UUID } from "../../scenes/scene.ts";
import { asked, call, domain, errorIn, text, word } from "../remote-client.ts";

const ON = domain("vm1", UUID, 1);
const XML = domainXml({ disks: diskXml("/var/lib/images/private1.raw", "vda") });
const DISK = text(diskXml("/var/lib/images/private2.raw", "vdb"));
const SAVE = "/var/lib/images/vm1.save";
/** VIR_DOMAIN_AFFECT_LIVE and VIR_DOMAIN_AFFECT_CONFIG of libvirt-domain.h */
const [LIVE, CONFIG] = [1, 2];
const long = (value: number): string => value.toString(16).padStart(16, "0");

/** Returns a machine on which vm1 is defined and runs. */
async function runningMachine(): Promise<Machine> {
  const machine = makeMachine();
  await defineDomain(nodeOn(machine), XML);
  await startDomain(nodeOn(machine), XML);
  return machine;
}

/** Returns the XML of vm1 as a client gets it: 0 of the guest, 2 of the definition. */
async function xmlOf(instance: Instance, flags: number): Promise<string> {
  const { payload } = await asked(instance, call(14, ON + word(flags)));
  return Buffer.from(payload, "hex").toString();
}

/** Returns where the second disk is. */
async function disksOf(instance: Instance): Promise<string> {
  const forms = await Promise.all([0, 2].map((flags) => xmlOf(instance, flags)));
  return forms.map((xml) => (xml.includes("private2.raw") ? "yes" : "no")).join(" ");
}

describe("devices", () => {
  test.each<[string, number, string, string]>([
    ["virDomainAttachDevice() changes the running guest", 8, DISK, "yes no"],
    ["virDomainAttachDeviceFlags() changes the running guest by default", 160, DISK + word(0), "yes no"],
    ["VIR_DOMAIN_AFFECT_LIVE changes the running guest", 160, DISK + word(LIVE), "yes no"],
    ["VIR_DOMAIN_AFFECT_CONFIG changes the definition", 160, DISK + word(CONFIG), "no yes"],
    ["both flags change both", 160, DISK + word(LIVE | CONFIG), "yes yes"],
  ])("%s", async (...[, number, rest, expected]) => {
    const instance = nodeOn(await runningMachine());
    expect(errorIn(await asked(instance, call(number, ON + rest)))).toBeUndefined();
    expect(await disksOf(instance)).toBe(expected);
  });

  test.each([
    ["virDomainDetachDevice()", 13, DISK, "no yes"],
    ["virDomainDetachDeviceFlags()", 161, DISK + word(LIVE | CONFIG), "no no"],
  ])("%s detaches a device", async (...[, number, rest, expected]) => {
    const instance = nodeOn(await runningMachine());
    await asked(instance, call(160, ON + DISK + word(LIVE | CONFIG)));
    expect(errorIn(await asked(instance, call(number, ON + rest)))).toBeUndefined();
    expect(await disksOf(instance)).toBe(expected);
    expect(errorIn(await asked(instance, call(13, ON + DISK)))?.code).toBe(99);
  });

  test.each([
    ["virDomainDetachDevice()", 13, DISK, "yes yes"],
    ["virDomainDetachDeviceFlags()", 161, DISK + word(LIVE | CONFIG), "yes no"],
    ["virDomainDetachDeviceAlias()", 392, text("virtio-disk1") + word(LIVE), "yes yes"],
  ])("%s succeeds for a guest that keeps the device", async (...[, number, rest, expected]) => {
    const machine = await runningMachine();
    const instance = nodeOn(machine);
    await asked(instance, call(160, ON + DISK + word(LIVE | CONFIG)));
    machine.qemu = { keepsDevices: true };
    expect(errorIn(await asked(instance, call(number, ON + rest)))).toBeUndefined();
    expect(await disksOf(instance)).toBe(expected);
    machine.qemu = { rejectsUnplug: new Set(["virtio-disk1"]) };
    expect(errorIn(await asked(instance, call(13, ON + DISK)))).toMatchObject({
      code: 9,
      message: "operation failed: unplug of device was rejected by the guest",
    });
  });

  test("a device that a running guest cannot change, other flags and XML that is none are refused", async () => {
    const instance = nodeOn(await runningMachine());
    const rng = text("<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>");
    expect(errorIn(await asked(instance, call(174, ON + rng + word(LIVE))))?.code).toBe(84);
    expect(errorIn(await asked(instance, call(160, ON + DISK + word(4))))?.message).toBe(
      "unsupported flags (0x4) in function qemuDomainAttachDeviceLiveAndConfig",
    );
    expect(errorIn(await asked(instance, call(8, ON + text("<disk"))))?.domain).toBe(20);
  });
});

describe("memory and virtual CPUs", () => {
  test("are set for the definition, also their maximum", async () => {
    const instance = nodeOn(await runningMachine());
    const calls = [
      call(204, ON + long(131_072) + word(CONFIG | 4)),
      call(204, ON + long(100_000) + word(CONFIG)),
      call(199, ON + word(4) + word(CONFIG | 4)),
      call(199, ON + word(3) + word(CONFIG)),
    ];
    for (const packet of calls) expect(errorIn(await asked(instance, packet))).toBeUndefined();
    const xml = await xmlOf(instance, 2);
    for (const part of ["131072</memory>", "100000</currentMemory>", "current='3'>4</vcpu>"])
      expect(xml).toContain(part);
    const count = (flags: number): string => call(200, ON + word(flags));
    expect((await asked(instance, count(CONFIG))).payload).toBe(word(3));
    expect((await asked(instance, count(CONFIG | 4))).payload).toBe(word(4));
    expect(errorIn(await asked(instance, count(LIVE | CONFIG)))).toMatchObject({
      code: 8,
      message: "Flags 'VIR_DOMAIN_AFFECT_LIVE' and 'VIR_DOMAIN_AFFECT_CONFIG' are mutually exclusive",
    });
  });

  test("of a running guest have a maximum that only its next start changes", async () => {
    const machine = await runningMachine();
    machine.qemu = { answers: new Map([["balloon", {}]]) };
    const instance = nodeOn(machine);
    expect(errorIn(await asked(instance, call(31, ON + long(65_536))))).toBeUndefined();
    expect(errorIn(await asked(instance, call(31, ON + long(65_537))))?.code).toBe(8);
    expect(errorIn(await asked(instance, call(30, ON + long(131_072))))?.code).toBe(74);
    for (const none of [call(31, ON + long(0)), call(32, ON + word(0)), call(32, ON + word(2 ** 32 - 1))])
      expect(errorIn(await asked(instance, none))?.code).toBe(8);
  });

  test("of a guest that is off have no processors, and too large maps are refused before they are made", async () => {
    const machine = makeMachine();
    await defineDomain(nodeOn(machine), XML);
    expect(errorIn(await asked(nodeOn(machine), call(20, ON + word(1) + word(1))))).toMatchObject({
      code: 55,
      message: "Requested operation is not valid: cannot retrieve vcpu information on inactive domain",
    });
    for (const [most, bytes] of [
      [16_384, 513],
      [-1, 1],
      [16_385, 0],
      [1, -1],
    ] as const)
      expect(errorIn(await asked(nodeOn(machine), call(20, ON + word(most) + word(bytes))))?.code).toBe(8);
  });
});

describe("saving", () => {
  test("writes a file that a restore starts, paused if the client wants that", async () => {
    const machine = await runningMachine();
    expect(errorIn(await asked(nodeOn(machine), call(55, ON + text(SAVE))))).toBeUndefined();
    await reapAll(machine);
    const xml = await asked(nodeOn(machine), call(235, text(SAVE) + word(0)));
    expect(Buffer.from(xml.payload, "hex").toString()).toContain("<name>vm1</name>");
    const restore = call(233, text(SAVE) + word(0) + word(4));
    expect(errorIn(await asked(nodeOn(machine), restore))).toBeUndefined();
    // VIR_DOMAIN_PAUSED
    expect((await asked(nodeOn(machine), call(212, ON + word(0)))).payload.slice(0, 8)).toBe(word(3));
  });

  test("for the next start is removed once", async () => {
    const machine = await runningMachine();
    expect(errorIn(await asked(nodeOn(machine), call(182, ON + word(0))))).toBeUndefined();
    await reapAll(machine);
    expect((await asked(nodeOn(machine), call(183, ON + word(0)))).payload).toBe(word(1));
    expect(errorIn(await asked(nodeOn(machine), call(184, ON + word(0))))).toBeUndefined();
    expect(errorIn(await asked(nodeOn(machine), call(184, ON + word(0))))).toMatchObject({
      code: 38,
      message: expect.stringMatching(/^Failed to remove managed save file '.*': No such file or directory$/),
    });
  });

  test("to a relative path, with XML of no domain or with both flags is refused", async () => {
    const instance = nodeOn(await runningMachine());
    const flags = (path: string, xml: string, bits: number): string =>
      call(232, ON + text(path) + xml + word(bits));
    expect(errorIn(await asked(instance, flags("vm1.save", word(0), 0)))?.code).toBe(8);
    expect(errorIn(await asked(instance, flags(SAVE, word(1) + text("<domain/>"), 0)))?.code).toBe(27);
    expect(errorIn(await asked(instance, flags(SAVE, word(0), 6)))?.message).toBe(
      "Flags 'VIR_DOMAIN_SAVE_RUNNING' and 'VIR_DOMAIN_SAVE_PAUSED' are mutually exclusive",
    );
  });

  test("is no job that a client sees or ends", async () => {
    const instance = nodeOn(await runningMachine());
    // VIR_DOMAIN_JOB_NONE, and eleven numbers of virDomainJobInfo
    expect((await asked(instance, call(163, ON))).payload).toBe(word(0) + long(0).repeat(11));
    expect((await asked(instance, call(298, ON + word(1)))).payload).toBe(word(0) + word(0));
    expect(errorIn(await asked(instance, call(164, ON)))).toMatchObject({
      code: 55,
      message: "Requested operation is not valid: no job is active on the domain",
    });
  });
});
