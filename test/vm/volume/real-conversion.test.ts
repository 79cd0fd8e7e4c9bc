import { describe, expect, test } from "bun:test";
import { appendFileSync, closeSync, lstatSync, mkdirSync, openSync, readdirSync } from "node:fs";
import { lockImage } from "../../../src/host/linux/content/image-lock.ts";
import { createVolumeFromVolume } from "../../../src/vm/volume/copy-volume.ts";
import { missing, ok, qemuImg, run } from "../../images/conversion/real-images.ts";
import { RealFolder } from "../../real-host/folder.ts";
import { givenNode } from "../../real-host/given-node.ts";
import { errorOf, OTHER } from "../../scenes/scene.ts";
import { activatePool } from "../../scenes/volumes.ts";

const MIB = 1024 * 1024;

/** A folder with images, which is an active pool, and a call that creates the volume copy in it. */
function makePool(folder: RealFolder) {
  const images = `${folder.path}/images`;
  mkdirSync(images);
  const node = givenNode(folder.path, "s0");
  activatePool(node, { name: "real", folder: images, uuid: OTHER });
  const createFrom = (key: string, xml: string, more: { readonly onProgress?: () => void } = {}) =>
    createVolumeFromVolume(node, "real", {
      bytes: new TextEncoder().encode(`<volume><name>copy</name>${xml}</volume>`),
      source: { key, pool: "real", format: "qcow2" },
      flags: { isReflink: false },
      ...more,
    });
  return { images, createFrom };
}

/** Makes a qcow2 image above a raw one, with data in both. */
function makeImages(images: string): void {
  ok("qemu-img", "create", "-q", "-f", "raw", `${images}/base`, "8M");
  ok("qemu-io", "-f", "raw", "-c", "write -P 1 1M 64k", `${images}/base`);
  ok("qemu-img", "create", "-q", "-f", "qcow2", "-b", `${images}/base`, "-F", "raw", `${images}/top`, "8M");
  ok("qemu-io", "-f", "qcow2", "-c", "write -P 2 2M 64k", `${images}/top`);
}

/** Starts a program that has an image open, locked as a QEMU locks it, until it is ended. */
async function holdImage(path: string, as: "reader" | "writer") {
  const fd = openSync(path, as === "reader" ? "r" : "r+");
  const program = Bun.spawn(["sleep", "60"], { stdio: [fd, "ignore", "ignore"] });
  await lockImage(fd, path, { as, isFirst: true });
  closeSync(fd);
  return program;
}

describe.skipIf(qemuImg === null)(`a converted volume${missing}`, () => {
  test("has the data of an image and of the one below it, and is sparse", async () => {
    using folder = new RealFolder();
    const { createFrom, images } = makePool(folder);
    makeImages(images);
    const seen: number[] = [];
    const { path } = await createFrom("top", "", { onProgress: () => seen.push(1) });
    expect(run("qemu-img", "compare", "-f", "raw", "-F", "qcow2", path, `${images}/top`).code).toBe(0);
    const { blocks, mode, size } = lstatSync(path);
    expect([size, blocks * 512, mode & 0o7777, seen.length > 0]).toEqual([8 * MIB, 128 * 1024, 0o600, true]);
    expect(readdirSync(images).sort()).toEqual(["base", "copy", "top"]);
  });

  test("is allocated if the document requests it", async () => {
    using folder = new RealFolder();
    const { createFrom, images } = makePool(folder);
    makeImages(images);
    const { path } = await createFrom("top", "<allocation unit='MiB'>8</allocation>");
    expect(lstatSync(path).blocks * 512).toBeGreaterThanOrEqual(8 * MIB);
  });

  test("is not made while a guest writes to an image below the source, and is while guests read it", async () => {
    using folder = new RealFolder();
    const { createFrom, images } = makePool(folder);
    makeImages(images);
    const kept = await holdImage(`${images}/base`, "writer");
    const error = await errorOf(createFrom("top", ""));
    kept.kill();
    await kept.exited;
    expect([error.kind, error.message]).toEqual([
      "in-use",
      `Cannot copy ${images}/base: another program has locked it`,
    ]);
    expect(readdirSync(images).sort()).toEqual(["base", "top"]);
    const reader = await holdImage(`${images}/base`, "reader");
    await createFrom("top", "");
    reader.kill();
  }, 20_000);

  test.each(["base", "top"])("is removed if %s changes meanwhile", async (name) => {
    using folder = new RealFolder();
    const { createFrom, images } = makePool(folder);
    makeImages(images);
    const change = (): void => appendFileSync(`${images}/${name}`, "more");
    const error = await errorOf(createFrom("top", "", { onProgress: change }));
    expect(error.message).toBe(`Cannot copy ${images}/${name}: it changed meanwhile`);
    expect(readdirSync(images).sort()).toEqual(["base", "top"]);
  });
});

test("QEMU cannot write to a source while it is converted", async () => {
  using folder = new RealFolder();
  const { createFrom, images } = makePool(folder);
  if (qemuImg === null) return;
  makeImages(images);
  const tried: string[] = [];
  const write = (): void => {
    if (tried.length === 0)
      tried.push(run("qemu-io", "-f", "raw", "-c", "write -P 3 0 512", `${images}/base`).out);
  };
  await createFrom("top", "", { onProgress: write });
  expect(tried[0]).toContain('Failed to get "write" lock');
});
