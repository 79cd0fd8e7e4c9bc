import { describe, expect, test } from "bun:test";
import { errorsOf } from "../../src/errors.ts";
import { refuseBusyDisk } from "../../src/resolve/busy-disk.ts";
import { makeDevicePools } from "../scenes/devices.ts";
import { nodeOn, putText } from "../scenes/scene.ts";

const MOUNTS = "/proc/self/mountinfo";
const SWAPS = "/proc/swaps";

/** Returns the messages of the refusal of a device while the host has these texts in /proc. */
function refusalOf(path: string, texts: Readonly<Record<string, string>>): readonly string[] {
  const machine = makeDevicePools();
  for (const [file, text] of Object.entries(texts)) putText(machine, file, text);
  const { host } = nodeOn(machine);
  const id = host.inspectFile(path)?.id ?? { path };
  return errorsOf(() => refuseBusyDisk(host, id)).map(({ message }) => message);
}

// btrfs and overlays have device numbers of their own, and the source as it was given. proc_pid_mountinfo(5)
describe("refuseBusyDisk()", () => {
  test.each([
    ["a mount with its number", "/dev/sdb", { [MOUNTS]: "20 1 8:16 / /a rw shared:1 - ext4 /dev/root rw\n" }],
    ["a mount with its name", "/dev/sdb", { [MOUNTS]: "20 1 0:45 / /a rw - btrfs /dev/sdb rw\n" }],
    [
      "a mount by a link to it",
      "/dev/dm-0",
      { [MOUNTS]: "20 1 0:45 / /a rw - btrfs /dev/mapper/mpatha rw\n" },
    ],
    ["swap by another name", "/dev/dm-0", { [SWAPS]: "Filename\n/dev/mapper/mpatha partition 1 0 -2\n" }],
    ["swap", "/dev/sdb", { [SWAPS]: "Filename\n/dev/sdb partition 1 0 -2\n" }],
  ])("refuses %s", (_, path, texts) => {
    expect(refusalOf(path, texts)).toEqual([
      expect.stringContaining("the host uses it (as a mount, as swap"),
    ]);
  });

  // An ordinary user chooses the source of a FUSE mount. fusermount3(1) fsname
  test("takes no user's word for the source of a FUSE mount", () => {
    const line = (type: string): string => `20 1 0:45 / /home/a rw - ${type} /dev/sdb rw,user_id=1000\n`;
    expect(refusalOf("/dev/sdb", { [MOUNTS]: line("fuse.sshfs") })).toEqual([]);
    expect(refusalOf("/dev/sdb", { [MOUNTS]: line("fuse") })).toEqual([]);
    expect(refusalOf("/dev/sdb", { [MOUNTS]: line("btrfs") })).toHaveLength(1);
  });
});
