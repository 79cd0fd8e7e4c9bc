import { describe, expect, test } from "bun:test";
import { parseDescriptorInfo, parseMaps } from "../../../src/plan/facts/process-files.ts";

describe("parseMaps()", () => {
  test.each([
    [
      "00400000-00452000 r-xp 00000000 08:02 173521      /usr/bin/dbus-daemon",
      {
        device: "8:2",
        inode: "173521",
        isShared: false,
        range: "400000-452000",
        path: "/usr/bin/dbus-daemon",
      },
    ],
    [
      "7fbdf0f78000-7fbdf0f7a000 rw-s 00000000 fe:00 11176257                   /srv/a b (deleted)",
      {
        device: "254:0",
        inode: "11176257",
        isShared: true,
        range: "7fbdf0f78000-7fbdf0f7a000",
        path: "/srv/a b (deleted)",
      },
    ],
    [
      "7f0000000000-7f0000001000 ---s 00001000 103:1ff 7 /srv/disk",
      {
        device: "259:511",
        inode: "7",
        isShared: true,
        range: "7f0000000000-7f0000001000",
        path: "/srv/disk",
      },
    ],
  ])("reads %p", (line, mapped) => {
    expect(parseMaps(`${line}\n`)).toEqual([mapped]);
  });

  test.each([
    "7ffd0000-7ffe0000 rw-p 00000000 00:00 0                                  [stack]",
    "7ffd0000-7ffe0000 rw-p 00000000 00:00 0 ",
    "",
    "not a mapping",
  ])("finds no file in %p", (line) => {
    expect(parseMaps(line)).toEqual([]);
  });

  test("tells of a file once, and once more where it is mapped shared, too", () => {
    const lines = ["r--p", "r-xp", "rw-s", "r--s"].map(
      (how, at) => `${at}000-${at}800 ${how} 00000000 08:01 5 /srv/disk`,
    );
    const found = parseMaps(lines.join("\n"));
    expect(found.map(({ isShared, range }) => [isShared, range])).toEqual([
      [false, "0-800"],
      [true, "2000-2800"],
    ]);
  });

  test("tells of two files with one number, as on an overlay of two disks and in subvolumes of btrfs", () => {
    const lines = ["/srv/a", "/srv/b"].map((path, at) => `${at}000-${at}800 rw-s 00000000 00:27 12 ${path}`);
    expect(parseMaps(lines.join("\n")).map(({ path }) => path)).toEqual(["/srv/a", "/srv/b"]);
  });

  test("takes no name for a line of its own", () => {
    // The kernel writes a newline in a name as \\012. proc_pid_maps(5)
    const [found] = parseMaps(
      "1000-2000 rw-s 00000000 08:01 5 /srv/a\\0122000-3000 rw-s 00000000 08:01 6 /srv/b",
    );
    expect(found?.inode).toBe("5");
  });
});

describe("parseDescriptorInfo()", () => {
  const NOTHING = {
    canWrite: false,
    inode: undefined,
    waiting: undefined,
    registered: undefined,
    tap: undefined,
  };
  test.each([
    [
      "pos:\t0\nflags:\t02000002\nmnt_id:\t10\nino:\t99975\nscm_fds: 2\n",
      { inode: "99975", waiting: 2, canWrite: true },
    ],
    ["pos:\t0\nflags:\t02\nmnt_id:\t10\nino:\t7\nscm_fds: 0\n", { inode: "7", waiting: 0, canWrite: true }],
    ["flags:\t02\nino:\t3\niff:\tvnet0\n", { inode: "3", tap: "vnet0", canWrite: true }],
    // Format of Linux 6.18 and 6.12. A file name may contain any text.
    [
      "ino:\t9\nUserFiles:\t1\n    0: /srv/disk\nUserBufs:\t2\n    0: 0x7f1eaef57000/4096\n    1: <none>\nPollList:\n",
      { inode: "9", registered: 3 },
    ],
    ["ino:\t9\nUserFiles:\t0\nUserBufs:\t1\n    0: 0x7f1eaef57000/4096\n", { inode: "9", registered: 1 }],
    ["ino:\t9\nUserFiles:\t0\n", { inode: "9" }],
    ["ino:\t9\nUserFiles:\t0\nUserBufs:\t0\n", { inode: "9", registered: 0 }],
    ["pos:\t0\nflags:\t0100001\nino:\t8\n", { inode: "8", canWrite: true }],
    ["pos:\t0\nflags:\t012000000\nino:\t8\n", { inode: "8" }],
    ["", {}],
  ])("reads %p", (text, told) => {
    expect(parseDescriptorInfo(text)).toEqual({ ...NOTHING, ...told });
  });
});
