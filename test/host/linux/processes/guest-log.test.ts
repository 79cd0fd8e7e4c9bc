import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import type { LaunchSpec } from "../../../../src/plan/facts/launch-spec.ts";
import { ASIDE, MISSING, RealFolder } from "../../../real-host/folder.ts";

const UID = 0x70000004;
const UUID = "66666666-2222-4333-8444-000000000004";
const MIB = 1024 * 1024;
const FLOOD_MS = 10_000;
const TIMEOUT_MS = 30_000;
/** linux/falloc.h: FALLOC_FL_KEEP_SIZE and FALLOC_FL_PUNCH_HOLE */
const PUNCH_HOLE = 3;
/** asm/unistd_64.h; elsewhere asm-generic/unistd.h */
const [SYS_FALLOCATE, SYS_FTRUNCATE] = process.arch === "x64" ? [285, 77] : [47, 46];

function orderIn(folder: RealFolder, script: string): LaunchSpec {
  mkdirSync(`${folder.path}/run/guest`, { recursive: true });
  return {
    uuid: UUID,
    program: "/usr/bin/perl",
    words: ["-e", `$| = 1; ${script}`],
    environment: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
    uid: UID,
    folder: `${folder.path}/run`,
    workFolder: `${folder.path}/run/guest`,
    logFile: `${folder.path}/log`,
    sockets: [{ fd: 3, path: `${folder.path}/run/monitor.sock` }],
    files: [],
  };
}

/** Starts the guest and waits until it has ended and its log is complete. Returns the exit status. */
async function run(folder: RealFolder, order: LaunchSpec): Promise<string> {
  await folder.host.spawnGuest(order);
  const exit = `${folder.path}/run/exit`;
  while (!existsSync(exit) || statSync(exit).size === 0) await Bun.sleep(5);
  while (isKept(order.logFile)) await Bun.sleep(5);
  return readFileSync(exit, "utf8").trim();
}

function isKept(log: string): boolean {
  return findKeeper(log) !== undefined;
}

/** Returns the cat(1) of a log's keeper, once it runs. */
async function readerOf(log: string): Promise<number> {
  for (;;) {
    const keeper = findKeeper(log);
    const children =
      keeper === undefined ? "" : readFileSync(`/proc/${keeper}/task/${keeper}/children`, "utf8");
    const reader = children.trim();
    if (reader !== "" && commandLine(reader).startsWith("cat\0")) return Number(reader);
    await Bun.sleep(5);
  }
}

function findKeeper(log: string): number | undefined {
  const found = readdirSync("/proc").find(
    (name) => /^\d+$/.test(name) && commandLine(name).includes(`svirt-log\0${log}\0`),
  );
  return found === undefined ? undefined : Number(found);
}

/** The NUL-terminated arguments of a process; empty if it has ended. proc_pid_cmdline(5) */
function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

/** Bytes that this process has read so far: rchar of proc_pid_io(5). */
function readBytes(): number {
  return Number(/^rchar: (\d+)/.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);
}

