import { expect, test } from "bun:test";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { formatNewImage } from "../../../../src/images/new-qcow2.ts";
import { definePool } from "../../../../src/vm/pool/define-pool.ts";
import { getPoolFacts } from "../../../../src/vm/pool/pool-facts.ts";
import { createVolume } from "../../../../src/vm/volume/create-volume.ts";
import { RealFolder } from "../../../real-host/folder.ts";
import { givenNode } from "../../../real-host/given-node.ts";
import { asideOf, nameMissing } from "../../../real-host/missing-programs.ts";
import { DRILLS } from "../../../real-host/volume-drills.ts";
import { poolXml } from "../../../scenes/pools.ts";
import { OTHER } from "../../../scenes/scene.ts";
import { activatePool, volumeWith } from "../../../scenes/volumes.ts";

const WORKER = new URL("../../../real-host/volume-drills.ts", import.meta.url).pathname;
const strace = Bun.which("strace");
const qemuImg = Bun.which("qemu-img");
const missing = asideOf(nameMissing("strace", "qemu-img"));

/**
 * System calls that change something. At each of them SIGKILL comes before the call has an effect. strace(1)
 * --inject
 */
const CALLS =
  "write,pwrite64,writev,pwritev,sendfile,copy_file_range,ftruncate,fallocate,fsync,fdatasync,link,linkat,rename,renameat," +
  "renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,fchmod,fchmodat,chmod,fchown,fchownat,chown,fsetxattr,setxattr,lsetxattr,flock";

/** Makes a node with pools and volumes in a folder on a disk. */
async function prepare(): Promise<RealFolder> {
  const folder = new RealFolder();
  const node = givenNode(folder.path, "s0");
  for (const name of ["images", "empty"]) mkdirSync(`${folder.path}/${name}`);
  activatePool(node, { name: "real", folder: `${folder.path}/images`, uuid: OTHER });
  await definePool(node, poolXml(`${folder.path}/a/other`, { name: "other" }));
  await definePool(node, poolXml(`${folder.path}/empty`, { name: "empty" }));
  writeFileSync(`${folder.path}/images/a.raw`, new Uint8Array(2 ** 20).fill(7));
  writeFileSync(`${folder.path}/images/q.qcow2`, formatNewImage({ format: "qcow2", sizeBytes: 2 ** 20 }));
  writeFileSync(`${folder.path}/input`, new Uint8Array(2 ** 20).fill(9));
  return folder;
}

/** Runs a drill in a process of its own below strace. Returns its exit code, and with `kill` the signal. */
function run(folder: RealFolder, name: string, words: readonly string[]): number | null {
  const command = [strace ?? "", "-f", "-qq", ...words, process.execPath, WORKER, name, folder.path];
  return Bun.spawnSync(command, { stdout: "ignore", stderr: "ignore" }).exitCode;
}

/** Returns how often each of the calls is made by the main thread, counted in one complete run. */
function countCalls(folder: RealFolder, name: string): ReadonlyMap<string, number> {
  const trace = `${folder.path}/trace`;
  expect([name, run(folder, name, ["-o", trace, "-e", `trace=execve,${CALLS}`])]).toEqual([name, 0]);
  const lines = readFileSync(trace, "utf8").split("\n");
  // The first line is the execve(2) of the main thread.
  const [main] = (lines.shift() ?? "").split(" ");
  const called = lines
    .filter((line) => line.startsWith(`${main} `))
    .map((line) => /^\d+ +(\w+)\(/.exec(line)?.[1]);
  const groups = Map.groupBy(
    called.filter((call) => call !== undefined),
    (call) => call,
  );
  return new Map([...groups].map(([call, all]) => [call, all.length]));
}

/**
 * Facts of the pools, and the content of each volume; a qcow2 image by its size and its check, since it may
 * have unused clusters.
 */
async function stateOf(folder: RealFolder): Promise<string> {
  const images = `${folder.path}/images`;
  const node = givenNode(folder.path, "s0");
  const volumes = readdirSync(images)
    .filter((name) => !name.startsWith(".svirt-"))
    .sort()
    .map((name) => [name, lstatSync(`${images}/${name}`).mode, contentOf(`${images}/${name}`)]);
  const pools = await Promise.all(
    ["real", "other"].map(async (name) => {
      try {
        return (await getPoolFacts(node, name)).state;
      } catch (error) {
        return String(error);
      }
    }),
  );
  return JSON.stringify([
    volumes,
    pools,
    existsSync(`${folder.path}/a/other`),
    existsSync(`${folder.path}/empty`),
  ]);
}

function contentOf(path: string): unknown {
  const bytes = readFileSync(path);
  if (bytes.subarray(0, 4).toString("latin1") !== "QFI\xfb") return Bun.hash(bytes).toString();
  const check = Bun.spawnSync([qemuImg ?? "", "check", "-f", "qcow2", path]).exitCode;
  // 3: clusters that nothing uses.
  return [check === 0 || check === 3, bytes.readBigUInt64BE(24).toString()];
}

/** Refusals of a repetition whose work was done. */
const DONE =
  /exists already|already active|is not active|failed to get vol|No such file or directory|is inactive|no storage/;
/**
 * Commands that may leave a volume that is written in part, or a folder that is built.
 * docs/decisions/storage.md
 */
const PARTLY = new Set(["vol-upload", "vol-wipe", "pool-start --build"]);

test.skipIf(missing !== "").each([...DRILLS])(
  `%s killed before each system call that changes something is done, or is done by the next call${missing}`,
  async (name, drill) => {
    using counted = await prepare();
    const before = await stateOf(counted);
    const calls = countCalls(counted, name);
    const done = await stateOf(counted);
    expect([name, done === before, calls.size > 1]).toEqual([name, false, true]);
    for (const [call, count] of calls)
      for (let at = 1; at <= count; at += 1) {
        const place = `${call} ${at} of ${count}`;
        using folder = await prepare();
        const trace = ["-o", "/dev/null", "-e", `inject=${call}:signal=KILL:when=${at}`];
        expect([place, run(folder, name, trace)]).toEqual([place, null]);
        if (!PARTLY.has(name))
          expect([place, [before, done].map(placeless(counted))]).toEqual([
            place,
            expect.arrayContaining([placeless(folder)(await stateOf(folder))]),
          ]);
        const node = givenNode(folder.path, "s0");
        await drill(node, folder.path).catch((error: unknown) => {
          expect([place, String(error)]).toEqual([place, expect.stringMatching(DONE)]);
        });
        expect([place, placeless(folder)(await stateOf(folder))]).toEqual([place, placeless(counted)(done)]);
        await createVolume(node, `${folder.path}/images`, {
          volume: { ...volumeWith(""), name: "other.img" },
        });
        expect([
          place,
          readdirSync(`${folder.path}/images`).filter((file) => file.startsWith(".svirt-")),
        ]).toEqual([place, []]);
      }
  },
  600_000,
);

/** Returns texts without the folder's name, which differs. */
function placeless({ path }: RealFolder): (text: string) => string {
  return (text) => text.replaceAll(path, "");
}
