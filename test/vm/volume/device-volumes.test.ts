import { describe, expect, test } from "bun:test";
import { errorsOfWork } from "../../../src/errors.ts";
import { showLabel } from "../../../src/labelling/show-label.ts";
import { fileKey } from "../../../src/plan/facts/file-key.ts";
import { registryLock, SYSTEM_PATHS } from "../../../src/plan/paths.ts";
import { registryOf } from "../../../src/state/instance.ts";
import { poolStore } from "../../../src/state/pools/pools.ts";
import { formatPool, parsePool } from "../../../src/storage/pool/document.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { downloadVolume } from "../../../src/vm/volume/content/download-volume.ts";
import { uploadVolume } from "../../../src/vm/volume/content/upload-volume.ts";
import { wipeVolume } from "../../../src/vm/volume/content/wipe-volume.ts";
import { cloneVolume } from "../../../src/vm/volume/copy-volume.ts";
import { createVolumeFrom } from "../../../src/vm/volume/create-volume.ts";
import { deleteVolume } from "../../../src/vm/volume/delete-volume.ts";
import { findVolume } from "../../../src/vm/volume/find-volume.ts";
import { listPoolVolumes, listPoolVolumesWithSizes } from "../../../src/vm/volume/list-volumes.ts";
import { resizeVolume } from "../../../src/vm/volume/resize-volume.ts";
import { showVolumeOf } from "../../../src/vm/volume/show-volume.ts";
import { listVolumePools } from "../../../src/vm/volume/volume-pool.ts";
import type { Machine } from "../../memory-host/machine.ts";
import {
  BY_PATH,
  DISK_BYTES,
  DISK_LABEL,
  makeDevicePools,
  SCSI_POOL,
  SDB_KEY,
} from "../../scenes/devices.ts";
import { otherPoolXml } from "../../scenes/pools.ts";
import { domainXml, errorOf, nodeOn, OTHER } from "../../scenes/scene.ts";
import { setLabel } from "../../scenes/set-label.ts";

const SDA = BY_PATH.replace("0:1:0", "0:0:0");
const SDB = { key: "unit:0:1:0", pool: "scsi" };
const WHOLE = { offset: 0, mostBytes: undefined, isSparse: false };
const UNSUPPORTED = "this function is not supported by the connection driver: storage pool does not support";

function put(machine: Machine, path: string, text = ""): void {
  machine.files.putFolder(path.slice(0, path.lastIndexOf("/")));
  machine.files.put(path, "file", { bytes: new TextEncoder().encode(text) });
}

