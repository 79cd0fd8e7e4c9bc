import { SvirtError } from "../../../errors.ts";
import type { StepOf } from "../../../plan/steps/step.ts";
import type { Instance } from "../../../state/instance.ts";
import type { Formatting } from "../../../storage/pool/rules/startable.ts";
import type { Pool } from "../../../storage/pool/stored-pool.ts";
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

/**
 * Returns the step that makes the file system of a pool on its device. Throws "wrong-state" for a device with
 * content unless it may be overwritten, and for a device in use; "in-use" for a device of a definition;
 * "unsupported" without a program for it. virStorageBackendMakeFileSystem() of libvirt
 */
export function planFileSystem(instance: Instance, pool: Pool, how: Formatting): StepOf<"make-file-system"> {
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
  const device = sourceDevice(instance, pool);
  refuseBuildOver(instance, name, { devices: [device], isWritten: true });
  if (how === "no-overwrite") refuseContent(host, name, device);
  return { do: "make-file-system", device, type, words: [program, force, device.path] };
}

function unsupported(name: string, why: string, remedy: string): SvirtError {
  return new SvirtError(`Cannot build the storage pool '${name}': ${why}`, { kind: "unsupported", remedy });
}
