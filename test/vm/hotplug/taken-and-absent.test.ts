import { describe, expect, test } from "bun:test";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { attachDevice, updateDevice } from "../../../src/vm/hotplug/change-devices.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { cdXml, deviceOf, machineWithDisks, wholeState } from "../../scenes/hotplug.ts";
import { diskXml, domainXml, errorOf, nodeOn } from "../../scenes/scene.ts";

const CHANNEL = "<channel type='unix'><target type='virtio' name='org.a'/></channel>";
const HOST_DEVICE =
  "<hostdev mode='subsystem' type='usb'><source><vendor id='0x1234'/><product id='0xbeef'/></source></hostdev>";
const CONTROLLER = "<controller type='scsi' index='0' model='virtio-scsi'/>";
const DISK = diskXml("/var/lib/images/private2.raw", "vda");
const ABSENT = cdXml("/var/lib/images/base.raw").replace("hdc", "hdd");

type Form = "--config" | "--live";

const askOf = (form: Form) => ({
  key: "vm1",
  options: form === "--live" ? { live: true } : { config: true },
  isDryRun: false,
});

/** Returns a machine whose guest runs and is defined, with the devices that the cases name. */
async function machineWithBoth(): Promise<Machine> {
  const machine = await machineWithDisks(CHANNEL);
  const disks = diskXml("/var/lib/images/private1.raw", "vda") + CHANNEL + HOST_DEVICE + CONTROLLER;
  await defineDomain(nodeOn(machine), domainXml({ disks }));
  return machine;
}

// Seen at libvirtd 11.3.0.
describe("a change of devices is refused with libvirt's error:", () => {
  test.each<[string, Form, string, string]>([
    ["a used target", "--config", DISK, "target vda already exists"],
    ["a used channel", "--config", CHANNEL, "chardev already exists"],
    ["a used channel", "--live", CHANNEL, "chardev already exists"],
    ["a used number", "--config", CONTROLLER, "controller index='0' already exists"],
    ["a used device", "--config", HOST_DEVICE, "the domain already has"],
  ])("attaching %s, %s", async (...[, form, xml, why]) => {
    const machine = await machineWithBoth();
    const before = wholeState(machine);
    const error = await errorOf(attachDevice(nodeOn(machine), askOf(form), deviceOf(xml)));
    expect([error.libvirt.code, error.libvirt.domain, error.kind]).toEqual([55, 10, "wrong-state"]);
    expect(error.message).toStartWith(`Requested operation is not valid: ${why}`);
    expect(wholeState(machine)).toEqual(before);
  });

  test.each<[Form, number, string]>([
    ["--config", 8, "invalid argument: target hdd doesn't exist."],
    ["--live", 1, "internal error: disk 'hdd' not found"],
  ])("changing the medium of a disk that is absent, %s", async (form, code, message) => {
    const machine = await machineWithBoth();
    const change = { device: deviceOf(ABSENT), force: false };
    const error = await errorOf(updateDevice(nodeOn(machine), askOf(form), change));
    expect([error.message, error.libvirt.code, error.libvirt.domain]).toEqual([message, code, 10]);
  });
});
