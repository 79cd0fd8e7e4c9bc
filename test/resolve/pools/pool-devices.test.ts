import { describe, expect, test } from "bun:test";
import { errorsOf } from "../../../src/errors.ts";
import { devicesSpace, listPoolDevices } from "../../../src/resolve/pools/pool-devices.ts";
import { formatPool, parsePool } from "../../../src/storage/pool/document.ts";
import { hostCall } from "../../memory-host/file-tree.ts";
import type { Machine } from "../../memory-host/machine.ts";
import {
  BY_PATH,
  DISK_POOL,
  ISCSI_POOL,
  MPATH_POOL,
  makeScsiMachine,
  SCSI_POOL,
  SDB_KEY,
} from "../../scenes/devices.ts";
import { otherPoolXml } from "../../scenes/pools.ts";
import { nodeOn, putText } from "../../scenes/scene.ts";

function listed(type: string, content: string, machine = makeScsiMachine()) {
  return listPoolDevices(nodeOn(machine).host, parsePool(otherPoolXml(type, content))).map(
    ({ facts, key, name, path }) => [name, key, path, facts.id.path],
  );
}

const SDA = BY_PATH.replace("0:1:0", "0:0:0");

/** Adds a disk of the SCSI host 2 with a name in /dev/disk/by-path. */
function putUnit(machine: Machine, lun: number): void {
  const unit = `/sys/bus/scsi/devices/2:0:9:${lun}`;
  const number = `65:${lun}`;
  putText(machine, `${unit}/type`, "0\n");
  putText(machine, `${unit}/block/sdx${lun}/dev`, `${number}\n`);
  machine.files.put(`/dev/sdx${lun}`, "block", { node: number });
  machine.files.put(BY_PATH.replace("0:1:0", `0:9:${lun}`), "symlink", { target: `../../sdx${lun}` });
}

