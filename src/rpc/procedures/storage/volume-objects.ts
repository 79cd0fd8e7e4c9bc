import { lookUpPool } from "../../../vm/pool/find-pool.ts";
import type { FoundVolume } from "../../../vm/volume/find-volume.ts";
import { lookUpVolume } from "../../../vm/volume/look-up-volume.ts";
import { struct, uint, type ValueOf } from "../../xdr/form.ts";
import { text } from "../objects.ts";
import type { RemoteCall } from "../procedure.ts";

/** virStorageVolType of libvirt's libvirt-storage.h */
export const VOLUME_TYPES: ReadonlyMap<string, number> = new Map([
  ["file", 0],
  ["block", 1],
  ["dir", 2],
]);

/** A volume. remote_nonnull_storage_vol */
export const volume = struct({ pool: text, name: text, key: text });
/** Arguments of procedures about a volume. */
export const ofVolume = struct({ vol: volume });
/** Arguments of procedures about a volume, with flags. */
export const ofVolumeWithFlags = struct({ vol: volume, flags: uint });
/** Result of procedures returning a volume. */
export const aVolume = struct({ vol: volume });

/** Returns a call's volume, by its name in its pool. Throws as lookUpVolume() and lookUpPool() do. */
export async function found({ args, instance }: RemoteCall<ValueOf<typeof ofVolume>>): Promise<FoundVolume> {
  const { name, pool } = args.vol;
  return await lookUpVolume(instance, lookUpPool(instance, "name", pool).uuid, name);
}

/** Returns a volume as the protocol has it. */
export function remoteVolume({ key, name, pool }: FoundVolume): ValueOf<typeof volume> {
  return { pool: pool.name, name, key };
}
