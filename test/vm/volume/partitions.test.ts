import { describe, expect, test } from "bun:test";
import { registryLock, SYSTEM_PATHS } from "../../../src/plan/paths.ts";
import { registryOf } from "../../../src/state/instance.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { buildPool } from "../../../src/vm/pool/build-pool.ts";
import { definePool } from "../../../src/vm/pool/define-pool.ts";
import { destroyPool, startPool } from "../../../src/vm/pool/start-pool.ts";
import { createVolumeFrom } from "../../../src/vm/volume/create-volume.ts";
import { deleteVolume } from "../../../src/vm/volume/delete-volume.ts";
import { findVolume } from "../../../src/vm/volume/find-volume.ts";
import { listPoolVolumes } from "../../../src/vm/volume/list-volumes.ts";
import { planPartitionRemoval } from "../../../src/vm/volume/made/remove-partition.ts";
import { findAnyPool } from "../../../src/vm/volume/volume-pool.ts";
import type { Machine } from "../../memory-host/machine.ts";
import {
  DISK_BYTES,
  DISK_POOL,
  makeDevicePools,
  makeScsiMachine,
  putDosTable,
} from "../../scenes/devices.ts";
import { MemorySfdisk } from "../../scenes/partitioner.ts";
import { otherPoolXml } from "../../scenes/pools.ts";
import { domainXml, errorOf, nodeOn, OTHER } from "../../scenes/scene.ts";

const GIB_SECTORS = 2 * 1024 * 1024;

/** A machine with the active pool `disk` on sda of 1 GiB, and its sfdisk. */
function machineWith() {
  const machine = makeDevicePools();
  setSize(machine, GIB_SECTORS);
  const sfdisk = new MemorySfdisk(machine);
  return { machine, sfdisk, node: nodeOn(machine) };
}

function setSize(machine: Machine, sectors: number): void {
  machine.files.put("/sys/devices/sda/size", "file", { bytes: new TextEncoder().encode(`${sectors}\n`) });
}

const bytesOf = (name: string, more = "") =>
  new TextEncoder().encode(`<volume><name>${name}</name><capacity unit='MiB'>16</capacity>${more}</volume>`);
const namesOn = async (node: ReturnType<typeof nodeOn>): Promise<readonly string[]> =>
  (await listPoolVolumes(node, "disk")).map(({ name }) => name);
const claim = (key: string) => ({ kind: "file", key, sharing: "exclusive" }) as const;

