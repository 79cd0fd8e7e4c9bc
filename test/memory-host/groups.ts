import type { Scheduler } from "../../src/plan/facts/limits.ts";
import { hostCall } from "./file-tree.ts";
import type { Process } from "./guest-processes.ts";
import type { Machine } from "./machine.ts";

const ROOT = "/sys/fs/cgroup";
const FILES: ReadonlyMap<string, readonly string[]> = new Map([
  ["pids", ["pids.max"]],
  ["memory", ["memory.max", "memory.high", "memory.swap.max"]],
  ["cpu", ["cpu.max", "cpu.weight"]],
  ["io", ["io.weight", "io.max"]],
  ["cpuset", ["cpuset.mems"]],
]);

/** Content of a new group's files; "max" for files not listed. cgroups(7) */
const DEFAULTS: ReadonlyMap<string, string> = new Map([
  ["cpu.max", "max 100000"],
  ["cpu.weight", "100"],
  ["io.weight", "default 100"],
  ["io.max", ""],
  ["cpuset.mems", ""],
]);

/** Offset from a process ID to the IDs of its other threads. */
const FIRST_THREAD = 10_000;

/** Element of the answer to query-cpus-fast. */
interface VcpuAnswer {
  readonly "cpu-index": number;
  readonly "thread-id": number;
  readonly "qom-path": string;
}

/** Control group, CPU affinity and scheduler of a thread. */
export interface ThreadState {
  readonly group?: string;
  readonly cpus?: readonly number[];
  readonly scheduler?: Scheduler;
}

/**
 * Control groups of a machine: folders with the kernel's files for the controllers that the parent enables.
 */
export class Groups {
  readonly #machine: Machine;
  /** Thread ID that QEMU falsely reports for every vCPU. */
  lie: number | undefined;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Mounts cgroup2 and enables these controllers for its children, as the host does at boot. */
  mount(controllers = "cpuset cpu io memory pids"): void {
    this.#put("/proc/self/mounts", `cgroup2 ${ROOT} cgroup2 rw,relatime 0 0\n`);
    this.#put(`${ROOT}/cgroup.subtree_control`, controllers);
    this.#put(`${ROOT}/cgroup.controllers`, controllers);
  }

  /** Creates the files of a new group. */
  fill(path: string): void {
    if (!path.startsWith(`${ROOT}/`)) return;
    const above = path.slice(0, path.lastIndexOf("/"));
    const given = this.read(`${above}/cgroup.subtree_control`)?.split(" ") ?? [];
    for (const file of ["cgroup.procs", "cgroup.threads", "cgroup.type", "cgroup.subtree_control"])
      if (this.read(`${path}/${file}`) === undefined) this.#put(`${path}/${file}`, "");
    if (this.read(`${path}/cgroup.freeze`) === undefined) this.#freeze(path, "0");
    this.#put(`${path}/cgroup.controllers`, given.join(" "));
    for (const file of given.flatMap((name) => FILES.get(name) ?? []))
      if (this.read(`${path}/${file}`) === undefined)
        this.#put(`${path}/${file}`, DEFAULTS.get(file) ?? "max");
  }

  write(path: string, value: string): void {
    const is = this.read(path);
    if (is === undefined) throw hostCall(`write ${value} to ${path}`, "ENOENT");
    if (path.endsWith("/cgroup.freeze")) {
      this.#freeze(path.slice(0, path.lastIndexOf("/")), value);
      return;
    }
    if (path.endsWith("/cpuset.mems") && !/^\d+(?:[-,]\d+)*$/.test(value))
      throw hostCall(`write ${value} to ${path}`, "EINVAL");
    if (!path.endsWith("/cgroup.subtree_control")) {
      this.#put(path, value);
      return;
    }
    const name = value.replace("+", "");
    const folder = path.slice(0, path.lastIndexOf("/"));
    if (this.read(`${folder}/cgroup.controllers`)?.split(" ").includes(name) !== true)
      throw hostCall(`write ${value} to ${path}`, "ENOENT");
    this.#put(path, [...new Set([...is.split(" ").filter(Boolean), name])].join(" "));
    for (const below of this.#listBelow(folder)) this.fill(`${folder}/${below}`);
  }

  isFrozen(path: string | undefined): boolean {
    return path !== undefined && this.read(`${path}/cgroup.freeze`) === "1";
  }

  #freeze(path: string, value: string): void {
    this.#put(`${path}/cgroup.freeze`, value);
    this.#put(`${path}/cgroup.events`, `populated 1\nfrozen ${value}\n`);
  }

  remove(path: string, midway: () => void): void {
    const { files, processes } = this.#machine;
    if (files.find(path) === undefined) return;
    if (processes.list().some(({ order, role }) => role !== "reaper" && order?.group === path))
      throw hostCall(`remove the control group ${path}`, "EBUSY");
    for (const below of this.#listBelow(path)) {
      this.#drop(`${path}/${below}`);
      midway();
    }
    this.#drop(path);
  }

  /** Adds QEMU's main thread, one more emulator thread, and one thread for each vCPU. */
  addThreads(pid: number, words: readonly string[]): void {
    const count = Number(/^\d+/.exec(words[words.indexOf("-smp") + 1] ?? "")?.[0] ?? "1");
    const folder = `/proc/${pid}/task`;
    for (const thread of [pid, pid + FIRST_THREAD]) this.#machine.files.putFolder(`${folder}/${thread}`);
    for (let at = 1; at <= count; at += 1)
      this.#machine.files.putFolder(`${folder}/${pid + FIRST_THREAD + at}`);
  }

  removeThreads(pid: number): void {
    const { files, threads } = this.#machine;
    const folder = files.find(`/proc/${pid}/task`);
    if (folder === undefined) return;
    for (const thread of folder.inode.entries.keys()) {
      threads.delete(Number(thread));
      files.remove(`/proc/${pid}/task/${thread}`);
    }
    files.remove(`/proc/${pid}/task`);
    files.remove(`/proc/${pid}`);
  }

  /** Returns the vCPUs as QEMU reports them. */
  listVcpus({ pid }: Process): VcpuAnswer[] {
    const names = [...this.#machine.files.get(`/proc/${pid}/task`).entries.keys()].map(Number);
    return names
      .filter((thread) => thread > pid + FIRST_THREAD)
      .map((thread, at) => ({
        "cpu-index": at,
        "thread-id": this.lie ?? thread,
        "qom-path": `/machine/unattached/device[${at}]`,
      }));
  }

  read(path: string): string | undefined {
    const found = this.#machine.files.find(path);
    return found === undefined ? undefined : new TextDecoder().decode(found.inode.bytes);
  }

  #listBelow(path: string): string[] {
    const { entries } = this.#machine.files.get(path);
    return [...entries].filter(([, { type }]) => type === "folder").map(([name]) => name);
  }

  #drop(path: string): void {
    const { files } = this.#machine;
    for (const name of files.get(path).entries.keys()) files.remove(`${path}/${name}`);
    files.remove(path);
  }

  #put(path: string, text: string): void {
    const { files } = this.#machine;
    files.putFolder(path.slice(0, path.lastIndexOf("/")));
    if (files.find(path) === undefined) files.put(path, "file");
    files.get(path).bytes = new TextEncoder().encode(text);
  }
}
