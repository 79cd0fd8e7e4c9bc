import { SvirtError } from "../../../errors.ts";
import type { FileFacts } from "../../../host/files.ts";
import type { Step } from "../../../plan/steps/step.ts";
import { LAST_PRIMARY, partitionedDisk } from "../../../resolve/pools/partitions.ts";
import { listRelated } from "../../../resolve/related-devices.ts";
import type { Instance } from "../../../state/instance.ts";
import { deletePartitionCommand } from "../../../storage/pool/disk/table.ts";
import { denyKey } from "../../pool/refuse-key.ts";
import type { DevicePool } from "../volume-pool.ts";
import { kernelStep, otherDisk, readTable } from "./partition-table.ts";

/**
 * Returns the steps that remove a partition that no guest uses, and only the one that the kernel has at this
 * place. The caller holds the registry's lock.
 */
export async function planPartitionRemoval(
  instance: Instance,
  { storage }: DevicePool,
  { facts, start }: { readonly facts: FileFacts; readonly start: number },
): Promise<readonly Step[]> {
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
  const words = [...deletePartitionCommand(disk.path, number).words];
  const remove: Step = { do: "run-tool", words, attempt: `delete the partition ${facts.id.path}` };
  // An interrupted call may have removed it from the table alone.
  return [...(written === undefined ? [] : [remove]), kernelStep(disk, "delete", number)];
}

function otherTable({ id }: FileFacts): SvirtError {
  return new SvirtError(`Cannot delete ${id.path}: the partition table has another partition there`, {
    kind: "wrong-state",
    from: "STORAGE",
    remedy: "Let the kernel read the table: partx --update",
  });
}

function logicalPartition({ id }: FileFacts): SvirtError {
  return new SvirtError(`Cannot delete ${id.path}: the partitions behind it would get its number`, {
    kind: "unsupported",
    remedy: "Stop the guests that use this disk, and delete it with sfdisk(8).",
  });
}