describe.skipIf(MISSING !== undefined)(`a guest's log on the real machine${ASIDE}`, () => {
  test("keeps what was said, whatever the guest does with its descriptor", async () => {
    using folder = new RealFolder();
    const script =
      `print "first\\n"; sleep 1; print syscall(${SYS_FALLOCATE}, 1, ${PUNCH_HOLE}, 0, 4096) . "\\n";` +
      `print syscall(${SYS_FTRUNCATE}, 1, 0) . "\\n"; print "opened\\n" if open(F, "<", "/proc/self/fd/1");`;
    expect(await run(folder, orderIn(folder, script))).toBe("0");
    expect(readFileSync(`${folder.path}/log`, "utf8")).toStartWith("first\n-1\n-1\n");
    expect(readFileSync(`${folder.path}/log`, "utf8")).not.toContain("opened");
    expect(statSync(`${folder.path}/log`).mode & 0o777).toBe(0o600);
  });

  test(
    "keeps its beginning and its end, and is bounded however much is said",
    async () => {
      using folder = new RealFolder();
      const script = 'print "first\\n"; print "x" x 99 . "\\n" for 1 .. 1_000_000; print "last\\n"';
      const before = performance.now();
      expect(await run(folder, orderIn(folder, script))).toBe("0");
      expect(performance.now() - before).toBeLessThan(FLOOD_MS);
      const [begin, end] = ["log", "log.late"].map((name) => readFileSync(`${folder.path}/${name}`, "utf8"));
      expect([begin?.startsWith("first\n"), end?.includes("last\n")]).toEqual([true, true]);
      expect([begin?.length, (end?.length ?? 0) <= 16 * MIB]).toEqual([MIB, true]);
      expect(await folder.host.readLogEnd(`${folder.path}/log`, 4096)).toContain("last\n");
    },
    TIMEOUT_MS,
  );

  test("is put aside at the next start when it is long, and goes on when it is not", async () => {
    using folder = new RealFolder();
    const path = folder.file("log", "earlier\n");
    await run(folder, orderIn(folder, 'print "now\\n"'));
    expect(readFileSync(path, "utf8")).toStartWith("earlier\nnow\n");
    truncateSync(path, MIB);
    await run(folder, orderIn(folder, 'print "later\\n"'));
    expect(readFileSync(path, "utf8")).toStartWith("later\n");
    expect(statSync(`${path}.1`).size).toBe(MIB);
  });

  test(
    "that cannot be written does not stop the guest",
    async () => {
      using folder = new RealFolder();
      mkdirSync(`${folder.path}/full`);
      const mount = ["mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=2", "none", `${folder.path}/full`];
      expect(Bun.spawnSync(mount).exitCode).toBe(0);
      try {
        const order = {
          ...orderIn(folder, 'print "x" x 400_000; exit 7'),
          logFile: `${folder.path}/full/log`,
        };
        expect(await run(folder, order)).toBe("7");
      } finally {
        Bun.spawnSync(["umount", "-l", `${folder.path}/full`]);
      }
    },
    TIMEOUT_MS,
  );

  test("is read at its end alone", async () => {
    using folder = new RealFolder();
    const path = folder.file("log");
    truncateSync(path, 300 * MIB);
    writeFileSync(path, "\nthe end\n", { flag: "a" });
    const before = readBytes();
    expect(await folder.host.readLogEnd(path, 9)).toBe("\nthe end\n");
    expect((await folder.host.readLogEnd(path, 4096))?.length).toBe(4096);
    expect(readBytes() - before).toBeLessThan(MIB);
    expect(await folder.host.readLogEnd(`${folder.path}/none`, 4096)).toBeUndefined();
  });

  test("has in it all that a guest has said by the time that it is read", async () => {
    using folder = new RealFolder();
    for (let at = 0; at < 20; at += 1) {
      const order = orderIn(folder, `print "said ${at}\\n"`);
      await folder.host.spawnGuest(order);
      const exit = `${folder.path}/run/exit`;
      while (!existsSync(exit) || statSync(exit).size === 0) await Bun.sleep(1);
      expect(await folder.host.readLogEnd(order.logFile, 4096)).toContain(`said ${at}\n`);
      while (isKept(order.logFile)) await Bun.sleep(5);
    }
  });

  test("has it too if its keeper gets no processor for a second", async () => {
    using folder = new RealFolder();
    const script = 'select undef, undef, undef, 0.01 until -e "go"; print "said\n"; mkdir "said"; sleep 5';
    const order = orderIn(folder, script);
    chmodSync(order.workFolder, 0o777);
    await folder.host.spawnGuest(order);
    const reader = await readerOf(order.logFile);
    process.kill(reader, "SIGSTOP");
    writeFileSync(`${order.workFolder}/go`, "");
    while (!existsSync(`${order.workFolder}/said`)) await Bun.sleep(5);
    setTimeout(() => process.kill(reader, "SIGCONT"), 1000);
    expect(await folder.host.readLogEnd(order.logFile, 4096)).toContain("said\n");
  });
});
