import { SvirtError } from "../../../errors.ts";
import type { Instance } from "../../../state/instance.ts";
import type { Pool } from "../../../storage/pool/keep-pool.ts";
import type { Formatting } from "../../../storage/pool/rules/startable.ts";
import { refuseContent } from "../device/refuse-content.ts";
import { sourceDevice } from "../device/source-device.ts";

const FOLDERS = ["/sbin", "/usr/sbin", "/bin", "/usr/bin"];
/** The option of each program that overwrites the device's content. virStorageBackendExecuteMKFS() of libvirt */
const FORCE: ReadonlyMap<string, string> = new Map([
  ["ext2", "-F"],
  ["ext3", "-F"],
  ["ext4", "-F"],
  ["xfs", "-f"],
  ["vfat", "-I"],
]);

/**
 * Makes the file system of a pool on its device. Throws "wrong-state" for one with content unless it may be overwritten, and for
 * one in use; "unsupported" without a program for it. virStorageBackendMakeFileSystem() of libvirt
 */
export function makeFileSystem(instance: Instance, pool: Pool, how: Formatting): void {
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
  if (how === "no-overwrite") refuseContent(host, name, device);
  const { fault } = { fault: undefined, ...host.readOutput([program, force, device.path]) };
  if (fault === undefined) return;
  throw new SvirtError(
    `Failed to make filesystem of type '${type}' on device '${device.path}': ${program} ${fault === "timeout" ? "took too long" : "failed"}`,
    { kind: "failed", remedy: `Run it yourself and read its message: ${program} ${force} ${device.path}` },
  );
}

function unsupported(name: string, why: string, remedy: string): SvirtError {
  return new SvirtError(`Cannot build the storage pool '${name}': ${why}`, { kind: "unsupported", remedy });
}
