import { SvirtError } from "../../../errors.ts";
import { wipeVolume } from "../../../vm/volume/content/wipe-volume.ts";
import { createVolumeFromVolume } from "../../../vm/volume/copy-volume.ts";
import { lookUpVolume } from "../../../vm/volume/look-up-volume.ts";
import { resizeVolume } from "../../../vm/volume/resize-volume.ts";
import { struct, uhyper, uint } from "../../xdr/form.ts";
import { nothing, stored, text } from "../objects.ts";
import { invalidArgument, type Procedure, procedure } from "../procedure.ts";
import { poolOf } from "./pools.ts";
import { aVolume, found, ofVolumeWithFlags, remoteVolume, volume } from "./volume-objects.ts";

/**
 * virStorageVolCreateFlags of libvirt's libvirt-storage.h. svirt refuses what libvirt's schema does not allow
 * in any case.
 */
const CREATE = { preallocates: 1, reflink: 2, validates: 4 };
/** virStorageVolResizeFlags of libvirt's libvirt-storage.h */
const RESIZE = { allocates: 1, delta: 2, shrinks: 4 };
/** virStorageVolWipeAlgorithm of libvirt's libvirt-storage.h, in the order of their numbers */
const ALGORITHMS = "zero nnsa dod bsi gutmann schneier pfitzner7 pfitzner33 random trim".split(" ");

/** Procedures changing the size or the content of volumes. */
export const contentProcedures: readonly Procedure[] = [
  procedure({
    number: 125,
    api: "virStorageVolCreateXMLFrom",
    recovers: () => [],
    args: struct({ pool: stored, xml: text, vol: volume, flags: uint }),
    flags: {
      known: CREATE.preallocates | CREATE.reflink | CREATE.validates,
      refusedBy: "storageVolCreateXMLFrom",
    },
    result: aVolume,
    async run(call) {
      const { flags, xml } = call.args;
      const [pool, source] = [poolOf(call).uuid, await found(call)];
      const { name } = await createVolumeFromVolume(call.instance, pool, {
        bytes: new TextEncoder().encode(xml),
        source: { key: source.name, pool: source.pool.uuid },
        flags: {
          isMetadataPreallocated: (flags & CREATE.preallocates) !== 0,
          isReflink: (flags & CREATE.reflink) !== 0,
        },
      });
      return { vol: remoteVolume(await lookUpVolume(call.instance, pool, name)) };
    },
  }),
  procedure({
    number: 260,
    api: "virStorageVolResize",
    recovers: () => [],
    args: struct({ vol: volume, capacity: uhyper, flags: uint }),
    flags: { known: RESIZE.allocates | RESIZE.delta | RESIZE.shrinks, refusedBy: "storageVolResize" },
    result: nothing,
    async run(call) {
      const { capacity, flags } = call.args;
      const { name, pool } = await found(call);
      await resizeVolume(
        call.instance,
        { key: name, pool: pool.uuid },
        {
          capacityBytes: Number(capacity),
          isDelta: (flags & RESIZE.delta) !== 0,
          isShrunk: (flags & RESIZE.shrinks) !== 0,
          isAllocated: (flags & RESIZE.allocates) !== 0,
        },
      );
      return {};
    },
  }),
  procedure({
    number: 165,
    api: "virStorageVolWipe",
    recovers: () => [],
    args: ofVolumeWithFlags,
    flags: { known: 0, refusedBy: "storageVolWipePattern" },
    result: nothing,
    async run(call) {
      const { name, pool } = await found(call);
      await wipeVolume(call.instance, { key: name, pool: pool.uuid }, "zero");
      return {};
    },
  }),
  procedure({
    number: 259,
    api: "virStorageVolWipePattern",
    recovers: () => [],
    args: struct({ vol: volume, algorithm: uint, flags: uint }),
    flags: { known: 0, refusedBy: "storageVolWipePattern" },
    result: nothing,
    async run(call) {
      const { algorithm } = call.args;
      const how = ALGORITHMS[algorithm];
      if (how === undefined)
        throw invalidArgument(`wiping algorithm ${algorithm | 0} not supported`, WIPES, "STORAGE");
      if (how !== "zero" && how !== "trim") throw notSupported(how);
      const { name, pool } = await found(call);
      await wipeVolume(call.instance, { key: name, pool: pool.uuid }, how);
      return {};
    },
  }),
];

const WIPES = "Write --algorithm zero or --algorithm trim.";

/** As libvirt without the program scrub. */
function notSupported(algorithm: string): SvirtError {
  return new SvirtError(`argument unsupported: '${algorithm}' algorithm not supported`, {
    kind: "unsupported",
    libvirt: "ARGUMENT_UNSUPPORTED",
    remedy: WIPES,
  });
}
