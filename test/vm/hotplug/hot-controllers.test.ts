import { beforeEach, describe, expect, test } from "bun:test";
import {
  attachDevice,
  detachDevice,
  detachDeviceAlias,
  updateDevice,
} from "../../../src/vm/hotplug/change-devices.ts";
import { formatLive } from "../../../src/vm/query/live-xml.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { comesAndGoesWhole, deviceOf, recordOf, wholeState } from "../../scenes/hotplug.ts";
import { diskXml, domainXml, errorOf, makeMachine, nodeOn, sweepAll } from "../../scenes/scene.ts";
import { strikeEverywhere } from "../../scenes/strikes.ts";

const ASK = { key: "vm1", options: { live: true }, isDryRun: false } as const;
const SCSI = "<controller type='scsi' index='0' model='virtio-scsi'/>";
const DISK = diskXml("/var/lib/images/private1.raw", "sda").replace("bus='virtio'", "bus='scsi'");
let machine: Machine;

const start = (devices = "") => startDomain(nodeOn(machine), domainXml({ devices }));
const attach = (device: string) => attachDevice(nodeOn(machine), ASK, deviceOf(device));
const detach = (device: string) => detachDevice(nodeOn(machine), ASK, deviceOf(device));
const xml = (): string => formatLive(nodeOn(machine), recordOf(machine));

beforeEach(() => {
  machine = makeMachine();
});

// virt-manager attaches one before each disk, if the guest has none.
describe("a SCSI controller that comes to a guest that runs", () => {
  test("has a free address, takes disks, and leaves nothing behind", async () => {
    await start();
    const before = wholeState(machine);
    await attach(SCSI);
    expect(recordOf(machine).steps.findLast((step) => step.do === "plug")?.commands).toEqual([
      {
        execute: "device_add",
        arguments: expect.objectContaining({ driver: "virtio-scsi-pci", id: "scsi0" }),
      },
    ]);
    expect(xml()).toContain("<alias name='scsi0'/>");
    await attach(DISK);
    expect(xml()).toContain("<target dev='sda' bus='scsi'/>");
    expect(await errorOf(detach(SCSI))).toMatchObject({
      kind: "wrong-state",
      message: "operation failed: device cannot be detached: device is busy",
    });
    await detach(DISK);
    await detach(SCSI);
    expect(wholeState(machine)).toEqual(before);
  });

  test("gets the lowest free number without an index, and is detached by its alias", async () => {
    await start(SCSI);
    const before = wholeState(machine);
    await attach("<controller type='scsi' model='virtio-scsi'/>");
    expect(xml()).toContain("<alias name='scsi1'/>");
    await detachDeviceAlias(nodeOn(machine), ASK, "scsi1");
    expect(wholeState(machine)).toEqual(before);
  });

  test.each([
    [
      "another type",
      "<controller type='usb' model='qemu-xhci' index='1'/>",
      "'usb' controller cannot be hot plugged",
    ],
    ["a number that the guest has", SCSI, "target scsi:0 already exists"],
  ])("with %s is refused, and nothing changes", async (_, device, message) => {
    await start(SCSI);
    const before = wholeState(machine);
    expect((await errorOf(attach(device))).message).toContain(message);
    expect(wholeState(machine)).toEqual(before);
  });

  test("is not changed, and one that the guest does not have is not found", async () => {
    await start();
    const device = deviceOf(SCSI);
    expect((await errorOf(updateDevice(nodeOn(machine), ASK, { device, force: false }))).message).toContain(
      "cannot modify device 'controller'",
    );
    expect(await errorOf(detach(SCSI))).toMatchObject({
      kind: "not-found",
      message: "device not found: controller scsi:0 not found",
    });
    expect((await errorOf(detach("<controller type='pci' index='0' model='pci-root'/>"))).message).toContain(
      "'pci' controller cannot be hot unplugged",
    );
  });

  test("is not found without its number, and stays", async () => {
    await start(SCSI);
    const before = wholeState(machine);
    expect(await errorOf(detach("<controller type='scsi'/>"))).toMatchObject({
      kind: "not-found",
      message: "device not found: controller scsi:-1 not found",
    });
    expect(wholeState(machine)).toEqual(before);
  });

  test("comes and goes whole, wherever svirt is killed", async () => {
    await comesAndGoesWhole(SCSI, async () => {
      const made = makeMachine();
      await startDomain(nodeOn(made), domainXml());
      return made;
    });
  });
});