describe("the volumes of a pool of devices", () => {
  test("are listed by name and path, without access to them", async () => {
    const machine = makeDevicePools();
    const node = nodeOn(machine);
    expect(await listPoolVolumes(node, "scsi")).toMatchObject([
      { name: "unit:0:0:0", path: SDA, type: "block" },
      { name: "unit:0:1:0", key: SDB_KEY, path: BY_PATH, type: "block" },
    ]);
    expect(await listPoolVolumesWithSizes(node, "mpath")).toEqual([
      {
        name: "dm-0",
        path: "/dev/mapper/mpatha",
        type: "block",
        format: "unknown",
        capacityBytes: DISK_BYTES,
        allocationBytes: DISK_BYTES,
      },
    ]);
  });

  test("are found by name in the pool, by key and by path", async () => {
    const node = nodeOn(makeDevicePools());
    for (const [key, pool] of [
      ["unit:0:1:0", "scsi"],
      [SDB_KEY, undefined],
      [BY_PATH, undefined],
      [SDB_KEY, "scsi"],
    ] as const)
      expect(await findVolume(node, key, pool)).toMatchObject({
        name: "unit:0:1:0",
        key: SDB_KEY,
        path: BY_PATH,
      });
  });

  test("are shown with the device's size, permissions and partition table", async () => {
    const machine = makeDevicePools();
    machine.files.get("/dev/sdb").bytes.set([0x55, 0xaa], 510);
    expect(await showVolumeOf(nodeOn(machine), "unit:0:1:0", "scsi")).toMatchObject({
      type: "block",
      name: "unit:0:1:0",
      key: SDB_KEY,
      capacityBytes: DISK_BYTES,
      allocationBytes: DISK_BYTES,
      target: { path: BY_PATH, format: { type: "dos" }, permissions: { mode: 0o600, label: DISK_LABEL } },
    });
  });

  test("are shown by their key or path without the pool, too", async () => {
    const node = nodeOn(makeDevicePools());
    for (const key of [SDB_KEY, BY_PATH])
      expect(await showVolumeOf(node, key, undefined)).toMatchObject({ name: "unit:0:1:0", key: SDB_KEY });
    expect(await showVolumeOf(node, "/dev/sdd", undefined)).toMatchObject({ name: "sdd", key: "/dev/sdd" });
  });

  test("are shown with their place on the disk, if they are partitions", async () => {
    expect(await showVolumeOf(nodeOn(makeDevicePools()), "sda1", "disk")).toMatchObject({
      name: "sda1",
      key: "/dev/sda1",
      source: { devices: [{ path: "/dev/sda", extents: [{ start: 1_048_576, end: 1_572_864 }] }] },
      capacityBytes: 524_288,
      target: { path: "/dev/sda1", format: { type: "none" } },
    });
  });

  test("are neither created, deleted, resized nor copied, with libvirt's words", async () => {
    const node = nodeOn(makeDevicePools());
    const bytes = new TextEncoder().encode("<volume><name>a</name><capacity>1</capacity></volume>");
    const resize = { capacityBytes: 1, isDelta: false, isShrunk: true, isAllocated: false };
    const flags = { isReflink: false };
    const errors = await Promise.all(
      [
        createVolumeFrom(node, "scsi", { bytes, flags: {} }),
        deleteVolume(node, SDB),
        resizeVolume(node, SDB, resize),
        cloneVolume(node, "a", { source: SDB, flags }),
      ].map((work) => errorOf(work)),
    );
    expect(errors.map(({ message }) => message)).toEqual([
      `${UNSUPPORTED} volume creation`,
      `${UNSUPPORTED} vol deletion`,
      `${UNSUPPORTED} changing of volume capacity`,
      `${UNSUPPORTED} volume creation from an existing volume`,
    ]);
    expect(new Set(errors.map(({ libvirt }) => libvirt.name))).toEqual(new Set(["VIR_ERR_NO_SUPPORT"]));
  });

  test("are overwritten, copied to a file and wiped, and keep their size and label", async () => {
    const machine = makeDevicePools();
    const node = nodeOn(machine);
    put(machine, "/srv/in.img", "data");
    machine.files.putFolder("/srv/out");
    await uploadVolume(node, SDB, { file: "/srv/in.img", part: { ...WHOLE, offset: 512 } });
    const disk = machine.files.get("/dev/sdb");
    expect(new TextDecoder().decode(disk.bytes.slice(512, 516))).toBe("data");
    await downloadVolume(node, SDB, { file: "/srv/out/disk.img", part: { ...WHOLE, offset: 512 } });
    expect(machine.files.get("/srv/out/disk.img").bytes.length).toBe(DISK_BYTES - 512);
    await wipeVolume(node, SDB, "zero");
    expect([disk.bytes.length, disk.bytes.every((byte) => byte === 0)]).toEqual([DISK_BYTES, true]);
    expect(disk.xattrs.get("security.selinux")).toBe(DISK_LABEL);
  });

  test("are labelled at their node by a path that leads to it", async () => {
    const machine = makeDevicePools();
    const node = nodeOn(machine);
    const { path } = await findVolume(node, SDB.key, SDB.pool);
    const label = "system_u:object_r:virt_image_t:s0";
    await setLabel(node, { path, isDryRun: false }, label);
    expect(machine.files.get("/dev/sdb").xattrs.get("security.selinux")).toBe(label);
    expect(showLabel(node, path, undefined)).toMatchObject({ path: "/dev/sdb", label });
  });

  test("take no more than their size", async () => {
    const machine = makeDevicePools();
    put(machine, "/srv/in.img", "data");
    const part = { ...WHOLE, offset: DISK_BYTES - 3 };
    const error = await errorOf(uploadVolume(nodeOn(machine), SDB, { file: "/srv/in.img", part }));
    expect(error.message).toContain("it is longer");
    expect(machine.files.get("/dev/sdb").bytes.length).toBe(DISK_BYTES);
  });
});

