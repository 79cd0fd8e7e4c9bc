import type { Instance } from "../../state/instance.ts";
import { POOL_TYPES, type PoolType } from "../../storage/pool/pool-types.ts";
import { selectNetworks } from "../../vm/network/network-list.ts";
import { selectPools } from "../../vm/pool/pool-list.ts";
import type { ListedXml, StoredFilter } from "../../vm/stored/select-stored.ts";
import { array, int, struct } from "../xdr/form.ts";
import { listAsked, listing, listOf } from "./listing.ts";
import { aNumber, LIST_MAX, nothing, stored, text, uuidBytes } from "./objects.ts";
import { type Procedure, procedure } from "./procedure.ts";

/**
 * Bits of a filter, in the order of their values. virConnectListAllStoragePoolsFlags and
 * virConnectListAllNetworksFlags of libvirt
 */
const FILTER = ["inactive", "active", "persistent", "transient", "autostart", "noAutostart"] as const;
const FILTER_FLAGS = 2 ** FILTER.length - 1;
/** Types of pools. Their bits follow the filter's. virConnectListAllStoragePoolsFlags of libvirt */
const TYPE_BITS: Readonly<Record<PoolType, number>> = {
  ...{ dir: 6, fs: 7, netfs: 8, logical: 9, disk: 10, iscsi: 11, scsi: 12, mpath: 13, rbd: 14 },
  ...{ sheepdog: 15, gluster: 16, zfs: 17, vstorage: 18, "iscsi-direct": 19 },
};
const POOL_FLAGS = 2 ** (1 + Math.max(...Object.values(TYPE_BITS))) - 1;

const listed = listing(stored);

/** Procedures listing storage pools and networks. */
export const storedProcedures: readonly Procedure[] = [
  procedure({
    number: 281,
    api: "virConnectListAllStoragePools",
    args: listAsked,
    flags: { known: POOL_FLAGS, refusedBy: "storageConnectListAllStoragePools" },
    result: listed,
    run({ args, instance, session }) {
      const types = new Set(POOL_TYPES.filter((type) => (args.flags & (1 << TYPE_BITS[type])) !== 0));
      const pools = selectPools(instance, {
        filter: filterOf(args.flags),
        wantsUuids: true,
        onDamaged: session.onDamaged,
        types: types.size === 0 ? undefined : types,
      });
      return listOf(args, storedIn(pools));
    },
  }),
  procedure({
    number: 283,
    api: "virConnectListAllNetworks",
    args: listAsked,
    flags: { known: FILTER_FLAGS, refusedBy: "networkConnectListAllNetworks" },
    result: listed,
    run({ args, instance, session: { onDamaged } }) {
      const networks = selectNetworks(instance, filterOf(args.flags), { wantsUuids: true, onDamaged });
      return listOf(args, storedIn(networks));
    },
  }),
  ...namesOf("Networks", { active: [52, 38], inactive: [50, 36] }, (instance, filter) =>
    selectNetworks(instance, filter, { wantsUuids: false }),
  ),
  ...namesOf("StoragePools", { active: [71, 72], inactive: [73, 74] }, (instance, filter) =>
    selectPools(instance, { filter, wantsUuids: false, types: undefined }),
  ),
];

type Numbers = readonly [count: number, names: number];

/**
 * Declares the procedures of libvirt before 0.10.2 that count active and inactive objects, and list their
 * names.
 */
function namesOf(
  objects: "Networks" | "StoragePools",
  numbers: Readonly<Record<"active" | "inactive", Numbers>>,
  select: (instance: Instance, filter: StoredFilter) => readonly ListedXml[],
): Procedure[] {
  return (["active", "inactive"] as const).flatMap((state) => {
    const word = state === "active" ? "" : "Defined";
    const [count, names] = numbers[state];
    return [
      procedure({
        number: count,
        api: `virConnectNumOf${word}${objects}`,
        args: nothing,
        result: aNumber,
        run: ({ instance }) => ({ value: select(instance, { [state]: true }).length }),
      }),
      procedure({
        number: names,
        api: `virConnectList${word}${objects}`,
        args: struct({ most: int }),
        result: struct({ names: array(text, LIST_MAX) }),
        run: ({ args, instance }) => ({
          names: select(instance, { [state]: true })
            .map(({ name }) => name)
            .slice(0, Math.max(0, args.most)),
        }),
      }),
    ];
  });
}

function filterOf(flags: number): StoredFilter {
  return Object.fromEntries(FILTER.map((name, at) => [name, (flags & (1 << at)) !== 0]));
}

function storedIn(
  all: readonly ListedXml[],
): readonly { readonly name: string; readonly uuid: Uint8Array }[] {
  return all.flatMap(({ name, uuid }) => (uuid === undefined ? [] : [{ name, uuid: uuidBytes(uuid) }]));
}