describe("a volume of a pool of partitions", () => {
  test("is made and deleted, and the other partitions stay", async () => {
    const { node, sfdisk } = machineWith();
    expect(await namesOn(node)).toEqual(["sda1", "sda5"]);
    const made = await createVolumeFrom(node, "disk", { bytes: bytesOf("sda2"), flags: {} });
    expect(made).toEqual({ name: "sda2", path: "/dev/sda2" });
    expect(sfdisk.run.splice(0)).toEqual([
      "--quiet --append --no-reread /dev/sda /dev/sda2 : start=4096, size=32768",
    ]);
    expect(await namesOn(node)).toEqual(["sda1", "sda2", "sda5"]);
    await deleteVolume(node, { key: "sda2", pool: "disk" });
    expect(sfdisk.run).toEqual(["--quiet --no-reread --delete /dev/sda 2"]);
    expect(await namesOn(node)).toEqual(["sda1", "sda5"]);
  });

  test("is made known to the kernel, which keeps the old table while another partition is in use", async () => {
    const { node, sfdisk } = machineWith();
    sfdisk.isBusy = true;
    await createVolumeFrom(node, "disk", { bytes: bytesOf("sda2"), flags: {} });
    expect([sfdisk.run.pop(), await namesOn(node)]).toEqual([
      "--add --nr 2 /dev/sda",
      ["sda1", "sda2", "sda5"],
    ]);
    await deleteVolume(node, { key: "sda2", pool: "disk" });
    expect([sfdisk.run.pop(), await namesOn(node)]).toEqual(["--delete --nr 2 /dev/sda", ["sda1", "sda5"]]);
  });

  test("is found again if a call was killed between the table and the kernel", async () => {
    const { node, sfdisk } = machineWith();
    sfdisk.parts.push({ node: "/dev/sda2", start: 4096, size: 2048, type: "A" });
    expect(await namesOn(node)).toEqual(["sda1", "sda5"]);
    // storageVolCreateXML() of libvirt
    const again = await errorOf(createVolumeFrom(node, "disk", { bytes: bytesOf("sda2"), flags: {} }));
    expect(again.message).toBe("storage volume 'sda2' exists already");
    await createVolumeFrom(node, "disk", { bytes: bytesOf("sda3"), flags: {} });
    expect(await namesOn(node)).toEqual(["sda1", "sda2", "sda3", "sda5"]);
    sfdisk.parts = sfdisk.parts.filter((part) => part.node !== "/dev/sda2");
    await deleteVolume(node, { key: "sda2", pool: "disk" });
    expect([sfdisk.run.pop(), await namesOn(node)]).toEqual([
      "--delete --nr 2 /dev/sda",
      ["sda1", "sda3", "sda5"],
    ]);
  });

  test("is made neither in the place nor with the number of one that the kernel still has", async () => {
    const { node, sfdisk } = machineWith();
    // Deleted from the table alone, by an interrupted call or another program.
    sfdisk.parts = sfdisk.parts.filter((part) => part.node !== "/dev/sda1");
    expect((await errorOf(createVolumeFrom(node, "disk", { bytes: bytesOf("sda1"), flags: {} }))).kind).toBe(
      "in-use",
    );
    const small = "<volume><name>sda2</name><capacity unit='KiB'>512</capacity></volume>";
    await createVolumeFrom(node, "disk", { bytes: new TextEncoder().encode(small), flags: {} });
    // sda1 has the sectors 2048 to 3071, sda5 those from 3074 to 3585.
    expect(sfdisk.run).toEqual(["--quiet --append --no-reread /dev/sda /dev/sda2 : start=4096, size=1024"]);
    await deleteVolume(node, { key: "sda1", pool: "disk" });
    expect(await namesOn(node)).toEqual(["sda2", "sda5"]);
  });

  test("gets the owner and mode in its XML, at its node", async () => {
    const { machine, node } = machineWith();
    const target = "<target><permissions><mode>0640</mode><owner>7</owner></permissions></target>";
    await createVolumeFrom(node, "disk", { bytes: bytesOf("sda2", target), flags: {} });
    const { mode, uid } = machine.files.get("/dev/sda2");
    expect([mode, uid]).toEqual([0o640, 7]);
  });

  test("is made while a guest or the host uses another partition, but not while one has the whole disk", async () => {
    const { machine, node, sfdisk } = machineWith();
    registryOf(node).reserve(claim("device-8:1"), OTHER);
    await createVolumeFrom(node, "disk", { bytes: bytesOf("sda2"), flags: {} });
    sfdisk.run.length = 0;
    const create = () => createVolumeFrom(node, "disk", { bytes: bytesOf("sda3"), flags: {} });
    // The number of sda, and of its generic node.
    for (const number of ["8:0", "21:0"]) {
      registryOf(node).reserve(claim(`device-${number}`), OTHER);
      expect((await errorOf(create())).kind).toBe("in-use");
      registryOf(node).release(claim(`device-${number}`), OTHER);
    }
    machine.files.putFolder("/sys/devices/sda/holders/md0");
    expect((await errorOf(create())).kind).toBe("wrong-state");
    expect(sfdisk.run).toEqual([]);
  });

  test("is not deleted while a guest, the host or a definition has it", async () => {
    const { machine, node, sfdisk } = machineWith();
    const remove = () => deleteVolume(node, { key: "sda1", pool: "disk" });
    registryOf(node).reserve(claim("device-8:1"), OTHER);
    expect((await errorOf(remove())).kind).toBe("in-use");
    registryOf(node).release(claim("device-8:1"), OTHER);
    machine.files.putFolder("/sys/devices/sda/sda1/holders/dm-3");
    expect((await errorOf(remove())).kind).toBe("wrong-state");
    machine.files.remove("/sys/devices/sda/sda1/holders");
    const disks = "<disk type='volume'><source pool='disk' volume='sda1'/><target dev='vda'/></disk>";
    await defineDomain(node, domainXml({ disks }));
    expect((await errorOf(remove())).message).toContain("the domain 'vm1' has it");
    expect(sfdisk.run).toEqual([]);
  });

  test("is not deleted from another disk to which the path of the pool leads meanwhile", async () => {
    const { node, sfdisk } = machineWith();
    const pool = await findAnyPool(node, "disk");
    const facts = (await findVolume(node, "sda1", "disk")).facts;
    if (pool.folder !== undefined) throw new Error("it is no pool of devices");
    const moved = {
      ...pool,
      storage: { ...pool.storage, source: { ...pool.storage.source, devices: [{ path: "/dev/sdb" }] } },
    };
    const error = await errorOf(
      Promise.resolve().then(
        async () => await planPartitionRemoval(node, moved, { facts, start: 2048 * 512 }),
      ),
    );
    expect([error.kind, sfdisk.run]).toEqual(["wrong-state", []]);
  });

  test("is not deleted if the table has another partition at its place", async () => {
    const { node, sfdisk } = machineWith();
    sfdisk.parts = [{ node: "/dev/sda1", start: 4096, size: 1024, type: "A" }];
    const error = await errorOf(deleteVolume(node, { key: "sda1", pool: "disk" }));
    expect([error.kind, sfdisk.run]).toEqual(["wrong-state", []]);
  });

  test("is not deleted from an extended partition, since others would get its number", async () => {
    const { node, sfdisk } = machineWith();
    sfdisk.label = "dos";
    const error = await errorOf(deleteVolume(node, { key: "sda5", pool: "disk" }));
    expect([error.kind, sfdisk.run]).toEqual(["unsupported", []]);
  });

  test("is reported if sfdisk is missing or refuses it", async () => {
    const { node, sfdisk } = machineWith();
    sfdisk.end = { fault: "missing" };
    const create = () => createVolumeFrom(node, "disk", { bytes: bytesOf("sda2"), flags: {} });
    expect((await errorOf(create())).remedy).toBe("Install fdisk.");
    sfdisk.end = { code: 1, errors: "sfdisk: failed to add #2 partition: Device or resource busy\n" };
    expect((await errorOf(create())).message).toEndWith("Device or resource busy");
  });

  test("is neither made nor deleted by a restricted key", async () => {
    const { node, sfdisk } = machineWith();
    const forKey = { ...node, isForKey: true as const };
    for (const work of [
      () => createVolumeFrom(forKey, "disk", { bytes: bytesOf("sda2"), flags: {} }),
      () => deleteVolume(forKey, { key: "sda1", pool: "disk" }),
    ])
      expect((await errorOf(work())).kind).toBe("denied");
    expect(sfdisk.run).toEqual([]);
  });
});

