import { type BoundDisk, unboundDisk, type VolumeDisk } from "../domain/devices/disk/bound.ts";
import type { Disk } from "../domain/devices/disk/disk.ts";
import type { Domain } from "../domain/domain.ts";
import { errorsOf, SvirtError, throwErrors } from "../errors.ts";
import type { Instance } from "../state/instance.ts";
import { poolStore } from "../state/pools.ts";
import { activeXml, placed } from "./named-object.ts";

/**
 * Replaces each disk that is a volume of a pool with one of the volume's file. Throws "not-found" for an unknown pool or
 * volume, "wrong-state" for an inactive pool. virDomainDiskTranslateSourcePool() of libvirt
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

/** Replaces one disk that is a volume of a pool with one of the volume's file; `place` is its path in the document. */
export function bindDisk(instance: Instance, found: Disk, place: string): Disk {
  const disk = unboundDisk(found);
  if (disk.type !== "volume") return found;
  refuseUnusual(disk, place);
  const { pool, seclabels, startupPolicy, volume } = disk.source;
  const file = `${activeTarget(instance, pool, place)}/${volume}`;
  if (startupPolicy !== "optional" && instance.host.inspectFile(file) === undefined)
    throw missing(disk, place);
  return {
    ...disk,
    driver: { ...disk.driver, type: disk.driver?.type ?? "raw" },
    type: "file",
    source: { file, pool, volume, seclabels, ...(startupPolicy === undefined ? {} : { startupPolicy }) },
  } as BoundDisk;
}

/** Refuses the settings that volumes of a folder do not support. */
function refuseUnusual(disk: VolumeDisk, place: string): void {
  const { mode, volume } = disk.source;
  if (mode !== undefined) {
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
  if (disk.device === "lun") {
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
  // No file of a folder has such a name; with a path, the volume would be outside of the pool.
  if (/[/\0]|^\.{0,2}$/.test(volume)) throw missing(disk, place);
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

/** Returns the folder of an active pool. The forms of pools are loaded on demand: most starts need none. */
function activeTarget(instance: Instance, name: string, place: string): string {
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
    shown: `storage pool '${name}'`,
    start: `svirt pool-start ${name}`,
  });
  return targetOf(instance, xml, at);
}

function targetOf({ host }: Instance, xml: string, place: string): string {
  const {
    parsePoolText,
  }: typeof import("../storage/pool/document.ts") = require("../storage/pool/document.ts");
  const {
    supportedPool,
  }: typeof import("../storage/pool/rules/startable.ts") = require("../storage/pool/rules/startable.ts");
  const { refuseUnmounted }: typeof import("./pool-mount.ts") = require("./pool-mount.ts");
  try {
    const pool = supportedPool(parsePoolText(xml), "start");
    refuseUnmounted(host, pool);
    return pool.target.path;
  } catch (error) {
    throw placed(error, place);
  }
}
