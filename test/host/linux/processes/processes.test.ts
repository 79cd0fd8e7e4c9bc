import { describe, expect, test } from "bun:test";
import { chmodSync, closeSync, readdirSync, readFileSync, statSync, watch } from "node:fs";
import { createServer } from "node:net";
import { listenUnix } from "../../../../src/host/linux/sockets/listen.ts";
import { ASIDE, MISSING, OTHER_USER, OWN_USER, RealFolder } from "../../../real-host/folder.ts";

/** linux/sched.h */
const PF_KTHREAD = 0x00200000;

/** Returns every process with the kernel's flags for it, without zombies. proc_pid_stat(5) */
function listWithFlags(): { readonly pid: number; readonly flags: number }[] {
  return readdirSync("/proc").flatMap((name) => {
    const [state = "", , , , , , flags = ""] = /^\d+$/.test(name) ? statOf(name).split(" ") : [];
    return "ZX".includes(state) ? [] : [{ pid: Number(name), flags: Number(flags) }];
  });
}

/** Returns the fields of /proc/PID/stat after the command; empty for a process that has ended. */
function statOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "");
  } catch {
    return "";
  }
}

/** Starts a process that sleeps until it is killed, as another user if requested. */
function sleeper(uid = 0): Bun.Subprocess {
  const words = ["setpriv", "--reuid", String(uid), "--clear-groups", "sleep", "60"];
  return Bun.spawn(uid === 0 ? ["sleep", "60"] : words, { stdio: ["ignore", "ignore", "ignore"] });
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await Bun.sleep(5);
}

describe.skipIf(MISSING !== undefined)(`locks of the real machine${ASIDE}`, () => {
  test("are held against another process until that ends, and are seen without being taken", async () => {
    using folder = new RealFolder();
    const path = `${folder.path}/locks/one`;
    expect(folder.host.isLocked(path)).toBe(false);
    const holder = Bun.spawn([process.execPath, `${import.meta.dir}/lock-holder.ts`, path], {
      stdin: "pipe",
      stdout: "pipe",
    });
    await holder.stdout.getReader().read();
    expect(folder.host.isLocked(path)).toBe(true);
    await expect(folder.host.lock(path, 20)).rejects.toMatchObject({ kind: "timeout" });
    const waiting = folder.host.lock(path, 60_000);
    holder.kill("SIGKILL");
    await holder.exited;
    const unlock = await waiting;
    expect(folder.host.isLocked(path)).toBe(true);
    unlock();
    expect(folder.host.isLocked(path)).toBe(false);
  });
});

