import { describe, expect, test } from "bun:test";
import { closeSync } from "node:fs";
import { openPassed } from "../../../../src/host/linux/content/open-passed.ts";
import type { FileId } from "../../../../src/plan/facts/file.ts";
import type { PassedFile } from "../../../../src/plan/facts/launch-spec.ts";
import { RealFolder } from "../../../real-host/folder.ts";

type Lock = NonNullable<PassedFile["lock"]>;
const MIB = 1024 * 1024;
const qemuImg = Bun.which("qemu-img");
const aside = qemuImg === null ? " (skipped: qemu-img is missing)" : "";

const MODULE = new URL("../../../../src/host/linux/content/open-passed.ts", import.meta.url).pathname;

function passed(file: FileId, as: Lock["as"], isFirst = true): PassedFile {
  const access = as === "reader" ? "read-only" : "read-write";
  return { fd: 3, file, access, truncate: false, direct: false, lock: { as, isFirst } };
}

async function open(file: FileId, as: Lock["as"], isFirst = true) {
  return await openPassed(passed(file, as, isFirst));
}

/**
 * Returns true if qemu-img, which is independent of svirt, can do this to the image; otherwise its error
 * output.
 */
function canDo(words: readonly string[]): boolean | string {
  const { stderr, success } = Bun.spawnSync([qemuImg ?? "", ...words]);
  return success || stderr.toString();
}

const canResize = (path: string) => canDo(["resize", "-q", "-f", "raw", path, "+1M"]);
const canRead = (path: string) => canDo(["convert", "-f", "raw", "-O", "raw", path, `${path}.copy`]);

describe.skipIf(qemuImg === null)(`an image that svirt has opened for a guest${aside}`, () => {
  test("is not written by qemu-img while it is open, and is again afterwards", async () => {
    using folder = new RealFolder();
    const path = folder.file("disk", "\0".repeat(MIB));
    const fd = await open(folder.id(path), "writer");
    expect(canResize(path)).toContain("lock");
    expect(canRead(path)).toContain("lock");
    closeSync(fd);
    expect([canResize(path), canRead(path)]).toEqual([true, true]);
  });

  test("is read by others, and not written, when guests only read it", async () => {
    using folder = new RealFolder();
    const path = folder.file("disk", "\0".repeat(MIB));
    const [one, other] = [await open(folder.id(path), "reader"), await open(folder.id(path), "reader")];
    expect(canResize(path)).toContain("lock");
    expect(canRead(path)).toBe(true);
    for (const fd of [one, other]) closeSync(fd);
    expect(canResize(path)).toBe(true);
  });

  test("may be open twice for writing where guests share it", async () => {
    using folder = new RealFolder();
    const path = folder.file("disk", "\0".repeat(MIB));
    const [one, other] = [await open(folder.id(path), "sharer"), await open(folder.id(path), "sharer")];
    expect(canRead(path)).toContain("lock");
    for (const fd of [one, other]) closeSync(fd);
  });
});

describe("an image that another program has locked", () => {
  const seconds = "30";
  // Locks of a QEMU that writes: bytes 100 and 101 for its access, 201 to exclude others. flock(1) takes
  // other locks.
  const script = `import fcntl, struct, sys, time
fd = open(sys.argv[1], "r+b")
for byte in (100, 101, 201):
    fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", int(sys.argv[2]), 0, byte, 1, 0))
print("locked", flush=True)
time.sleep(${seconds})`;
  const python = Bun.which("python3");
  const say = python === null ? " (skipped: python3 is missing)" : "";

  test.skipIf(python === null).each([
    ["as QEMU does", "0", "writer"],
    ["as QEMU does", "0", "reader"],
    ["against all others", "1", "writer"],
  ] as const)(`%s (%s) is not handed to a %s${say}`, async (_, type, as) => {
    using folder = new RealFolder();
    const path = folder.file("disk", "\0".repeat(MIB));
    const other = Bun.spawn([python ?? "", "-c", script, path, type], { stdout: "pipe" });
    try {
      await other.stdout.getReader().read();
      await expect(open(folder.id(path), as)).rejects.toThrow(
        `Cannot pass ${path} to the guest: another program has locked it`,
      );
    } finally {
      other.kill();
      await other.exited;
    }
    closeSync(await open(folder.id(path), as));
  });

  test("is handed out again by the svirt that has inherited it from the guest's reaper", async () => {
    using folder = new RealFolder();
    const path = folder.file("disk", "x");
    const inherited = await open(folder.id(path), "writer");
    const program = `const { openPassed } = await import(${JSON.stringify(MODULE)});
      await openPassed(${JSON.stringify({ ...passed(folder.id(path), "writer") })});`;
    const again = Bun.spawnSync([process.execPath, "-e", program], {
      stdio: ["ignore", "ignore", "pipe", inherited],
    });
    expect([again.exitCode, again.stderr?.toString()]).toEqual([0, ""]);
    closeSync(inherited);
  });

  test("is not taken from another call of the same svirt, which has it locked", async () => {
    using folder = new RealFolder();
    const path = folder.file("disk", "x");
    const held = await open(folder.id(path), "writer");
    await expect(open(folder.id(path), "writer")).rejects.toThrow("another program has locked it");
    closeSync(held);
    closeSync(await open(folder.id(path), "writer"));
  });

  test.skipIf(python === null)(
    `is waited for as long as a guest may take that was just ended${say}`,
    async () => {
      using folder = new RealFolder();
      const path = folder.file("disk", "x");
      const other = Bun.spawn([python ?? "true", "-c", script.replace(seconds, "1"), path, "0"], {
        stdout: "pipe",
      });
      await other.stdout.getReader().read();
      closeSync(await open(folder.id(path), "writer"));
      expect(await other.exited).toBe(0);
    },
  );

  test("is opened once more for a guest that has it", async () => {
    using folder = new RealFolder();
    const path = folder.file("disk", "x");
    const before = await open(folder.id(path), "writer");
    const after = await open(folder.id(path), "reader", false);
    for (const fd of [before, after]) closeSync(fd);
  });
});
