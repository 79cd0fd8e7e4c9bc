import { SvirtError } from "../../../errors.ts";
import type { FileFacts } from "../../../host/files.ts";
import type { Host } from "../../../host/host.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { StepOf } from "../../../plan/steps/step.ts";
import {
  kernelCommand,
  type PartitionTable,
  parseTable,
  readTableCommand,
} from "../../../storage/pool/disk/table.ts";

/** Returns the table of a disk, as sfdisk prints it. Throws "failed". */
export async function readTable(host: Host, device: string): Promise<PartitionTable> {
  const output = await host.readOutput(readTableCommand(device));
  if ("text" in output) return parseTable(output.text);
  throw new SvirtError(`Cannot read the partition table of ${device}: sfdisk fails, or is missing`, {
    kind: "failed",
    remedy: `Install fdisk; if the disk has no table: svirt pool-build; else see: sfdisk --json ${device}`,
  });
}

/** Returns the step that makes a partition known to the kernel, or unknown. */
export function kernelStep(disk: FileId, act: "add" | "delete", number: number): StepOf<"tell-kernel"> {
  return { do: "tell-kernel", act, disk, number, words: [...kernelCommand(disk.path, act, number).words] };
}

/** Returns the error for a partition of another disk than the pool's. */
export function otherDisk({ id }: FileFacts): SvirtError {
  return new SvirtError(`Cannot delete ${id.path}: it is no partition of the pool's disk any more`, {
    kind: "wrong-state",
    from: "STORAGE",
    remedy: "Repeat the command.",
  });
}
