import { createVolumeFrom } from "../../../vm/volume/create-volume.ts";
import { deleteVolume } from "../../../vm/volume/delete-volume.ts";
import { listPoolVolumes } from "../../../vm/volume/list-volumes.ts";
import { lookUpVolume, lookUpVolumeBy } from "../../../vm/volume/look-up-volume.ts";
import { showVolumeOf } from "../../../vm/volume/show-volume.ts";
import { getVolumeXml } from "../../../vm/volume/volume-xml.ts";
import { array, int, struct, uhyper, uint, type ValueOf } from "../../xdr/form.ts";
import { listing, listOf } from "../listing.ts";
import { aNumber, aText, LIST_MAX, nothing, remoteStored, stored, text } from "../objects.ts";
import { type Procedure, procedure, type RemoteCall } from "../procedure.ts";
import { poolOf } from "./pools.ts";
import {
  aVolume,
  found,
  ofVolume,
  ofVolumeWithFlags,
  remoteVolume,
  VOLUME_TYPES,
  volume,
} from "./volume-objects.ts";

/**
 * VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA and VIR_STORAGE_VOL_CREATE_VALIDATE of libvirt's libvirt-storage.h
 */
const [PREALLOCATES, VALIDATES] = [1, 4];

const ofPool = struct({ pool: stored });

/** Procedures about volumes. */
export const volumeProcedures: readonly Procedure[] = [
  procedure({
    number: 282,
    api: "virStoragePoolListAllVolumes",
    args: struct({ pool: stored, needsResults: int, flags: uint }),
    flags: { known: 0, refusedBy: "storagePoolListAllVolumes" },
    result: listing(volume),
    async run(call) {
      const { name: pool, volumes } = await volumesOf(call);
      return listOf(
        call.args,
        volumes.map(({ key, name }) => ({ pool, name, key })),
      );
    },
  }),
  procedure({
    number: 91,
    api: "virStoragePoolNumOfVolumes",
    args: ofPool,
    result: aNumber,
    run: async (call) => ({ value: (await volumesOf(call)).volumes.length }),
  }),
  procedure({
    number: 92,
    api: "virStoragePoolListVolumes",
    args: struct({ pool: stored, most: int }),
    result: struct({ names: array(text, LIST_MAX) }),
    run: async (call) => ({
      names: (await volumesOf(call)).volumes.map(({ name }) => name).slice(0, Math.max(0, call.args.most)),
    }),
  }),
  procedure({
    number: 95,
    api: "virStorageVolLookupByName",
    args: struct({ pool: stored, name: text }),
    result: aVolume,
    run: async (call) => ({
      vol: remoteVolume(await lookUpVolume(call.instance, poolOf(call).uuid, call.args.name)),
    }),
  }),
  procedure({
    number: 96,
    api: "virStorageVolLookupByKey",
    args: struct({ key: text }),
    result: aVolume,
    run: async ({ args, instance }) => ({
      vol: remoteVolume(await lookUpVolumeBy(instance, "key", args.key)),
    }),
  }),
  procedure({
    number: 97,
    api: "virStorageVolLookupByPath",
    args: struct({ path: text }),
    result: aVolume,
    run: async ({ args, instance }) => ({
      vol: remoteVolume(await lookUpVolumeBy(instance, "path", args.path)),
    }),
  }),
  procedure({
    number: 86,
    api: "virStoragePoolLookupByVolume",
    args: ofVolume,
    result: ofPool,
    run: async (call) => ({ pool: remoteStored((await found(call)).pool) }),
  }),
  procedure({
    number: 98,
    api: "virStorageVolGetInfo",
    args: ofVolume,
    // virStorageVolInfo of libvirt
    result: struct({ type: int, capacity: uhyper, allocation: uhyper }),
    async run(call) {
      const { name, pool } = await found(call);
      const {
        allocationBytes = 0,
        capacityBytes = 0,
        type,
      } = await showVolumeOf(call.instance, name, pool.uuid);
      return {
        type: VOLUME_TYPES.get(type ?? "file") ?? 0,
        capacity: BigInt(capacityBytes),
        allocation: BigInt(allocationBytes),
      };
    },
  }),
  procedure({
    number: 99,
    api: "virStorageVolGetXMLDesc",
    args: ofVolumeWithFlags,
    flags: { known: 0, refusedBy: "storageVolGetXMLDesc" },
    result: aText,
    async run(call) {
      const { name, pool } = await found(call);
      return { value: `${await getVolumeXml(call.instance, name, pool.uuid)}\n` };
    },
  }),
  procedure({
    number: 100,
    api: "virStorageVolGetPath",
    args: ofVolume,
    result: aText,
    run: async (call) => ({ value: (await found(call)).path }),
  }),
  procedure({
    number: 93,
    api: "virStorageVolCreateXML",
    args: struct({ pool: stored, xml: text, flags: uint }),
    flags: { known: PREALLOCATES | VALIDATES, refusedBy: "storageVolCreateXML" },
    result: aVolume,
    recovers: () => [],
    async run(call) {
      const { args, instance } = call;
      const pool = poolOf(call).uuid;
      const { name } = await createVolumeFrom(instance, pool, {
        bytes: new TextEncoder().encode(args.xml),
        flags: { isMetadataPreallocated: (args.flags & PREALLOCATES) !== 0 },
      });
      return { vol: remoteVolume(await lookUpVolume(instance, pool, name)) };
    },
  }),
  procedure({
    number: 94,
    api: "virStorageVolDelete",
    args: ofVolumeWithFlags,
    flags: { known: 0, refusedBy: "virStorageBackendVolDeleteLocal" },
    result: nothing,
    recovers: () => [],
    async run(call) {
      const { name, pool } = await found(call);
      // virt-manager deletes the volumes of a domain before it undefines it, and virt-install a kernel as
      // soon as the guest runs.
      const volume = { key: name, pool: pool.uuid };
      await deleteVolume(call.instance, { ...volume, mayBeDisk: true, mayBeRead: true });
      return {};
    },
  }),
];

/** Returns a pool's name and its volumes' names in UTF-8: the protocol has no others. */
async function volumesOf(call: RemoteCall<ValueOf<typeof ofPool>>): Promise<{
  readonly name: string;
  readonly volumes: Awaited<ReturnType<typeof listPoolVolumes>>;
}> {
  const { name, uuid } = poolOf(call);
  const all = await listPoolVolumes(call.instance, uuid);
  return { name, volumes: all.filter((one) => one.name.isWellFormed()) };
}
