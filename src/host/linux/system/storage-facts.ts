import { type BigIntStats, closeSync, realpathSync, statSync } from "node:fs";
import type { DiskFacts, FileSystemFacts, StorageFacts } from "../../../label/seen-by-others.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import { deviceNumber, openPath, withFile } from "../files/file-id.ts";
import { fileSystemMagic } from "../files/file-system-magic.ts";
import { orThrow, unlessMissing } from "../files/files.ts";
import { listFolder, readText } from "../files/quick-files.ts";
import { parseMounts, unescapedName } from "../mounts/parse-mounts.ts";

/** Limit on layers of device mapper, RAID, loop devices and overlays; deeper layers are ignored. */
const MOST_LAYERS = 16;
/**
 * File system without its own block device: st_dev is only a number. Documentation/admin-guide/devices.txt
 */
const NO_DEVICE = /^0:/;

/**
 * Implements Host.getStorage. statfs(2), proc_pid_mountinfo(5), Documentation/ABI/stable/sysfs-block of Linux
 */
export function getStorage(file: FileId): StorageFacts {
  const found: Found = { fileSystems: [], disks: [] };
  const isBlock = withFile(file, (at) => {
    addFileSystem(found, at, 0);
    return statSync(at).isBlockDevice();
  });
  if (isBlock) addDisks(found, `/sys/dev/block/${file.node}`, 0);
  return { ...found, isNode: file.node !== undefined };
}

interface Found {
  readonly fileSystems: FileSystemFacts[];
  readonly disks: DiskFacts[];
}

/** Adds the file system of the file at a path below /proc/self/fd, and the storage below it. */
function addFileSystem(found: Found, at: string, layers: number): void {
  if (layers > MOST_LAYERS) return;
  const stat = orThrow(`inspect ${at}`, () => statSync(at, { bigint: true }));
  const mount = mountOf(at);
  found.fileSystems.push({ magic: fileSystemMagic(at), type: mount?.type ?? "" });
  const device = mount === undefined ? undefined : deviceOf(stat, mount);
  if (device !== undefined) addDisks(found, `/sys/dev/block/${device}`, layers + 1);
  const upper = mount?.type === "overlay" ? /(?:^|,)upperdir=([^,]*)/.exec(mount.options)?.[1] : undefined;
  if (upper !== undefined) addFileAt(found, unescapedName(upper), layers + 1);
}

/** Adds the file system of a path. Returns false if the path leads nowhere. */
function addFileAt(found: Found, path: string, layers: number): boolean {
  const fd = unlessMissing(`inspect ${path}`, () => openPath(realpathSync(path)));
  if (fd === undefined) return false;
  try {
    addFileSystem(found, `/proc/self/fd/${fd}`, layers);
    return true;
  } finally {
    closeSync(fd);
  }
}

type Mount = ReturnType<typeof parseMounts>[number];

/** Returns the mount of an opened file. proc_pid_fdinfo(5) mnt_id */
function mountOf(at: string): Mount | undefined {
  const fd = at.slice(at.lastIndexOf("/") + 1);
  const id = /^mnt_id:\s*(\d+)$/m.exec(readText(`/proc/self/fdinfo/${fd}`) ?? "")?.[1];
  return parseMounts(readText("/proc/self/mountinfo") ?? "").find((mount) => mount.id === id);
}

/**
 * Returns the device of the file system, or the mounted device if the file system has none, such as btrfs.
 */
function deviceOf(stat: BigIntStats, { device, source }: Mount): string | undefined {
  const own = [deviceNumber(stat.dev), device].find((number) => !NO_DEVICE.test(number));
  if (own !== undefined || !source.startsWith("/dev/")) return own;
  const node = unlessMissing(`inspect ${source}`, () => statSync(source, { bigint: true }));
  return node?.isBlockDevice() === true ? deviceNumber(node.rdev) : undefined;
}

/** Adds a block device, or the devices below it. */
function addDisks(found: Found, folder: string, layers: number): void {
  const path = unlessMissing(`inspect ${folder}`, () => realpathSync(folder));
  if (path === undefined || layers > MOST_LAYERS) return;
  const disk = readText(`${path}/partition`) === undefined ? path : path.slice(0, path.lastIndexOf("/"));
  const under = listFolder(`${disk}/slaves`);
  for (const name of under) addDisks(found, `${disk}/slaves/${name}`, layers + 1);
  const backing = readText(`${disk}/loop/backing_file`)?.replace(/\n$/, "");
  const isLost = backing !== undefined && !addFileAt(found, backing, layers + 1);
  if (under.length > 0 || (backing !== undefined && !isLost)) return;
  const scsiHost = /\/host(\d+)\//.exec(disk)?.[1];
  const driver =
    scsiHost === undefined ? undefined : readText(`/sys/class/scsi_host/host${scsiHost}/proc_name`);
  found.disks.push({
    name: disk.slice(disk.lastIndexOf("/") + 1),
    path: disk,
    transports: transportsOf(disk),
    scsiDriver: driver?.trim(),
    ...(isLost ? { isLost } : {}),
  });
}

/**
 * Returns the transport of a namespace's controller; with multipath, of all its controllers.
 * Documentation/admin-guide/nvme-multipath.rst
 */
function transportsOf(disk: string): readonly string[] {
  const device = `${disk}/device`;
  const controllers = listFolder(device).filter((name) => /^nvme\d+$/.test(name));
  return [device, ...controllers.map((name) => `${device}/${name}`)].flatMap(
    (controller) => readText(`${controller}/transport`)?.trim() ?? [],
  );
}
