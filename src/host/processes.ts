import type { FileId } from "../plan/facts/file.ts";
import type { HelperSpec, LaunchSpec } from "../plan/facts/launch-spec.ts";
import type { Scheduler } from "../plan/facts/limits.ts";

/**
 * Identifies a process even after its number is reused, by its start time in clock ticks. proc_pid_stat(5)
 */
export interface ProcessId {
  readonly pid: number;
  readonly startTicks: number;
}

/** Facts of /proc about a process. A zombie counts as ended: it holds no file and runs no code. */
export interface ProcessFacts extends ProcessId {
  readonly parentPid: number;
  /** As in /proc/PID/attr/current; undefined if the kernel does not report it. */
  readonly context: string | undefined;
  readonly uid: number;
  readonly command: string;
  /**
   * It has been killed or exits: it runs no code of its own any more, and the kernel may wait for a device or
   * a server.
   */
  readonly isEnding?: true;
}

/**
 * Output of a program, or why there is none: it cannot be run or fails, does not end, or prints too much.
 * `code`: its exit code, if it has run and failed.
 */
export type ProgramOutput =
  | { readonly text: string }
  | { readonly fault: "failed" | "timeout" | "too-long"; readonly code?: number };

/** Program that a caller may choose and that only reports. It is confined whatever SELinux does. */
export interface Probe {
  /** Absolute path, without symlinks, and arguments. */
  readonly words: readonly string[];
  readonly input?: string;
  /** Folder of svirt's own in which its input and output are for a moment. */
  readonly folder: string;
  /** Domain of the program and label of its input; absent: without SELinux. */
  readonly confined?: { readonly context: string; readonly inputLabel: string };
  /** Whether it gets /dev/kvm, as descriptor 3. */
  readonly hasKvm: boolean;
}

/** End of a program: its exit code and messages, or why there are none. */
export type ProgramEnd =
  | { readonly code: number; readonly errors: string }
  | { readonly fault: "missing" | "denied" | "timeout" };

/** A descriptor of a process: its number, its target, and the label of that file. */
export interface OpenFile {
  readonly fd: number;
  readonly target: string;
  readonly label: string | undefined;
  readonly id: FileId | undefined;
}

/**
 * A file by fileKey(), a tap as `tap-NAME`, or connections as `peers-CONTEXT`. The path distinguishes a block
 * device from a character device of the same number.
 */
export interface HeldThing {
  readonly key: string;
  readonly path: string | undefined;
  /**
   * The access to check for; absent: "any". A file that becomes readable by others may be held for reading.
   */
  readonly forbidden?: "any" | "writing";
}

/** Open descriptor, mapping or other hold of a process on one of the requested resources. */
export interface Holding {
  readonly pid: number;
  /** Absent if the kernel does not identify the held resource. */
  readonly key?: string;
  /** Shown to the operator, such as `descriptor 7`. */
  readonly by: string;
  /** Whether the hold allows writing: a descriptor opened for writing, or a shared mapping. */
  readonly canWrite: boolean;
  /** The processes exceed the limit of the inspection, so their other holdings are not listed. */
  readonly isTooMuch?: true;
}

/** Value for a file of the kernel. */
export interface ControlWrite {
  readonly path: string;
  readonly value: string;
}

/** Options for the inspection of processes. */
export interface InspectProcessesOptions {
  /** Whether an unidentified descriptor or mapping counts as a hold. */
  readonly isComplete: boolean;
  /** Limit on the descriptors, threads and lines of mappings inspected; absent: no limit. */
  readonly most?: number;
}

