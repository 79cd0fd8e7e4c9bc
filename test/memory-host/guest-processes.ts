import type { ProcessFacts, ProcessId } from "../../src/host/processes.ts";
import { isGuestUser } from "../../src/plan/facts/guest-user.ts";
import type { HelperSpec, LaunchSpec } from "../../src/plan/facts/launch-spec.ts";
import { hostCall } from "./file-tree.ts";
import type { Machine } from "./machine.ts";
import { MemoryQemu } from "./memory-qemu.ts";
import { MemoryStream } from "./memory-stream.ts";

/** A process: its facts of /proc, and its role in the test. */
export interface Process extends ProcessFacts {
  readonly words: readonly string[];
  readonly role: "other" | "reaper" | "becoming" | "qemu";
  readonly order: LaunchSpec | undefined;
  /** Run state of QEMU's vCPUs. */
  status: "prelaunch" | "running" | "paused" | "postmigrate";
  /** Devices of QEMU. */
  readonly devices?: MemoryQemu;
  /** Memory of QEMU's guest, and its transfer out of or into QEMU. */
  readonly stream?: MemoryStream;
  isEnding?: true;
  /** Last action of set-action after a crash of the guest. qemu.git qapi/run-state.json PanicAction */
  panicAction?: string;
}

/** Behaviour of the QEMUs on a machine. */
export interface QemuBehaviour {
  /** QEMU ends right after exec with this status and writes this text to its log. */
  readonly endsAtOnce?: { readonly status: number; readonly says: string };
  /** Context of QEMU after exec, instead of the requested one. */
  readonly context?: string;
  readonly monitor?: "answers" | "silent";
  /** Guests, by UUID, whose QEMU does not answer at all, or not after its greeting. */
  readonly mute?: ReadonlyMap<string, "before greeting" | "after greeting">;
  readonly ignoresPowerButton?: boolean;
  readonly ignoresTerm?: boolean;
  /** QEMU waits for a device that does not answer, so that even SIGKILL does not end it. */
  readonly isImmortal?: boolean;
  /** Command that QEMU answers with an error. */
  readonly refuses?: string;
  /** Answers of QEMU by command. */
  readonly answers?: ReadonlyMap<string, unknown>;
  /** The guest never releases a device. */
  readonly keepsDevices?: boolean;
  /** Devices, by QEMU's names, whose removal the guest rejects. */
  readonly rejectsUnplug?: ReadonlySet<string>;
  /** QEMU reports that it has closed a file and keeps it open. */
  readonly keepsFiles?: boolean;
  /** QEMU reports that it has closed a tap and leaves it to vhost-net, which shows no descriptor of it. */
  readonly keepsTaps?: boolean;
  /**
   * QEMU's processes pass kept files to each other during an inspection, so that only stopped processes show
   * them.
   */
  readonly juggles?: boolean;
  /** Guest, by UUID, that has more files open than an inspection reads. */
  readonly floods?: string;
  /** QEMU cannot write the guest's state. */
  readonly failsToSave?: boolean;
  /** Time that QEMU takes to write the guest's state. */
  readonly savesForMs?: number;
  /** QEMU was built without libpng. */
  readonly lacksPng?: boolean;
}

/** Limit of memory that svirt itself may lock. */
const DEFAULT_MEMLOCK_KIB = 8192;
const EXEC_MS = 2;
const END_MS = 3;
const WAIT_MS = 1;

/** Reapers and QEMUs as `src/host/linux/` starts them: a shell, and its child that becomes QEMU. */
export class GuestProcesses {
  readonly #machine: Machine;
  readonly #all = new Map<number, Process>();
  #lastPid = 100;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  list(): Process[] {
    return [...this.#all.values()];
  }

  get(pid: number): Process | undefined {
    return this.#all.get(pid);
  }

  /** Returns the QEMU of a guest; undefined if it does not run. */
  qemuOf(uuid: string): Process | undefined {
    return this.list().find(({ order, role }) => role === "qemu" && order?.uuid === uuid);
  }

