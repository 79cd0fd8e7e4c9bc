import { asSvirtError, SvirtError } from "../errors.ts";
import { wipeVolume } from "../vm/volume/content/wipe-volume.ts";
import { deleteVolume } from "../vm/volume/delete-volume.ts";
import { type DiskVolume, findDiskVolumes } from "../vm/volume/disk-volumes.ts";
import { onlyOne } from "./arguments/exclusive.ts";
import { type Call, type Option, operand } from "./command.ts";
import { oneLine } from "./output/one-line.ts";
import { warnOf } from "./output/warn-of.ts";

/** Options of undefine about the volumes of a domain's disks. */
export const STORAGE_OPTIONS: readonly Option[] = [
  {
    name: "storage",
    value: "DISKS",
    summary: "also delete the volumes of these disks: targets or sources, separated by commas",
  },
  { name: "remove-all-storage", summary: "also delete the volumes of all its disks" },
  { name: "wipe-storage", summary: "replace the data of these volumes by zeros first" },
];

/** Volumes to remove, found before their domain is undefined. */
export interface Storage {
  readonly volumes: readonly DiskVolume[];
}

/** Finds the volumes that the options name, and prints the errors of disks that are none. Throws "usage" with virsh's messages, and as findDiskVolumes(). */
export async function storageOf(call: Call): Promise<Storage> {
  const { instance, options } = call;
  const how = onlyOne(call, ["storage", "remove-all-storage"]);
  if (how === undefined) {
    if (options.has("wipe-storage")) throw needsStorage();
    return { volumes: [] };
  }
  const wanted = how === "storage" ? (options.get("storage") ?? "").split(",") : "all";
  const { errors, volumes } = await findDiskVolumes(instance, operand(call, "domain"), wanted);
  warnOf(call, "error", errors);
  return { volumes };
}

/** Deletes volumes, each for itself. Throws "partly" with the errors of those that stay, after all others are deleted. */
export async function removeStorage(call: Call, { volumes }: Storage): Promise<void> {
  const errors: SvirtError[] = [];
  for (const volume of volumes) {
    try {
      await removeVolume(call, volume);
    } catch (error) {
      errors.push(failed(volume, error));
    }
  }
  if (volumes.length > errors.length) call.output.print("\n");
  const [first, ...others] = errors;
  if (first === undefined) return;
  warnOf(call, "error", others);
  throw first;
}

async function removeVolume({ instance, options, output }: Call, { name, pool, source, target }: DiskVolume) {
  const shown = `'${oneLine(target)}'(${oneLine(source)})`;
  if (options.has("wipe-storage")) {
    output.print(`Wiping volume ${shown} ... `);
    await wipeVolume(instance, { key: name, pool }, "zero");
    output.print("Done.\n");
  }
  await deleteVolume(instance, { key: name, pool });
  output.print(`Volume ${shown} removed.\n`);
}

function failed({ source, target }: DiskVolume, cause: unknown): SvirtError {
  const { message, remedy } = asSvirtError(cause);
  return new SvirtError(`Failed to remove storage volume '${target}'(${source}): ${message}`, {
    kind: "partly",
    remedy,
    cause,
  });
}

function needsStorage(): SvirtError {
  return new SvirtError("'--wipe-storage' requires '--storage <string>' or '--remove-all-storage'", {
    kind: "usage",
    remedy: "See: svirt undefine --help",
  });
}