describe.skipIf(MISSING !== undefined)(`processes of the real machine${ASIDE}`, () => {
  test("are known by their user, as their status tells it, and by their words", async () => {
    using folder = new RealFolder();
    const child = sleeper(OWN_USER);
    await until(() => folder.host.getProcess(child.pid)?.command === "sleep");
    expect(folder.host.getProcess(child.pid)).toMatchObject({ uid: OWN_USER, parentPid: process.pid });
    expect(folder.host.listProcesses(OWN_USER).map(({ pid }) => pid)).toEqual([child.pid]);
    expect(folder.host.listProcesses().filter(({ uid }) => uid === OWN_USER)).toEqual([
      ...folder.host.listProcesses(OWN_USER),
    ]);
    expect(folder.host.listProcesses(OTHER_USER)).toEqual([]);
    expect(folder.host.getCommandLine(child.pid)).toEqual(["sleep", "60"]);
    child.kill("SIGKILL");
    await child.exited;
    expect(folder.host.getProcess(child.pid)).toBeUndefined();
  });

  test("are all there, but for the kernel's own threads", () => {
    using folder = new RealFolder();
    const before = listWithFlags();
    const found = new Set(folder.host.listProcesses().map(({ pid }) => pid));
    // Other processes start and end meanwhile.
    const stayed = listWithFlags().filter(({ pid }) => before.some((each) => each.pid === pid));
    const [threads, programs] = [true, false].map((isThread) =>
      stayed.filter(({ flags }) => ((flags & PF_KTHREAD) !== 0) === isThread).map(({ pid }) => pid),
    );
    expect(programs?.filter((pid) => !found.has(pid))).toEqual([]);
    expect(threads?.filter((pid) => found.has(pid))).toEqual([]);
    expect(programs).toContain(process.pid);
  });

  test("have a signal sent only if they are those that were meant: a number alone is not enough", async () => {
    using folder = new RealFolder();
    const child = sleeper();
    const startTicks = folder.host.getProcess(child.pid)?.startTicks ?? 0;
    expect(folder.host.signalProcess({ pid: child.pid, startTicks: startTicks - 1 }, "SIGKILL")).toBe(false);
    expect(folder.host.getProcess(child.pid)?.startTicks).toBe(startTicks);
    expect(folder.host.signalProcess({ pid: child.pid, startTicks }, "SIGKILL")).toBe(true);
    await child.exited;
    expect(child.signalCode).toBe("SIGKILL");
    expect(folder.host.signalProcess({ pid: child.pid, startTicks }, "SIGKILL")).toBe(false);
  });

  test("have used as much time of a processor as the kernel tells them themselves", () => {
    using folder = new RealFolder();
    const usedS = (): number => {
      const { system, user } = process.cpuUsage();
      return (user + system) / 1_000_000;
    };
    const end = usedS() + 0.2;
    while (usedS() < end);
    const [before, found, after] = [usedS(), folder.host.getCpuSeconds(process.pid), usedS()];
    // Both times are rounded down to clock ticks of a hundredth of a second.
    expect(found).toBeGreaterThan(before - 0.05);
    expect(found).toBeLessThan(after + 0.05);
    expect(folder.host.getCpuSeconds(2 ** 22 + 1)).toBeUndefined();
  });

  test("that are zombies are gone: they hold no file and run no code", async () => {
    using folder = new RealFolder();
    // After exec the shell's process does not wait for its child, which therefore stays a zombie.
    const words = ["/bin/sh", "-c", "sleep 60 & echo $!; exec sleep 61"];
    const shell = Bun.spawn(words, { stdout: "pipe" });
    const said = await shell.stdout.getReader().read();
    const pid = Number(new TextDecoder().decode(said.value));
    await until(() => folder.host.getCommandLine(shell.pid)[1] === "61");
    const startTicks = folder.host.getProcess(pid)?.startTicks ?? 0;
    expect(folder.host.hasProcess({ pid, startTicks })).toBe(true);
    expect(folder.host.hasProcess({ pid, startTicks: startTicks - 1 })).toBe(false);
    process.kill(pid, "SIGKILL");
    await until(() => folder.host.getProcess(pid) === undefined);
    expect(folder.host.hasProcess({ pid, startTicks })).toBe(false);
    expect(statSync(`/proc/${pid}`).isDirectory()).toBe(true);
    shell.kill("SIGKILL");
    await shell.exited;
  });

  test("whose first thread has ended still run while another does, until they are killed: it has their files open", async () => {
    using folder = new RealFolder();
    const child = Bun.spawn([process.execPath, `${import.meta.dir}/first-thread-ends.ts`]);
    try {
      await until(() => readFileSync(`/proc/${child.pid}/stat`, "latin1").includes(") Z "));
      const found = folder.host.getProcess(child.pid);
      expect(found).toMatchObject({ pid: child.pid });
      expect(found?.isEnding).toBeUndefined();
      expect(found !== undefined && folder.host.hasProcess(found)).toBe(true);
      // As kill(2) does, and unlike cgroup.kill of Linux 6.12.107, which signals the dead thread alone.
      expect(found !== undefined && folder.host.signalProcess(found, "SIGKILL")).toBe(true);
      await child.exited;
    } finally {
      child.kill("SIGKILL");
      await child.exited;
    }
    expect(folder.host.getProcess(child.pid)).toBeUndefined();
  });

  test("of a user are ended at one instant, one that is another process each moment, too", async () => {
    using folder = new RealFolder();
    chmodSync(folder.path, 0o711);
    const log = folder.file("pids");
    chmodSync(log, 0o666);
    // Each shell logs its pid and starts the next one: at most 20,000, in case the test ends first.
    const script = 'echo $$ >>"$1"; [ "$2" -gt 20000 ] || sh -c "$0" "$0" "$1" $(($2 + 1)) &';
    const user = ["setpriv", "--reuid", String(OWN_USER), "--clear-groups"];
    const words = [...user, "sh", "-c", script, script, log, "0"];
    const [other, child] = [sleeper(), Bun.spawn(words)];
    await child.exited;
    const seen = (): number => new Set(readFileSync(log, "utf8").split("\n")).size;
    const before = seen();
    await until(() => seen() > before + 3);
    await folder.host.killUser(OWN_USER);
    await until(() => folder.host.listProcesses(OWN_USER).length === 0);
    const ended = seen();
    await Bun.sleep(100);
    expect(folder.host.listProcesses(OWN_USER)).toEqual([]);
    expect(seen()).toBe(ended);
    await folder.host.killUser(OWN_USER);
    expect(other.exitCode).toBeNull();
    other.kill();
  });

  test("whose number is a thread's by now is gone, and the thread's process is not hit", () => {
    using folder = new RealFolder();
    const thread = readdirSync("/proc/self/task")
      .map(Number)
      .find((id) => id !== process.pid);
    expect(thread).toBeDefined();
    expect(folder.host.signalProcess({ pid: thread ?? 0, startTicks: 1 }, "SIGKILL")).toBe(false);
  });

  test("of a user may be ended by several at once: a caller whose own kill is killed by another's begins again", async () => {
    using folder = new RealFolder();
    const module = new URL("../../../../src/host/linux/processes/processes.ts", import.meta.url).pathname;
    const script = `import { processCalls } from "${module}";
      for (let at = 0; at < 60; at += 1) await processCalls.killUser(${OWN_USER});`;
    const others = [1, 2].map(() => Bun.spawn([process.execPath, "-e", script], { stderr: "pipe" }));
    const said = await Promise.all(others.map(async ({ stderr }) => await new Response(stderr).text()));
    expect(said).toEqual(["", ""]);
    expect(folder.host.listProcesses(OWN_USER)).toEqual([]);
  });

  test("show each file that they have open, with its label and which one it is", async () => {
    using folder = new RealFolder();
    const path = folder.file("disk");
    const label = "system_u:object_r:svirt_image_t:s0:c1,c2";
    folder.setXattr(folder.id(path), "security.selinux", `${label}\0`);
    const child = Bun.spawn(["sleep", "60"], { stdio: ["ignore", Bun.file(path), "ignore"] });
    await until(() => folder.host.getCommandLine(child.pid)[0] === "sleep");
    const found = folder.host.listOpenFiles(child.pid).find(({ fd }) => fd === 1);
    expect(found).toMatchObject({ target: path, label, id: { inode: folder.id(path).inode } });
    child.kill("SIGKILL");
    await child.exited;
  });
});

