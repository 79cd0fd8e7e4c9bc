import { type BoundDisk, unboundDisk, type VolumeDisk } from "../domain/devices/disk/bound.ts";
import type { Disk } from "../domain/devices/disk/disk.ts";
import type { Domain } from "../domain/domain.ts";
import { errorsOf, SvirtError, throwErrors } from "../errors.ts";
import type { Instance } from "../state/instance.ts";
import { poolStore } from "../state/pools/pools.ts";
import type { TargetPool } from "../storage/pool/rules/startable.ts";
import { activeXml, placed, readActive } from "./named-object.ts";

/**
 * Replaces each disk on a volume of a pool with a disk on the volume's file or device. Throws "not-found" for
 * an unknown pool or volume, "wrong-state" for an inactive pool. virDomainDiskTranslateSourcePool() of
 * libvirt
 */
export function bindVolumes(instance: Instance, domain: Domain): Domain {
  const { devices } = domain;
  if (!devices.disks.some(({ type }) => type === "volume")) return domain;
  const errors: SvirtError[] = [];
  const disks = devices.disks.map((disk, at) => {
    let bound = disk;
    const bind = (): void => {
      bound = bindDisk(instance, disk, `/domain/devices/disk[${at + 1}]`);
    };
    errors.push(...errorsOf(bind));
    return bound;
  });
  throwErrors(errors);
  return { ...domain, devices: { ...devices, disks } };
}

/**
 * Replaces a disk on a volume of a pool with a disk on the volume's file or device; `place` is its path in
 * the document.
 */
export function bindDisk(instance: Instance, found: Disk, place: string): Disk {
  const disk = unboundDisk(found);
  if (disk.type !== "volume") return found;
  const { pool: name, ...source } = disk.source;
  const pool = activePool(instance, name, place);
  refuseMode(disk, pool, place);
  const image = hasFolderOf(pool)
    ? fileOf(instance, disk, { pool, place })
    : deviceOf(instance, disk, { pool, place });
  return {
    ...disk,
    driver: { ...disk.driver, type: disk.driver?.type ?? "raw" },
    type: "file" in image ? "file" : "block",
    source: { ...image, pool: name, ...source },
  } as BoundDisk;
}

/** Pool of a disk's volume, and the disk's path in the document. */
interface Bound {
  readonly pool: TargetPool;
  readonly place: string;
}

/** Returns the file of a volume. Throws "not-found". */
function fileOf(instance: Instance, disk: VolumeDisk, { place, pool }: Bound): { readonly file: string } {
  const { startupPolicy, volume } = disk.source;
  refuseLun(disk, place);
  // No file of a folder has such a name; with a path, the volume would be outside of the pool.
  if (/[/\0]|^\.{0,2}$/.test(volume)) throw missing(disk, place);
  const file = `${pool.target.path}/${volume}`;
  if (startupPolicy !== "optional" && instance.host.inspectFile(file) === undefined)
    throw missing(disk, place);
  return { file };
}

/**
 * Returns the device of a volume. Throws "not-found"; "timeout" for a silent target.
 * virDomainDiskTranslateSourcePool() of libvirt
 */
function deviceOf({ host }: Instance, disk: VolumeDisk, { place, pool }: Bound): { readonly dev: string } {
  const { startupPolicy, volume } = disk.source;
  if (startupPolicy !== undefined) throw withoutPolicy(place);
  const {
    listPoolDevices,
    refuseLost,
  }: typeof import("./pools/pool-devices.ts") = require("./pools/pool-devices.ts");
  const device = asPlaced(`${place}/source/@pool`, () => {
    refuseLost(host, pool);
    return listPoolDevices(host, pool);
  }).find(({ name }) => name === volume);
  if (device === undefined) throw missing(disk, place);
  return { dev: device.path };
}

function withoutPolicy(place: string): SvirtError {
  const at = `${place}/source/@startupPolicy`;
  return new SvirtError(`XML error: 'startupPolicy' is only valid for 'file' type volume (${at})`, {
    kind: "xml",
    place: at,
    remedy: "Leave startupPolicy out of <source>.",
  });
}

