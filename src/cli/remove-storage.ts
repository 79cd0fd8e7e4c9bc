import { asSvirtError, SvirtError } from "../errors.ts";
import { wipeVolume } from "../vm/volume/content/wipe-volume.ts";
import { deleteVolume } from "../vm/volume/delete-volume.ts";
import { type DiskVolume, type DiskVolumes, findDiskVolumes } from "../vm/volume/disks/disk-volumes.ts";
import { onlyOne } from "./arguments/exclusive.ts";
import { type Call, type Option, operand } from "./command.ts";
import { oneLine } from "./output/one-line.ts";
import { warnOf } from "./output/warn-of.ts";

/** Options of undefine about the volumes of a domain's disks. */
export const STORAGE_OPTIONS: readonly Option[] = [
  {
    name: "storage",
    value: "DISKS",
    summary: "also delete the volumes of these disks: targets or sources, separated by commas; ,, is a comma",
  },
  { name: "remove-all-storage", summary: "also delete the volumes of all its disks" },
  { name: "wipe-storage", summary: "replace the data of these volumes by zeros first" },
];

/** Volumes to remove, found before their domain is undefined. */
export interface Storage extends Pick<DiskVolumes, "definition" | "volumes"> {
  /** Exit code if all of them are removed: a disk that is no volume may have been named. */
  readonly exitCode: number | undefined;
}

/**
 * Finds the volumes in the options, and prints the errors of disks other than volumes. Also prints the names
 * before the deletion: if this command is killed, no later command can tell. Throws "usage" with virsh's
 * messages, and as findDiskVolumes().
 */
export async function storageOf(call: Call): Promise<Storage> {
  const { instance, options, output } = call;
  const how = onlyOne(call, ["storage", "remove-all-storage"]);
  if (how === undefined) {
    if (options.has("wipe-storage")) throw needsStorage();
    return { volumes: [], definition: undefined, exitCode: undefined };
  }
  const wanted = how === "storage" ? wordsOf(options.get("storage") ?? "") : "all";
  const { definition, errors, volumes } = await findDiskVolumes(instance, operand(call, "domain"), wanted);
  warnOf(call, "error", errors);
  for (const volume of volumes)
    output.warn(
      `to delete: ${shownName(volume)}, volume ${oneLine(volume.name)} of pool ${oneLine(volume.pool.name)}\n`,
    );
  return { volumes, definition, exitCode: how === "storage" ? errors[0]?.exitCode : undefined };
}

/** Splits at commas; two in a row are a comma of a word. vshStringToArray() of libvirt's tools/vsh.c */
function wordsOf(text: string): readonly string[] {
  return text
    .replaceAll(",,", "\0")
    .split(",")
    .map((word) => word.replaceAll("\0", ","));
}

/**
 * Deletes volumes, each for itself, and returns the exit code. Throws "partly" with the errors of the
 * remaining volumes, after all others are deleted.
 */
export async function removeStorage(
  call: Call,
  { exitCode, volumes }: Storage,
): Promise<Storage["exitCode"]> {
  const errors = await removeEach(call, volumes);
  if (volumes.length > errors.length) call.output.print("\n");
  const [first, ...others] = errors;
  if (first === undefined) return exitCode;
  warnOf(call, "error", others);
  throw first;
}

/**
 * Deletes volumes, and tries volumes in use again as long as others go: a volume may be below another.
 * Returns the errors of the remaining volumes.
 */
async function removeEach(call: Call, volumes: readonly DiskVolume[]): Promise<readonly SvirtError[]> {
  const kept: { readonly volume: DiskVolume; readonly error: SvirtError }[] = [];
  for (const volume of volumes) {
    try {
      await removeVolume(call, volume);
    } catch (error) {
      kept.push({ volume, error: asSvirtError(error) });
    }
  }
  const mayGo = kept.length < volumes.length ? kept.filter(({ error }) => error.kind === "in-use") : [];
  const errors = kept.filter((one) => !mayGo.includes(one)).map(({ error, volume }) => failed(volume, error));
  if (mayGo.length === 0) return errors;
  return [
    ...errors,
    ...(await removeEach(
      call,
      mayGo.map(({ volume }) => volume),
    )),
  ];
}

async function removeVolume(call: Call, volume: DiskVolume): Promise<void> {
  const { name, pool, seen } = volume;
  if (call.options.has("wipe-storage")) await wipe(call, volume);
  await deleteVolume(call.instance, { key: name, pool: pool.uuid, seen });
  call.output.print(`Volume ${shownName(volume)} removed.\n`);
}

async function wipe({ instance, output }: Call, volume: DiskVolume): Promise<void> {
  const { name, pool, seen } = volume;
  output.print(`Wiping volume ${shownName(volume)} ... `);
  try {
    await wipeVolume(instance, { key: name, pool: pool.uuid, seen }, "zero");
  } catch (error) {
    output.print("Failed! Volume not removed.\n");
    throw error;
  }
  output.print("Done.\n");
}

function shownName({ source, target }: DiskVolume): string {
  return `'${oneLine(target)}'(${oneLine(source)})`;
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
