import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { inspectFile } from "../../../../src/host/linux/files/inspect-file.ts";
import { getStorage } from "../../../../src/host/linux/system/storage-facts.ts";
import { type StorageFacts, seenByOthers } from "../../../../src/label/seen-by-others.ts";
import { asideOf, nameMissing } from "../../../real-host/missing-programs.ts";

// The expected facts come from other programs: stat(1), findmnt(8), losetup(8).

let folder = "";

beforeAll(() => {
  folder = mkdtempSync("/var/tmp/svirt-storage-");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function output(...words: readonly string[]): string {
  const { exitCode, stderr, stdout } = Bun.spawnSync([...words]);
  if (exitCode !== 0) throw new Error(`${words.join(" ")}: ${stderr.toString()}`);
  return stdout.toString().trim();
}

function storageOf(path: string): StorageFacts {
  const facts = inspectFile(path);
  if (facts === undefined) throw new Error(`${path} is missing`);
  return getStorage(facts.id);
}

/** findmnt(8) fails in a chroot that is no mount point itself. */
const unknown = Bun.which("findmnt") !== null && !Bun.spawnSync(["findmnt", "-n", "-T", "/"]).success;
const untold =
  nameMissing("findmnt") ?? (unknown ? "findmnt knows no mount for /, as in a chroot" : undefined);

test
  .skipIf(untold !== undefined)
  .each(["/", "/dev", "/proc/self/status", "/sys/kernel", "/dev/shm", "/var/tmp"])(
  `the file system of %s is the one that stat and findmnt tell${asideOf(untold)}`,
  (path) => {
    const { fileSystems, isNode } = storageOf(path);
    expect([fileSystems[0], isNode]).toEqual([
      {
        magic: Number.parseInt(output("stat", "-f", "-c", "%t", path), 16),
        type: output("findmnt", "-n", "-o", "FSTYPE", "-T", path).split("\n").at(-1) ?? "",
      },
      false,
    ]);
  },
);

test("a character device has no disk, even where a disk has its number", () => {
  expect(storageOf("/dev/null")).toEqual({
    fileSystems: [{ magic: 0x01021994, type: "devtmpfs" }],
    disks: [],
    isNode: true,
  });
});

/** Runs work with a loop device over a file and a file system mounted from it. Requires root. */
function onLoop(
  work: (facts: { readonly device: string; readonly mount: string; readonly image: string }) => void,
) {
  const [image, mount] = [`${folder}/image`, `${folder}/mount`];
  writeFileSync(image, "");
  truncateSync(image, 8 * 1024 * 1024);
  mkdirSync(mount, { recursive: true });
  output("mkfs.ext4", "-q", image);
  const device = output("losetup", "-f", "--show", image);
  try {
    output("mount", device, mount);
    try {
      work({ device, mount, image });
    } finally {
      output("umount", mount);
    }
  } finally {
    output("losetup", "-d", device);
  }
}

const lack = process.getuid?.() === 0 ? nameMissing("mkfs.ext4", "losetup", "mount") : "root is needed";
const aside = asideOf(lack);
const asRoot = test.skipIf(lack !== undefined);

asRoot(`a loop device lies where its file lies, and so does what is mounted from it${aside}`, () => {
  onLoop(({ device, image, mount }) => {
    const below = storageOf(image);
    const [own, ...rest] = storageOf(mount).fileSystems;
    expect([own, rest]).toEqual([{ magic: 0xef53, type: "ext4" }, [...below.fileSystems]]);
    expect(storageOf(mount).disks).toEqual(below.disks);
    const { disks, fileSystems, isNode } = storageOf(device);
    expect([isNode, disks, fileSystems.slice(1)]).toEqual([true, below.disks, [...below.fileSystems]]);
  });
});

asRoot(`where a loop device lies whose file was removed is not known${aside}`, () => {
  onLoop(({ device, image, mount }) => {
    rmSync(image);
    const name = device.slice("/dev/".length);
    for (const path of [device, mount])
      expect(storageOf(path).disks).toEqual([
        { name, path: `/sys/devices/virtual/block/${name}`, transports: [], isLost: true },
      ]);
    expect(storageOf(mount).fileSystems).toEqual([{ magic: 0xef53, type: "ext4" }]);
    expect(seenByOthers(storageOf(mount)).labels).toBe(`a file that svirt does not find (${name})`);
  });
});

asRoot.each(["upper", "upper one"])(`an overlay lies where its folder "%s" lies${aside}`, (upper) => {
  onLoop(({ mount }) => {
    const merged = `${folder}/merged`;
    for (const path of [`${mount}/${upper}`, `${mount}/work`, `${folder}/lower`, merged])
      mkdirSync(path, { recursive: true });
    const options = `lowerdir=${folder}/lower,upperdir=${mount}/${upper},workdir=${mount}/work`;
    output("mount", "-t", "overlay", "overlay", "-o", options, merged);
    try {
      expect(
        storageOf(merged)
          .fileSystems.map(({ type }) => type)
          .slice(0, 2),
      ).toEqual(["overlay", "ext4"]);
      expect(storageOf(merged).disks).toEqual(storageOf(mount).disks);
    } finally {
      output("umount", merged);
    }
  });
});
