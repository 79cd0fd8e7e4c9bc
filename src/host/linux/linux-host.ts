import { readFileSync } from "node:fs";
import type { Host } from "../../host.ts";
import { withFile } from "./file-id.ts";
import * as files from "./files.ts";
import { isLocked, lock } from "./lock.ts";
import { connectMonitor } from "./monitor.ts";
import * as processes from "./processes.ts";
import { readInput } from "./read-input.ts";
import { readOutput } from "./read-output.ts";
import * as selinux from "./selinux.ts";
import { spawnGuest } from "./spawn-guest.ts";
import { getxattr, removexattr, setxattr } from "./xattr.ts";

/** The machine that svirt runs on. */
export function makeLinuxHost(): Host {
  return {
    readText: files.readText,
    writeText: files.writeText,
    removeFile: files.removeFile,
    listFolder: files.listFolder,
    makeFolder: files.makeFolder,
    removeFolder: files.removeFolder,
    makeSymlink: files.makeSymlink,
    makeFile: files.makeFile,
    readInput,
    inspectFile: files.inspectFile,
    readBytes: files.readBytes,
    getXattr: (file, name) => withFile(file, (path) => getxattr(path, name)),
    setXattr: (file, name, value) =>
      withFile(file, (path) => setxattr(path, name, new TextEncoder().encode(value))),
    removeXattr: (file, name) => withFile(file, (path) => removexattr(path, name)),
    lock,
    isLocked,
    getProcess: processes.getProcess,
    listProcesses: processes.listProcesses,
    listContexts: processes.listContexts,
    listUids: processes.listUids,
    getCommandLine: processes.getCommandLine,
    getCpuSeconds: processes.getCpuSeconds,
    listOpenFiles: processes.listOpenFiles,
    signalProcess: processes.signalProcess,
    killSelf,
    readOutput,
    spawnGuest,
    connectMonitor,
    getSelinux: selinux.getSelinux,
    getPolicy: selinux.getPolicy,
    getOwnContext: selinux.getOwnContext,
    isValidContext: selinux.isValidContext,
    getBootId: () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    getBootTime: () => Number(/^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1] ?? "0"),
    getUid: () => process.getuid?.() ?? 0,
    nowMs: () => Date.now(),
    sleep: (ms) => Bun.sleep(ms),
    makeUuid: () => crypto.randomUUID(),
  };
}

function killSelf(): never {
  process.kill(process.pid, "SIGKILL");
  throw new Error("the kernel did not kill this process");
}
