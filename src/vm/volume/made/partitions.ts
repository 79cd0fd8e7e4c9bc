import { SvirtError } from "../../../errors.ts";
import type { FileFacts } from "../../../host/files.ts";
import type { Host } from "../../../host/host.ts";
import type { DeviceData } from "../../../host/new-file.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import { refuseBusyWhole } from "../../../resolve/busy-disk.ts";
import {
  LAST_PRIMARY,
  listPartitions,
  partitionedDisk,
  readPartition,
} from "../../../resolve/pools/partitions.ts";
import { deviceBytes, nodeAt } from "../../../resolve/pools/pool-device.ts";
import { listRelated, listWholes } from "../../../resolve/related-devices.ts";
import { runTool } from "../../../run/steps/pool/run-tool.ts";
import type { Instance } from "../../../state/instance.ts";
import { withDiskLock, withRegistryLock } from "../../../state/locks.ts";
import {
  addPartitionCommand,
  deletePartitionCommand,
  kernelCommand,
  type NewPartition,
  type Partition,
  type PartitionTable,
  parseTable,
  readTableCommand,
} from "../../../storage/pool/disk/table.ts";
import type { Volume } from "../../../storage/volume/document.ts";
import { decidePartition, isStillFree, placeOfPartition } from "../../../storage/volume/new-partition.ts";
import { guestOn } from "../../pool/device/device-guest.ts";
import { refuseMapped } from "../../pool/made/make-table.ts";
import { denyKey } from "../../pool/refuse-key.ts";
import type { DevicePool } from "../volume-pool.ts";
import { alreadyThere, type MadeVolume, ownDevice } from "./made-volume.ts";

// Rule: A partition is made beside the others, which stay, also if they are in use.

/** Partition to make, and the data that it gets. */
interface NewVolume {
  readonly volume: Volume;
  readonly data?: DeviceData;
}

/** Disk with a new partition. */
interface Place {
  readonly disk: FileFacts;
  readonly source: string;
  readonly target: string;
}

/**
 * Makes a partition on the disk of a pool; its other partitions stay, also those in use. The data is in its
 * place before the table has the partition: an interrupted call leaves none. Throws "in-use" if the volume
 * exists or a guest has the whole disk, "wrong-state" if the host has it, "unsupported", "failed", and as
 * Host.copyToDevice. virStorageBackendDiskCreateVol() of libvirt
 */
export async function createPartition(
  instance: Instance,
  { storage }: DevicePool,
  { data, volume }: NewVolume,
): Promise<MadeVolume> {
  const { host } = instance;
  const source = storage.source.devices[0]?.path ?? "";
  denyKey(instance, `partition ${source}`);
  const disk = partitionedDisk(host, source);
  refuseMapped(disk.id);
  const place = { disk, source, target: storage.target?.path ?? "" };
  // No other call chooses the same place meanwhile.
  return await withDiskLock(instance, disk.id.node ?? "", async () => {
    if (data === undefined)
      return await withRegistryLock(
        instance,
        async () =>
          await addPartition(instance, place, {
            volume,
            made: (await choosePlace(instance, place, volume)).made,
          }),
      );
    const { chosen, unlock } = await withRegistryLock(instance, async () => ({
      chosen: await choosePlace(instance, place, volume),
      // The copy locks the disk itself.
      unlock: await host.lockImages(listOtherPaths(host, disk.id)),
    }));
    try {
      await host.copyToDevice(disk.id, data, placeOfPartition(chosen.made, chosen.table));
    } finally {
      unlock();
    }
    return await withRegistryLock(instance, async () => {
      if (!isStillFree(chosen.made, chosen.table, await readAll(instance, place)))
        throw takenMeanwhile(chosen.made);
      return await addPartition(instance, place, { volume, made: chosen.made });
    });
  });
}

/** Lists the other disks through which the host reaches the logical unit of a disk. */
function listOtherPaths(host: Host, disk: FileId): readonly FileId[] {
  return listWholes(host, disk).flatMap(({ is, name, number }) => {
    const id = is === "other path" ? host.inspectFile(name)?.id : undefined;
    return id?.node === number ? [id] : [];
  });
}

/** Place of a new partition, and the table in which it was found. */
interface Chosen {
  readonly made: NewPartition;
  readonly table: PartitionTable;
}

async function choosePlace(instance: Instance, place: Place, volume: Volume): Promise<Chosen> {
  const { host } = instance;
  const { disk } = place;
  const table = await readAll(instance, place);
  if (listPartitions(host, place).some((one) => one.name === volume.name)) throw alreadyThere(volume.name);
  const name = disk.id.path.slice(disk.id.path.lastIndexOf("/") + 1);
  const made = decidePartition(volume, { name, sizeBytes: deviceBytes(host, disk), table });
  return { made, table };
}

/**
 * Reads the table of a disk, and the partitions that the kernel has besides: it keeps one that was deleted
 * from the table while it was in use.
 */
async function readAll(instance: Instance, { disk, source }: Place): Promise<PartitionTable> {
  const { host } = instance;
  // The path may lead to another disk since it was chosen.
  if (partitionedDisk(host, source).id.node !== disk.id.node) throw otherDisk(disk);
  refuseWholeUse(instance, disk);
  const table = await readTable(host, disk.id.path);
  // An interrupted call may have written one into the table alone.
  for (const { number } of table.partitions) await showToKernel(host, disk, number);
  return { ...table, partitions: [...table.partitions, ...listKnown(host, disk.id)] };
}

