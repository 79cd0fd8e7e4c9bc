import { describe, expect, test } from "bun:test";
import { asSvirtError } from "../../../../src/errors.ts";
import { decideOwnFolders } from "../../../../src/storage/pool/mount/guest-folder.ts";
import type { MountOrder } from "../../../../src/storage/pool/mount/mount-order.ts";

function orderOf(source: string): MountOrder {
  return {
    source,
    server: "a",
    attempts: [{ type: "nfs", options: ["vers=4.2", "soft"] }],
    flags: ["nosuid"],
  };
}

const POOLS = [
  { target: "/srv/net", order: orderOf("a:/images") },
  { target: "/srv/root", order: orderOf("a:/") },
];
const MOUNTS = ["/", "/srv/net", "/srv/root", "/srv/network"];

function decide(files: readonly string[], mountPoints: readonly string[] = MOUNTS) {
  return decideOwnFolders(files, { pools: POOLS, mountPoints });
}

function refusalOf(files: readonly string[], mountPoints?: readonly string[]) {
  try {
    decide(files, mountPoints);
  } catch (error) {
    const { kind, message } = asSvirtError(error);
    return [kind, message];
  }
  return undefined;
}

describe("decideOwnFolders()", () => {
  test("mounts the folder of each file, with the pool's options and a superblock of its own", () => {
    const [first, second] = decide(["/srv/net/one/a.img", "/srv/root/one/deep/b.img", "/srv/net/one/c.img"]);
    expect(first).toEqual({
      path: "/srv/net/one",
      order: {
        source: "a:/images/one",
        server: "a",
        attempts: [{ type: "nfs", options: ["vers=4.2", "soft", "nosharecache"] }],
        flags: ["nosuid"],
      },
    });
    expect([second?.path, second?.order.source]).toEqual(["/srv/root/one/deep", "a:/one/deep"]);
  });

  test("mounts only the outer one of two folders, whatever their order", () => {
    const files = ["/srv/net/one/vars/b.fd", "/srv/net/one/a.img"];
    for (const order of [files, files.toReversed()])
      expect(decide(order).map(({ path }) => path)).toEqual(["/srv/net/one"]);
  });

  test("leaves files outside of the pools alone, also below a path that begins alike", () => {
    expect(decide(["/srv/network/one/a.img", "/var/lib/a.img"])).toEqual([]);
  });

  test("refuses a file in the pool's own folder", () => {
    expect(refusalOf(["/srv/net/a.img"])).toEqual([
      "denied",
      expect.stringContaining("in no folder of its own"),
    ]);
  });

  test("refuses a folder that is a mount point, is below one, or has one below", () => {
    for (const point of ["/srv/net/one", "/srv/net/one/two", "/srv/net/one/two/three"])
      expect(refusalOf(["/srv/net/one/two/a.img"], [...MOUNTS, point])).toEqual([
        "in-use",
        expect.stringContaining(`another file system is mounted at ${point}`),
      ]);
  });
});
