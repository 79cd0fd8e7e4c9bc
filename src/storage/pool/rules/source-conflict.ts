import { canonical } from "../../../domain/forms/canonical.ts";
import type { Pool } from "../keep-pool.ts";
import { POOL_TYPE_FACTS, type PoolType } from "../pool-types.ts";

/** Types whose sources are block devices of the host. */
const ON_DEVICES: readonly PoolType[] = ["iscsi", "fs", "logical", "disk", "zfs"];

/**
 * Whether two pools have one source, so that libvirt refuses the second. svirt compares names of adapters only: libvirt also
 * finds the SCSI host of a Fibre Channel adapter. Beyond libvirt, a volume group is one source, whatever devices are named. virStoragePoolObjSourceFindDuplicate() of libvirt
 */
export function hasSameSource(one: Pool, other: Pool): boolean {
  if (one.type === "logical" && other.type === "logical" && one.source.name === other.source.name)
    return true;
  if (ON_DEVICES.includes(one.type) && ON_DEVICES.includes(other.type)) return sharesDevice(one, other);
  if (one.type !== other.type) return false;
  switch (one.type) {
    case "dir":
      return one.target?.path === other.target?.path;
    case "gluster":
    case "netfs":
      return hasSameHost(one, other) && partsOf(one) === partsOf(other);
    case "scsi":
      return canonical(identityOf(one)) === canonical(identityOf(other));
    case "sheepdog":
      return hasSameHost(one, other);
    case "vstorage":
      return one.source.name === other.source.name;
    case "mpath":
      return true;
    default:
      return false;
  }
}

/** Whether the target of a pool with files is that of the other, inside of it or around it. */
export function hasTargetWithin(one: Pool, other: Pool): boolean {
  const [mine, theirs] = [folderOf(one), folderOf(other)];
  if (mine === undefined || theirs === undefined) return false;
  return `${mine}/`.startsWith(`${theirs}/`) || `${theirs}/`.startsWith(`${mine}/`);
}

function folderOf({ target, type }: Pool): string | undefined {
  return POOL_TYPE_FACTS[type].isFolder === true ? target?.path : undefined;
}

function sharesDevice(one: Pool, other: Pool): boolean {
  const isTarget = one.type === "iscsi";
  if (isTarget !== (other.type === "iscsi")) return false;
  const paths = new Set(one.source.devices.map(({ path }) => path));
  const isShared = other.source.devices.some(({ path }) => paths.has(path));
  return isShared && (!isTarget || mayShareSession(one, other));
}

/** A login without the name of an initiator uses all interfaces of open-iscsi. libvirt refuses equal initiators only. */
function mayShareSession(one: Pool, other: Pool): boolean {
  const [mine, theirs] = [one, other].map(({ source }) => source.initiator?.iqn.name);
  return mine === undefined || theirs === undefined || mine === theirs;
}

/** virStoragePoolSourceMatchSingleHost() of libvirt */
function hasSameHost(one: Pool, other: Pool): boolean {
  const [mine, theirs] = [one.source.hosts, other.source.hosts];
  return mine.length === 1 && theirs.length === 1 && canonical(mine) === canonical(theirs);
}

function partsOf({ source: { dir, name }, type }: Pool): string {
  return canonical([dir?.path, type === "gluster" ? name : undefined]);
}

function identityOf({ source: { adapter } }: Pool): unknown {
  if (adapter?.type === "fc_host") return [adapter.wwnn, adapter.wwpn];
  // A host has both names. virSCSIHostGetNumber()
  return adapter?.name === undefined ? adapter : adapter.name.replace(/^scsi_/, "");
}
