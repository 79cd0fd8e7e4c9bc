import { expect, test } from "bun:test";
import { mkdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { getxattr } from "../../../src/host/linux/labels/xattr.ts";
import { fileFormats } from "../../../src/resolve/formats/file-formats.ts";
import { formatFolder, setFormatMark } from "../../../src/run/labels/format-mark.ts";
import type { Instance } from "../../../src/state/instance.ts";
import { uploadVolume } from "../../../src/vm/volume/content/upload-volume.ts";
import { cloneVolume } from "../../../src/vm/volume/copy-volume.ts";
import { createVolume } from "../../../src/vm/volume/create-volume.ts";
import { deleteVolume } from "../../../src/vm/volume/delete-volume.ts";
import { listPoolVolumesWithSizes } from "../../../src/vm/volume/list-volumes.ts";
import { resizeVolume } from "../../../src/vm/volume/resize-volume.ts";
import { RealFolder } from "../../real-host/folder.ts";
import { givenNode } from "../../real-host/given-node.ts";
import { hostileHeaders } from "../../scenes/hostile-headers.ts";
import { OTHER } from "../../scenes/scene.ts";
import { activatePool, volumeWith } from "../../scenes/volumes.ts";

const MIB = 1024 * 1024;
const isRoot = process.getuid?.() === 0;
const skipped = isRoot ? "" : " (skipped: only root sets trusted attributes)";
const MARK = "trusted.svirt.format";

/** A folder with the raw disk of a guest that is gone, and its neighbour. */
function makePool(folder: RealFolder, bytes: Uint8Array) {
  const images = `${folder.path}/images`;
  mkdirSync(images);
  const node = givenNode(folder.path, "s0");
  activatePool(node, { name: "real", folder: images, uuid: OTHER });
  writeFileSync(`${images}/n.raw`, new Uint8Array(4096));
  writeFileSync(`${images}/own.raw`, bytes);
  truncateSync(`${images}/own.raw`, 2 * MIB);
  markRaw(node, `${images}/own.raw`);
  return { images, node };
}

/** Marks a file as a start does before its guest writes it. */
function markRaw({ host, paths }: Instance, path: string): void {
  const id = host.inspectFile(path)?.id;
  if (id === undefined) throw new Error(`${path} is missing`);
  const mark = { format: "raw", folder: formatFolder(paths.state) } as const;
  host.withAttributes(id, (file) => setFormatMark(host, { file, id }, mark));
}

test.each(hostileHeaders("n.raw"))("a real raw disk with %s in it is raw", async (_, bytes) => {
  using folder = new RealFolder();
  const { images, node } = makePool(folder, bytes);
  const listed = await listPoolVolumesWithSizes(node, "real");
  expect(listed.map(({ capacityBytes, format, name }) => [name, format, capacityBytes])).toEqual([
    ["n.raw", "raw", 4096],
    ["own.raw", "raw", 2 * MIB],
  ]);
  const resize = { capacityBytes: 8 * MIB, isDelta: false, isShrunk: false, isAllocated: false };
  await resizeVolume(node, { key: "own.raw", pool: "real" }, resize);
  expect(statSync(`${images}/own.raw`).size).toBe(8 * MIB);
  const shrink = { ...resize, capacityBytes: 4096, isShrunk: true };
  await resizeVolume(node, { key: "n.raw", pool: "real" }, shrink);
  writeFileSync(`${folder.path}/in`, "data");
  const part = { offset: 0, mostBytes: undefined, isSparse: false };
  await uploadVolume(node, { key: "n.raw", pool: "real" }, { file: `${folder.path}/in`, part });
  await deleteVolume(node, { key: "n.raw", pool: "real" });
});

test.skipIf(!isRoot)(`the format is on the file, which its guest cannot change${skipped}`, async () => {
  using folder = new RealFolder();
  const [[, bytes] = ["", new Uint8Array()]] = hostileHeaders("n.raw");
  const { images, node } = makePool(folder, bytes);
  expect(getxattr(`${images}/own.raw`, MARK)).toBe("raw");
  expect(node.host.listFolder(formatFolder(node.paths.state))).toEqual([]);
  await cloneVolume(node, "clone", { source: { key: "own.raw", pool: "real" }, flags: { isReflink: false } });
  expect(getxattr(`${images}/clone`, MARK)).toBe("raw");
  await createVolume(node, images, { volume: volumeWith("<format type='qcow2'/>") });
  expect(getxattr(`${images}/new.img`, MARK)).toBe("qcow2");
  await deleteVolume(node, { key: "new.img", pool: "real" });
  await createVolume(node, images, { volume: volumeWith("") });
  expect(getxattr(`${images}/new.img`, MARK)).toBeUndefined();
});

test("an image that was copied into the pool has the format of its header", () => {
  using folder = new RealFolder();
  const [[, bytes] = ["", new Uint8Array()]] = hostileHeaders("n.raw");
  const { images, node } = makePool(folder, bytes);
  writeFileSync(`${images}/cloud.img`, bytes);
  const facts = node.host.inspectFile(`${images}/cloud.img`);
  if (facts === undefined) throw new Error("the file is missing");
  expect(fileFormats(node).of(facts)).toBe("qcow2");
});