describe("a device that is in use is neither overwritten, wiped nor copied", () => {
  const uses: readonly (readonly [string, string, (machine: Machine) => void])[] = [
    [
      "a mount",
      "unit:0:1:0",
      (machine) => put(machine, "/proc/self/mountinfo", "20 1 8:16 / /a rw - ext4 /dev/sdb rw\n"),
    ],
    [
      "a mounted partition",
      "unit:0:0:0",
      (machine) => put(machine, "/proc/self/mountinfo", "20 1 8:1 / /a rw - ext4 /dev/sda1 rw\n"),
    ],
    ["swap", "unit:0:1:0", (machine) => put(machine, "/proc/swaps", "Filename\n/dev/sdb partition 1 0 -2\n")],
    [
      "a part of another device",
      "unit:0:1:0",
      (machine) => machine.files.putFolder("/sys/dev/block/8:16/holders/md0"),
    ],
  ];

  test.each(uses)("by the host: %s", async (_, key, use) => {
    const machine = makeDevicePools();
    use(machine);
    put(machine, "/srv/in.img", "data");
    machine.files.putFolder("/srv/out");
    const node = nodeOn(machine);
    const volume = { key, pool: "scsi" };
    for (const work of [
      () => uploadVolume(node, volume, { file: "/srv/in.img", part: WHOLE }),
      () => wipeVolume(node, volume, "zero"),
      () => downloadVolume(node, volume, { file: "/srv/out/a", part: WHOLE }),
    ])
      expect((await errorOf(work())).kind).toBe("wrong-state");
    expect(machine.files.get("/dev/sdb").bytes.every((byte) => byte === 0)).toBe(true);
  });

  test("by the host, which has mounted the whole disk of a partition", async () => {
    const machine = makeDevicePools();
    put(machine, "/proc/self/mountinfo", "20 1 8:0 / /a rw - ext4 /dev/sda rw\n");
    const error = await errorOf(wipeVolume(nodeOn(machine), { key: "sda1", pool: "disk" }, "zero"));
    expect([error.kind, error.message]).toEqual([
      "wrong-state",
      expect.stringContaining("its disk /dev/sda"),
    ]);
  });

  test("by a guest that has the whole disk of a partition", async () => {
    const node = nodeOn(makeDevicePools());
    registryOf(node).reserve({ kind: "file", key: "device-8:0", sharing: "exclusive" }, OTHER);
    expect((await errorOf(wipeVolume(node, { key: "sda5", pool: "disk" }, "zero"))).kind).toBe("in-use");
  });

  test("by a guest, which has it or a partition of it", async () => {
    for (const [key, number] of [
      ["unit:0:1:0", "8:16"],
      ["unit:0:0:0", "8:1"],
    ] as const) {
      const node = nodeOn(makeDevicePools());
      registryOf(node).reserve({ kind: "file", key: `device-${number}`, sharing: "exclusive" }, OTHER);
      const error = await errorOf(wipeVolume(node, { key, pool: "scsi" }, "zero"));
      expect([key, error.kind]).toEqual([key, "in-use"]);
    }
  });

  test.each([
    ["<disk type='block'><source dev='/dev/sdb'/><target dev='vda'/></disk>"],
    ["<disk type='volume'><source pool='scsi' volume='unit:0:1:0'/><target dev='vda'/></disk>"],
  ])("by a definition, which names it: %s", async (disks) => {
    const machine = makeDevicePools();
    const node = nodeOn(machine);
    await defineDomain(node, domainXml({ disks }));
    const error = await errorOf(wipeVolume(node, SDB, "zero"));
    expect([error.kind, error.message]).toEqual([
      "in-use",
      expect.stringContaining("the domain 'vm1' has it"),
    ]);
    const id = node.host.inspectFile("/dev/sdb")?.id;
    expect(id === undefined ? "" : fileKey(id)).toBe("device-8:16");
  });

  test("by a definition, which names a partition of it, or the disk that it is a partition of", async () => {
    for (const [dev, key, pool] of [
      ["/dev/sda1", "unit:0:0:0", "scsi"],
      ["/dev/sda", "sda5", "disk"],
    ] as const) {
      const node = nodeOn(makeDevicePools());
      const disks = `<disk type='block'><source dev='${dev}'/><target dev='vda'/></disk>`;
      await defineDomain(node, domainXml({ disks }));
      const error = await errorOf(wipeVolume(node, { key, pool }, "zero"));
      expect([key, error.kind]).toEqual([key, "in-use"]);
    }
  });
});

