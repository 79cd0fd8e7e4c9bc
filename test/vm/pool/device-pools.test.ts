import { describe, expect, test } from "bun:test";
import { registryLock, SYSTEM_PATHS } from "../../../src/plan/paths.ts";
import { buildPool } from "../../../src/vm/pool/build-pool.ts";
import { definePool } from "../../../src/vm/pool/define-pool.ts";
import { deletePool } from "../../../src/vm/pool/delete-pool.ts";
import { getPoolFacts, getPoolXml } from "../../../src/vm/pool/pool-facts.ts";
import { destroyPool, refreshPool, startPool } from "../../../src/vm/pool/start-pool.ts";
import {
  DISK_BYTES,
  DISK_POOL,
  MPATH_POOL,
  makeScsiMachine,
  putDosTable,
  SCSI_POOL,
} from "../../scenes/devices.ts";
import { otherPoolXml } from "../../scenes/pools.ts";
import { errorOf, nodeOn } from "../../scenes/scene.ts";

describe.each([
  ["scsi", SCSI_POOL, 2 * DISK_BYTES],
  ["mpath", MPATH_POOL, DISK_BYTES],
])("a pool of type %s", (type, content, capacityBytes) => {
  test("is started, refreshed and ended, and the host is as it was", async () => {
    const machine = makeScsiMachine();
    const node = nodeOn(machine);
    const before = [...machine.files.walk()]
      .map(({ path }) => path)
      .filter((path) => /^\/(?:dev|sys)/.test(path));
    await definePool(node, otherPoolXml(type, content));
    await buildPool(node, "other");
    await startPool(node, "other", { isBuilt: true, formatting: "overwrite" });
    expect(await getPoolFacts(node, "other")).toMatchObject({
      state: "running",
      space: { capacityBytes, allocationBytes: capacityBytes, availableBytes: 0 },
    });
    expect((await getPoolXml(node, "other", "active")).xml).not.toContain("<permissions>");
    await refreshPool(node, "other");
    await destroyPool(node, "other");
    expect((await getPoolFacts(node, "other")).state).toBe("inactive");
    // storagePoolDelete() of libvirt
    expect((await errorOf(deletePool(node, "other"))).message).toBe(
      "this function is not supported by the connection driver: pool does not support pool deletion",
    );
    const after = [...machine.files.walk()]
      .map(({ path }) => path)
      .filter((path) => /^\/(?:dev|sys)/.test(path));
    expect(after).toEqual(before);
  });
});

test("the disk of a pool of partitions is read before the lock is held: one that hangs keeps only the start", async () => {
  const machine = makeScsiMachine();
  const node = nodeOn(machine);
  await definePool(node, otherPoolXml("disk", DISK_POOL));
  putDosTable(machine);
  const reads: boolean[] = [];
  const host: typeof node.host = {
    ...node.host,
    readBytes(...asked) {
      reads.push(machine.locks.has(registryLock(SYSTEM_PATHS)));
      return node.host.readBytes(...asked);
    },
  };
  await startPool({ ...node, host }, "other", { isBuilt: false });
  expect(reads).toEqual([false, true]);
});

test("a pool of partitions has the space of its disk, and does not start without a partition table", async () => {
  const machine = makeScsiMachine();
  const node = nodeOn(machine);
  await definePool(node, otherPoolXml("disk", DISK_POOL));
  // virStorageBackendDeviceIsEmpty() of libvirt; storage/110-disk-pool.t of libvirt-TCK
  expect(await errorOf(startPool(node, "other", { isBuilt: false }))).toMatchObject({
    message: "Storage pool probe failed: Device '/dev/sda' is unrecognized, requires build",
    libvirt: { name: "VIR_ERR_STORAGE_PROBE_FAILED", code: 75 },
  });
  expect((await getPoolFacts(node, "other")).state).toBe("inactive");
  putDosTable(machine);
  await startPool(node, "other", { isBuilt: false });
  const allocationBytes = (1024 + 512) * 512;
  expect((await getPoolFacts(node, "other")).space).toEqual({
    capacityBytes: DISK_BYTES,
    allocationBytes,
    availableBytes: DISK_BYTES - allocationBytes,
  });
});

test("a pool whose SCSI host is gone is inaccessible, and inactive once it is refreshed", async () => {
  const machine = makeScsiMachine();
  const node = nodeOn(machine);
  await definePool(node, otherPoolXml("scsi", SCSI_POOL));
  await startPool(node, "other", { isBuilt: false });
  machine.files.remove("/sys/class/scsi_host/host2");
  expect((await getPoolFacts(node, "other")).state).toBe("inaccessible");
  expect((await errorOf(refreshPool(node, "other"))).kind).toBe("not-found");
  expect((await getPoolFacts(node, "other")).state).toBe("inactive");
});
