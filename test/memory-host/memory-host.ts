import { SEE_QEMU_LOG, SvirtError } from "../../src/errors.ts";
import type { Host } from "../../src/host/host.ts";
import { partialPath } from "../../src/plan/partial-names.ts";
import { registryLock, SYSTEM_PATHS } from "../../src/plan/paths.ts";
import { factsOf, hostCall } from "./file-tree.ts";
import { openHanded, type Process } from "./guest-processes.ts";
import { groupCalls, tapCalls } from "./host-shares.ts";
import { kernelCalls, passTime } from "./kernel-calls.ts";
import type { Machine } from "./machine.ts";
import { makeMonitor } from "./memory-monitor.ts";
import { mountCalls } from "./mounts.ts";
import { processCalls } from "./process-calls.ts";
import type { Svirt } from "./svirt.ts";
import { terminalCalls } from "./terminal-calls.ts";
import { treeCalls } from "./tree-calls.ts";
import { volumeCalls } from "./volume-calls.ts";
import { xattrCalls } from "./xattr-calls.ts";

const LOCK_POLL_MS = 5;
const GREET_POLL_MS = 1;

/** Returns the calls of one svirt process on the machine. */
export function makeMemoryHost(machine: Machine, svirt: Svirt): Host {
  return {
    ...folderCalls(machine, svirt),
    ...fileCalls(machine, svirt),
    ...volumeCalls(machine, svirt),
    ...xattrCalls(machine, svirt),
    ...mountCalls(machine, svirt),
    ...treeCalls(machine, svirt),
    ...lockCalls(machine, svirt),
    ...processCalls(machine, svirt),
    ...guestCalls(machine, svirt),
    ...kernelCalls(machine),
    ...terminalCalls(machine),
    ...tapCalls(machine, svirt),
    ...groupCalls(machine, svirt),
  };
}

type Part<Names extends keyof Host> = Pick<Host, Names>;

function folderCalls(
  machine: Machine,
  svirt: Svirt,
): Part<"listFolder" | "makeFolder" | "assignFolder" | "removeFolder"> {
  const { files } = machine;
  return {
    listFolder: (path) => [...(files.find(path)?.inode.entries.keys() ?? [])].sort(),
    makeFolder(folder) {
      const made = files.putFolder(folder.path, folder.mode);
      machine.groups.fill(folder.path);
      svirt.midway();
      if (folder.label !== undefined) made.xattrs.set("security.selinux", folder.label);
      made.mode = folder.mode;
      made.uid = folder.uid ?? made.uid;
    },
    assignFolder(path, { label, mode, uid }) {
      const folder = files.get(path);
      folder.uid = uid;
      folder.mode = mode ?? folder.mode;
      for (const inode of [...folder.entries.values(), folder]) {
        inode.uid = uid;
        svirt.midway();
        if (label !== undefined) inode.xattrs.set("security.selinux", label);
      }
    },
    removeFolder(path) {
      machine.noteRemoval(path, svirt);
      const place = files.find(path, false);
      // Entries are removed first, so a crash here leaves a part of them.
      for (const name of place?.inode.entries.keys() ?? []) {
        files.remove(`${path}/${name}`);
        svirt.midway();
      }
      files.remove(path);
    },
  };
}

function fileCalls(
  machine: Machine,
  svirt: Svirt,
): Part<
  | "readText"
  | "writeText"
  | "writeVolatile"
  | "stageText"
  | "placeText"
  | "removeFile"
  | "removeSame"
  | "makeSymlink"
  | "makeLinkWithin"
  | "removeLink"
  | "makeFile"
  | "writeBytes"
  | "renameFile"
  | "readInput"
  | "readLines"
  | "inspectFile"
  | "mayOpen"
  | "readBytes"