/** Thrown instead of waiting for a device that does not answer. */
class Waits extends Error {}

test("a device that hangs and that a definition names keeps vol-wipe waiting without the registry's lock", async () => {
  const machine = makeDevicePools();
  const node = nodeOn(machine);
  const disks =
    "<disk type='block'><driver name='qemu' type='qcow2'/><source dev='/dev/sdd'/><target dev='vda'/></disk>";
  await defineDomain(node, domainXml({ disks }));
  const held: boolean[] = [];
  const readBytes: typeof node.host.readBytes = (id, ...part) => {
    if (id.path !== "/dev/sdd") return node.host.readBytes(id, ...part);
    held.push(machine.locks.has(registryLock(SYSTEM_PATHS)));
    throw new Waits(id.path);
  };
  const work = wipeVolume({ ...node, host: { ...node.host, readBytes } }, SDB, "zero");
  await expect(work).rejects.toThrow(Waits);
  expect(held).toEqual([false]);
});

describe("findVolume()", () => {
  test("finds a volume by its key in the named pool, though another pool has the device, too", async () => {
    const machine = makeDevicePools();
    const node = nodeOn(machine);
    const other = SCSI_POOL.replace("<source>", `<uuid>${OTHER}</uuid><source>`).replace(
      "scsi_host2",
      "host2",
    );
    poolStore.writeActive(node, "again", formatPool(parsePool(otherPoolXml("scsi", other, "again"))));
    for (const pool of ["again", "scsi"])
      expect(await findVolume(node, SDB_KEY, pool)).toMatchObject({ path: BY_PATH, pool: { name: pool } });
  });

  test("refuses a key that several disks report", async () => {
    const machine = makeDevicePools();
    const page = machine.files.get("/sys/bus/scsi/devices/2:0:1:0/vpd_pg83").bytes;
    machine.files.put("/sys/bus/scsi/devices/2:0:0:0/vpd_pg83", "file", { bytes: page });
    const node = nodeOn(machine);
    for (const pool of [undefined, "scsi"]) {
      const [error] = await errorsOfWork(async () => await findVolume(node, SDB_KEY, pool));
      expect([error?.kind, error?.message]).toEqual([
        "usage",
        `Cannot find the volume with the key ${SDB_KEY}: /dev/sda and /dev/sdb have it`,
      ]);
    }
    expect((await findVolume(node, "unit:0:1:0", "scsi")).path).toBe(BY_PATH);
    expect((await findVolume(node, BY_PATH)).name).toBe("unit:0:1:0");
  });
});

test("a damaged file of an active pool hides its volumes alone, and no volume is overwritten meanwhile", async () => {
  const machine = makeDevicePools();
  const node = nodeOn(machine);
  const damaged = `<pool type='scsi'>\n  <name>aaa</name>\n  <uuid>${OTHER}</uuid>\n`;
  const path = "/run/svirt/storage/aaa.xml";
  put(machine, path, damaged);
  expect((await findVolume(node, BY_PATH)).name).toBe("unit:0:1:0");
  expect(listVolumePools(node)).toEqual([]);
  const { message, remedy } = await errorOf(wipeVolume(node, SDB, "zero"));
  expect(message).toContain(`Cannot read the storage pool ${path}: `);
  expect(remedy).toBe(`End it: rm ${path}, and start it again`);
  machine.files.remove(path);
  await wipeVolume(node, SDB, "zero");
});