/** Processes: their open files, the processes of guests, and limits. */
export interface ProcessHost {
  getProcess(pid: number): ProcessFacts | undefined;
  /**
   * Returns whether a process with this PID and start time exists and is not a zombie, at the cost of reading
   * a small file.
   */
  hasProcess(process: ProcessId): boolean;
  /** Returns the processes of a user, or of all users, without kernel threads. */
  listProcesses(uid?: number): readonly ProcessFacts[];
  /**
   * Returns the processes that `isMeant` selects by context and user. The context costs least to read; it is
   * undefined if the kernel does not report it.
   */
  listProcessesIn(
    isMeant: (context: string | undefined, uid: () => number | undefined) => boolean,
  ): readonly ProcessFacts[];
  /** Returns the distinct contexts of all processes but kernel threads and zombies. */
  listContexts(): readonly string[];
  /** Returns the arguments of a process; none for a kernel thread or a process that has ended. */
  getCommandLine(pid: number): readonly string[];
  /**
   * Lists the open files of a process. Files with a path left out by `isLeftOut` are listed without a look at
   * the file.
   */
  listOpenFiles(pid: number, isLeftOut?: (target: string) => boolean): readonly OpenFile[];
  /**
   * Returns the resources possibly open in some process. Omits only files for which the kernel proves the
   * opposite: no process has them open or mapped, or, if writing is forbidden, writable. Most file systems
   * offer no such proof.
   */
  listOpened<Thing extends HeldThing>(things: readonly Thing[]): readonly Thing[];
  /**
   * Returns the holdings of these processes by descriptor or mapping, as the kernel reports them. With
   * `isComplete` it adds unidentified holdings: descriptors waiting in a socket, files and buffers registered
   * with an io_uring, and images kept open by a system call. Descriptors and mappings hidden by the kernel
   * count as well. If the processes exceed the limit, a holding says so, with or without `isComplete`.
   */
  findHoldings(
    things: readonly HeldThing[],
    pids: readonly number[],
    how: InspectProcessesOptions,
  ): readonly Holding[];
  /** Returns the processor time of a process. proc_pid_stat(5) */
  getCpuSeconds(pid: number): number | undefined;
  /** Kills svirt immediately, like an external `kill -9`, for drills. */
  killSelf(): never;
  /**
   * Returns the output of a program of the host, by its absolute path, run without a shell. Kills the
   * processes that it leaves.
   */
  readOutput(words: readonly string[], input?: string): Promise<ProgramOutput>;
  /**
   * Returns the output of a program that a caller may have chosen. It runs as a user of its own, or the
   * calling user, without capabilities and groups, and gains no rights. It makes no process, file or
   * connection. Its time, memory and output are limited.
   */
  readProbe(probe: Probe): Promise<ProgramOutput>;
  /**
   * Runs a program of the host, by its absolute path, with these arguments and this input, by default none,
   * and waits for it; kills it after the time.
   */
  runProgram(words: readonly string[], timeoutMs: number, input?: string): Promise<ProgramEnd>;
  /** Returns false if the process has ended. pidfd_send_signal(2) */
  signalProcess(process: ProcessId, signal: "SIGTERM" | "SIGKILL"): boolean;
  /**
   * Kills all processes of a user in a single call: none escapes by forking. A user without processes is not
   * an error. Throws "failed". kill(2)
   */
  killUser(uid: number): Promise<void>;
  /**
   * Runs `work`, which a SIGHUP, SIGINT or SIGTERM to svirt does not interrupt: the signal has its effect
   * once `work` is done. After an error of `work` it has none. signal(7)
   */
  deferSignals<Result>(work: () => Promise<Result>): Promise<Result>;
  /**
   * Returns the guest's process once the reaper has reported it. Throws "failed" if it could not be executed.
   */
  spawnGuest(order: LaunchSpec): Promise<ProcessId>;
  /**
   * Returns the last bytes of the output of a guest's processes, at most `mostBytes`; undefined if there is
   * no log.
   */
  readLogEnd(path: string, mostBytes: number): Promise<string | undefined>;
  /** Waits until the helper is ready. Throws "failed" if it ends first, "timeout". */
  spawnHelper(order: HelperSpec): Promise<void>;
  /**
   * Starts a program that becomes a daemon, and returns once it is ready. Throws "failed" with its message,
   * "timeout".
   */
  spawnDaemon(words: readonly string[]): Promise<void>;
  /** Returns whether a system user has a process with this first argument. */
  hasDaemon(argument: string): boolean;
  /**
   * Kills the processes of system users whose first argument this is, and waits for their end. Throws
   * "timeout".
   */
  endDaemon(argument: string): Promise<void>;
  /** Writes a file of the kernel with a single write. */
  writeControl(path: string, value: string): void;
  /**
   * Writes files of the kernel in a row, in a process of its own: a driver may keep a write waiting for as
   * long as a program uses the device. The process has the lock until it ends, out of reach of signals while
   * the kernel waits, and no other starts meanwhile. Throws "timeout" after the time, also for the lock, and
   * then the kernel may still carry out the waiting write; the errors of writeControl().
   */
  writeControls(writes: readonly ControlWrite[], limitMs: number, lock: string): Promise<void>;
  /**
   * Returns whether a file of the kernel can be read within the time, under the lock, by a process as of
   * writeControls(). A driver that does not release its device keeps the reader waiting, too.
   */
  isReadable(path: string, limitMs: number, lock: string): Promise<boolean>;
  /** Returns the number of the killed process that has this lock since the kernel still waits in it. */
  findWaiting(lock: string): number | undefined;
  /** Removes a control group and its empty descendants. Does nothing if it is missing. */
  removeControlGroup(path: string): void;
  /** Ignores an ended thread, as setAffinity() and setScheduler() do. */
  moveThread(thread: number, group: string): void;
  setAffinity(thread: number, cpus: readonly number[]): void;
  setScheduler(thread: number, scheduler: Scheduler): void;
  /** Limits this process's locked memory, in KiB. Ignores an ended process. prlimit(2) */
  setMemlock(process: ProcessId, limitKiB: number | "unlimited"): void;
}
