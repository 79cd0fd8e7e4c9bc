import { describe, expect, test } from "bun:test";
import { existsSync, renameSync } from "node:fs";
import { fileSystemMagic } from "../../../../src/host/linux/files/file-system-magic.ts";
import { fileKey } from "../../../../src/plan/facts/file-key.ts";
import { isProvenByLease } from "../../../../src/plan/facts/lease-file-systems.ts";
import { ASIDE, MISSING, RealFolder } from "../../../real-host/folder.ts";
import { asideOf } from "../../../real-host/missing-programs.ts";
import { startHolder } from "./start-holder.ts";

/** Reason why leases prove nothing for files of RealFolder; undefined if they do. */
const unproven = isProvenByLease(fileSystemMagic("/var/tmp"))
  ? undefined
  : "no lease proves anything in /var/tmp";
const ALL = { isComplete: true };

/** Each way to hold a file, how it is reported, and whether it allows writing to the file. */
const WAYS: readonly (readonly [string, RegExp, boolean])[] = [
  ["reading", /^descriptor \d+$/, false],
  ["writing", /^descriptor \d+$/, true],
  ["path", /^descriptor \d+$/, false],
  ["mapping", /^a mapping$/, true],
  ["private mapping", /^a mapping$/, false],
  ["mapping to read", /^a mapping$/, true],
  ["sleeping mapping", /^a mapping$/, true],
  ["thread", /^descriptor \d+$/, true],
  ["last thread", /^descriptor \d+$/, true],
  ["mapping of the last thread", /^a mapping$/, true],
];

/** Ways whose files the kernel does not identify. */
const UNTOLD: readonly (readonly [string, RegExp])[] = [
  ["message", /^descriptors in transit in socket \d+$/],
  ["message to a caller", /^descriptors in transit in socket \d+$/],
  ["ring", /^files or buffers of the io_uring \d+$/],
];