// virStorageBackendSCSINewLun() of libvirt
describe("listPoolDevices() of a SCSI host", () => {
  test("lists the disks that have a path in the target, by bus, target and unit", () => {
    expect(listed("scsi", SCSI_POOL)).toEqual([
      ["unit:0:0:0", SDA, SDA, "/dev/sda"],
      ["unit:0:1:0", SDB_KEY, BY_PATH, "/dev/sdb"],
    ]);
  });

  test("lists all disks with their nodes in /dev", () => {
    const content = SCSI_POOL.replace("/dev/disk/by-path", "/dev");
    expect(listed("scsi", content).map(([name, , path]) => [name, path])).toEqual([
      ["unit:0:0:0", "/dev/sda"],
      ["unit:0:1:0", "/dev/sdb"],
      ["unit:0:3:0", "/dev/sdd"],
    ]);
  });

  test("finds the host by the address of its PCI device and its number there", () => {
    const adapter =
      "<adapter type='scsi_host'><parentaddr unique_id='7'><address domain='0' bus='0' slot='0x1f' function='2'/></parentaddr></adapter>";
    const content = SCSI_POOL.replace(/<adapter.*\/>/, adapter);
    expect(listed("scsi", content)).toHaveLength(2);
    const [error] = errorsOf(() => listed("scsi", content.replace("unique_id='7'", "unique_id='8'")));
    // virSCSIHostGetNameByParentaddr() of libvirt
    expect(error?.message).toBe("Failed to find scsi_host using PCI '0000:00:1f.2' and unique_id='8'");
  });

  test.each([
    [SCSI_POOL.replace("scsi_host2", "host9"), "/sys/class/scsi_host/host9 is missing"],
    [SCSI_POOL.replace("scsi_host2", "hba"), "Invalid adapter name 'hba' for SCSI pool"],
    [SCSI_POOL.replace("/dev/disk/by-path", "/srv"), "unable to use target path '/srv' for dev 'sda'"],
  ])("refuses %s", (content, message) => {
    const [error] = errorsOf(() => listed("scsi", content));
    expect(error?.message).toContain(message);
    expect(error?.remedy).not.toBe("");
  });

  // createVport() and getAdapterName() of libvirt: the host of an existing port is used.
  test("finds the host of a Fibre Channel port, and makes no virtual port", () => {
    const machine = makeScsiMachine();
    const port = "/sys/class/fc_host/host2";
    putText(machine, `${port}/node_name`, "0x20000000c9831b4b\n");
    putText(machine, `${port}/port_name`, "0x10000000c9831b4b\n");
    const content = (wwpn: string, more = ""): string =>
      SCSI_POOL.replace(
        /<adapter.*\/>/,
        `<adapter type='fc_host'${more} wwnn='20000000C9831B4B' wwpn='${wwpn}'/>`,
      );
    expect(listed("scsi", content("10000000c9831b4b"), machine)).toHaveLength(2);
    expect(listed("scsi", content("10000000c9831b4b", " parent='scsi_host9'"), machine)).toHaveLength(2);
    const missing = errorsOf(() =>
      listed("scsi", content("10000000c9831b4c", " parent='scsi_host7'"), machine),
    );
    expect(missing.map(({ kind, message, remedy }) => [kind as string, message, remedy])).toEqual([
      [
        "not-found",
        "Cannot find the adapter: no Fibre Channel port has wwnn='20000000c9831b4b' and wwpn='10000000c9831b4c'",
        "Make it: echo 10000000c9831b4c:20000000c9831b4b >/sys/class/fc_host/host7/vport_create",
      ],
    ]);
  });

  test("looks at each entry of the target once, however many disks there are", () => {
    const machine = makeScsiMachine();
    for (let lun = 1; lun <= 200; lun += 1) putUnit(machine, lun);
    const { host } = nodeOn(machine);
    let looks = 0;
    const inspectFile: typeof host.inspectFile = (path) => {
      looks += 1;
      return host.inspectFile(path);
    };
    const found = listPoolDevices({ ...host, inspectFile }, parsePool(otherPoolXml("scsi", SCSI_POOL)));
    expect(found).toHaveLength(202);
    expect(looks).toBeLessThan(10 * found.length);
  });

  // kernfs answers ENODEV for a file that is being removed; a page that the kernel has lost is EINVAL.
  // drivers/scsi/scsi_sysfs.c
  test("skips a disk that vanishes meanwhile, and takes the path as the key of one that lost its page", () => {
    const machine = makeScsiMachine();
    const { host } = nodeOn(machine);
    const failing: typeof host = {
      ...host,
      readText(path) {
        if (path !== "/sys/bus/scsi/devices/2:0:0:0/type") return host.readText(path);
        machine.files.remove("/sys/bus/scsi/devices/2:0:0:0");
        throw hostCall(`read ${path}`, "ENODEV: no such device");
      },
      readBytes(id, ...part) {
        if (!id.path.includes("vpd_pg")) return host.readBytes(id, ...part);
        throw hostCall(`read ${id.path}`, "EINVAL: invalid argument");
      },
    };
    const found = listPoolDevices(failing, parsePool(otherPoolXml("scsi", SCSI_POOL)));
    expect(found.map(({ key, name }) => [name, key])).toEqual([["unit:0:1:0", BY_PATH]]);
  });

  test("reports a disk that is there and cannot be read", () => {
    const { host } = nodeOn(makeScsiMachine());
    const readText: typeof host.readText = (path) => {
      if (path.endsWith("/type")) throw hostCall(`read ${path}`, "EACCES: permission denied");
      return host.readText(path);
    };
    const pool = parsePool(otherPoolXml("scsi", SCSI_POOL));
    const [error] = errorsOf(() => listPoolDevices({ ...host, readText }, pool));
    expect(error?.message).toContain("EACCES");
  });

  test("skips a node that has become another device", () => {
    const machine = makeScsiMachine();
    machine.files.remove("/dev/sdb");
    machine.files.put("/dev/sdb", "block", { node: "8:64" });
    expect(listed("scsi", SCSI_POOL, machine).map(([name]) => name)).toEqual(["unit:0:0:0"]);
  });
});

