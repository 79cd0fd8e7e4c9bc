import { describe, expect, test } from "bun:test";
import { closeSync, mkdirSync, openSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import { buildPool } from "../../../../src/vm/pool/build-pool.ts";
import { definePool } from "../../../../src/vm/pool/define-pool.ts";
import { deletePool } from "../../../../src/vm/pool/delete-pool.ts";
import { getPoolFacts, getPoolXml } from "../../../../src/vm/pool/pool-facts.ts";
import { destroyPool, refreshPool, startPool } from "../../../../src/vm/pool/start-pool.ts";
import { listPoolVolumes } from "../../../../src/vm/volume/list-volumes.ts";
import { RealFolder } from "../../../real-host/folder.ts";
import { givenNode } from "../../../real-host/given-node.ts";
import { asideOf, nameMissing } from "../../../real-host/missing-programs.ts";
import { errorOf } from "../../../scenes/scene.ts";

const MIB = 1024 * 1024;
const NOT_BUILT = { isBuilt: false };
const lack = process.getuid?.() === 0 ? nameMissing("mkfs.ext4", "losetup", "blkid") : "root is needed";

function output(...words: readonly string[]): string {
  const { stderr, stdout, success } = Bun.spawnSync([...words]);
  if (!success) throw new Error(`${words.join(" ")}: ${stderr}`);
  return stdout.toString().trim();
}

/**
 * Loop device over an empty file, and the document of a pool on it. What is mounted and the device end with
 * it.
 */
class Loop extends RealFolder {
  readonly target = `${this.path}/srv/pool`;
  readonly device: string;

  constructor() {
    super();
    const image = this.file("image");
    truncateSync(image, 32 * MIB);
    this.device = output("losetup", "-f", "--show", image);
  }

  xml(format = "<format type='ext4'/>"): Uint8Array {
    const source = `<source><device path='${this.device}'/>${format}</source>`;
    return new TextEncoder().encode(
      `<pool type='fs'><name>disk</name>${source}<target><path>${this.target}</path></target></pool>`,
    );
  }

  override [Symbol.dispose](): void {
    Bun.spawnSync(["umount", "-l", this.target]);
    output("losetup", "-d", this.device);
    super[Symbol.dispose]();
  }
}

/** Returns the error of work while the device is mounted in another folder. */
async function whileMounted({ device, path }: Loop, work: () => Promise<unknown>) {
  const elsewhere = `${path}/elsewhere`;
  mkdirSync(elsewhere);
  output("mount", device, elsewhere);
  try {
    return await errorOf(work());
  } finally {
    output("umount", elsewhere);
  }
}

describe.skipIf(lack !== undefined)(`a pool of type fs on a real device${asideOf(lack)}`, () => {
  test("is formatted, mounted, filled, unmounted and deleted", async () => {
    using loop = new Loop();
    const node = givenNode(loop.path, "s0");
    await definePool(node, loop.xml());
    expect((await errorOf(startPool(node, "disk", { isBuilt: true }))).message).toContain(
      `mount ${loop.device}`,
    );
    await buildPool(node, "disk", { formatting: "no-overwrite" });
    expect(output("blkid", "-p", "-o", "value", "-s", "TYPE", loop.device)).toBe("ext4");
    await startPool(node, "disk", NOT_BUILT);
    expect(output("findmnt", "-n", "-o", "SOURCE,FSTYPE", loop.target)).toBe(`${loop.device} ext4`);
    expect((await getPoolFacts(node, "disk")).state).toBe("running");
    expect(
      Number(/<capacity unit='bytes'>(\d+)</.exec((await getPoolXml(node, "disk", "active")).xml)?.[1]),
    ).toBeLessThan(32 * MIB);
    await refreshPool(node, "disk");
    await destroyPool(node, "disk");
    expect([Bun.spawnSync(["findmnt", loop.target]).success, readdirSync(loop.target)]).toEqual([false, []]);
    await deletePool(node, "disk");
  });

  test("keeps a file system on its device unless it may be overwritten", async () => {
    using loop = new Loop();
    const node = givenNode(loop.path, "s0");
    await definePool(node, loop.xml());
    output("mkfs.ext4", "-q", "-L", "kept", loop.device);
    const { kind, message } = await errorOf(buildPool(node, "disk", { formatting: "no-overwrite" }));
    expect([kind, message]).toEqual(["wrong-state", expect.stringContaining("it has content")]);
    const label = () => output("blkid", "-p", "-o", "export", loop.device);
    expect(label()).toContain("LABEL=kept");
    const busy = await whileMounted(loop, () => buildPool(node, "disk", { formatting: "overwrite" }));
    expect([busy.kind, label()]).toEqual(["wrong-state", expect.stringContaining("LABEL=kept")]);
    await buildPool(node, "disk", { formatting: "overwrite" });
    expect(label()).not.toContain("LABEL=kept");
  });

  test("is found by its mark without a format, and refused while it is mounted elsewhere", async () => {
    using loop = new Loop();
    const node = givenNode(loop.path, "s0");
    await definePool(node, loop.xml(""));
    await buildPool(node, "disk");
    expect((await errorOf(startPool(node, "disk", NOT_BUILT))).message).toContain("finds no file system");
    output("mkfs.ext4", "-q", loop.device);
    const busy = await whileMounted(loop, () => startPool(node, "disk", NOT_BUILT));
    expect([busy.kind, busy.message]).toEqual(["wrong-state", expect.stringContaining("the host uses it")]);
    await startPool(node, "disk", NOT_BUILT);
    await destroyPool(node, "disk");
  });

  test("stays active and mounted while a program uses a volume", async () => {
    using loop = new Loop();
    const node = givenNode(loop.path, "s0");
    await definePool(node, loop.xml());
    await startPool(node, "disk", { isBuilt: true, formatting: "overwrite" });
    writeFileSync(`${loop.target}/a.img`, "text");
    expect((await listPoolVolumes(node, "disk")).map(({ name }) => name)).toContain("a.img");
    const fd = openSync(`${loop.target}/a.img`, "r+");
    const { kind } = await errorOf(destroyPool(node, "disk"));
    closeSync(fd);
    expect([kind, (await getPoolFacts(node, "disk")).state]).toEqual(["in-use", "running"]);
    await destroyPool(node, "disk");
    expect((await getPoolFacts(node, "disk")).state).toBe("inactive");
  });
});
