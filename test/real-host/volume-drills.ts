import type { Instance } from "../../src/state/instance.ts";
import { buildPool } from "../../src/vm/pool/build-pool.ts";
import { deletePool } from "../../src/vm/pool/delete-pool.ts";
import { destroyPool, startPool } from "../../src/vm/pool/start-pool.ts";
import { downloadVolume } from "../../src/vm/volume/content/download-volume.ts";
import { uploadVolume } from "../../src/vm/volume/content/upload-volume.ts";
import { wipeVolume } from "../../src/vm/volume/content/wipe-volume.ts";
import { cloneVolume, createVolumeFromVolume } from "../../src/vm/volume/copy-volume.ts";
import { createVolume } from "../../src/vm/volume/create-volume.ts";
import { deleteVolume } from "../../src/vm/volume/delete-volume.ts";
import { resizeVolume } from "../../src/vm/volume/resize-volume.ts";
import { volumeWith } from "../scenes/volumes.ts";
import { givenNode } from "./given-node.ts";

/** Work of one svirt process on a node in a folder, with the active pool `real` in its folder `images`. */
type Drill = (node: Instance, folder: string) => Promise<unknown>;

const WHOLE = { offset: 0, mostBytes: undefined, isSparse: false };
const of = (key: string) => ({ key, pool: "real" });
const resized = { isAllocated: false, isDelta: false, isShrunk: false };

/** Commands of volumes and pools by their names. */
export const DRILLS: ReadonlyMap<string, Drill> = new Map<string, Drill>([
  ["vol-create", (node, folder) => createVolume(node, `${folder}/images`, { volume: volumeWith("") })],
  [
    "vol-create --prealloc-metadata",
    (node, folder) =>
      createVolume(node, `${folder}/images`, {
        volume: volumeWith("<format type='qcow2'/>"),
        flags: { isMetadataPreallocated: true },
      }),
  ],
  ["vol-clone", (node) => cloneVolume(node, "new.img", { source: of("a.raw"), flags: { isReflink: false } })],
  [
    "vol-create-from that converts",
    (node) =>
      createVolumeFromVolume(node, "real", {
        bytes: new TextEncoder().encode(
          "<volume><name>new.img</name><target><format type='qcow2'/></target></volume>",
        ),
        source: of("a.raw"),
        flags: { isReflink: false },
      }),
  ],
  ["vol-resize of raw", (node) => resizeVolume(node, of("a.raw"), { ...resized, capacityBytes: 2 ** 21 })],
  [
    "vol-resize of qcow2",
    (node) => resizeVolume(node, of("q.qcow2"), { ...resized, capacityBytes: 2 ** 43 }),
  ],
  ["vol-upload", (node, folder) => uploadVolume(node, of("a.raw"), { file: `${folder}/input`, part: WHOLE })],
  [
    "vol-download",
    (node, folder) => downloadVolume(node, of("a.raw"), { file: `${folder}/images/out`, part: WHOLE }),
  ],
  ["vol-wipe", (node) => wipeVolume(node, of("a.raw"), "zero")],
  ["vol-delete", (node) => deleteVolume(node, of("a.raw"))],
  ["pool-build", (node) => buildPool(node, "other")],
  ["pool-start --build", (node) => startPool(node, "other", { isBuilt: true })],
  ["pool-destroy", (node) => destroyPool(node, "real")],
  ["pool-delete", (node) => deletePool(node, "empty")],
]);

/** Carries out the drill that the command line names, in the folder that it names. */
if (import.meta.main) {
  const [name = "", folder = ""] = process.argv.slice(2);
  await DRILLS.get(name)?.(givenNode(folder, "s0"), folder);
}