// virStorageBackendISCSIFindLUs() and virStorageBackendISCSIPortal() of libvirt
describe("listPoolDevices() of an iSCSI target", () => {
  test("lists the disks of the session with it", () => {
    expect(listed("iscsi", ISCSI_POOL)).toEqual([["unit:0:0:0", "/dev/sdc", "/dev/sdc", "/dev/sdc"]]);
  });

  test("names the commands that log in to a target without a session", () => {
    const [error] = errorsOf(() => listed("iscsi", ISCSI_POOL.replaceAll("example:a", "example:b")));
    expect([error?.kind, error?.message]).toEqual([
      "wrong-state",
      "Cannot use the iSCSI target iqn.2013-06.com.example:b: the host is not logged in to it",
    ]);
    expect(error?.remedy).toContain(
      "--portal 192.0.2.1:3260,1 --targetname iqn.2013-06.com.example:b --login",
    );
  });

  test.each([
    [
      ISCSI_POOL.replace("<device", "<host name='192.0.2.2'/><device"),
      "Expected exactly 1 host for the storage pool",
    ],
    [ISCSI_POOL.replace("iqn.2013", "--iqn.2013"), "is not the name of an iSCSI target"],
    [ISCSI_POOL.replace("example:a", "example:a;reboot"), "is not the name of an iSCSI target"],
    [
      ISCSI_POOL.replace("</source>", "<auth type='ceph' username='a'><secret usage='b'/></auth></source>"),
      "iscsi pool only supports 'chap' auth type",
    ],
    [
      ISCSI_POOL.replace("</source>", "<initiator><iqn name='--iqn.a'/></initiator></source>"),
      "is not the name of an iSCSI initiator",
    ],
  ])("refuses %s", (content, message) => {
    const [error] = errorsOf(() => listed("iscsi", content));
    expect([error?.kind, error?.message]).toEqual(["unsupported", expect.stringContaining(message)]);
  });
});

// virStorageBackendDiskMakeDataVol() of libvirt, and the extents of its
// tests/storagevolxml2xmlin/vol-partition.xml
describe("listPoolDevices() of a disk", () => {
  test("lists its partitions, and no extended one", () => {
    const pool = parsePool(otherPoolXml("disk", DISK_POOL));
    const found = listPoolDevices(nodeOn(makeScsiMachine()).host, pool);
    expect(found.map(({ extent, key, name, path }) => [name, key, path, extent])).toEqual([
      ["sda1", "/dev/sda1", "/dev/sda1", { device: "/dev/sda", start: 1_048_576, end: 1_572_864 }],
      ["sda5", "/dev/sda5", "/dev/sda5", { device: "/dev/sda", start: 1_573_888, end: 1_836_032 }],
    ]);
  });

  test.each([
    ["/dev/none", "device path '/dev/none' doesn't exist"],
    ["/dev/sda1", "it is no whole disk"],
    ["/etc", "it is no whole disk"],
  ])("refuses %s", (path, message) => {
    const [error] = errorsOf(() => listed("disk", DISK_POOL.replace("/dev/sda", path)));
    expect(error?.message).toContain(message);
  });
});

// virStorageBackendMpathNewVol() of libvirt
test("listPoolDevices() lists multipath devices alone, by their numbers", () => {
  expect(listed("mpath", MPATH_POOL)).toEqual([
    ["dm-0", "/dev/mapper/mpatha", "/dev/mapper/mpatha", "/dev/dm-0"],
  ]);
});

// Documentation/ABI/stable/sysfs-block of Linux: the size in sectors, up to 2^55 of them.
test("devicesSpace() prints a number for disks of any size that a target reports", async () => {
  const machine = makeScsiMachine();
  for (const number of ["8:0", "8:16"])
    putText(machine, `/sys/dev/block/${number}/size`, "36028797018963967\n");
  const pool = parsePool(otherPoolXml("scsi", SCSI_POOL));
  const space = await devicesSpace(nodeOn(machine).host, pool);
  expect(space.capacityBytes).toBe(Number.MAX_SAFE_INTEGER);
  expect(formatPool(pool, space)).toContain("<capacity unit='bytes'>9007199254740991</capacity>");
});

test("a disk is not searched by a path that depends on the folder of the caller", () => {
  for (const path of ["dev/sda", "sda", "../dev/sda"]) {
    const [error] = errorsOf(() => listed("disk", DISK_POOL.replace("/dev/sda", path)));
    expect([path, error?.message]).toEqual([path, `device path '${path}' doesn't exist`]);
  }
});