async function addPartition(
  { host }: Instance,
  { disk, source, target }: Place,
  { made, volume }: { readonly made: NewPartition; readonly volume: Volume },
): Promise<MadeVolume> {
  await runTool(host, {
    ...addPartitionCommand(disk.id.path, made),
    attempt: `make the partition ${made.name}`,
  });
  await showToKernel(host, disk, made.number);
  const { facts, path } = findMade({ host, source, target }, made.name);
  ownDevice(host, facts, volume);
  return { name: made.name, path, facts };
}

/**
 * Removes a partition that no guest uses, and only the one that the kernel has at this place. The caller
 * holds the registry's lock.
 */
export async function removePartition(
  instance: Instance,
  { storage }: DevicePool,
  { facts, start }: { readonly facts: FileFacts; readonly start: number },
): Promise<void> {
  const { host } = instance;
  const { id: disk } = partitionedDisk(host, storage.source.devices[0]?.path ?? "");
  denyKey(instance, `partition ${disk.path}`);
  // The path of the disk may lead to another one since the partition was found.
  const [above] = listRelated(host, facts.id);
  if (above?.is !== "disk" || above.number !== disk.node) throw otherDisk(facts);
  const number = Number(host.readText(`/sys/dev/block/${facts.id.node}/partition`)?.trim());
  const { label, partitions } = await readTable(host, disk.path);
  const written = partitions.find((one) => one.number === number);
  if (written !== undefined && written.start !== start) throw otherTable(facts);
  if (label === "dos" && number > LAST_PRIMARY) throw logicalPartition(facts);
  const attempt = `delete the partition ${facts.id.path}`;
  // An interrupted call may have removed it from the table alone.
  if (written !== undefined) await runTool(host, { ...deletePartitionCommand(disk.path, number), attempt });
  if (isKnown(host, disk, number))
    await runTool(host, { ...kernelCommand(disk.path, "delete", number), attempt });
}

/** Lists the partitions of a disk that the kernel has. */
function listKnown(host: Host, { node }: FileId): readonly Partition[] {
  const folder = `/sys/dev/block/${node}`;
  return host.listFolder(folder).flatMap((name) => readPartition(host, `${folder}/${name}`) ?? []);
}

function isKnown(host: Host, disk: FileId, number: number): boolean {
  return listKnown(host, disk).some((one) => one.number === number);
}

/** Makes a partition of the table known to the kernel, unless it is. */
async function showToKernel(host: Host, { id }: FileFacts, number: number): Promise<void> {
  if (isKnown(host, id, number)) return;
  const attempt = `show the partition ${number} of ${id.path} to the kernel`;
  await runTool(host, { ...kernelCommand(id.path, "add", number), attempt });
}

/** Throws if the disk is used as a whole: then the host or a guest writes where its partitions are. */
function refuseWholeUse(instance: Instance, { id }: FileFacts): void {
  const attempt = `make a partition on ${id.path}`;
  refuseBusyWhole(instance.host, id, attempt);
  const others = listWholes(instance.host, id).map(({ number }) => number);
  if (guestOn(instance, [id.node, ...others]) !== undefined)
    throw new SvirtError(`Cannot ${attempt}: a guest has the whole disk`, {
      kind: "in-use",
      remedy: "Stop that guest: svirt shutdown",
    });
}

async function readTable(host: Host, device: string): Promise<PartitionTable> {
  const output = await host.readOutput(readTableCommand(device));
  if ("text" in output) return parseTable(output.text);
  throw new SvirtError(`Cannot read the partition table of ${device}: sfdisk fails, or is missing`, {
    kind: "failed",
    remedy: `Install fdisk; if the disk has no table: svirt pool-build; else see: sfdisk --json ${device}`,
  });
}

/** Returns the device of a new partition, once the kernel has it. */
function findMade(
  { host, ...disk }: { readonly host: Host; readonly source: string; readonly target: string },
  name: string,
): Pick<MadeVolume, "path" | "facts"> {
  const found = listPartitions(host, disk).find((one) => one.name === name);
  if (found !== undefined) return found;
  // udevd may not have made the entry in the target yet.
  const path = `/dev/${name}`;
  const facts = nodeAt(host, path, `/sys/dev/block/${partitionedDisk(host, disk.source).id.node}/${name}`);
  if (facts !== undefined) return { path, facts };
  throw new SvirtError(
    `Cannot use the partition ${name}: it is in the table, but the kernel does not have it`,
    {
      kind: "failed",
      remedy: `Let the kernel read the table: partx --update ${disk.source}`,
    },
  );
}

function takenMeanwhile({ name }: NewPartition): SvirtError {
  return new SvirtError(`Cannot make the partition ${name}: its place on the disk was taken meanwhile`, {
    kind: "wrong-state",
    from: "STORAGE",
    remedy: "Repeat the command.",
  });
}

function otherTable({ id }: FileFacts): SvirtError {
  return new SvirtError(`Cannot delete ${id.path}: the partition table has another partition there`, {
    kind: "wrong-state",
    from: "STORAGE",
    remedy: "Let the kernel read the table: partx --update",
  });
}

function otherDisk({ id }: FileFacts): SvirtError {
  return new SvirtError(`Cannot delete ${id.path}: it is no partition of the pool's disk any more`, {
    kind: "wrong-state",
    from: "STORAGE",
    remedy: "Repeat the command.",
  });
}

function logicalPartition({ id }: FileFacts): SvirtError {
  return new SvirtError(`Cannot delete ${id.path}: the partitions behind it would get its number`, {
    kind: "unsupported",
    remedy: "Stop the guests that use this disk, and delete it with sfdisk(8).",
  });
}