describe.skipIf(MISSING !== undefined)(`listenUnix() on the real machine${ASIDE}`, () => {
  test("makes a socket that only root may connect to, in place of what was there", async () => {
    using folder = new RealFolder();
    const path = folder.file("monitor.sock", "something");
    const fd = listenUnix(path, undefined);
    const stat = statSync(path);
    expect([stat.isSocket(), stat.mode & 0o777, stat.uid]).toEqual([true, 0o600, 0]);
    const server = createServer((socket) => socket.end("hello"));
    server.listen({ fd });
    const said = Promise.withResolvers<string>();
    await Bun.connect({ unix: path, socket: { data: (_, bytes) => said.resolve(bytes.toString()) } });
    expect(await said.promise).toBe("hello");
    server.close();
  });

  test("makes it nobody else's at once: a mode given by its path could come to another file's", async () => {
    using folder = new RealFolder();
    const seen: string[] = [];
    const watcher = watch(folder.path, (event, name) => seen.push(`${event} ${name}`));
    const before = process.umask(0);
    const fd = listenUnix(`${folder.path}/socket`, undefined);
    expect([process.umask(before), statSync(`${folder.path}/socket`).mode & 0o777]).toEqual([0, 0o600]);
    // When this event is reported, all earlier ones have been reported.
    folder.file("last");
    while (!seen.some((event) => event.endsWith("last"))) await Bun.sleep(5);
    watcher.close();
    closeSync(fd);
    expect(seen.filter((event) => event.endsWith("socket"))).toEqual(["rename socket"]);
  });

  test("refuses a path that does not fit into a socket's address, and one with a NUL", () => {
    expect(() => listenUnix(`/tmp/${"x".repeat(200)}`, undefined)).toThrow();
    expect(() => listenUnix("/tmp/a\0b", undefined)).toThrow();
  });
});
