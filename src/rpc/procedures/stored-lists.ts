import type { PoolType } from "../../storage/pool/pool-types.ts";
import { selectNetworks } from "../../vm/network/network-list.ts";
import { selectPools } from "../../vm/pool/pool-list.ts";
import type { ListedXml, StoredFilter } from "../../vm/stored/select-stored.ts";
import { array, int, struct, uint } from "../xdr/form.ts";
import { LIST_MAX, stored, uuidBytes } from "./objects.ts";
import { type Procedure, procedure } from "./procedure.ts";

/**
 * Bits of a filter, in the order of their values. virConnectListAllStoragePoolsFlags and virConnectListAllNetworksFlags of
 * libvirt
 */
const FILTER = ["inactive", "active", "persistent", "transient", "autostart", "noAutostart"] as const;
const FILTER_FLAGS = 2 ** FILTER.length - 1;
/** Types of pools, whose bits follow those of the filter. virConnectListAllStoragePoolsFlags of libvirt */
const TYPES = [
  ...(["dir", "fs", "netfs", "logical", "disk", "iscsi", "scsi", "mpath", "rbd", "sheepdog"] as const),
  ...(["gluster", "zfs", "vstorage", "iscsi-direct"] as const),
] satisfies PoolType[];
const POOL_FLAGS = 2 ** (FILTER.length + TYPES.length) - 1;

const asked = struct({ needsResults: int, flags: uint });
const listed = struct({ objects: array(stored, LIST_MAX), count: uint });

/** Procedures that list storage pools and networks. */
export const storedProcedures: readonly Procedure[] = [
  procedure({
    number: 281,
    api: "virConnectListAllStoragePools",
    access: "reads",
    args: asked,
    flags: { known: POOL_FLAGS, refusedBy: "storageConnectListAllStoragePools" },
    result: listed,
    run({ args, instance }) {
      const types = new Set(TYPES.filter((_, at) => (args.flags & (1 << (FILTER.length + at))) !== 0));
      const pools = selectPools(instance, {
        filter: filterOf(args.flags),
        wantsUuids: true,
        types: types.size === 0 ? undefined : types,
      });
      return listOf(pools, args.needsResults);
    },
  }),
  procedure({
    number: 283,
    api: "virConnectListAllNetworks",
    access: "reads",
    args: asked,
    flags: { known: FILTER_FLAGS, refusedBy: "networkConnectListAllNetworks" },
    result: listed,
    run: ({ args, instance }) =>
      listOf(selectNetworks(instance, filterOf(args.flags), { wantsUuids: true }), args.needsResults),
  }),
];

function filterOf(flags: number): StoredFilter {
  return Object.fromEntries(FILTER.map((name, at) => [name, (flags & (1 << at)) !== 0]));
}

function listOf(
  all: readonly ListedXml[],
  needsResults: number,
): { readonly objects: { readonly name: string; readonly uuid: Uint8Array }[]; readonly count: number } {
  const known = all.flatMap(({ name, uuid }) =>
    uuid === undefined ? [] : [{ name, uuid: uuidBytes(uuid) }],
  );
  return { objects: needsResults === 0 ? [] : known, count: known.length };
}
