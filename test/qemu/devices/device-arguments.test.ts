import { describe, expect, test } from "bun:test";
import { formatArgv } from "../../../src/qemu/domain-argv.ts";
import { domainOf, type Row } from "../refused.ts";

type Keys = Readonly<Record<string, unknown>>;

/** Returns the properties of the `-device` with that id. */
function deviceOf(id: string, devices: string, machine?: string): Keys | undefined {
  const row: Row = [devices, "", undefined, machine];
  const values = formatArgv(domainOf(row)).filter((word) => word.startsWith("{"));
  const found = values
    .map((word) => JSON.parse(word) as Keys)
    .find((keys) => "driver" in keys && keys["id"] === id);
  return found;
}

/** Returns the ids of all devices of these drivers, in order. */
function idsOf(driver: RegExp, devices: string, machine?: string): readonly unknown[] {
  const row: Row = [devices, "", undefined, machine];
  return formatArgv(domainOf(row))
    .filter((word) => word.startsWith("{"))
    .map((word) => JSON.parse(word) as Keys)
    .filter((keys) => driver.test(String(keys["driver"])))
    .map((keys) => keys["id"]);
}

// qemuBuildDiskDeviceProps() and qemuAssignDeviceDiskAlias() in qemu_command.c and qemu_alias.c of libvirt
describe("a SCSI disk's place is told as its controller counts", () => {
  const diskOn = (model: string, id: string): Keys | undefined =>
    deviceOf(
      id,
      `<controller type='scsi' model='${model}'/><disk type='file'><source file='/a'/><target dev='sdc'/></disk>`,
    );

  test.each(["virtio-scsi", "lsisas1068", "lsisas1078", "vmpvscsi"])(
    "%s: channel, target and unit",
    (model) => {
      expect(diskOn(model, "scsi0-0-0-2")).toMatchObject({
        bus: "scsi0.0",
        channel: 0,
        "scsi-id": 0,
        lun: 2,
      });
    },
  );

  test.each(["dc390", "am53c974"])("%s: a number alone, and a name of four", (model) => {
    expect(diskOn(model, "scsi0-0-0-2")).toMatchObject({ "scsi-id": 2 });
    expect(diskOn(model, "scsi0-0-0-2")).not.toHaveProperty("lun");
  });

  test("lsilogic: a number alone, and a name of three", () => {
    expect(diskOn("lsilogic", "scsi0-0-2")).toMatchObject({ "scsi-id": 2 });
    expect(diskOn("lsilogic", "scsi0-0-2")).not.toHaveProperty("lun");
  });
});

// qemuBuildDeviceAddresDriveProps() of libvirt, which serves disks and host devices alike
test.each([
  ["lsisas1068", { bus: "scsi0.0", channel: 0, "scsi-id": 0, lun: 1 }],
  ["am53c974", { bus: "scsi0.0", "scsi-id": 1 }],
])("a SCSI device of the host stands on %s as a disk does", (model, place) => {
  const hostdev = `<hostdev mode='subsystem' type='scsi'><source protocol='iscsi' name='iqn.a/1'><host name='h'/></source>
    <address type='drive' unit='1'/></hostdev>`;
  const found = deviceOf("hostdev0", `<controller type='scsi' model='${model}'/>${hostdev}`);
  const { driver: _driver, drive: _drive, id: _id, ...keys } = found ?? {};
  expect(keys).toEqual(place);
});

// qemuBuildDeviceAddressProps() of libvirt always writes a virtio-serial port, and an interrupt only if it is
// not 0.
test("a console has the port 0 that its address leaves out", () => {
  const console = `<console type='pty'><target type='virtio'/><address type='virtio-serial' controller='0'/></console>`;
  expect(deviceOf("console0", console)).toMatchObject({ bus: "virtio-serial0.0", nr: 0 });
});

test("a serial port has no interrupt 0", () => {
  const serial = "<serial type='pty'><address type='isa' iobase='0x3f8' irq='0x0'/></serial>";
  expect(deviceOf("serial0", serial)).toMatchObject({ iobase: 0x3f8 });
  expect(deviceOf("serial0", serial)).not.toHaveProperty("irq");
});

// virDomainVirtioSerialAddrReserve() of libvirt visits all devices, including consoles.
test("a channel leaves the port that a console has", () => {
  const console = `<console type='pty'><target type='virtio'/><address type='virtio-serial' controller='0' port='1'/></console>`;
  const devices = `<channel type='pty'><target type='virtio' name='a'/></channel>${console}`;
  expect(deviceOf("channel0", devices)).toMatchObject({ bus: "virtio-serial0.0", nr: 2 });
  expect(deviceOf("console0", devices)).toMatchObject({ bus: "virtio-serial0.0", nr: 1 });
});

// qemuValidateDomainDeviceDefInput() of libvirt: "virtio (non-)transitional models are not supported for
// input type"
test.each(["virtio-transitional", "virtio-non-transitional"])("no input is %s", (model) => {
  const input = `<input type='passthrough' model='${model}'><source evdev='/dev/input/event1'/></input>`;
  expect(() => deviceOf("input0", input, "q35")).toThrow("/input/@model");
});

