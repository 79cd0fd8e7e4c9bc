import type { ApiUse } from "../../../access/uses.ts";
import { SvirtError } from "../../../errors.ts";
import type { Formatting } from "../../../storage/pool/rules/startable.ts";
import { markPool } from "../../../vm/pool/autostart-pool.ts";
import { buildPool } from "../../../vm/pool/build-pool.ts";
import { definePool, undefinePool } from "../../../vm/pool/define-pool.ts";
import { deletePool } from "../../../vm/pool/delete-pool.ts";
import { lookUpKnownPool, lookUpPool } from "../../../vm/pool/find-pool.ts";
import type { StartOptions } from "../../../vm/pool/open-target.ts";
import { getPoolFacts, getPoolXml, type PoolFacts } from "../../../vm/pool/pool-facts.ts";
import { createPool, destroyPool, refreshPool, startPool } from "../../../vm/pool/start-pool.ts";
import { int, struct, uhyper, uint, type ValueOf } from "../../xdr/form.ts";
import { aNumber, aText, nothing, remoteStored, stored, text, uuid, uuidText } from "../objects.ts";
import { type Procedure, procedure, type RemoteCall } from "../procedure.ts";

/** VIR_STORAGE_XML_INACTIVE of libvirt's libvirt-storage.h */
const INACTIVE = 1;
/** virStoragePoolCreateFlags of libvirt's libvirt-storage.h */
const CREATE = { build: 1, overwrite: 2, noOverwrite: 4 };
const CREATE_FLAGS = 7;
/** VIR_STORAGE_POOL_BUILD_NO_OVERWRITE and VIR_STORAGE_POOL_BUILD_OVERWRITE */
const BUILD = { noOverwrite: 4, overwrite: 8 };
/** VIR_STORAGE_POOL_DEFINE_VALIDATE. svirt refuses what libvirt's schema does not allow in any case. */
const VALIDATE = 1;
/** virStoragePoolState of libvirt's libvirt-storage.h */
const STATES: Readonly<Record<PoolFacts["state"], number>> = { inactive: 0, running: 2, inaccessible: 4 };

const ofPool = struct({ pool: stored });
const ofPoolWithFlags = struct({ pool: stored, flags: uint });
const aPool = struct({ pool: stored });
const xmlAndFlags = struct({ xml: text, flags: uint });
type PoolCall = RemoteCall<ValueOf<typeof ofPool>>;

/** Procedures about a storage pool. */
export const poolProcedures: readonly Procedure[] = [
  procedure({
    number: 84,
    api: "virStoragePoolLookupByName",
    args: struct({ name: text }),
    result: aPool,
    run: ({ args, instance }) => ({ pool: remoteStored(lookUpPool(instance, "name", args.name)) }),
  }),
  procedure({
    number: 85,
    api: "virStoragePoolLookupByUUID",
    args: struct({ uuid }),
    result: aPool,
    run: ({ args, instance }) => ({ pool: remoteStored(lookUpPool(instance, "uuid", uuidText(args.uuid))) }),
  }),
  procedure({
    number: 87,
    api: "virStoragePoolGetInfo",
    args: ofPool,
    // virStoragePoolInfo of libvirt
    result: struct({ state: uint, capacity: uhyper, allocation: uhyper, available: uhyper }),
    async run(call) {
      const { space, state } = await getPoolFacts(call.instance, keyOf(call));
      return {
        state: STATES[state],
        capacity: BigInt(space?.capacityBytes ?? 0),
        allocation: BigInt(space?.allocationBytes ?? 0),
        available: BigInt(space?.availableBytes ?? 0),
      };
    },
  }),
  procedure({
    number: 88,
    api: "virStoragePoolGetXMLDesc",
    args: ofPoolWithFlags,
    flags: { known: INACTIVE, refusedBy: "storagePoolGetXMLDesc" },
    result: aText,
    async run(call) {
      const form = (call.args.flags & INACTIVE) === 0 ? "active" : "defined";
      return { value: `${(await getPoolXml(call.instance, keyOf(call), form)).xml}\n` };
    },
  }),
  fact(89, "virStoragePoolGetAutostart", ({ autostart }) => autostart),
  fact(154, "virStoragePoolIsActive", ({ state }) => state !== "inactive"),
  fact(155, "virStoragePoolIsPersistent", ({ persistent }) => persistent),
  procedure({
    number: 77,
    api: "virStoragePoolDefineXML",
    args: xmlAndFlags,
    flags: { known: VALIDATE, refusedBy: "storagePoolDefineXML" },
    result: aPool,
    run: async ({ args, instance }) => ({
      pool: remoteStored(await definePool(instance, new TextEncoder().encode(args.xml))),
    }),
  }),
  procedure({
    number: 76,
    api: "virStoragePoolCreateXML",
    args: xmlAndFlags,
    flags: { known: CREATE_FLAGS, refusedBy: "storagePoolCreateXML" },
    result: aPool,
    async run({ args, instance }) {
      const options = startOptions(args.flags);
      return { pool: remoteStored(await createPool(instance, new TextEncoder().encode(args.xml), options)) };
    },
  }),
  procedure({
    number: 78,
    api: "virStoragePoolCreate",
    args: ofPoolWithFlags,
    flags: { known: CREATE_FLAGS, refusedBy: "storagePoolCreate" },
    result: nothing,
    async run(call) {
      await startPool(call.instance, keyOf(call), startOptions(call.args.flags));
      return {};
    },
  }),
  // Functions of libvirt's backend of pools that are folders; other backends refuse flags in their own names.
  procedure({
    number: 79,
    api: "virStoragePoolBuild",
    args: ofPoolWithFlags,
    flags: { known: BUILD.noOverwrite | BUILD.overwrite, refusedBy: "virStorageBackendFileSystemBuild" },
    result: nothing,
    async run(call) {
      await buildPool(call.instance, keyOf(call), { formatting: formattingOf(call.args.flags, BUILD) });
      return {};
    },
  }),
  changing(80, "virStoragePoolDestroy", async (call) => await destroyPool(call.instance, keyOf(call))),
  unflagged(
    { number: 81, api: "virStoragePoolDelete", refusedBy: "virStorageBackendDeleteLocal" },
    async (call) => await deletePool(call.instance, keyOf(call)),
  ),
  changing(82, "virStoragePoolUndefine", async (call) => await undefinePool(call.instance, keyOf(call))),
  unflagged(
    { number: 83, api: "virStoragePoolRefresh", refusedBy: "storagePoolRefresh" },
    async (call) => await refreshPool(call.instance, keyOf(call)),
  ),
  procedure({
    number: 90,
    api: "virStoragePoolSetAutostart",
    args: struct({ pool: stored, autostart: int }),
    result: nothing,
    async run(call) {
      await markPool(call.instance, keyOf(call), call.args.autostart !== 0);
      return {};
    },
  }),
];

