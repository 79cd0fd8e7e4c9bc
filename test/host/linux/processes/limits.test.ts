import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { makeLinuxHost } from "../../../../src/host/linux/linux-host.ts";
import { makeGroup } from "../../../../src/run/steps/limits.ts";
import { MISSING, RealFolder } from "../../../real-host/folder.ts";

const host = makeLinuxHost();
const ROOT = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].find((path) =>
  existsSync(`${path}/cgroup.controllers`),
);
const PARENT = `${ROOT}/svirt-test-${crypto.randomUUID()}`;
const lack = MISSING ?? (ROOT === undefined ? "no cgroup2 is mounted" : undefined);
const aside = lack === undefined ? "" : ` (skipped: ${lack})`;
const UID = 0x70000003;

/** Returns a field of /proc/PID/status. */
function statusOf(pid: number, name: string): string | undefined {
  return new RegExp(`^${name}:\\s+(.*)$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
}

/** Returns the control group of a process as a path from the root, in cgroup version 2. */
function groupOf(pid: number): string | undefined {
  return /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1];
}

describe.skipIf(lack !== undefined)(`control groups of the real kernel${aside}`, () => {
  beforeAll(() => mkdirSync(PARENT));
  afterAll(() => rmdirSync(PARENT));

  test("a guest begins in its group, its reaper does not, and the group can be removed once it has ended", async () => {
    using folder = new RealFolder();
    const path = `${PARENT}/a`;
    makeGroup(host, { path, controllers: [], values: [], threads: [] });
    mkdirSync(`${folder.path}/run/guest`, { recursive: true });
    const { pid } = await host.spawnGuest({
      uuid: "66666666-2222-4333-8444-000000000002",
      program: "/bin/sleep",
      words: ["60"],
      environment: { PATH: "/usr/bin:/bin" },
      uid: UID,
      group: path,
      folder: `${folder.path}/run`,
      workFolder: `${folder.path}/run/guest`,
      logFile: `${folder.path}/log`,
      sockets: [{ fd: 3, path: `${folder.path}/run/monitor.sock` }],
      files: [],
    });
    while (host.getProcess(pid)?.command !== "sleep") await Bun.sleep(5);
    const reaper = host.getProcess(pid)?.parentPid ?? 0;
    expect([groupOf(pid)?.endsWith("/a"), groupOf(reaper)?.endsWith("/a")]).toEqual([true, false]);
    expect(statusOf(pid, "Uid")).toStartWith(String(UID));
    expect(() => host.removeControlGroup(path)).toThrow("EBUSY");
    host.signalProcess({ pid, startTicks: host.getProcess(pid)?.startTicks ?? 0 }, "SIGKILL");
    while (host.getProcess(pid) !== undefined) await Bun.sleep(5);
    host.removeControlGroup(path);
    host.removeControlGroup(path);
    expect(existsSync(path)).toBe(false);
  });

  test("no group, no guest", async () => {
    using folder = new RealFolder();
    mkdirSync(`${folder.path}/run/guest`, { recursive: true });
    const order = {
      uuid: "66666666-2222-4333-8444-000000000003",
      program: "/bin/touch",
      words: [`${folder.path}/run/guest/ran`],
      environment: { PATH: "/usr/bin:/bin" },
      uid: UID,
      group: `${PARENT}/none`,
      folder: `${folder.path}/run`,
      workFolder: `${folder.path}/run/guest`,
      logFile: `${folder.path}/log`,
      sockets: [{ fd: 3, path: `${folder.path}/run/monitor.sock` }],
      files: [],
    };
    await host.spawnGuest(order);
    while (!existsSync(`${folder.path}/run/exit`)) await Bun.sleep(5);
    expect(existsSync(`${folder.path}/run/guest/ran`)).toBe(false);
  });

  test("threads are moved, pinned and scheduled; one that has ended is fine", async () => {
    const path = `${PARENT}/b`;
    const child = Bun.spawn(["sleep", "60"]);
    try {
      makeGroup(host, { path, controllers: [], values: [], threads: [] });
      host.writeControl(`${path}/cgroup.procs`, String(child.pid));
      makeGroup(host, { path: `${path}/vcpu0`, controllers: [], values: [], threads: [] });
      host.writeControl(`${path}/vcpu0/cgroup.type`, "threaded");
      host.moveThread(child.pid, `${path}/vcpu0`);
      host.setAffinity(child.pid, [0]);
      host.setScheduler(child.pid, { policy: "batch", priority: 0 });
      expect(groupOf(child.pid)?.endsWith("/b/vcpu0")).toBe(true);
      expect(statusOf(child.pid, "Cpus_allowed_list")).toBe("0");
      // The 41st field of proc_pid_stat(5), policy: SCHED_BATCH is 3.
      expect(readFileSync(`/proc/${child.pid}/stat`, "utf8").split(" ")[40]).toBe("3");
      expect(() => host.setAffinity(child.pid, [4000])).toThrow("Cannot pin thread");
    } finally {
      child.kill("SIGKILL");
      await child.exited;
    }
    host.moveThread(child.pid, `${path}/vcpu0`);
    host.setAffinity(child.pid, [0]);
    host.setScheduler(child.pid, { policy: "batch", priority: 0 });
    host.removeControlGroup(path);
  });

  test("a file that the kernel has not is named", () => {
    const path = `${PARENT}/c`;
    const values = [{ names: ["io.none", "io.neither"], value: "1" }];
    expect(() => makeGroup(host, { path, controllers: [], values, threads: [] })).toThrow(
      "the kernel has no io.none or io.neither",
    );
    host.removeControlGroup(path);
  });
});

describe("locked memory of another process", () => {
  const lockable = (pid: number): string | undefined =>
    /^Max locked memory +(\S+ +\S+) /m
      .exec(readFileSync(`/proc/${pid}/limits`, "utf8"))?.[1]
      ?.replace(/ +/, " ");

  test("is limited anew, but not that of another one with its number", async () => {
    const child = Bun.spawn(["sleep", "60"]);
    try {
      const { pid } = child;
      const startTicks = host.getProcess(pid)?.startTicks ?? 0;
      host.setMemlock({ pid, startTicks }, 64);
      expect(lockable(pid)).toBe("65536 65536");
      host.setMemlock({ pid, startTicks: startTicks + 1 }, 32);
      expect(lockable(pid)).toBe("65536 65536");
    } finally {
      child.kill();
      await child.exited;
    }
  });

  // CAP_SYS_RESOURCE, linux/capability.h
  const mayRaise = (BigInt(`0x${statusOf(process.pid, "CapEff") ?? "0"}`) & (1n << 24n)) !== 0n;
  test.skipIf(!mayRaise)(
    `can be raised, and be without a limit${mayRaise ? "" : " (skipped: needs CAP_SYS_RESOURCE)"}`,
    async () => {
      const child = Bun.spawn(["sleep", "60"]);
      try {
        const { pid } = child;
        const id = { pid, startTicks: host.getProcess(pid)?.startTicks ?? 0 };
        host.setMemlock(id, 5 * 1024 * 1024);
        expect(lockable(pid)).toBe("5368709120 5368709120");
        host.setMemlock(id, "unlimited");
        expect(lockable(pid)).toBe("unlimited unlimited");
        child.kill();
        await child.exited;
        host.setMemlock(id, 64);
      } finally {
        child.kill();
      }
    },
  );
});
