import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { buildPool } from "../../../src/vm/pool/build-pool.ts";
import { definePool, undefinePool } from "../../../src/vm/pool/define-pool.ts";
import { deletePool } from "../../../src/vm/pool/delete-pool.ts";
import { getPoolFacts } from "../../../src/vm/pool/pool-facts.ts";
import { destroyPool, refreshPool, startPool } from "../../../src/vm/pool/start-pool.ts";
import { ASIDE, MISSING, RealFolder } from "../../real-host/folder.ts";
import { givenNode } from "../../real-host/given-node.ts";
import { poolXml } from "../../scenes/pools.ts";
import { errorOf } from "../../scenes/scene.ts";

const folders: RealFolder[] = [];
afterAll(() => {
  for (const { path } of folders) rmSync(path, { recursive: true, force: true });
});

/** Returns an instance in a folder of /var/tmp, a place for guests' files, with a pool in it. */
async function nodeWith(permissions = "") {
  const folder = new RealFolder();
  folders.push(folder);
  const node = givenNode(folder.path, "s0");
  const target = `${folder.path}/a/images`;
  await definePool(node, poolXml(target, { permissions }));
  return { folder, node, target };
}

const modeOf = (path: string): number => lstatSync(path).mode & 0o7777;

describe("a pool in folders of the real host", () => {
  test("is built, started, refreshed and deleted", async () => {
    const { folder, node, target } = await nodeWith();
    const before = process.umask(0o077);
    try {
      await buildPool(node, "images");
    } finally {
      process.umask(before);
    }
    expect([modeOf(`${folder.path}/a`), modeOf(target)]).toEqual([0o711, 0o711]);
    await buildPool(node, "images");
    await startPool(node, "images", { isBuilt: false });
    await refreshPool(node, "images");
    const { space, state } = await getPoolFacts(node, "images");
    const { blocks, bsize } = statfsSync(target);
    expect([state, space?.capacityBytes]).toEqual(["running", blocks * bsize]);
    await destroyPool(node, "images");
    writeFileSync(`${target}/disk.img`, "");
    expect((await errorOf(deletePool(node, "images"))).message).toContain("Directory not empty");
    rmSync(`${target}/disk.img`);
    await deletePool(node, "images");
    await undefinePool(node, "images");
    expect(readdirSync(`${folder.path}/a`)).toEqual([]);
  });

  test.skipIf(MISSING !== undefined)(
    `gets its owner, its group, its mode and its label${ASIDE}`,
    async () => {
      const label = "system_u:object_r:virt_image_t:s0";
      const { folder, node, target } = await nodeWith(
        `<mode>0750</mode><owner>107</owner><group>36</group><label>${label}</label>`,
      );
      await buildPool(node, "images");
      expect(folder.getXattr(folder.id(target), "security.selinux")).toBe(label);
      const { gid, uid } = lstatSync(target);
      expect([modeOf(target), uid, gid]).toEqual([0o750, 107, 36]);
      chmodSync(target, 0o777);
      await buildPool(node, "images");
      expect(modeOf(target)).toBe(0o750);
    },
  );

  test.each(["the target", "the folder above"])(
    "is refused if %s is a symbolic link, even to a folder for guests",
    async (which) => {
      const { folder, node, target } = await nodeWith();
      await buildPool(node, "images");
      const from = which === "the target" ? target : `${folder.path}/a`;
      renameSync(from, `${folder.path}/moved`);
      symlinkSync(`${folder.path}/moved`, from);
      for (const work of [
        () => startPool(node, "images", { isBuilt: true }),
        () => buildPool(node, "images"),
        () => deletePool(node, "images"),
      ])
        expect((await errorOf(work())).message).toContain("leads through a symbolic link");
    },
  );
});

describe("calls for folders", () => {
  test("makeFolderWithin() makes nothing in a folder that has replaced the inspected one", () => {
    using folder = new RealFolder();
    const [one, two] = [`${folder.path}/one`, `${folder.path}/two`];
    for (const path of [one, two]) mkdirSync(path);
    const id = folder.id(one);
    renameSync(one, `${folder.path}/moved`);
    symlinkSync(two, one);
    expect(() => folder.host.makeFolderWithin(id, { path: `${one}/new`, mode: 0o700 })).toThrow();
    expect(readdirSync(two)).toEqual([]);
  });

  test("makeFolderWithin() refuses a name that exists, and a symlink to nowhere", () => {
    using folder = new RealFolder();
    const id = folder.id(folder.path);
    symlinkSync("/nowhere", `${folder.path}/link`);
    folder.file("file");
    for (const name of ["link", "file"])
      expect(() => folder.host.makeFolderWithin(id, { path: `${folder.path}/${name}`, mode: 0o700 })).toThrow(
        "EEXIST",
      );
    const made = folder.host.makeFolderWithin(id, { path: `${folder.path}/a`, mode: 0o777 });
    expect([modeOf(`${folder.path}/a`), made]).toEqual([0o777, folder.id(`${folder.path}/a`)]);
  });

  test("removeEmptyFolder() removes only the inspected folder, and only an empty one", () => {
    using folder = new RealFolder();
    const path = `${folder.path}/a`;
    mkdirSync(path);
    const id = folder.id(path);
    writeFileSync(`${path}/file`, "");
    expect(() => folder.host.removeEmptyFolder(id)).toThrow("ENOTEMPTY");
    renameSync(path, `${folder.path}/b`);
    mkdirSync(path);
    expect(() => folder.host.removeEmptyFolder(id)).toThrow("the file was replaced");
    folder.host.removeEmptyFolder(folder.id(path));
    folder.host.removeEmptyFolder(id);
    expect(readdirSync(folder.path)).toEqual(["b"]);
  });

  test("getSpace() returns the numbers of statvfs(3)", () => {
    using folder = new RealFolder();
    const { freeBytes, sizeBytes } = folder.host.getSpace(folder.id(folder.path));
    const { bfree, blocks, bsize } = statfsSync(folder.path);
    expect(sizeBytes).toBe(blocks * bsize);
    expect(Math.abs(freeBytes - bfree * bsize)).toBeLessThan(sizeBytes / 10);
  });
});