  /** Adds a process, by default one that belongs to no guest. */
  add(facts: Partial<Process>): Process {
    this.#lastPid += 1;
    const made: Process = {
      pid: this.#lastPid,
      startTicks: Math.floor(this.#machine.nowMs / 10),
      parentPid: 1,
      uid: 0,
      context: undefined,
      command: "other",
      words: [],
      role: "other",
      order: undefined,
      status: "prelaunch",
      ...facts,
    };
    this.#all.set(made.pid, made);
    return made;
  }

  /** Adds the reaper and its child, which soon becomes QEMU. Returns the child. */
  spawn(order: LaunchSpec, context: string | undefined): Process {
    const words = [order.folder, "/usr/bin/svirt", order.uuid, String(order.uid), order.context ?? "", "4"];
    const command = [order.program, ...order.words];
    const reaper = this.add({
      command: "sh",
      context,
      order,
      role: "reaper",
      uid: this.#machine.uid,
      words: ["/bin/sh", "-c", "...", "svirt-reaper", ...words, ...command],
    });
    const guest = this.add({
      command: "setpriv",
      context,
      order,
      parentPid: reaper.pid,
      role: "becoming",
      uid: this.#machine.uid,
      words: [
        "setpriv",
        ...(isGuestUser(order.uid) ? ["--reuid", String(order.uid)] : ["--no-new-privs"]),
        "--",
        ...command,
      ],
    });
    for (const tap of order.taps ?? []) this.#machine.taps.hand(tap, guest.pid);
    this.#machine.after(EXEC_MS, () => this.#becomeQemu(guest));
    return guest;
  }

  /** Sets the limit of locked memory in /proc/PID/limits. prlimit(2) */
  setMemlock(pid: number, limitKiB: number | "unlimited"): void {
    const bytes = limitKiB === "unlimited" ? limitKiB : String(limitKiB * 1024);
    const text = `Max locked memory         ${bytes.padEnd(20)} ${bytes.padEnd(20)} bytes\n`;
    this.#machine.files.put(`/proc/${pid}/limits`, "file", { bytes: new TextEncoder().encode(text) });
  }

  /** Adds a helper program, which ends with QEMU. */
  spawnHelper(order: HelperSpec, context: string | undefined): void {
    if (this.#machine.helperEnds) return;
    this.add({
      command: order.program.replace(/^.*\//, ""),
      context: order.context ?? context,
      uid: order.uid,
      words: [order.program, ...order.words],
    });
  }

  /** Sends a signal; returns false if the process has ended. kill(2) */
  signal({ pid, startTicks }: ProcessId, signal: "SIGTERM" | "SIGKILL"): boolean {
    const process = this.#all.get(pid);
    if (process?.startTicks !== startTicks) return false;
    const behaviour = this.#machine.qemu;
    if (behaviour.isImmortal === true) {
      if (signal === "SIGKILL") process.isEnding = true;
      return true;
    }
    if (signal === "SIGKILL") this.end(pid, 137);
    else if (behaviour.ignoresTerm !== true) this.#machine.after(END_MS, () => this.end(pid, 0));
    return true;
  }

  killUser(uid: number): void {
    for (const process of this.list()) if (process.uid === uid) this.signal(process, "SIGKILL");
  }

  /** Ends a process. The reaper of a guest learns of it, if it still runs. */
  end(pid: number, status: number): void {
    const ended = this.#all.get(pid);
    if (ended === undefined) return;
    this.#all.delete(pid);
    this.#machine.taps.letGo(pid);
    this.#machine.ports.letGo(pid);
    this.#machine.groups.removeThreads(pid);
    const { order, parentPid, role } = ended;
    if (order === undefined || role === "reaper") return;
    if (isGuestUser(order.uid)) {
      for (const other of this.list()) if (other.uid === order.uid) this.#all.delete(other.pid);
    }
    this.#machine.after(WAIT_MS, () => this.#reap(parentPid, order, status));
  }

  /** Removes all processes, as a power failure does. */
  clear(): void {
    for (const pid of this.#all.keys()) {
      this.#machine.taps.letGo(pid);
      this.#machine.ports.letGo(pid);
      this.#machine.groups.removeThreads(pid);
    }
    this.#all.clear();
  }

  /**
   * Records a violation for each file that QEMU opens by name and its user may not open. path_resolution(7)
   */
  #noteUnopenable({ files, uid, words }: LaunchSpec): void {
    const named = new Set(
      words.flatMap((word) => word.match(/(?<=\/proc\/self\/fd\/)\d+/g) ?? []).map(Number),
    );
    for (const { access, fd, file } of files) {
      const { acl, mode } = this.#machine.files.getSame(file);
      const wanted = access === "read-only" ? 4 : 6;
      if (named.has(fd) && (mode & wanted) !== wanted && acl.get(uid) !== access)
        this.#machine.violations.push(`QEMU may not open ${file.path}`);
    }
  }

  #becomeQemu(guest: Process): void {
    if (!this.#all.has(guest.pid) || guest.order === undefined) return;
    this.#noteUnopenable(guest.order);
    const { qemu } = this.#machine;
    const { context, logFile, program, uid, words } = guest.order;
    const { startTicks } = guest;
    this.#all.set(guest.pid, {
      ...guest,
      startTicks,
      uid,
      role: "qemu",
      command: "qemu-system-x86",
      context: qemu.context ?? context ?? guest.context,
      words: [program, ...words],
      devices: new MemoryQemu(guest.order, (ms, run) => this.#machine.after(ms, run), {
        keepsFiles: () => this.#machine.qemu.keepsFiles === true,
        writeBacking: (image, path) => writeBacking(this.#machine.files.getSame(image).bytes, path),
      }),
      stream: new MemoryStream(this.#machine),
    });
    this.#machine.groups.addThreads(guest.pid, words);
    this.setMemlock(guest.pid, guest.order.memlockKiB ?? DEFAULT_MEMLOCK_KIB);
    this.#machine.noteLiveGuests();
    if (qemu.endsAtOnce === undefined) return;
    this.#machine.files.get(logFile).bytes = new TextEncoder().encode(`${qemu.endsAtOnce.says}\n`);
    this.end(guest.pid, qemu.endsAtOnce.status);
  }

  #reap(reaperPid: number, order: LaunchSpec, status: number): void {
    if (!this.#all.delete(reaperPid)) return;
    const { files } = this.#machine;
    // A shell whose redirection fails reports the error and continues.
    if (files.find(order.folder) !== undefined) {
      files.put(`${order.folder}/exit`, "file").bytes = new TextEncoder().encode(`${status}\n`);
    }
    this.#machine.reaps.push(order.uuid);
  }
}

/** Opens the descriptors of an order and creates its sockets. Throws as the real calls would. */
export function openHanded(machine: Machine, order: LaunchSpec): void {
  const numbers = [...order.sockets, ...(order.peers ?? []), ...order.files].map(({ fd }) => fd);
  if (!numbers.every((fd, at) => fd === at + 3)) throw hostCall("pass descriptors", numbers.join(", "));
  for (const socket of order.sockets.concat(order.events ?? [])) listen(machine, socket);
  for (const { socket } of order.peers ?? []) machine.files.getSame(socket);
  for (const { file } of order.files) machine.files.getSame(file);
  if (machine.files.find(order.logFile) === undefined) machine.files.put(order.logFile, "file");
}

/**
 * Writes the name of the backing file into the header of a qcow2 image, over the one before. qemu.git
 * docs/interop/qcow2.rst
 */
function writeBacking(bytes: Uint8Array, path: string): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const name = new TextEncoder().encode(path);
  view.setUint32(16, name.length);
  bytes.set(name, Number(view.getBigUint64(8)));
}

function listen({ files }: Machine, { label, path, within }: LaunchSpec["sockets"][number]): void {
  if (within !== undefined && files.find(path, false) !== undefined)
    throw hostCall(`bind ${path}`, "EADDRINUSE");
  const { xattrs } = files.put(path, "socket");
  if (label !== undefined) xattrs.set("security.selinux", label);
}
