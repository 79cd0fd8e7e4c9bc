import { formatPoolCapabilities } from "../../../storage/pool/capabilities.ts";
import { findSources } from "../../../vm/pool/find-sources.ts";
import { lookUpPoolAt } from "../../../vm/pool/pool-at-path.ts";
import { showVolumeOf } from "../../../vm/volume/show-volume.ts";
import { int, struct, uhyper, uint } from "../../xdr/form.ts";
import { bytesOf } from "../domain/saving.ts";
import { aText, maybeText, remoteStored, stored, text } from "../objects.ts";
import { type Procedure, procedure } from "../procedure.ts";
import { found, ofVolumeWithFlags, VOLUME_TYPES } from "./volume-objects.ts";

/** VIR_STORAGE_VOL_GET_PHYSICAL of libvirt's libvirt-storage.h */
const PHYSICAL = 1;

/** Procedures finding storage, and describing the node's storage. */
export const discoveryProcedures: readonly Procedure[] = [
  procedure({
    number: 403,
    api: "virConnectGetStoragePoolCapabilities",
    args: struct({ flags: uint }),
    flags: { known: 0, refusedBy: "storageConnectGetStoragePoolCapabilities" },
    result: aText,
    run: () => ({ value: formatPoolCapabilities() }),
  }),
  procedure({
    number: 75,
    api: "virConnectFindStoragePoolSources",
    // It asks a server named by the client.
    args: struct({ type: text, spec: maybeText, flags: uint }),
    flags: { known: 0, refusedBy: "storageConnectFindStoragePoolSources" },
    result: aText,
    async run({ args: { spec, type }, instance }) {
      return { value: await findSources(instance, type, () => bytesOf(spec)) };
    },
  }),
  procedure({
    number: 391,
    api: "virStoragePoolLookupByTargetPath",
    args: struct({ path: text }),
    result: struct({ pool: stored }),
    run: ({ args, instance }) => ({ pool: remoteStored(lookUpPoolAt(instance, args.path)) }),
  }),
  procedure({
    number: 378,
    api: "virStorageVolGetInfoFlags",
    args: ofVolumeWithFlags,
    flags: { known: PHYSICAL, refusedBy: "storageVolGetInfoFlags" },
    // virStorageVolInfo of libvirt
    result: struct({ type: int, capacity: uhyper, allocation: uhyper }),
    async run(call) {
      const { name, pool } = await found(call);
      const shown = await showVolumeOf(call.instance, name, pool.uuid);
      const { allocationBytes = 0, capacityBytes = 0, physicalBytes = 0 } = shown;
      const isPhysical = (call.args.flags & PHYSICAL) !== 0;
      return {
        type: VOLUME_TYPES.get(shown.type ?? "file") ?? 0,
        capacity: BigInt(capacityBytes),
        allocation: BigInt(isPhysical ? physicalBytes : allocationBytes),
      };
    },
  }),
];