// qemuAssignDeviceAliases() of libvirt counts all watchdogs, including the one on the board.
test("a watchdog after the one on the board is the second", () => {
  const devices = "<watchdog model='itco'/><watchdog model='i6300esb'/>";
  expect(idsOf(/^i6300esb$/, devices, "q35")).toEqual(["watchdog1"]);
});

// qemuAssignDeviceAliases() of libvirt continues from the highest number in use. A user alias takes no
// number.
describe("a device that has no name is counted among those without", () => {
  const own = "<alias name='ua-x'/>";
  const random = (alias: string): string => `<rng model='virtio'><backend model='builtin'/>${alias}</rng>`;
  const card = (mac: number, alias: string): string =>
    `<interface type='user'><mac address='52:54:00:11:22:3${mac}'/>${alias}</interface>`;
  const passed = `<interface type='hostdev'><mac address='52:54:00:11:22:33'/><source><address type='pci' bus='6' slot='0' function='0'/></source></interface>`;
  const folder = (name: string, alias: string): string =>
    `<filesystem><source dir='/${name}'/><target dir='${name}'/>${alias}</filesystem>`;
  const crypto = (alias: string): string =>
    `<crypto model='virtio' type='qemu'><backend model='builtin'/>${alias}</crypto>`;
  const usb = (device: number, alias: string): string =>
    `<hostdev mode='subsystem' type='usb'><source><address bus='1' device='${device}'/></source>${alias}</hostdev>`;

  test.each([
    [/^virtio-rng/, random(own) + random(""), ["ua-x", "rng0"]],
    [/^rtl8139/, card(1, own) + card(2, ""), ["ua-x", "net0"]],
    [/^rtl8139/, passed + card(1, ""), ["net0"]],
    [/^virtio-9p/, folder("a", own) + folder("b", ""), ["ua-x", "fs0"]],
    [/^virtio-crypto/, crypto(own) + crypto(""), ["ua-x", "crypto0"]],
    [/^usb-host/, usb(1, own) + usb(2, ""), ["ua-x", "hostdev0"]],
  ])("%s", (driver, devices, ids) => {
    expect(idsOf(driver, devices)).toEqual(ids);
  });
});

// qemuDeviceVideoGetModel() of libvirt: "virtio-vga" is a virtio device, and vhost-user-vga gets no options.
test("the first virtio card has the options of virtio", () => {
  const card = "<graphics type='vnc'/><video><driver iommu='on'/><model type='virtio'/></video>";
  expect(deviceOf("video0", card)).toMatchObject({ driver: "virtio-vga", iommu_platform: true });
});

// virDomainVideoDefPostParse() and qemuDomainDeviceVideoDefPostParse() of libvirt replace 0 by the default.
test.each([
  ["<model type='vga' vram='0'/>", { vgamem_mb: 16 }],
  [
    "<model type='qxl' ram='0' vram='0' vram64='0' vgamem='0'/>",
    { ram_size: 2 ** 26, vram_size: 2 ** 26, vram64_size_mb: 0, vgamem_mb: 16 },
  ],
])("a graphics card with no memory has what is the default: %s", (model, keys) => {
  expect(deviceOf("video0", `<graphics type='vnc'/><video>${model}</video>`)).toMatchObject(keys);
});

// virDiskNameParse() of libvirt: the prefixes "fd", "hd", "vd", "sd", "xvd" and "ubd" precede the letters of
// the index.
test.each([
  ["xvdc", "virtio", "virtio-disk2"],
  ["ubdb", "sata", "sata0-0-1"],
])("the letters of %s count on %s", (dev, bus, id) => {
  const disk = `<disk type='file'><source file='/a'/><target dev='${dev}' bus='${bus}'/></disk>`;
  expect(deviceOf(id, disk)).toBeDefined();
});

// qemuBuildClockCommandLine() of libvirt visits all timers; qemuBuildClockArgStr() ends with the first rtc.
test("each pit is told, and the first rtc", () => {
  const timers = ["rtc", "pit", "rtc", "pit"].map((name, at) => {
    const policy = at < 2 ? "delay" : "catchup";
    return `<timer name='${name}' tickpolicy='${name === "pit" ? "discard" : policy}'/>`;
  });
  const words = formatArgv(domainOf(["", "", `<clock offset='utc'>${timers.join("")}</clock>`]));
  expect(words).toContain("base=utc");
  expect(words.filter((word) => word === "kvm-pit.lost_tick_policy=discard")).toHaveLength(2);
});

// qemuBuildVirtioSerialPortDevProps() of libvirt adds a default name only for the type spicevmc.
test.each([
  ["spicevmc", "com.redhat.spice.0"],
  ["qemu-vdagent", undefined],
])("a nameless channel of %s has the name %s", (type, name) => {
  const channel = `<graphics type='spice'/><channel type='${type}'><target type='virtio'/></channel>`;
  expect(deviceOf("channel0", channel)?.["name"]).toBe(name);
});
