import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import type { LaunchSpec } from "../../../../src/plan/facts/launch-spec.ts";
import { ASIDE, MISSING, RealFolder } from "../../../real-host/folder.ts";

const UID = 0x70000002;
const UUID = "66666666-2222-4333-8444-000000000001";
/** Script that replaces QEMU: prints facts about itself to its log, then the content of descriptor 4. */
const TELL =
  'ls /proc/self/fd; grep -E "^(Uid|Gid|Groups|Cap|NoNewPrivs)" /proc/self/status; cat <&4; exit 7';

function orderIn(folder: RealFolder, script: string): LaunchSpec {
  mkdirSync(`${folder.path}/run/guest`, { recursive: true });
  return {
    uuid: UUID,
    program: "/bin/sh",
    words: ["-c", script],
    environment: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
    uid: UID,
    folder: `${folder.path}/run`,
    workFolder: `${folder.path}/run/guest`,
    logFile: `${folder.path}/log`,
    sockets: [{ fd: 3, path: `${folder.path}/run/monitor.sock` }],
    files: [
      {
        fd: 4,
        file: folder.id(folder.file("disk", "from the disk\n")),
        access: "read-only",
        truncate: false,
        direct: false,
      },
    ],
  };
}

/** Returns an order whose reaper cannot write its files. */
function silentOrder(folder: RealFolder): LaunchSpec {
  return { ...orderIn(folder, ":"), folder: `${folder.path}/none`, sockets: [], files: [] };
}

/** Counts open descriptors, except those by which bun waits for processes that earlier tests have started. */
function openDescriptors(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return !readlinkSync(`/proc/self/fd/${fd}`).includes("pidfd");
    } catch {
      // That of the folder itself.
      return false;
    }
  }).length;
}

async function endOf(folder: RealFolder): Promise<string> {
  const path = `${folder.path}/run/exit`;
  while (!existsSync(path) || statSync(path).size === 0) await Bun.sleep(5);
  return readFileSync(path, "utf8");
}

async function logOf(folder: RealFolder): Promise<string> {
  return (await folder.host.readLogEnd(`${folder.path}/log`, 65_536)) ?? "";
}

