import { SvirtError } from "../../../errors.ts";
import type { ProgramEnd } from "../../../host/processes.ts";
import type { Instance } from "../../../state/instance.ts";
import type { Formatting } from "../../../storage/pool/rules/startable.ts";
import type { Pool } from "../../../storage/pool/stored-pool.ts";
import { withLockedDevices } from "../device/locked-devices.ts";
import { refuseContent } from "../device/refuse-content.ts";
import { refuseBuildOver } from "../device/refuse-defined.ts";
import { sourceDevice } from "../device/source-device.ts";

const FOLDERS = ["/sbin", "/usr/sbin", "/bin", "/usr/bin"];
/** Each program's option for overwriting the device's content. virStorageBackendExecuteMKFS() of libvirt */
const FORCE: ReadonlyMap<string, string> = new Map([
  ["ext2", "-F"],
  ["ext3", "-F"],
  ["ext4", "-F"],
  ["xfs", "-f"],
  ["vfat", "-I"],
]);
/** Most time of a program. It may discard the content of a large device. */
const PROGRAM_MS = 4 * 3_600_000;

/**
 * Makes the file system of a pool on its device. Throws "wrong-state" for a device with content unless it may
 * be overwritten, and for a device in use; "in-use" for a device of a definition; "unsupported" without a
 * program for it. virStorageBackendMakeFileSystem() of libvirt
 */
export async function makeFileSystem(instance: Instance, pool: Pool, how: Formatting): Promise<void> {
  const { host } = instance;
  const { name, source } = pool;
  const type = source.format?.type ?? "auto";
  const force = FORCE.get(type);
  if (force === undefined)
    throw unsupported(
      name,
      `svirt makes no file system of type ${type}`,
      "Write <format type='ext4'/> or <format type='xfs'/>.",
    );
  const program = FOLDERS.map((folder) => `${folder}/mkfs.${type}`).find(
    (path) => host.inspectFile(path)?.type === "file",
  );
  if (program === undefined)
    throw unsupported(
      name,
      `this host has no mkfs.${type}`,
      `Install the program mkfs.${type}, or make the file system elsewhere.`,
    );
  await withLockedDevices(
    instance,
    pool,
    async () => await formatDevice(instance, pool, { how, type, words: [program, force] }),
  );
}

/** Command without its device, for a type of file system. */
interface FormatCommand {
  readonly how: Formatting;
  readonly type: string;
  readonly words: readonly string[];
}

async function formatDevice(
  instance: Instance,
  pool: Pool,
  { how, type, words }: FormatCommand,
): Promise<void> {
  const { host } = instance;
  const { name } = pool;
  const device = sourceDevice(instance, pool);
  refuseBuildOver(instance, name, { devices: [device], isWritten: true });
  if (how === "no-overwrite") refuseContent(host, name, device);
  const line = [...words, device.path];
  const end = await host.runProgram(line, PROGRAM_MS);
  if ("code" in end && end.code === 0) return;
  throw new SvirtError(
    `Failed to make filesystem of type '${type}' on device '${device.path}': ${reasonOf(words[0] ?? "", end)}`,
    { kind: "failed", remedy: `Run it yourself and read its message: ${line.join(" ")}` },
  );
}

function reasonOf(program: string, end: ProgramEnd): string {
  if ("code" in end) return end.errors.trim().split("\n").at(-1) || `${program} failed with ${end.code}`;
  const faults = { timeout: "took too long", missing: "is missing", denied: "is not permitted" } as const;
  return `${program} ${faults[end.fault]}`;
}

function unsupported(name: string, why: string, remedy: string): SvirtError {
  return new SvirtError(`Cannot build the storage pool '${name}': ${why}`, { kind: "unsupported", remedy });
}
