import { describe, expect, test } from "bun:test";
import { closeSync, mkdirSync, openSync, readdirSync, truncateSync } from "node:fs";
import { cloneVolume } from "../../../../src/vm/volume/copy-volume.ts";
import { createVolume } from "../../../../src/vm/volume/create-volume.ts";
import { RealFolder } from "../../../real-host/folder.ts";
import { givenNode } from "../../../real-host/given-node.ts";
import { errorOf, OTHER } from "../../../scenes/scene.ts";
import { activatePool, volumeWith } from "../../../scenes/volumes.ts";

const MIB = 1024 * 1024;

/** Returns why no file system btrfs can be mounted here. */
function findMissing(): string | undefined {
  if (process.getuid?.() !== 0) return "only root mounts";
  if (Bun.which("mkfs.btrfs") === null || Bun.which("lsattr") === null) return "mkfs.btrfs is missing";
  const { exitCode } = Bun.spawnSync(["losetup", "--find"]);
  return exitCode === 0 ? undefined : "there are no loop devices";
}
const why = findMissing();
const skipped = why === undefined ? "" : ` (skipped: ${why})`;

const run = (...words: readonly string[]): string => {
  const { exitCode, stderr, stdout } = Bun.spawnSync([...words]);
  expect([words, exitCode, String(stderr)]).toEqual([words, 0, expect.anything()]);
  return String(stdout);
};

/** Returns the attributes of files, as lsattr(1) prints them. */
const attributesOf = (path: string): string => run("lsattr", path).split(" ")[0] ?? "";

describe.skipIf(why !== undefined)(`<nocow/> on btrfs${skipped}`, () => {
  test("sets the flag of a new raw, qcow2 or preallocated volume, and of no other", async () => {
    using folder = new RealFolder();
    const [disk, images] = [`${folder.path}/disk`, `${folder.path}/images`];
    closeSync(openSync(disk, "w"));
    truncateSync(disk, 256 * MIB);
    mkdirSync(images);
    run("mkfs.btrfs", "-q", disk);
    run("mount", "-o", "loop", disk, images);
    try {
      const node = givenNode(folder.path, "s0");
      activatePool(node, { name: "real", folder: images, uuid: OTHER });
      const make = async (name: string, target: string, isMetadataPreallocated = false) =>
        await createVolume(node, images, {
          volume: { ...volumeWith(target), name },
          flags: { isMetadataPreallocated },
        });
      const qcow2 = "<format type='qcow2'/>";
      for (const path of [
        await make("raw", "<nocow/>"),
        await make("qcow2", `${qcow2}<nocow/>`),
        await make("tables", `${qcow2}<nocow/>`, true),
      ])
        expect([path, attributesOf(path)]).toEqual([path, expect.stringContaining("C")]);
      expect(attributesOf(await make("plain", ""))).not.toContain("C");
      const { path } = await cloneVolume(node, "clone", {
        source: { key: "raw", pool: "real" },
        flags: { isReflink: false },
      });
      expect(attributesOf(path)).not.toContain("C");
    } finally {
      run("umount", images);
    }
  }, 30_000);
});

test("<nocow/> on another file system is refused by its place, and makes nothing", async () => {
  using folder = new RealFolder();
  const images = `${folder.path}/images`;
  mkdirSync(images);
  const node = givenNode(folder.path, "s0");
  activatePool(node, { name: "real", folder: images, uuid: OTHER });
  const error = await errorOf(createVolume(node, images, { volume: volumeWith("<nocow/>") }));
  expect([error.kind, error.message, readdirSync(images)]).toEqual([
    "unsupported",
    `Cannot create ${images}/new.img: /volume/target/nocow: Failed to set NOCOW flag`,
    [],
  ]);
});