describe.skipIf(MISSING !== undefined)(`spawnGuest() on the real machine${ASIDE}`, () => {
  test("begins the guest as its user, without rights, with what was handed to it and nothing else", async () => {
    using folder = new RealFolder();
    const { pid } = await folder.host.spawnGuest(orderIn(folder, TELL));
    expect(readFileSync(`${folder.path}/run/pid`, "utf8")).toBe(`${pid}\n`);
    expect(await endOf(folder)).toBe("7\n");
    const log = await logOf(folder);
    expect(log).toContain("from the disk");
    const facts = new Map(
      log.split("\n").flatMap((line) => {
        const [name, ...words] = line.split(/\s+/);
        return name?.endsWith(":") === true ? [[name, words.join(" ").trim()] as const] : [];
      }),
    );
    expect(facts.get("Uid:")).toBe(`${UID} ${UID} ${UID} ${UID}`);
    expect(facts.get("Gid:")).toBe(`${UID} ${UID} ${UID} ${UID}`);
    expect(facts.get("Groups:")).toBe("");
    for (const name of ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"]) {
      expect([name, facts.get(name)]).toEqual([name, "0000000000000000"]);
    }
    // The last number is ls(1)'s own descriptor of the folder; before it are 0, 1, 2, monitor and disk.
    expect(log.split("\n").filter((line) => /^\d+$/.test(line))).toEqual(["0", "1", "2", "3", "4", "5"]);
  });

  // Only a process with CAP_SYS_RESOURCE may allow more than the test's own limit.
  test("lets it lock as much memory as it is to", async () => {
    using folder = new RealFolder();
    await folder.host.spawnGuest({ ...orderIn(folder, "ulimit -l"), memlockKiB: 2048 });
    await endOf(folder);
    expect(await logOf(folder)).toStartWith("2048\n");
  });

  test("lets it have as many descriptors as it is to, and its reaper as many as before", async () => {
    using folder = new RealFolder();
    const script = 'ulimit -Sn; ulimit -Hn; grep "open files" /proc/$PPID/limits';
    await folder.host.spawnGuest({ ...orderIn(folder, script), mostDescriptors: 300 });
    await endOf(folder);
    const own = /^Max open files.*$/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[0].trim();
    expect(await logOf(folder)).toStartWith(`300\n300\n${own}`);
  });

  test("takes the host's hard limit of descriptors where that is less", async () => {
    using folder = new RealFolder();
    const hard = /^Max open files +\d+ +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    // No hard limit is raised without CAP_SYS_RESOURCE. linux/fs.h
    const order = { ...orderIn(folder, "ulimit -Hn"), mostDescriptors: 2 ** 30 };
    await folder.host.spawnGuest(order);
    await endOf(folder);
    expect(await logOf(folder)).toStartWith(`${hard}\n`);
  });

  test("lets the kernel end it before its parent and before whoever started it, when there is no memory left", async () => {
    using folder = new RealFolder();
    await folder.host.spawnGuest(orderIn(folder, "cat /proc/self/oom_score_adj /proc/$PPID/oom_score_adj"));
    await endOf(folder);
    const own = readFileSync("/proc/self/oom_score_adj", "utf8");
    expect(await logOf(folder)).toStartWith(`500\n${own}`);
  });

  test("lets nobody else write what it makes, or how it ended, whatever the caller's umask", async () => {
    using folder = new RealFolder();
    const before = process.umask(0);
    try {
      await folder.host.spawnGuest(orderIn(folder, "umask"));
    } finally {
      process.umask(before);
    }
    await endOf(folder);
    // The rest of the log comes from the program that replaces svirt, which does not know "reap".
    expect(await logOf(folder)).toStartWith("0022\n");
    const modeOf = (name: string): number => statSync(`${folder.path}/run/${name}`).mode & 0o777;
    expect(["pid", "exit"].map(modeOf)).toEqual([0o644, 0o644]);
  });

  test("gives the monitor's socket before QEMU listens: whoever connects waits and is not refused", async () => {
    using folder = new RealFolder();
    chmodSync(folder.path, 0o711);
    const go = `${folder.path}/go`;
    const order = orderIn(folder, `until [ -e ${go} ]; do sleep 0.01; done`);
    await folder.host.spawnGuest(order);
    const connected = await Bun.connect({
      unix: order.sockets[0]?.path ?? "",
      socket: { data: () => undefined },
    });
    expect(connected.readyState).toBeGreaterThan(0);
    connected.end();
    writeFileSync(go, "");
    expect(await endOf(folder)).toBe("0\n");
  });

  test("gives 128 and the signal's number when QEMU is killed", async () => {
    using folder = new RealFolder();
    const found = await folder.host.spawnGuest(orderIn(folder, "exec sleep 60"));
    while (folder.host.getProcess(found.pid)?.command !== "sleep") await Bun.sleep(5);
    expect(folder.host.getProcess(found.pid)?.startTicks).toBe(found.startTicks);
    expect(folder.host.signalProcess(found, "SIGKILL")).toBe(true);
    expect(await endOf(folder)).toBe("137\n");
  });

  test("hands nothing over when a file was swapped after it was inspected, and starts nothing", async () => {
    using folder = new RealFolder();
    const order = orderIn(folder, TELL);
    renameSync(folder.file("other", "another's"), `${folder.path}/disk`);
    await expect(folder.host.spawnGuest(order)).rejects.toThrow("the file was replaced");
    expect([existsSync(`${folder.path}/run/pid`), folder.host.listProcesses(UID).length > 0]).toEqual([
      false,
      false,
    ]);
  });

  test("empties a log only after it has seen that it is the one", async () => {
    using folder = new RealFolder();
    const order = orderIn(folder, TELL);
    const [disk] = order.files;
    if (disk === undefined) throw new Error("the order has no file");
    renameSync(folder.file("other", "another's"), `${folder.path}/disk`);
    const options = { ...order, files: [{ ...disk, access: "append" as const, truncate: true }] };
    await expect(folder.host.spawnGuest(options)).rejects.toThrow("the file was replaced");
    expect(readFileSync(`${folder.path}/disk`, "utf8")).toBe("another's");
  });

  test("is not started by a reaper that ends without a word", async () => {
    using folder = new RealFolder();
    await expect(folder.host.spawnGuest(silentOrder(folder))).rejects.toThrow(
      "Cannot start /bin/sh: its reaper did not report a process ID",
    );
  });

  test("has each socket at its number, also where svirt's own number of one is less than that of the others", async () => {
    using folder = new RealFolder();
    // The open folder has the lowest number while the others are made, and the last socket has it afterwards.
    const within = folder.id(folder.path);
    const names = Array.from({ length: 64 }, (_, at) => `s${at}.sock`);
    const sockets = names.map((name, at) => ({
      fd: 3 + at,
      path: `${folder.path}/${name}`,
      ...(at === names.length - 1 ? {} : { within }),
    }));
    const order = orderIn(folder, "ls -l /proc/self/fd; cat /proc/net/unix");
    await folder.host.spawnGuest({ ...order, sockets, files: [] });
    await endOf(folder);
    const log = await logOf(folder);
    const paths = new Map(
      [...log.matchAll(/ (\d+) \S+\/(s\d+\.sock)$/gm)].map(([, inode, name]) => [inode, name]),
    );
    const passed = [...log.matchAll(/ (\d+) -> socket:\[(\d+)\]$/gm)].map(([, fd, inode]) => [
      fd,
      paths.get(inode),
    ]);
    const expected = names.map((name, at) => [String(3 + at), name]);
    expect(Object.fromEntries(passed)).toEqual(Object.fromEntries(expected));
  });

  test("is not below svirt: its reaper's processes live on after a program that svirt waits for at their start", async () => {
    using folder = new RealFolder();
    chmodSync(folder.path, 0o711);
    const at = (name: string): string => `${folder.path}/${name}`;
    // Replaces `svirt reap`, which starts a guest again and ends: bun runs the file of that name in its
    // folder.
    const order = orderIn(folder, `until [ -e ${at("go")} ]; do sleep 0.01; done`);
    writeFileSync(
      `${order.workFolder}/reap.ts`,
      `const again = Bun.spawn(["sleep", "60"], { detached: true, stdio: ["ignore", "ignore", "ignore"] });
      again.unref();
      await Bun.write("${at("again")}", \`again=\${again.pid} reap=\${process.pid}\\n\`);`,
    );
    await folder.host.spawnGuest(order);
    const script = `: >${at("go")}; until [ -s ${at("again")} ]; do sleep 0.01; done; . ${at("again")}
      while kill -0 $reap; do sleep 0.01; done; echo over`;
    const waits = `timeout 20 sh -c '${script}'`;
    expect(await folder.host.readOutput(["/bin/sh", "-c", waits])).toEqual({ text: "over\n" });
    const again = Number(/again=(\d+)/.exec(readFileSync(at("again"), "utf8"))?.[1]);
    expect(folder.host.getProcess(again)?.command).toBe("sleep");
    process.kill(again);
  });

  test("is handed no descriptors whose numbers do not follow one another, and none stays open", async () => {
    using folder = new RealFolder();
    const order = orderIn(folder, ":");
    const before = openDescriptors();
    const files = order.files.map((file) => ({ ...file, fd: 5 }));
    const tries = 20;
    for (let tried = 0; tried < tries; tried += 1) {
      await expect(folder.host.spawnGuest({ ...order, files })).rejects.toThrow(
        "Cannot pass descriptors: 3, 5 are not consecutive",
      );
    }
    // Bun closes those of earlier tests at any time, so that one less is no proof of anything.
    expect(openDescriptors() - before).toBeLessThan(tries);
  });
});