> {
  const { files } = machine;
  const stageText: Host["stageText"] = (path, text, mode) => {
    const folder = files.find(path.slice(0, path.lastIndexOf("/")))?.inode;
    if (machine.isDiskFull && folder?.fileSystem === files.disk)
      throw hostCall(`write ${path}`, "ENOSPC: no space left on device");
    files.put(`${path}.new`, "file", { mode, bytes: new TextEncoder().encode(text) });
  };
  const placeText: Host["placeText"] = (path) => {
    const fresh = files.get(`${path}.new`);
    files.remove(`${path}.new`);
    const target = files.get(path.slice(0, path.lastIndexOf("/")));
    target.entries.set(path.slice(path.lastIndexOf("/") + 1), fresh);
  };
  const writeText: Host["writeText"] = (path, text, mode) => {
    stageText(path, text, mode);
    svirt.midway();
    placeText(path);
  };
  return {
    readText(path) {
      const found = files.find(path);
      return found === undefined ? undefined : new TextDecoder().decode(found.inode.bytes);
    },
    writeText,
    stageText,
    placeText,
    writeVolatile(path, text, mode) {
      writeText(path, text, mode);
      machine.unsynced.add(files.get(path));
    },
    removeFile: (path) => files.remove(path),
    removeSame(file) {
      if (files.find(file.path, false) === undefined) return;
      files.getSame(file);
      files.remove(file.path);
    },
    makeSymlink: (path, target) => void files.put(path, "symlink", { target }),
    makeLinkWithin(folder, { label, path, target }) {
      files.getSame(folder);
      if (files.find(path, false) !== undefined) throw hostCall(`create symlink ${path}`, "EEXIST");
      const { xattrs } = files.put(path, "symlink", { target });
      if (label !== undefined) xattrs.set("security.selinux", label);
    },
    removeLink(path, target) {
      if (files.find(path, false)?.inode.target === target) files.remove(path);
    },
    makeFile(path, mode, content) {
      if (files.find(path, false) !== undefined) throw hostCall(`make ${path}`, "EEXIST: file exists");
      const bytes = new Uint8Array(content?.sizeBytes ?? 0);
      bytes.set(content?.bytes ?? []);
      if (content === undefined)
        return factsOf({ path, inode: files.put(path, "file", { mode, uid: machine.uid }) }).id;
      files.put(partialPath(path), "file", { mode, bytes });
      svirt.midway();
      files.remove(partialPath(path));
      return factsOf({ path, inode: files.put(path, "file", { mode, bytes, uid: machine.uid }) }).id;
    },
    writeBytes(file, offset, bytes) {
      const inode = files.getSame(file);
      const after = inode.bytes.slice(offset + bytes.length);
      inode.bytes = new Uint8Array([...inode.bytes.slice(0, offset), ...bytes, ...after]);
    },
    renameFile(from, to) {
      const inode = files.get(from);
      const cut = to.lastIndexOf("/");
      files.get(to.slice(0, cut) || "/").entries.set(to.slice(cut + 1), inode);
      files.remove(from);
    },
    readInput: (path, mostBytes) => files.get(path).bytes.slice(0, mostBytes + 1),
    *readLines(path, { longest, mostBytes, onMore, shortest }) {
      const { bytes } = files.get(path);
      if (bytes.length > mostBytes) onMore?.();
      for (const line of new TextDecoder().decode(bytes).split("\n"))
        if (line.length >= shortest && line.length <= longest) yield line;
    },
    inspectFile(path) {
      const place = files.find(path);
      return place === undefined ? undefined : factsOf(place);
    },
    mayOpen(file) {
      const { mode, uid } = files.getSame(file);
      const wanted = uid === machine.uid ? 0o600 : 0o006;
      return machine.uid === 0 || (mode & wanted) === wanted;
    },
    readBytes: (file, offset, length) => files.getSame(file).bytes.slice(offset, offset + length),
  };
}

