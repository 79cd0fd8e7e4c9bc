import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { formatNewImage } from "../../../src/images/new-qcow2.ts";
import type { Instance } from "../../../src/state/instance.ts";
import { downloadVolume } from "../../../src/vm/volume/content/download-volume.ts";
import { uploadVolume } from "../../../src/vm/volume/content/upload-volume.ts";
import { cloneVolume, createVolumeFromVolume } from "../../../src/vm/volume/copy-volume.ts";
import { createVolume } from "../../../src/vm/volume/create-volume.ts";
import { resizeVolume } from "../../../src/vm/volume/resize-volume.ts";
import { ASIDE, MISSING, RealFolder } from "../../real-host/folder.ts";
import { givenNode } from "../../real-host/given-node.ts";
import { errorOf, OTHER } from "../../scenes/scene.ts";
import { activatePool, volumeWith } from "../../scenes/volumes.ts";

const MIB = 2 ** 20;
const WHOLE = { offset: 0, mostBytes: undefined, isSparse: false };
const resized = { isAllocated: false, isDelta: false, isShrunk: false };
const of = (key: string) => ({ key, pool: "real" });
/** A volume of 4 MiB, as volumeWith() makes them. */
const volume = volumeWith("");
const preallocated = {
  volume: volumeWith("<format type='qcow2'/>"),
  flags: { isMetadataPreallocated: true },
};

let folder: RealFolder;
let node: Instance;
let images: string;

/** A file system of 3 MiB with volumes that fill 2 MiB of it, and a file to upload beside it. */
beforeAll(() => {
  folder = new RealFolder();
  images = `${folder.path}/images`;
  mkdirSync(images);
  if (MISSING !== undefined) return;
  const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=3m,mode=711", "tmpfs", images]);
  expect([mounted.exitCode, String(mounted.stderr)]).toEqual([0, ""]);
  node = givenNode(folder.path, "s0");
  activatePool(node, { name: "real", folder: images, uuid: OTHER });
  writeFileSync(`${images}/a.raw`, new Uint8Array(1.5 * MIB).fill(7));
  writeFileSync(`${images}/q.qcow2`, formatNewImage({ format: "qcow2", sizeBytes: MIB }));
  writeFileSync(`${images}/thin.raw`, "");
  truncateSync(`${images}/thin.raw`, 8 * MIB);
  writeFileSync(`${folder.path}/input`, new Uint8Array(4 * MIB).fill(9));
});

afterAll(() => {
  if (MISSING === undefined) Bun.spawnSync(["umount", images]);
  rmSync(folder.path, { recursive: true });
});

const contents = (): unknown =>
  readdirSync(images)
    .sort()
    .map((name) => [name, Bun.hash(readFileSync(`${images}/${name}`))]);

describe.skipIf(MISSING !== undefined)(`on a full disk${ASIDE}`, () => {
  test.each<readonly [string, () => Promise<unknown>]>([
    ["vol-create of an allocated raw volume", () => createVolume(node, images, { volume })],
    ["vol-create --prealloc-metadata", () => createVolume(node, images, preallocated)],
    [
      "vol-create-from that converts",
      () =>
        createVolumeFromVolume(node, "real", {
          bytes: new TextEncoder().encode(
            "<volume><name>copy</name><target><format type='qcow2'/></target></volume>",
          ),
          source: of("a.raw"),
          flags: { isReflink: false },
        }),
    ],
    ["vol-clone", () => cloneVolume(node, "copy", { source: of("a.raw"), flags: { isReflink: false } })],
    [
      "vol-resize --allocate",
      () => resizeVolume(node, of("a.raw"), { ...resized, capacityBytes: 4 * MIB, isAllocated: true }),
    ],
    // A table of 2 MiB.
    ["vol-resize of qcow2", () => resizeVolume(node, of("q.qcow2"), { ...resized, capacityBytes: 2 ** 47 })],
    ["vol-download", () => downloadVolume(node, of("a.raw"), { file: `${images}/out`, part: WHOLE })],
  ])("%s says so, and leaves nothing", async (_, work) => {
    const before = contents();
    const { kind, message } = await errorOf(work());
    expect([kind, message]).toEqual(["host-call", expect.stringMatching(/No space left on device|ENOSPC/)]);
    expect(contents()).toEqual(before);
  });

  test("vol-upload says so, and the volume keeps its size and can be filled again", async () => {
    const upload = () => uploadVolume(node, of("thin.raw"), { file: `${folder.path}/input`, part: WHOLE });
    const { kind, message } = await errorOf(upload());
    expect([kind, message]).toEqual(["host-call", expect.stringMatching(/No space left on device|ENOSPC/)]);
    expect(readFileSync(`${images}/thin.raw`).length).toBe(8 * MIB);
    truncateSync(`${images}/thin.raw`, 0);
    writeFileSync(`${folder.path}/input`, "fits");
    await upload();
    expect(readFileSync(`${images}/thin.raw`, "utf8")).toBe("fits");
  });
});
