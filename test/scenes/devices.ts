import type { Instance } from "../../src/state/instance.ts";
import { poolStore } from "../../src/state/pools/pools.ts";
import { formatPool, parsePool } from "../../src/storage/pool/document.ts";
import type { Machine } from "../memory-host/machine.ts";
import { otherPoolXml } from "./pools.ts";
import { makeMachine, nodeOn } from "./scene.ts";

/** Size of a disk of makeScsiMachine(). */
export const DISK_BYTES = 1024 * 1024;
/** Path of the disk sdb in /dev/disk/by-path. */
export const BY_PATH = "/dev/disk/by-path/pci-0000:00:1f.2-scsi-0:0:1:0";
/** Identifier of the disk sdb: NAA 6, as scsi_id(8) prints it. */
export const SDB_KEY = "36001405a1b2c3d4e5f60718293a4b5c6";
/** Content of a pool of the partitions of sda. */
export const DISK_POOL = "<source><device path='/dev/sda'/></source><target><path>/dev</path></target>";
/** Content of a pool of an iSCSI target, whose disk is that of the SCSI host 3. */
export const ISCSI_POOL =
  "<source><host name='192.0.2.1'/><device path='iqn.2013-06.com.example:a'/></source><target><path>/dev</path></target>";
/** Label of a disk of no guest. */
export const DISK_LABEL = "system_u:object_r:fixed_disk_device_t:s0";

/** Content of a pool of the SCSI host 2 with that target. */
export const SCSI_POOL =
  "<source><adapter type='scsi_host' name='scsi_host2'/></source><target><path>/dev/disk/by-path</path></target>";
/** Content of a pool of multipath devices. */
export const MPATH_POOL = "<target><path>/dev/mapper</path></target>";

/** Page of device identification with one designator, SPC-4 7.8.6. */
export function page83(type: number, codeSet: number, value: readonly number[]): Uint8Array {
  return Uint8Array.of(0, 0x83, 0, 4 + value.length, codeSet, type, 0, value.length, ...value);
}

/** Gives the disk sda a partition table of type dos, by its last two bytes. */
export function putDosTable(machine: Machine): void {
  machine.files.get("/dev/sda").bytes.set([0x55, 0xaa], 510);
}

/**
 * Returns a machine with the SCSI host 2, which has the disks sda (with partitions, no identifier) and sdb, a
 * tape drive, and a disk without a path; and a multipath device over sdc of another host.
 */
export function makeScsiMachine(): Machine {
  const machine = makeMachine();
  const adapter = "/sys/devices/pci0000:00/0000:00:1f.2/host2";
  machine.files.putFolder(`${adapter}/scsi_host/host2`);
  putText(machine, `${adapter}/scsi_host/host2/unique_id`, "7");
  machine.files.putFolder("/sys/class/scsi_host");
  machine.files.put("/sys/class/scsi_host/host2", "symlink", { target: `${adapter}/scsi_host/host2` });
  putDisk(machine, { name: "sda", number: "8:0", unit: "2:0:0:0" });
  machine.files.remove("/sys/dev/block/8:0");
  putText(machine, "/sys/devices/sda/size", String(DISK_BYTES / 512));
  putText(machine, "/sys/devices/sda/dev", "8:0");
  machine.files.put("/sys/dev/block/8:0", "symlink", { target: "/sys/devices/sda" });
  putGeneric(machine, { unit: "2:0:0:0", disk: "/sys/devices/sda", number: "21:0" });
  putDisk(machine, { name: "sdb", number: "8:16", unit: "2:0:1:0" });
  putDisk(machine, { name: "sdd", number: "8:48", unit: "2:0:3:0" });
  putDisk(machine, { name: "sdc", number: "8:32", unit: "3:0:0:0" });
  putText(machine, "/sys/bus/scsi/devices/2:0:2:0/type", "1");
  const session = "/sys/devices/platform/host3/session1/iscsi_session/session1";
  putText(machine, `${session}/targetname`, "iqn.2013-06.com.example:a");
  machine.files.putFolder("/sys/class/iscsi_session");
  machine.files.put("/sys/class/iscsi_session/session1", "symlink", { target: session });
  putText(machine, "/sys/bus/scsi/devices/2:0:1:0/vendor", "LIO-ORG ");
  putText(machine, "/sys/bus/scsi/devices/2:0:1:0/model", "disk1           ");
  const naa = (SDB_KEY.slice(1).match(/../g) ?? []).map((digits) => Number.parseInt(digits, 16));
  machine.files.put("/sys/bus/scsi/devices/2:0:1:0/vpd_pg83", "file", { bytes: page83(3, 1, naa) });
  putPartition(machine, { name: "sda1", start: 2048, sectors: 1024 });
  // Of an extended partition the kernel shows two sectors.
  putPartition(machine, { name: "sda2", start: 3072, sectors: 2 });
  putPartition(machine, { name: "sda5", start: 3074, sectors: 512 });
  machine.files.putFolder("/dev/disk/by-path");
  machine.files.put(BY_PATH, "symlink", { target: "../../sdb" });
  machine.files.put(BY_PATH.replace("0:1:0", "0:0:0"), "symlink", { target: "../../sda" });
  putMultipath(machine);
  return machine;
}