function lockCalls(machine: Machine, svirt: Svirt): Part<"lock" | "isLocked"> {
  const touch = (path: string): void => {
    machine.files.putFolder(path.slice(0, path.lastIndexOf("/")), 0o711);
    if (machine.files.find(path) === undefined) machine.files.put(path, "file");
  };
  return {
    async lock(path, timeoutMs) {
      touch(path);
      const deadline = machine.nowMs + timeoutMs;
      while (machine.locks.has(path)) {
        if (machine.nowMs > deadline)
          throw new SvirtError(`Cannot lock ${path}`, { kind: "timeout", remedy: "Wait." });
        await passTime(machine, LOCK_POLL_MS);
        if (svirt.isDead) return () => undefined;
      }
      machine.locks.set(path, svirt);
      return () => {
        if (machine.locks.get(path) === svirt) machine.locks.delete(path);
      };
    },
    isLocked: (path) => machine.locks.has(path),
  };
}

function guestCalls(
  machine: Machine,
  svirt: Svirt,
): Part<"spawnGuest" | "readLogEnd" | "spawnHelper" | "connectMonitor" | "followEvents" | "killSelf"> {
  return {
    killSelf: () => svirt.die("killSelf"),
    async readLogEnd(path, mostBytes) {
      const bytes = machine.files.find(path)?.inode.bytes;
      return bytes === undefined ? undefined : new TextDecoder().decode(bytes.slice(-mostBytes));
    },
    async spawnGuest(order) {
      for (const name of ["pid", "exit"]) machine.files.remove(`${order.folder}/${name}`);
      openHanded(machine, order);
      const guest = machine.processes.spawn(order, machine.ownContext);
      svirt.midway();
      machine.files.put(`${order.folder}/pid`, "file", {
        bytes: new TextEncoder().encode(`${guest.pid}\n`),
      });
      await passTime(machine, GREET_POLL_MS);
      return guest;
    },
    async spawnHelper(order) {
      machine.processes.spawnHelper(order, machine.ownContext);
      svirt.midway();
      if (machine.helperEnds) {
        throw new SvirtError(`Cannot start ${order.program}: it ended with status 1`, {
          kind: "failed",
          remedy: SEE_QEMU_LOG,
        });
      }
      machine.files.put(order.ready, "socket", { uid: order.uid });
      await passTime(machine, GREET_POLL_MS);
    },
    followEvents: (path, onEvent) => machine.eventFeeds.open(path, onEvent),
    async connectMonitor(path, timeoutMs) {
      noteLock(machine, svirt, path);
      const deadline = machine.nowMs + timeoutMs;
      for (;;) {
        const guest = listeningAt(machine, path);
        if (guest === undefined)
          throw new SvirtError(`Cannot talk to QEMU at ${path}: it has ended`, {
            kind: "failed",
            remedy: SEE_QEMU_LOG,
          });
        if (guest.role === "qemu" && !isMute(machine, guest))
          return makeMonitor(machine, svirt, { pid: guest.pid, deadline });
        if (machine.nowMs > deadline)
          throw new SvirtError(`Cannot talk to QEMU at ${path}`, { kind: "timeout", remedy: "Wait." });
        await passTime(machine, Math.max(GREET_POLL_MS, timeoutMs / 100));
      }
    },
  };
}

/**
 * Records a violation if the registry lock is held: a QEMU that does not answer would delay every start and
 * end.
 */
function noteLock(machine: Machine, svirt: Svirt, path: string): void {
  if (machine.locks.get(registryLock(SYSTEM_PATHS)) === svirt)
    machine.violations.push(`QEMU is asked under the registry's lock: ${path}`);
}

function isMute({ qemu }: Machine, { order }: Process): boolean {
  return qemu.monitor === "silent" || qemu.mute?.get(order?.uuid ?? "") === "before greeting";
}

function listeningAt(machine: Machine, path: string): Process | undefined {
  return machine.processes
    .list()
    .find(({ order, role }) => order?.sockets[0]?.path === path && (role === "qemu" || role === "becoming"));
}
