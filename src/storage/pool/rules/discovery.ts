import { SvirtError } from "../../../errors.ts";
import { POOL_TYPES, type PoolType } from "../pool-types.ts";

/** Command with which an administrator finds the sources of a type; undefined for netfs and logical, and for a type without discovery in libvirt. */
const COMMANDS: Readonly<Record<PoolType, string | undefined>> = {
  dir: undefined,
  fs: undefined,
  netfs: undefined,
  logical: undefined,
  disk: undefined,
  iscsi: "iscsiadm --mode discovery --type sendtargets --portal HOST",
  "iscsi-direct": "iscsiadm --mode discovery --type sendtargets --portal HOST",
  scsi: undefined,
  mpath: undefined,
  rbd: undefined,
  sheepdog: undefined,
  gluster: "gluster --remote-host=HOST volume list",
  zfs: undefined,
  vstorage: undefined,
};

/**
 * Returns the refusal of a search for sources of pools of a type other than netfs and logical. storageConnectFindStoragePoolSources() of
 * libvirt; its other backends with findPoolSources are those with a command here.
 */
export function discoveryRefusal(word: string): SvirtError {
  const type = POOL_TYPES.find((known) => known === word);
  if (type === undefined)
    return new SvirtError(`internal error: unknown storage pool type ${word}`, {
      kind: "usage",
      libvirt: "INTERNAL_ERROR",
      from: "STORAGE",
      remedy: `Give one of: ${POOL_TYPES.join(", ")}.`,
    });
  const command = COMMANDS[type];
  if (command !== undefined)
    return new SvirtError(
      `Cannot find sources of storage pools of type ${type}: svirt searches only for NFS exports and volume groups`,
      { kind: "unsupported", remedy: `Search for it yourself: ${command}` },
    );
  return new SvirtError(
    `this function is not supported by the connection driver: pool type '${type}' does not support source discovery`,
    {
      kind: "unsupported",
      libvirt: "NO_SUPPORT",
      remedy: "Write the source into <source> of the pool yourself.",
    },
  );
}