describe("a pool of partitions is built", () => {
  const source = (format: string) =>
    DISK_POOL.replace("<device", `<device`).replace("</source>", `<format type='${format}'/></source>`);

  /** A machine with the defined pool `other` on an empty sda. */
  async function emptyDisk(format = "gpt") {
    const machine = makeScsiMachine();
    const sfdisk = new MemorySfdisk(machine);
    const node = nodeOn(machine);
    await definePool(node, otherPoolXml("disk", source(format)));
    return { machine, sfdisk, node };
  }

  test("with a new table, once", async () => {
    const { node, sfdisk } = await emptyDisk();
    await startPool(node, "other", { isBuilt: true });
    expect(sfdisk.run.splice(0)).toEqual(["--quiet --wipe always /dev/sda label: gpt"]);
    await destroyPool(node, "other");
    // virStorageBackendDiskValidLabel() of libvirt
    expect((await errorOf(buildPool(node, "other"))).message).toBe(
      "Requested operation is not valid: Valid disk label already present, requires --overwrite",
    );
    await buildPool(node, "other", { formatting: "overwrite" });
    expect(sfdisk.run).toHaveLength(1);
  });

  test("but not over a disk of which a definition names a partition", async () => {
    const { node, sfdisk } = await emptyDisk();
    const disks = "<disk type='block'><source dev='/dev/sda1'/><target dev='vda'/></disk>";
    await defineDomain(node, domainXml({ disks }));
    const error = await errorOf(buildPool(node, "other", { formatting: "overwrite" }));
    expect([error.kind, error.message, sfdisk.run]).toEqual([
      "in-use",
      "Cannot build the storage pool 'other': the domain 'vm1' has the disk /dev/sda",
      [],
    ]);
  });

  test("under the registry's lock, so that no guest or pool starts with the disk meanwhile", async () => {
    const { machine, node } = await emptyDisk();
    const locks: (readonly string[])[] = [];
    const run = machine.runProgram;
    machine.runProgram = (words, input) => {
      // The build of a start has a note, with a lock of its own.
      locks.push([...machine.locks.keys()].filter((path) => !path.includes("/unfinished-")));
      return run(words, input);
    };
    await buildPool(node, "other");
    await startPool(node, "other", { isBuilt: true, formatting: "overwrite" });
    const lock = [registryLock(SYSTEM_PATHS)];
    expect(locks).toEqual([lock, lock]);
  });

  test("but not over the volume of another pool that a definition names", async () => {
    const { machine } = machineWith();
    const sfdisk = new MemorySfdisk(machine);
    const node = nodeOn(machine);
    const disks = "<disk type='volume'><source pool='scsi' volume='unit:0:1:0'/><target dev='vda'/></disk>";
    await defineDomain(node, domainXml({ disks }));
    await definePool(node, otherPoolXml("disk", DISK_POOL.replace("sda", "sdb")));
    const error = await errorOf(buildPool(node, "other", { formatting: "overwrite" }));
    expect([error.message, sfdisk.run]).toEqual([
      "Cannot build the storage pool 'other': the domain 'vm1' has the disk /dev/sdb",
      [],
    ]);
  });

  test("but not over content, a guest's partition, or an active pool", async () => {
    const { machine, node, sfdisk } = await emptyDisk("dos");
    machine.files.get("/dev/sda").bytes[DISK_BYTES - 1] = 1;
    expect((await errorOf(buildPool(node, "other"))).message).toContain("it has content");
    registryOf(node).reserve(claim("device-8:5"), OTHER);
    const overwrite = { formatting: "overwrite" } as const;
    expect((await errorOf(buildPool(node, "other", overwrite))).kind).toBe("in-use");
    registryOf(node).release(claim("device-8:5"), OTHER);
    putDosTable(machine);
    await startPool(node, "other", { isBuilt: false });
    for (const work of [
      () => buildPool(node, "other", overwrite),
      () => startPool(node, "other", { isBuilt: true, ...overwrite }),
      () => buildPool({ ...node, isForKey: true as const }, "other", overwrite),
    ])
      expect(["wrong-state", "denied"]).toContain((await errorOf(work())).kind);
    expect(sfdisk.run).toEqual([]);
  });
});