/** Refuses a mode that the pool does not have: QEMU connects to no target by itself. */
function refuseMode({ source: { mode } }: VolumeDisk, { type }: TargetPool, place: string): void {
  if (hasDiskMode(type)) {
    if (mode === "direct") throw notDirect(place);
  } else if (mode !== undefined) {
    throw new SvirtError(
      `unsupported configuration: disk source mode is only valid when storage pool is of iscsi type (${place}/source/@mode)`,
      {
        kind: "unsupported",
        libvirt: "CONFIG_UNSUPPORTED",
        place: `${place}/source/@mode`,
        remedy: "Leave mode out of <source>.",
      },
    );
  }
}

function notDirect(place: string): SvirtError {
  const at = `${place}/source/@mode`;
  return new SvirtError(
    `unsupported configuration: svirt passes volumes of iSCSI pools as devices only (${at})`,
    {
      kind: "unsupported",
      libvirt: "CONFIG_UNSUPPORTED",
      place: at,
      remedy: "Write mode='host', or type='network' with <source protocol='iscsi' …>.",
    },
  );
}

function refuseLun({ device }: VolumeDisk, place: string): void {
  if (device === "lun") {
    throw new SvirtError(
      `unsupported configuration: disk device='lun' is only valid for block type disk source (${place}/@device)`,
      {
        kind: "unsupported",
        libvirt: "CONFIG_UNSUPPORTED",
        place: `${place}/@device`,
        remedy: "Write device='disk'.",
      },
    );
  }
}

function missing({ source: { pool, volume } }: VolumeDisk, place: string): SvirtError {
  const at = `${place}/source/@volume`;
  return new SvirtError(`Storage volume not found: no storage vol with matching name '${volume}' (${at})`, {
    kind: "not-found",
    libvirt: "NO_STORAGE_VOL",
    place: at,
    remedy: `List the volumes of the pool: svirt vol-list ${pool}`,
  });
}

/** Returns an active pool. The forms of pools are loaded on demand: most starts need none. */
function activePool(instance: Instance, name: string, place: string): TargetPool {
  const at = `${place}/source/@pool`;
  const xml = activeXml(poolStore.read(instance, name), {
    place: at,
    unknown: () =>
      new SvirtError(`Storage pool not found: no storage pool with matching name '${name}' (${at})`, {
        kind: "not-found",
        libvirt: "NO_STORAGE_POOL",
        place: at,
        remedy: "List the pools: svirt pool-list --all; or write type='file' and <source file='…'/>.",
      }),
    // virDomainStorageSourceTranslateSourcePool() of libvirt
    from: "DOMAIN",
    shown: `storage pool '${name}'`,
    start: `svirt pool-start ${name}`,
  });
  return parsedPool(instance, xml, { place: at, file: poolStore.activePath(instance, name) });
}

function parsedPool(
  { host }: Instance,
  xml: string,
  { file, place }: { readonly file: string; readonly place: string },
): TargetPool {
  const {
    parsePoolText,
  }: typeof import("../storage/pool/document.ts") = require("../storage/pool/document.ts");
  const {
    supportedPool,
  }: typeof import("../storage/pool/rules/startable.ts") = require("../storage/pool/rules/startable.ts");
  const { refuseUnmounted }: typeof import("./pool-mount.ts") = require("./pool-mount.ts");
  const parsed = readActive(file, place, () => parsePoolText(xml));
  return asPlaced(place, () => {
    const pool = supportedPool(parsed, "start");
    refuseUnmounted(host, pool);
    return pool;
  });
}

/** Returns the result of a call whose errors get a place in the domain. */
function asPlaced<Result>(place: string, call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    throw placed(error, place);
  }
}

function hasDiskMode(type: TargetPool["type"]): boolean {
  const {
    backendOf,
  }: typeof import("../storage/pool/backends/table.ts") = require("../storage/pool/backends/table.ts");
  return backendOf(type).hasDiskMode;
}

function hasFolderOf(pool: TargetPool): boolean {
  const {
    hasFolder,
  }: typeof import("../storage/pool/rules/startable.ts") = require("../storage/pool/rules/startable.ts");
  return hasFolder(pool);
}