/** Makes a pool of devices active, as its start does. */
function activateDevices(node: Instance, type: string, content: string): void {
  poolStore.writeActive(node, type, formatPool(parsePool(otherPoolXml(type, content, type))));
}

/** Returns a machine as makeScsiMachine(), with the active pools `scsi`, `mpath`, `disk` and `iscsi`. */
export function makeDevicePools(): Machine {
  const machine = makeScsiMachine();
  activateDevices(
    nodeOn(machine),
    "scsi",
    SCSI_POOL.replace("<source>", `<uuid>${SCSI_UUID}</uuid><source>`),
  );
  activateDevices(
    nodeOn(machine),
    "disk",
    DISK_POOL.replace("<source>", `<uuid>${DISK_UUID}</uuid><source>`),
  );
  activateDevices(
    nodeOn(machine),
    "iscsi",
    ISCSI_POOL.replace("<source>", `<uuid>${ISCSI_UUID}</uuid><source>`),
  );
  activateDevices(nodeOn(machine), "mpath", `<uuid>${MPATH_UUID}</uuid>${MPATH_POOL}`);
  return machine;
}

const SCSI_UUID = "aaaaaaaa-2222-4333-8444-0000000000a1";
const DISK_UUID = "aaaaaaaa-2222-4333-8444-0000000000a3";
const ISCSI_UUID = "aaaaaaaa-2222-4333-8444-0000000000a4";
const MPATH_UUID = "aaaaaaaa-2222-4333-8444-0000000000a2";

function putMultipath(machine: Machine): void {
  for (const [name, uuid, map] of [
    ["dm-0", "mpath-3600140500000000000000000000000000", "mpatha"],
    ["dm-1", "LVM-abc", "vg-root"],
  ] as const) {
    const number = `253:${name.slice(3)}`;
    putText(machine, `/sys/class/block/${name}/dm/uuid`, uuid);
    putText(machine, `/sys/class/block/${name}/dm/name`, map);
    putText(machine, `/sys/class/block/${name}/dev`, number);
    putNode(machine, `/dev/${name}`, number);
    machine.files.putFolder("/dev/mapper");
    machine.files.put(`/dev/mapper/${map}`, "symlink", { target: `../${name}` });
  }
  machine.files.putFolder("/sys/dev/block/8:32/holders/dm-0");
}

function putDisk(
  machine: Machine,
  { name, number, unit }: { readonly name: string; readonly number: string; readonly unit: string },
): void {
  putText(machine, `/sys/bus/scsi/devices/${unit}/type`, "0");
  putText(machine, `/sys/bus/scsi/devices/${unit}/block/${name}/dev`, number);
  putNode(machine, `/dev/${name}`, number);
}

/** Puts the generic node of a SCSI disk, whose folder in sysfs leads to the device. */
function putGeneric(
  machine: Machine,
  { disk, number, unit }: { readonly unit: string; readonly disk: string; readonly number: string },
): void {
  const device = `/sys/bus/scsi/devices/${unit}`;
  const name = `sg${number.slice("21:".length)}`;
  const block = disk.slice(disk.lastIndexOf("/"));
  machine.files.remove(`${device}/block${block}`);
  machine.files.put(`${device}/block${block}`, "symlink", { target: disk });
  machine.files.put(`${disk}/device`, "symlink", { target: device });
  putText(machine, `${device}/scsi_generic/${name}/dev`, number);
  machine.files.put(`${device}/scsi_generic/${name}/device`, "symlink", { target: device });
  machine.files.putFolder("/sys/dev/char");
  machine.files.put(`/sys/dev/char/${number}`, "symlink", { target: `${device}/scsi_generic/${name}` });
  const node = machine.files.put(`/dev/${name}`, "character", { node: number });
  node.xattrs.set("security.selinux", "system_u:object_r:scsi_generic_device_t:s0");
}

function putPartition(
  machine: Machine,
  { name, sectors, start }: { readonly name: string; readonly start: number; readonly sectors: number },
): void {
  const number = name.slice("sda".length);
  const folder = `/sys/devices/sda/${name}`;
  putNode(machine, `/dev/${name}`, `8:${number}`);
  machine.files.remove(`/sys/dev/block/8:${number}`);
  for (const [file, text] of [
    ["partition", number],
    ["dev", `8:${number}`],
    ["start", String(start)],
    ["size", String(sectors)],
  ] as const)
    putText(machine, `${folder}/${file}`, text);
  machine.files.put(`/sys/dev/block/8:${number}`, "symlink", { target: folder });
}

function putNode(machine: Machine, path: string, number: string): void {
  const node = machine.files.put(path, "block", { node: number, bytes: new Uint8Array(DISK_BYTES) });
  node.xattrs.set("security.selinux", DISK_LABEL);
  putText(machine, `/sys/dev/block/${number}/size`, String(DISK_BYTES / 512));
  putText(machine, `/sys/dev/block/${number}/dev`, number);
}

function putText(machine: Machine, path: string, text: string): void {
  machine.files.putFolder(path.slice(0, path.lastIndexOf("/")));
  machine.files.put(path, "file", { bytes: new TextEncoder().encode(`${text}\n`) });
}
