import { lookUpPool } from "../../../vm/pool/find-pool.ts";
import type { FoundVolume } from "../../../vm/volume/find-volume.ts";
import { lookUpVolume } from "../../../vm/volume/look-up-volume.ts";
import { struct, uint, type ValueOf } from "../../xdr/form.ts";
import { text } from "../objects.ts";
import type { RemoteCall } from "../procedure.ts";

/** A volume. remote_nonnull_storage_vol */
export const volume = struct({ pool: text, name: text, key: text });
/** Arguments of procedures about one volume. */
export const ofVolume = struct({ vol: volume });
/** Arguments of procedures about one volume that have flags. */
export const ofVolumeWithFlags = struct({ vol: volume, flags: uint });
/** Result of procedures that return one volume. */
export const aVolume = struct({ vol: volume });

/** Returns the volume that a call is about: that of its name in its pool. Throws as lookUpVolume() and lookUpPool() do. */
export async function found({ args, instance }: RemoteCall<ValueOf<typeof ofVolume>>): Promise<FoundVolume> {
  const { name, pool } = args.vol;
  return await lookUpVolume(instance, lookUpPool(instance, "name", pool).uuid, name);
}

/** Returns a volume as the protocol has it. */
export function remoteVolume({ key, name, pool }: FoundVolume): ValueOf<typeof volume> {
  return { pool: pool.name, name, key };
}
