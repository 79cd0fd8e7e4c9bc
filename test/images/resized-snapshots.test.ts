import { describe, expect, test } from "bun:test";
import fs from "node:fs";
import { rewriteImage } from "../../src/host/linux/content/rewrite-image.ts";
import { fileFacts } from "../../src/host/linux/files/file-id.ts";
import { planResizedQcow2 } from "../../src/images/resized-qcow2.ts";
import { ImageFolder, missing, ok, qemuImg, run } from "./conversion/real-images.ts";

const MIB = 2 ** 20;
/** QEMU takes long to go back to a snapshot of a smaller disk. */
const SLOW_MS = 60_000;

async function resize(path: string, sizeBytes: number): Promise<void> {
  const { id } = fileFacts(path, fs.statSync(path, { bigint: true }));
  await rewriteImage(id, (image) => planResizedQcow2(image, sizeBytes));
}

const io = (path: string, ...commands: readonly string[]): string =>
  ok("qemu-io", "-f", "qcow2", ...commands.flatMap((text) => ["-c", text]), path);
const take = (path: string, name: string): string => ok("qemu-img", "snapshot", "-c", name, path);

/** Returns the exit code of a check, and the size. */
function stateOf(path: string): readonly number[] {
  const info = JSON.parse(ok("qemu-img", "info", "--output=json", "-f", "qcow2", path));
  return [run("qemu-img", "check", "-f", "qcow2", path).code, info["virtual-size"]];
}

/** Makes an image of a megabyte with a snapshot, and writes bytes into its file. */
function damaged(
  folder: ImageFolder,
  place: "header" | "snapshot",
  change: (view: DataView) => void,
): string {
  const path = folder.make("image", ["qcow2", `${MIB}`]);
  take(path, "one");
  const bytes = fs.readFileSync(path);
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const table = Number(header.getBigUint64(64));
  change(place === "header" ? header : new DataView(bytes.buffer, bytes.byteOffset + table));
  fs.writeFileSync(path, bytes);
  return path;
}

describe.skipIf(qemuImg === null)(`planResizedQcow2() and snapshots${missing}`, () => {
  // Of the second and the third the L1 table moves.
  test.each([
    ["compat=1.1", 1024 * MIB],
    ["compat=1.1,cluster_size=512", 3 * MIB],
    ["compat=1.1,cluster_size=4k,lazy_refcounts=on", 1100 * MIB],
    ["compat=1.1,extended_l2=on,cluster_size=16k", 100 * MIB],
  ] as const)(
    "grows an image with %s, whose snapshots keep their data and size",
    async (options, to) => {
      using folder = new ImageFolder();
      const path = folder.make("image", ["qcow2", "-o", options, `${MIB}`], ["write -P 7 0 64k"]);
      take(path, "one");
      io(path, "write -P 8 0 64k", "write -P 9 512k 64k");
      take(path, "two");
      await expect(resize(path, MIB / 2)).rejects.toThrow("it has internal snapshots");
      await resize(path, to);
      expect(stateOf(path)).toEqual([0, to]);
      io(path, `write -P 5 ${to - 65_536} 64k`, "read -P 8 0 64k", "read -P 9 512k 64k");
      for (const [name, ...reads] of [
        ["one", "read -P 7 0 64k", "read -P 0 512k 64k"],
        ["two", "read -P 8 0 64k", "read -P 9 512k 64k"],
      ] as const) {
        ok("qemu-img", "snapshot", "-a", name, path);
        expect(stateOf(path)).toEqual([0, MIB]);
        io(path, ...reads);
      }
    },
    SLOW_MS,
  );

  test.each([
    [
      "more snapshots than QEMU reads",
      "header",
      (view: DataView) => view.setUint32(60, 65_537),
      "65537 internal snapshots",
    ],
    [
      "a table of snapshots behind its end",
      "header",
      (view: DataView) => view.setBigUint64(64, 2n ** 40n),
      "a snapshot is at",
    ],
    [
      "a snapshot without a size",
      "snapshot",
      (view: DataView) => view.setUint32(36, 8),
      "need not have the size of their disk",
    ],
    [
      "a snapshot with more extra data than QEMU reads",
      "snapshot",
      (view: DataView) => view.setUint32(36, 1025),
      "1025 bytes of extra data",
    ],
  ] as const)("refuses an image with %s", async (_, ...[place, change, why]) => {
    using folder = new ImageFolder();
    const path = damaged(folder, place, change);
    const before = fs.readFileSync(path);
    await expect(resize(path, 2 * MIB)).rejects.toThrow(why);
    expect(fs.readFileSync(path).equals(before)).toBe(true);
  });
});