describe.skipIf(MISSING !== undefined)(`findHoldings() on the real machine${ASIDE}`, () => {
  test.each(WAYS)("finds a %s, and none of another file", async (how, by, canWrite) => {
    using folder = new RealFolder();
    const [path, other] = [folder.file("held", "x"), folder.file("other", "x")];
    const things = [path, other].map((one) => ({ key: fileKey(folder.id(one)), path: one }));
    const child = await startHolder(how, path);
    try {
      await Bun.sleep(how.includes("last") ? 50 : 0);
      expect(folder.host.findHoldings(things, [child.pid], ALL)).toEqual([
        { pid: child.pid, key: things[0]?.key ?? "", by: expect.stringMatching(by), canWrite },
      ]);
      expect(folder.host.findHoldings(things.slice(1), [child.pid], ALL)).toEqual([]);
      expect(folder.host.findHoldings(things, [process.pid], ALL)).toEqual([]);
    } finally {
      child.kill("SIGKILL");
    }
    await child.exited;
    expect(folder.host.findHoldings(things, [child.pid], ALL)).toEqual([]);
  });

  test("finds nothing of a process that has ended and is not waited for: it has no memory and no descriptors", async () => {
    using folder = new RealFolder();
    const path = folder.file("held", "x");
    // After exec the shell's process does not wait for its child, which therefore stays a zombie.
    const script = 'sleep 60 <"$0" & echo $!; exec sleep 61';
    const shell = Bun.spawn(["/bin/sh", "-c", script, path], { stdout: "pipe" });
    const { value } = await shell.stdout.getReader().read();
    const pid = Number(new TextDecoder().decode(value));
    while (folder.host.getCommandLine(shell.pid)[1] !== "61") await Bun.sleep(5);
    process.kill(pid, "SIGKILL");
    while (folder.host.getProcess(pid) !== undefined) await Bun.sleep(5);
    const things = [{ key: fileKey(folder.id(path)), path }];
    expect(folder.host.findHoldings(things, [pid], ALL)).toEqual([]);
    shell.kill("SIGKILL");
    await shell.exited;
  });

  describe("without the right to look at what is mapped", () => {
    const HOST = new URL("../../../../src/host/linux/linux-host.ts", import.meta.url).pathname;
    const found = (things: readonly unknown[], pid: number): unknown => {
      const rights = ["--bounding-set", "-sys_admin,-checkpoint_restore"];
      const script = `import { makeLinuxHost } from "${HOST}";
        const found = makeLinuxHost().findHoldings(${JSON.stringify(things)}, [${pid}], { isComplete: true });
        process.stdout.write(JSON.stringify(found));`;
      const { stderr, stdout } = Bun.spawnSync(["setpriv", ...rights, process.execPath, "-e", script]);
      return JSON.parse(stdout.toString() || JSON.stringify(stderr.toString()));
    };

    test("finds a mapping by what the kernel tells of it in numbers", async () => {
      using folder = new RealFolder();
      const [path, other] = [folder.file("held", "x"), folder.file("other", "x")];
      const things = [path, other].map((one) => ({ key: fileKey(folder.id(one)), path: one }));
      const child = await startHolder("mapping", path);
      try {
        const holding = { pid: child.pid, key: things[0]?.key, by: "a mapping", canWrite: true };
        expect(found(things, child.pid)).toEqual([holding]);
        expect(found(things.slice(1), child.pid)).toEqual([]);
      } finally {
        child.kill("SIGKILL");
      }
    });

    test("holds one of a file of the same name to be one, whose number is another", async () => {
      using folder = new RealFolder();
      const path = folder.file("held", "x");
      const child = await startHolder("mapping", path);
      try {
        renameSync(folder.file("new", "x"), path);
        const things = [{ key: fileKey(folder.id(path)), path }];
        expect(found(things, child.pid)).toEqual([{ pid: child.pid, by: "a mapping", canWrite: true }]);
        // With the right to inspect the mapping, it is recognized as another file.
        expect(folder.host.findHoldings(things, [child.pid], ALL)).toEqual([]);
      } finally {
        child.kill("SIGKILL");
      }
    });
  });

  test.each(UNTOLD)("tells of a %s, whatever is in it", async (how, by) => {
    using folder = new RealFolder();
    const path = folder.file("held", "x");
    const child = await startHolder(how, path);
    try {
      const things = [{ key: fileKey(folder.id(path)), path }];
      expect(folder.host.findHoldings(things, [child.pid], ALL)).toEqual([
        { pid: child.pid, by: expect.stringMatching(by), canWrite: true },
      ]);
      expect(folder.host.findHoldings(things, [child.pid], { isComplete: false })).toEqual([]);
    } finally {
      child.kill("SIGKILL");
    }
  });

  test("tells of an image that a system call has open, and no descriptor", async () => {
    using folder = new RealFolder();
    const path = folder.file("held", "x");
    const child = await startHolder("splicing thread", path);
    const things = [{ key: fileKey(folder.id(path)), path }];
    try {
      expect(folder.host.findHoldings(things, [child.pid], ALL)).toEqual([
        {
          pid: child.pid,
          key: things[0]?.key ?? "",
          by: "an open file without a descriptor",
          canWrite: true,
        },
      ]);
    } finally {
      child.kill("SIGKILL");
    }
    await child.exited;
    expect(folder.host.findHoldings(things, [child.pid], ALL)).toEqual([]);
  });

  test
    .skipIf(unproven !== undefined)
    .each([...WAYS.map(([how]) => how), ...UNTOLD.map(([how]) => how), "splicing thread"])(
    `is spared where the kernel says that nobody has the file: not by a %s${asideOf(unproven)}`,
    async (how) => {
      using folder = new RealFolder();
      const [path, other] = [folder.file("held", "x"), folder.file("other", "x")];
      const things = [path, other].map((one) => ({ key: fileKey(folder.id(one)), path: one }));
      const noWriting = things.map((thing) => ({ ...thing, forbidden: "writing" as const }));
      const child = await startHolder(how, path);
      // An O_PATH descriptor can neither read nor write the file.
      const isHeld = how !== "path";
      const isWritten = isHeld && how !== "reading" && how !== "mapping to read";
      try {
        expect(folder.host.listOpened(things)).toEqual(isHeld ? things.slice(0, 1) : []);
        expect(folder.host.listOpened(noWriting)).toEqual(isWritten ? noWriting.slice(0, 1) : []);
      } finally {
        child.kill("SIGKILL");
        await child.exited;
      }
      // The kernel destroys a ring later than its process.
      for (let left = 1000; left > 0 && folder.host.listOpened(things).length > 0; left -= 1)
        await Bun.sleep(10);
      expect([folder.host.listOpened(things), folder.host.listOpened(noWriting)]).toEqual([[], []]);
    },
  );

  test("is not spared for another file at that path, for a user's, or for what is no file", () => {
    using folder = new RealFolder();
    const [path, theirs] = [folder.file("one", "x"), folder.file("theirs", "x")];
    const things = [
      { key: fileKey(folder.id(theirs)), path },
      { key: fileKey(folder.id(theirs)), path: undefined },
      { key: fileKey(folder.id(folder.path)), path: folder.path },
      { key: "device-1:3", path: "/dev/null" },
      { key: "tap-vnet0", path: undefined },
    ];
    Bun.spawnSync(["chown", "12345", theirs]);
    expect(
      folder.host.listOpened([...things, { key: fileKey(folder.id(theirs)), path: theirs }]),
    ).toHaveLength(6);
  });

  test("finds nothing in a process that has closed the file", async () => {
    using folder = new RealFolder();
    const path = folder.file("held", "x");
    const child = await startHolder("nothing", path);
    const found = folder.host.findHoldings([{ key: fileKey(folder.id(path)), path }], [child.pid], ALL);
    child.kill("SIGKILL");
    expect(found).toEqual([]);
  });

  test("finds a device by its number, whatever its path, and takes no character device for a block device", async () => {
    using folder = new RealFolder();
    const nodes = ["c", "b"].map((kind) => `${folder.path}/${kind}`);
    // Misc devices whose opening has no effect; a kernel may lack autofs.
    const [held = "/dev/fuse", minor = "229"] =
      [
        ["/dev/autofs", "235"],
        ["/dev/net/tun", "200"],
      ].find(([path = ""]) => existsSync(path)) ?? [];
    Bun.spawnSync(["mknod", nodes[0] ?? "", "c", "10", minor]);
    Bun.spawnSync(["mknod", nodes[1] ?? "", "b", "10", minor]);
    const child = await startHolder("reading", held);
    const [asCharacter, asBlock] = nodes.map((path) =>
      folder.host.findHoldings([{ key: `device-10:${minor}`, path }], [child.pid], ALL),
    );
    const unknown = folder.host.findHoldings(
      [{ key: `device-10:${minor}`, path: undefined }],
      [child.pid],
      ALL,
    );
    child.kill("SIGKILL");
    expect([asCharacter?.length, asBlock?.length, unknown.length]).toEqual([1, 0, 1]);
  });

  test("finds a tap by its name, in whichever network it is", async () => {
    using folder = new RealFolder();
    const child = await startHolder("tap", "svirtheld0", ["unshare", "--net"]);
    const things = ["svirtheld0", "svirtheld1"].map((name) => ({ key: `tap-${name}`, path: undefined }));
    const found = folder.host.findHoldings(things, [child.pid], { isComplete: false });
    child.kill("SIGKILL");
    expect(found).toEqual([
      {
        pid: child.pid,
        key: "tap-svirtheld0",
        by: expect.stringMatching(/^descriptor \d+$/),
        canWrite: true,
      },
    ]);
  });

  test("does not count what keeps nothing, such as /dev/null", async () => {
    using folder = new RealFolder();
    const child = await startHolder("reading", "/dev/null");
    const found = folder.host.findHoldings([{ key: "device-1:3", path: "/dev/null" }], [child.pid], ALL);
    child.kill("SIGKILL");
    expect(found).toEqual([]);
  });
});