/** Declares a procedure for a property of a pool. */
function fact(number: number, api: ApiUse, isTrue: (facts: PoolFacts) => boolean): Procedure {
  return procedure({
    number,
    api,
    args: ofPool,
    result: aNumber,
    run: async (call) => ({ value: isTrue(await getPoolFacts(call.instance, keyOf(call))) ? 1 : 0 }),
  });
}

/** Declares a procedure changing a pool, without a result. */
function changing(number: number, api: ApiUse, change: (call: PoolCall) => Promise<unknown>): Procedure {
  return procedure({
    number,
    api,
    args: ofPool,
    result: nothing,
    async run(call) {
      await change(call);
      return {};
    },
  });
}

/** Declares a procedure like changing(), without implemented flags. */
function unflagged(
  { refusedBy, ...facts }: { readonly number: number; readonly api: ApiUse; readonly refusedBy: string },
  change: (call: PoolCall) => Promise<unknown>,
): Procedure {
  return procedure({
    ...facts,
    args: ofPoolWithFlags,
    flags: { known: 0, refusedBy },
    result: nothing,
    async run(call) {
      await change(call);
      return {};
    },
  });
}

/** Returns how a start makes the pool's storage: any of the bits builds it. storagePoolCreate() of libvirt */
function startOptions(flags: number): StartOptions {
  return { isBuilt: flags !== 0, formatting: formattingOf(flags, CREATE) };
}

/**
 * Returns what happens to content of a device. Throws "usage" for both bits. virStoragePoolBuild() of libvirt
 */
function formattingOf(
  flags: number,
  { noOverwrite, overwrite }: { readonly noOverwrite: number; readonly overwrite: number },
): Formatting | undefined {
  const [isKept, isOverwritten] = [(flags & noOverwrite) !== 0, (flags & overwrite) !== 0];
  if (isKept && isOverwritten) {
    const names = "'VIR_STORAGE_POOL_BUILD_OVERWRITE' and 'VIR_STORAGE_POOL_BUILD_NO_OVERWRITE'";
    throw new SvirtError(`invalid argument: Flags ${names} are mutually exclusive`, {
      kind: "usage",
      from: "STORAGE",
      remedy: "Choose one of them.",
    });
  }
  if (isOverwritten) return "overwrite";
  return isKept ? "no-overwrite" : undefined;
}

/** Returns a call's pool. Throws as lookUpKnownPool() does. */
export function poolOf({ args: { pool }, instance }: PoolCall): {
  readonly name: string;
  readonly uuid: string;
} {
  return lookUpKnownPool(instance, { name: pool.name, uuid: uuidText(pool.uuid) });
}

function keyOf(call: PoolCall): string {
  return poolOf(call).uuid;
}
