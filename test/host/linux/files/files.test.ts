import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { poll } from "../../../../src/host/linux/calls/terminal.ts";
import { ASIDE, MISSING, RealFolder } from "../../../real-host/folder.ts";

const LABEL = "security.selinux";
const PRIVATE = "system_u:object_r:svirt_image_t:s0:c1,c2";
const SECRET = "system_u:object_r:shadow_t:s0";

/** Returns the label as getfattr(1), not svirt, reads it, byte for byte. */
function rawLabel(path: string): string {
  const { stdout } = Bun.spawnSync(["getfattr", "--only-values", "-n", LABEL, path], { stderr: "ignore" });
  return stdout.toString();
}

const hasGetfattr = Bun.which("getfattr") !== null;

describe.skipIf(MISSING !== undefined)(`a file of the real machine${ASIDE}`, () => {
  test("is given a label and told apart from what it had", () => {
    using folder = new RealFolder();
    const path = folder.file("disk");
    const file = folder.id(path);
    expect(folder.setXattr(file, LABEL, `${PRIVATE}\0`)).toBe(true);
    expect(folder.getXattr(file, LABEL)).toBe(PRIVATE);
    folder.removeXattr(file, LABEL);
    expect(folder.getXattr(file, LABEL)).toBeUndefined();
    folder.removeXattr(file, LABEL);
  });

  test.skipIf(!hasGetfattr)(
    `carries the label with a NUL at its end, as libselinux writes it${hasGetfattr ? "" : " (skipped: getfattr is missing)"}`,
    () => {
      using folder = new RealFolder();
      const path = folder.file("disk");
      folder.setXattr(folder.id(path), LABEL, `${PRIVATE}\0`);
      expect(rawLabel(path)).toBe(`${PRIVATE}\0`);
    },
  );

  test("is labelled through a read-only mode and without being read", () => {
    using folder = new RealFolder();
    const path = folder.file("disk");
    chmodSync(path, 0o000);
    const before = statSync(path).atimeMs;
    folder.setXattr(folder.id(path), LABEL, `${PRIVATE}\0`);
    expect(folder.getXattr(folder.id(path), LABEL)).toBe(PRIVATE);
    expect([statSync(path).atimeMs, statSync(path).mode & 0o7777]).toEqual([before, 0]);
  });

  test("keeps trusted attributes of the reference implementation's names", () => {
    using folder = new RealFolder();
    const file = folder.id(folder.file("disk"));
    for (const name of ["trusted.libvirt.security.selinux", "trusted.svirt.boot_id"]) {
      expect(folder.setXattr(file, name, "value")).toBe(true);
      expect(folder.getXattr(file, name)).toBe("value");
    }
  });

  test("keeps attributes of any length that the file system takes", () => {
    using folder = new RealFolder();
    const file = folder.id(folder.file("disk"));
    for (const length of [0, 255, 256, 257, 2000]) {
      folder.setXattr(file, "user.note", "x".repeat(length));
      expect(folder.getXattr(file, "user.note")).toHaveLength(length);
    }
  });

  test("tells the names of all its attributes, however long they are together", () => {
    using folder = new RealFolder();
    const file = folder.id(folder.file("disk"));
    const names = Array.from({ length: 5 }, (_, at) => `user.${at}${"x".repeat(100)}`);
    for (const name of names) folder.setXattr(file, name, "");
    const found = folder.host.withAttributes(file, (opened) => opened.listXattrs());
    expect(found.filter((name) => name.startsWith("user.")).toSorted()).toEqual(names);
  });

  test("that a symlink replaced after inspection is refused, and what the link leads to is left alone", () => {
    using folder = new RealFolder();
    const path = folder.file("disk");
    const file = folder.id(path);
    const secret = folder.file("secret", "root:x:");
    folder.setXattr(folder.id(secret), LABEL, `${SECRET}\0`);
    unlinkSync(path);
    folder.symlink("disk", secret);
    // The symlink may even have the old file's inode number, as on ext4.
    expect(() => folder.setXattr(file, LABEL, `${PRIVATE}\0`)).toThrow("the file was replaced");
    expect(() => folder.host.readBytes(file, 0, 10)).toThrow();
    expect(folder.getXattr(folder.id(secret), LABEL)).toBe(SECRET);
    // O_PATH|O_NOFOLLOW opens the symlink itself, which must not be labelled either.
    expect(readlinkSync(path)).toBe(secret);
  });

  test("that another file replaced after inspection is refused, and the other file is left alone", () => {
    using folder = new RealFolder();
    const path = folder.file("disk");
    const file = folder.id(path);
    const other = folder.file("other");
    folder.setXattr(folder.id(other), LABEL, `${SECRET}\0`);
    renameSync(other, path);
    expect(() => folder.setXattr(file, LABEL, `${PRIVATE}\0`)).toThrow("the file was replaced");
    expect(folder.getXattr(folder.id(path), LABEL)).toBe(SECRET);
  });

  test("whose folder became a symlink to a folder of others is refused", () => {
    using folder = new RealFolder();
    mkdirSync(`${folder.path}/images`);
    mkdirSync(`${folder.path}/others`);
    const file = folder.id(folder.file("images/disk"));
    const other = folder.file("others/disk");
    renameSync(`${folder.path}/images`, `${folder.path}/moved`);
    folder.symlink("images", `${folder.path}/others`);
    expect(() => folder.setXattr(file, LABEL, `${PRIVATE}\0`)).toThrow("the file was replaced");
    expect(folder.getXattr(folder.id(other), LABEL)).toBeUndefined();
  });

  test("is refused when a FIFO was put in its place, and nobody waits for it", () => {
    using folder = new RealFolder();
    const path = folder.file("disk");
    const file = folder.id(path);
    // The old file is kept, so that its inode number is not reused.
    renameSync(path, `${folder.path}/kept`);
    Bun.spawnSync(["mkfifo", path]);
    expect(() => folder.host.readBytes(file, 0, 10)).toThrow("the file was replaced");
  });

  test("is looked at before it is opened: another in its place notices nothing", () => {
    using folder = new RealFolder();
    const path = folder.file("disk");
    const file = folder.id(path);
    renameSync(path, `${folder.path}/kept`);
    Bun.spawnSync(["mkfifo", path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    expect(() => folder.host.writeBytes(file, 0, new Uint8Array(1))).toThrow("the file was replaced");
    // POLLHUP would be set once a writer had opened the FIFO. poll(2)
    expect(poll([{ fd: reader, events: 0 }], 0)).toEqual([0]);
    closeSync(reader);
  });

  test("opens no descriptor that stays open, also where it refuses", () => {
    using folder = new RealFolder();
    const path = folder.file("disk");
    const file = folder.id(path);
    const descriptors = (): string[] => readdirSync("/proc/self/fd");
    folder.getXattr(file, LABEL);
    const before = new Set(descriptors());
    for (let at = 0; at < 20; at += 1) {
      folder.setXattr(file, LABEL, `${PRIVATE}\0`);
      expect(() => folder.getXattr({ ...file, inode: "1" }, LABEL)).toThrow("the file was replaced");
      folder.host.inspectFile(path);
      folder.host.isLocked(`${folder.path}/lock`);
    }
    // A descriptor of an earlier test may be closed meanwhile.
    expect(descriptors().filter((number) => !before.has(number))).toEqual([]);
  });
});

describe.skipIf(MISSING !== undefined)(`inspectFile() on the real machine${ASIDE}`, () => {
  test("resolves symlinks, and names the real path", () => {
    using folder = new RealFolder();
    const path = folder.file("disk", "12345");
    const facts = folder.host.inspectFile(folder.symlink("by-id", path));
    const stat = statSync(path, { bigint: true });
    expect(facts).toMatchObject({
      type: "file",
      sizeBytes: 5,
      uid: 0,
      id: { path, inode: String(stat.ino) },
    });
    expect(facts?.id.node).toBeUndefined();
  });

  test("knows device nodes by their numbers, and does not wake what is behind them", () => {
    using folder = new RealFolder();
    // 1:3 is null, 7 is loop; the node needs no device behind it. Documentation/admin-guide/devices.txt
    Bun.spawnSync(["mknod", `${folder.path}/loop`, "b", "7", "99"]);
    expect(folder.host.inspectFile("/dev/null")).toMatchObject({ type: "character", id: { node: "1:3" } });
    expect(folder.host.inspectFile(`${folder.path}/loop`)).toMatchObject({
      type: "block",
      id: { node: "7:99" },
    });
  });

  test("knows large device numbers", () => {
    using folder = new RealFolder();
    const made = Bun.spawnSync(["mknod", `${folder.path}/node`, "b", "259", "300000"]);
    expect(made.exitCode).toBe(0);
    expect(folder.host.inspectFile(`${folder.path}/node`)?.id.node).toBe("259:300000");
  });

  test("says undefined where nothing is, and for a link that leads nowhere", () => {
    using folder = new RealFolder();
    expect(folder.host.inspectFile(`${folder.path}/no`)).toBeUndefined();
    expect(folder.host.inspectFile(folder.symlink("dangling", "/no/where"))).toBeUndefined();
  });

  test("tells of links that go round", () => {
    using folder = new RealFolder();
    const path = folder.symlink("round", `${folder.path}/round`);
    expect(() => folder.host.inspectFile(path)).toThrow(`Cannot inspect ${path}`);
  });
});

describe.skipIf(MISSING !== undefined)(`writing on the real machine${ASIDE}`, () => {
  test.each(["writeText", "writeVolatile"] as const)(
    "gives a file whole, with its mode, and leaves no half of one: %s",
    (write) => {
      using folder = new RealFolder();
      const path = `${folder.path}/record`;
      folder.host[write](path, "old", 0o600);
      folder.host[write](path, "ä new one", 0o640);
      expect([readFileSync(path, "utf8"), statSync(path).mode & 0o777]).toEqual(["ä new one", 0o640]);
      expect(readdirSync(folder.path)).toEqual(["record"]);
    },
  );

  test("replaces a symlink, and leaves what it leads to", () => {
    using folder = new RealFolder();
    const other = folder.file("other", "mine");
    const path = folder.symlink("record", other);
    folder.symlink("record.new", other);
    folder.host.writeText(path, "text", 0o600);
    expect([readFileSync(other, "utf8"), lstatSync(path).isSymbolicLink()]).toEqual(["mine", false]);
  });

  test("keeps what was there when the disk is full", () => {
    using folder = new RealFolder();
    mkdirSync(`${folder.path}/full`);
    const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=8k", "none", `${folder.path}/full`]);
    expect(mounted.exitCode).toBe(0);
    try {
      const path = `${folder.path}/full/record`;
      folder.host.writeText(path, "old", 0o600);
      expect(() => folder.host.writeText(path, "x".repeat(20_000), 0o600)).toThrow("Cannot write");
      expect(readFileSync(path, "utf8")).toBe("old");
    } finally {
      Bun.spawnSync(["umount", `${folder.path}/full`]);
    }
  });

  test("makes a folder with owner, mode and label, also when it is there with others", () => {
    using folder = new RealFolder();
    const path = `${folder.path}/guest`;
    for (const [uid, label] of [
      [12345, PRIVATE],
      [54321, SECRET],
    ] as const) {
      folder.host.makeFolder({ path, mode: 0o711, uid, label });
      const { mode, uid: owner } = statSync(path);
      expect([mode & 0o7777, owner, folder.getXattr(folder.id(path), LABEL)]).toEqual([0o711, uid, label]);
    }
  });

  test("names the reason of a folder that cannot be opened, not that it exists", () => {
    using folder = new RealFolder();
    const path = folder.file("taken", "mine");
    expect(() => folder.host.makeFolder({ path, mode: 0o700 })).toThrow(
      expect.objectContaining({
        message: expect.stringContaining(`Cannot create folder ${path}: ENOTDIR`),
        remedy: "Correct the path.",
      }),
    );
    expect(readFileSync(path, "utf8")).toBe("mine");
  });

  test("does not take a symlink for a folder to be made", () => {
    using folder = new RealFolder();
    mkdirSync(`${folder.path}/others`, { mode: 0o755 });
    const path = folder.symlink("guest", `${folder.path}/others`);
    expect(() => folder.host.makeFolder({ path, mode: 0o700, uid: 12345 })).toThrow();
    expect(statSync(`${folder.path}/others`).uid).toBe(0);
  });

  test("removes a folder and what is in it, but nothing that a link in it leads to", () => {
    using folder = new RealFolder();
    const other = folder.file("other", "mine");
    mkdirSync(`${folder.path}/guest/deep`, { recursive: true });
    folder.symlink("guest/deep/link", other);
    writeFileSync(`${folder.path}/guest/pid`, "1");
    folder.host.removeFolder(`${folder.path}/guest`);
    folder.host.removeFolder(`${folder.path}/guest`);
    expect([existsSync(`${folder.path}/guest`), readFileSync(other, "utf8")]).toEqual([false, "mine"]);
  });

  test("makes a file only where none is, not even through a link", () => {
    using folder = new RealFolder();
    folder.host.makeFile(`${folder.path}/log`, 0o600);
    expect(() => folder.host.makeFile(`${folder.path}/log`, 0o600)).toThrow("EEXIST");
    expect(() => folder.host.makeFile(folder.symlink("link", `${folder.path}/fresh`), 0o600)).toThrow();
    expect(existsSync(`${folder.path}/fresh`)).toBe(false);
  });

  test("makes a file longer than what is in it, with zeros that take up no room", () => {
    using folder = new RealFolder();
    const [path, size] = [`${folder.path}/image`, 64 * 1024 * 1024];
    folder.host.makeFile(path, 0o600, { bytes: new Uint8Array([1, 2]), sizeBytes: size });
    const facts = folder.host.inspectFile(path);
    expect([facts?.sizeBytes, (facts?.allocatedBytes ?? size) < 1024 * 1024]).toEqual([size, true]);
    expect([...readFileSync(path).subarray(0, 3)]).toEqual([1, 2, 0]);
    const again = { bytes: new Uint8Array([3]), sizeBytes: 1 };
    expect(() => folder.host.makeFile(path, 0o600, again)).toThrow("EEXIST");
    expect(readdirSync(folder.path)).toEqual(["image"]);
  });

  test("makes a file over what is left of one half made, and over nothing that is somebody's", () => {
    using folder = new RealFolder();
    const [path, other] = [`${folder.path}/disk`, folder.file("disk.new", "another disk")];
    folder.file(".svirt-disk.new", "half");
    folder.host.makeFile(path, 0o600, { bytes: new Uint8Array([1]), sizeBytes: 1 });
    expect([readFileSync(other, "utf8"), readdirSync(folder.path).sort()]).toEqual([
      "another disk",
      ["disk", "disk.new"],
    ]);
  });
});