/** Returns the SCSI controllers of the running guest: number and model. */
function scsi(on = machine): string[] {
  const found = formatLive(nodeOn(on), recordOf(on)).matchAll(
    /<controller type='scsi' index='(\d+)' model='(\S+)'>/g,
  );
  return [...found].map(([, index, model]) => `${index} ${model}`);
}

// qemuDomainFindOrCreateSCSIDiskController() of libvirt; domain/205-disk-hotplug-ordering.t of libvirt-TCK
describe("a disk on SCSI that comes to a guest without its controller", () => {
  const atController = (number: number, target = "sda"): string =>
    DISK.replace("sda", target).replace(
      "</disk>",
      `<address type='drive' controller='${number}' bus='0' target='0' unit='1'/></disk>`,
    );

  test("brings it, and leaves it behind", async () => {
    await start();
    const before = wholeState(machine);
    await attach(DISK);
    expect(scsi()).toEqual(["0 lsilogic"]);
    expect(xml()).toContain("<target dev='sda' bus='scsi'/>");
    await detach(DISK);
    expect(scsi()).toEqual(["0 lsilogic"]);
    await detach(SCSI);
    expect(wholeState(machine)).toEqual(before);
  });

  test("brings each with a lower number, of the model of the guest's last", async () => {
    await start(SCSI);
    await attach(atController(2));
    expect(scsi()).toEqual(["0 virtio-scsi", "1 virtio-scsi", "2 virtio-scsi"]);
  });

  test("brings none if it is refused", async () => {
    await start();
    const before = wholeState(machine);
    const missing = DISK.replace("private1.raw", "none.raw");
    expect((await errorOf(attach(missing))).message).toContain("No such file or directory");
    expect(wholeState(machine)).toEqual(before);
  });

  // As in libvirt: a guest that does not run its driver for slots would lose it at its next reset, with the
  // disks that it has by then.
  test("leaves it where QEMU refuses the disk, without a word to the guest", async () => {
    await start();
    const before = wholeState(machine);
    machine.qemu = { refuses: "blockdev-add", keepsDevices: true };
    expect((await errorOf(attach(atController(1)))).message).toContain("as the test wants it");
    expect(recordOf(machine)).not.toContainAnyKeys(["change", "asked"]);
    expect(scsi()).toEqual(["0 lsilogic", "1 lsilogic"]);
    machine.qemu = {};
    await attach(DISK);
    expect(scsi()).toEqual(["0 lsilogic", "1 lsilogic"]);
    for (const xml of [DISK, SCSI.replace("index='0'", "index='1'"), SCSI]) await detach(xml);
    expect(wholeState(machine)).toEqual(before);
  });

  test("brings none where QEMU refuses it", async () => {
    await start();
    const before = wholeState(machine);
    machine.qemu = { refuses: "device_add" };
    expect((await errorOf(attach(DISK))).message).toContain("as the test wants it");
    expect(wholeState(machine)).toEqual(before);
  });

  test("comes whole or not at all behind its controller, wherever svirt is killed", async () => {
    const prepare = async (): Promise<Machine> => {
      const made = makeMachine();
      await startDomain(nodeOn(made), domainXml());
      return made;
    };
    const before = wholeState(await prepare());
    const subject = {
      name: "attach",
      prepare,
      work: (node: ReturnType<typeof nodeOn>) => attachDevice(node, ASK, deviceOf(DISK)),
    };
    await strikeEverywhere(subject, "crash", async (struck, place) => {
      await sweepAll(struck);
      expect([place, recordOf(struck).change]).toEqual([place, undefined]);
      if (recordOf(struck).xml.includes("dev='sda'")) await detachDevice(nodeOn(struck), ASK, deviceOf(DISK));
      if (scsi(struck).length > 0) await detachDevice(nodeOn(struck), ASK, deviceOf(SCSI));
      expect([place, ...wholeState(struck)]).toEqual([place, ...before]);
    });
  });
});
