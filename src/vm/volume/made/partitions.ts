import { SvirtError } from "../../../errors.ts";
import type { FileFacts } from "../../../host/files.ts";
import type { Host } from "../../../host/host.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { Step, StepOf } from "../../../plan/steps/step.ts";
import { refuseBusyWhole } from "../../../resolve/busy-disk.ts";
import { listPartitions, partitionedDisk, readPartition } from "../../../resolve/pools/partitions.ts";
import { deviceBytes, nodeAt } from "../../../resolve/pools/pool-device.ts";
import { listWholes } from "../../../resolve/related-devices.ts";
import { knowsPartition } from "../../../run/steps/volume.ts";
import type { Instance } from "../../../state/instance.ts";
import { withDiskLock, withRegistryLock } from "../../../state/locks.ts";
import {
  addPartitionCommand,
  type NewPartition,
  type Partition,
  type PartitionTable,
} from "../../../storage/pool/disk/table.ts";
import type { Volume } from "../../../storage/volume/document.ts";
import { decidePartition, isStillFree, placeOfPartition } from "../../../storage/volume/new-partition.ts";
import { runSteps } from "../../object-change/slow-change.ts";
import { guestOn } from "../../pool/device/device-guest.ts";
import { refuseMapped } from "../../pool/made/make-table.ts";
import { denyKey } from "../../pool/refuse-key.ts";
import type { DevicePool } from "../volume-pool.ts";
import { alreadyThere, type MadeVolume, ownSteps } from "./made-volume.ts";
import { kernelStep, otherDisk, readTable } from "./partition-table.ts";
import type { NewDevice, PlannedDevice } from "./volume-backend.ts";

// Rule: A partition is made beside the others, which stay, also if they are in use.

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
  pool: DevicePool,
  { data, source = "", volume }: NewDevice,
): Promise<MadeVolume> {
  const { host } = instance;
  const place = placeOn(instance, pool);
  const { disk } = place;
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
      const fill = fillStep(place, chosen, source);
      await runSteps(instance, [fill], { data: new Map([[fill.path, data]]) });
    } finally {
      unlock();
    }
    return await withRegistryLock(instance, async () => {
      const { table } = await shownTable(instance, place);
      if (!isStillFree(chosen.made, chosen.table, table)) throw takenMeanwhile(chosen.made);
      return await addPartition(instance, place, { volume, made: chosen.made });
    });
  });
}

/** Returns the steps of createPartition(), and changes nothing. Throws its errors. */
export async function planPartition(
  instance: Instance,
  pool: DevicePool,
  { source, volume }: PlannedDevice,
): Promise<readonly Step[]> {
  const place = placeOn(instance, pool);
  return await withRegistryLock(instance, async () => {
    const { hidden, table } = await readAll(instance, place);
    const chosen = { table, made: decideMade(instance, place, { table, volume }) };
    return [
      ...hidden,
      ...(source === undefined ? [] : [fillStep(place, chosen, source)]),
      ...additionOf(place, chosen.made),
      ...ownSteps(`/dev/${chosen.made.name}`, volume),
    ];
  });
}

/** Returns the disk of a pool, if partitions may be made there. */
function placeOn(instance: Instance, { storage }: DevicePool): Place {
  const source = storage.source.devices[0]?.path ?? "";
  denyKey(instance, `partition ${source}`);
  const disk = partitionedDisk(instance.host, source);
  refuseMapped(disk.id);
  return { disk, source, target: storage.target?.path ?? "" };
}

function fillStep({ disk }: Place, { made, table }: Chosen, source: string): StepOf<"fill-device"> {
  const part = placeOfPartition(made, table);
  return { do: "fill-device", path: disk.id.path, device: disk.id, part, source };
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
  const { table } = await shownTable(instance, place);
  return { table, made: decideMade(instance, place, { table, volume }) };
}

function decideMade(
  { host }: Instance,
  place: Place,
  { table, volume }: { readonly table: PartitionTable; readonly volume: Volume },
): NewPartition {
  const { id } = place.disk;
  if (listPartitions(host, place).some((one) => one.name === volume.name)) throw alreadyThere(volume.name);
  const name = id.path.slice(id.path.lastIndexOf("/") + 1);
  return decidePartition(volume, { name, sizeBytes: deviceBytes(host, place.disk), table });
}

/** Table of a disk, and the steps that show the kernel the partitions that it does not have. */
interface ReadTable {
  readonly table: PartitionTable;
  readonly hidden: readonly Step[];
}

/** Reads the table of a disk, once the kernel has its partitions. */
async function shownTable(instance: Instance, place: Place): Promise<ReadTable> {
  const read = await readAll(instance, place);
  if (read.hidden.length === 0) return read;
  await runSteps(instance, read.hidden);
  return await readAll(instance, place);
}

/**
 * Reads the table of a disk, and the partitions that the kernel has besides: it keeps one that was deleted
 * from the table while it was in use.
 */
async function readAll(instance: Instance, { disk, source }: Place): Promise<ReadTable> {
  const { host } = instance;
  // The path may lead to another disk since it was chosen.
  if (partitionedDisk(host, source).id.node !== disk.id.node) throw otherDisk(disk);
  refuseWholeUse(instance, disk);
  const table = await readTable(host, disk.id.path);
  // An interrupted call may have written one into the table alone.
  const hidden = table.partitions.filter(({ number }) => !knowsPartition(host, disk.id, number));
  return {
    table: { ...table, partitions: [...table.partitions, ...listKnown(host, disk.id)] },
    hidden: hidden.map(({ number }) => kernelStep(disk.id, "add", number)),
  };
}

async function addPartition(
  instance: Instance,
  place: Place,
  { made, volume }: { readonly made: NewPartition; readonly volume: Volume },
): Promise<MadeVolume> {
  const { source, target } = place;
  await runSteps(instance, additionOf(place, made));
  const { facts, path } = findMade({ host: instance.host, source, target }, made.name);
  await runSteps(instance, ownSteps(path, volume, facts.id));
  return { name: made.name, path, facts };
}

function additionOf({ disk: { id } }: Place, made: NewPartition): readonly Step[] {
  const { input, words } = addPartitionCommand(id.path, made);
  return [
    {
      do: "run-tool",
      words: [...words],
      attempt: `make the partition ${made.name}`,
      ...(input === undefined ? {} : { input }),
    },
    kernelStep(id, "add", made.number),
  ];
}

/** Lists the partitions of a disk that the kernel has. */
function listKnown(host: Host, { node }: FileId): readonly Partition[] {
  const folder = `/sys/dev/block/${node}`;
  return host.listFolder(folder).flatMap((name) => readPartition(host, `${folder}/${name}`) ?? []);
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
