import type { Machine } from "../label/machine.ts";
import type { StorageFacts } from "../label/seen-by-others.ts";
import type { Display } from "../plan/facts/display.ts";
import type { FileId } from "../plan/facts/file.ts";
import type { GuestOrder, HandedFile, HelperOrder, PluggedPeer } from "../plan/facts/guest-order.ts";
import type { Scheduler } from "../plan/facts/limits.ts";
import type { FolderLimit, Ownership } from "../plan/facts/step-parts.ts";
import type { HandedTap, Macvtap, TapSetup } from "../plan/facts/tap.ts";
import type { GuestPipe, LineChannel, PipeWish, TalkEnd } from "./channels.ts";

/** Type of the file at a path. */
export type FileType = "file" | "block" | "character" | "folder" | "fifo" | "socket";

/** Facts of stat(2) about a file. */
export interface FileFacts {
  readonly id: FileId;
  readonly type: FileType;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** Space allocated on disk; less than the size for a sparse file. st_blocks */
  readonly allocatedBytes: number;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** Limits for reading an input by line. */
export interface LineLimits {
  readonly mostBytes: number;
  /** In bytes; lines outside these bounds are skipped. */
  readonly shortest: number;
  readonly longest: number;
  /** Reads only the end of a file that is larger. */
  readonly isEnd?: true;
  /** Called instead of reading the rest if there are more bytes. */
  onMore?(): void;
}

/** Content of a new file. */
export interface FileContent {
  readonly bytes: Uint8Array;
  /** If greater than the number of bytes, the rest is zeros and takes no space on disk. */
  readonly sizeBytes: number;
}

/** Identifies a process even after its number is reused, by its start time in clock ticks. proc_pid_stat(5) */
export interface ProcessId {
  readonly pid: number;
  readonly startTicks: number;
}

/** Facts of /proc about a process. A zombie counts as gone: it holds no file and runs no code. */
export interface ProcessFacts extends ProcessId {
  readonly parentPid: number;
  /** As in /proc/PID/attr/current; undefined if the kernel does not report it. */
  readonly context: string | undefined;
  readonly uid: number;
  readonly command: string;
}

/** A descriptor of a process: its number, its target, and the label of that file. */
export interface OpenFile {
  readonly fd: number;
  readonly target: string;
  readonly label: string | undefined;
  readonly id: FileId | undefined;
}

/**
 * A file by fileKey(), a tap as `tap-NAME`, or connections as `peers-CONTEXT`. The path distinguishes a block device from a
 * character device of the same number.
 */
export interface HeldThing {
  readonly key: string;
  readonly path: string | undefined;
  /** The access to check for; absent: "any". A file that becomes readable by others may be held for reading. */
  readonly forbidden?: "any" | "writing";
}

/** A hold that a process has on one of the requested things. */
export interface Holding {
  readonly pid: number;
  /** Absent if the kernel does not identify the thing held. */
  readonly key?: string;
  /** Shown to the operator, such as `descriptor 7`. */
  readonly by: string;
  /** Whether the hold allows writing: a descriptor opened for writing, or a shared mapping. */
  readonly canWrite: boolean;
  /** The processes exceed the limit of the inspection, so their other holdings are not listed. */
  readonly isTooMuch?: true;
}

/** Options for the inspection of processes. */
export interface HowToLook {
  /** Whether things that cannot be identified count as held. */
  readonly isComplete: boolean;
  /** Limit on the descriptors, threads and lines of mappings inspected; absent: no limit. */
  readonly most?: number;
}

/** Access granted to one user, regardless of the file's owner. */
export interface GrantedAccess {
  readonly uid: number;
  readonly access: "read-only" | "read-write";
}

/** Extended attributes of an open file, even if another file has replaced it at its path. */
export interface FileAttributes {
  /** Returns the names of the attributes. */
  listXattrs(): readonly string[];
  /** Returns undefined if there is no such attribute, or the file system does not support attributes. */
  getXattr(name: string): string | undefined;
  /** Returns false if the file system does not support the attribute. Writes bytes as given: a label needs its NUL. */
  setXattr(name: string, value: string): boolean;
  /** Does nothing if the attribute is missing. */
  removeXattr(name: string): void;
}

/** An open file, with its facts at the time of opening. */
export interface OpenedFile extends FileAttributes {
  readonly facts: FileFacts;
}

/** An entry of a folder, opened without following a symlink. Every operation acts on that entry. */
export interface TreeEntry extends FileAttributes {
  /** Contains the path by which the entry was reached. */
  readonly id: FileId;
  readonly type: FileType | "symlink";
  readonly uid: number;
  readonly gid: number;
  /** Number of hard links. st_nlink */
  readonly links: number;
  setOwner(uid: number, gid: number): void;
  /** Like Host.grantAccess() and Host.revokeAccess(); also grants search permission on a folder. */
  grantAccess(granted: GrantedAccess): void;
  revokeAccess(uid: number): void;
}

/** A conversation with one QEMU. One deadline covers all of it, regardless of the number of commands and of QEMU's output. */
export interface Monitor {
  /** Resets the deadline to this time from now, for work that makes progress or has its own limit. */
  allow(timeoutMs: number): void;
  /** Throws "failed" with QEMU's message if it answers with an error, "timeout" if it does not answer. */
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Opens the file and passes it to QEMU as its own set, `/dev/fdset/FD`. Throws "host-call", "denied", "failed". */
  handOver(file: HandedFile): Promise<void>;
  /** Creates or opens a tap and passes its queues to QEMU under their names. Throws "host-call", "failed". */
  handTap(tap: HandedTap): Promise<void>;
  /**
   * Connects to another program's socket and passes the connection to QEMU under its name. Throws "host-call", "denied",
   * "failed".
   */
  handPeer(peer: PluggedPeer): Promise<void>;
  /** Listens on a TCP port and passes the socket to QEMU under that name. Throws "host-call", "failed". */
  handListener(name: string, display: Display): Promise<void>;
  /** Creates a pipe and passes QEMU its end. Throws "host-call", "failed". getfd of qemu.git qapi/misc.json */
  openPipe(wish: PipeWish): Promise<GuestPipe>;
  /** Returns whether QEMU reports the device's removal in time. Reports since the start of the conversation count. */
  waitUntilDeleted(device: string, timeoutMs: number): Promise<boolean>;
  close(): void;
}

/** State of SELinux in the kernel. */
export interface SelinuxState {
  readonly mode: "enforcing" | "permissive" | "disabled";
  /** SELINUXTYPE of /etc/selinux/config: the folder below /etc/selinux. */
  readonly policyName: string | undefined;
}

/** Facts about the policy loaded in the kernel. */
export interface LoadedPolicy {
  readonly version: number;
  readonly isMls: boolean;
  readonly denyUnknown: boolean;
  /** SHA-256 of the loaded policy; undefined if svirt may not read it. */
  readonly sha256: string | undefined;
}

/** An access by a process with a context to a file with a label. */
export interface FileAccess {
  readonly context: string;
  readonly label: string;
  readonly type: FileType;
  readonly permissions: readonly ("lock" | "read" | "write")[];
}

/**
 * The machine, as small operations. Each operation is one system call, or a few that belong together. It throws "host-call"
 * or "no-access" with the call's message. All folders before `host` are pure. `host/linux/` is the only implementation; tests
 * have one in memory.
 */
export interface Host {
  /** Returns the text of a file; undefined if it is missing. Follows symlinks. */
  readText(path: string): string | undefined;
  /** Writes a file atomically; it is on disk on return. Steps: new file, fsync, rename, fsync of the folder. */
  writeText(path: string, text: string, mode: number): void;
  /** First half of writeText(): writes the text to disk beside the file. placeText() moves it into place. */
  stageText(path: string, text: string, mode: number): void;
  /**
   * Moves the staged text into place atomically. A power failure may restore the previous file. Throws "host-call" if no text
   * is staged.
   */
  placeText(path: string): void;
  /** Writes a file atomically for readers. After a power failure it may exist and be empty. */
  writeVolatile(path: string, text: string, mode: number): void;
  /** Does nothing if the file is missing. */
  removeFile(path: string): void;
  /** Returns the names in a folder, sorted; none if the folder is missing. */
  listFolder(path: string): readonly string[];
  /**
   * Creates the folder if it is missing, and always sets its owner, mode and label. With a limit the folder is a separate
   * file system that takes no more memory than the limit. Throws "no-access" if mounting is not permitted.
   */
  makeFolder(folder: {
    readonly path: string;
    readonly mode: number;
    readonly uid?: number;
    readonly label?: string;
    readonly limit?: FolderLimit;
  }): void;
  /**
   * Sets owner and label of a folder and its direct entries, and the mode of the folder. Follows no symlink, because the
   * previous owner may have put any file there.
   */
  giveFolder(
    path: string,
    to: { readonly uid: number; readonly label?: string; readonly mode?: number },
  ): void;
  /**
   * Removes a folder with its content and never follows a symlink. Does nothing if it is missing. With `isMounted` it also
   * unmounts the file system on the folder; throws "wrong-state" for any other mount on it or in it.
   */
  removeFolder(path: string, isMounted?: boolean): void;
  makeSymlink(path: string, target: string): void;
  /**
   * Creates the symlink in the folder that was inspected. Throws "host-call" if the name exists, "denied" if the path leads
   * to another folder.
   */
  makeLinkWithin(
    folder: FileId,
    link: { readonly path: string; readonly target: string; readonly label?: string },
  ): void;
  /** Removes the symlink if it has that target; other files stay. Does nothing if it is missing. */
  removeLink(path: string, target: string): void;
  /**
   * Creates a file atomically with these bytes, padded with zeros to its size, or empty. Throws if the name exists. Returns
   * the identity of the file.
   */
  makeFile(path: string, mode: number, content?: FileContent): FileId;
  /** Writes into a file that svirt has created. Throws "host-call" if the path now leads to another file. */
  writeBytes(file: FileId, offset: number, bytes: Uint8Array): void;
  /** Replaces an existing file. The content is on disk before the rename, and the name before the return. */
  renameFile(from: string, to: string): void;

  /** Opens the caller's editor on a file and waits until it ends. Throws "usage", "failed". */
  editFile(path: string): Promise<void>;
  /**
   * Reads the operator's input from a regular file, or from standard input for `-`. Returns at most `mostBytes` and one more
   * byte.
   */
  readInput(path: string, mostBytes: number): Uint8Array;
  /** Reads the operator's input line by line and keeps no line in memory. */
  readLines(path: string, limits: LineLimits): Iterable<string>;
  /** Resolves symlinks and returns the facts of the file; undefined if it is missing. */
  inspectFile(path: string): FileFacts | undefined;
  /** Like inspectFile(), and runs `use` with the attributes of the same descriptor. */
  withInspected<Result>(path: string, use: (file: OpenedFile) => Result): Result | undefined;
  /** Returns whether owner, mode and ACL allow svirt's user to open the file for reading and writing. access(2) */
  mayOpen(file: FileId): boolean;
  /** Reads at most `length` bytes. Throws "host-call" if the path now leads to another file. */
  readBytes(file: FileId, offset: number, length: number): Uint8Array;
  /** Opens the file once and runs `use` with its attributes. Throws if the path now leads to another file. */
  withAttributes<Result>(file: FileId, use: (attributes: FileAttributes) => Result): Result;
  /**
   * Adds an ACL entry, beside owner and group. Throws "denied" if the file system has no ACLs or the mask forbids the access.
   * acl(5)
   */
  grantAccess(file: FileId, granted: GrantedAccess): void;
  /** Sets owner, group and mode where they differ. Throws if the path now leads to another file. */
  setOwnership(file: FileId, ownership: Ownership): void;
  /** Does nothing if the ACL has no entry of the user. Throws if the path now leads to another file. */
  revokeAccess(file: FileId, uid: number): void;

  /** Returns the storage of the file that was inspected. Throws if the path now leads to another file. */
  getStorage(file: FileId): StorageFacts;
  /**
   * Visits a folder and all entries below it, a folder before its entries. The result of `visit` for a folder is passed to
   * the visits of its entries. Follows no symlink and enters no other file system. Throws, at the end, for folders nested too
   * deep.
   */
  visitTree<Told>(folder: FileId, above: Told, visit: (entry: TreeEntry, above: Told) => Told): void;

  /**
   * Waits for the lock, acquires it and returns the function that releases it. The lock ends with the process. Throws
   * "timeout". flock(2)
   */
  lock(path: string, timeoutMs: number): Promise<() => void>;
  /** Returns whether a process holds the lock now. */
  isLocked(path: string): boolean;

  getProcess(pid: number): ProcessFacts | undefined;
  /** Returns the processes of one user, or of all users, without kernel threads. */
  listProcesses(uid?: number): readonly ProcessFacts[];
  /**
   * Returns the processes that `isMeant` selects by context and user. The context costs least to read; it is undefined if the
   * kernel does not report it.
   */
  listProcessesIn(
    isMeant: (context: string | undefined, uid: () => number | undefined) => boolean,
  ): readonly ProcessFacts[];
  /** Returns the distinct contexts of all processes but kernel threads. */
  listContexts(): readonly string[];
  /** Returns the arguments of a process; none for a kernel thread or a process that has ended. */
  getCommandLine(pid: number): readonly string[];
  listOpenFiles(pid: number): readonly OpenFile[];
  /**
   * Returns the things that some process may have open. Omits only files for which the kernel proves that no process has them
   * open or mapped, or, if writing is forbidden, writable. Most file systems offer no such proof.
   */
  listOpened<Thing extends HeldThing>(things: readonly Thing[]): readonly Thing[];
  /**
   * Returns the holdings of these processes by descriptor or mapping, as the kernel reports them. With `isComplete` it adds
   * holdings that cannot be identified. These are descriptors that wait in a socket, files and buffers registered with an
   * io_uring, and images that a system call keeps open. Descriptors and mappings that the kernel does not show count as well.
   * If the processes exceed the limit, one holding says so, with or without `isComplete`.
   */
  findHoldings(things: readonly HeldThing[], pids: readonly number[], how: HowToLook): readonly Holding[];
  /** Returns the processor time of a process. proc_pid_stat(5) */
  getCpuSeconds(pid: number): number | undefined;
  /** Kills svirt like an external `kill -9`, at this instant, for drills. */
  killSelf(): never;
  /**
   * Returns the output of a program run without a shell; undefined if it cannot be run or fails. A confined program may write
   * only where guests' logs may be, and read only files with a guest's label. So input and output go through files there.
   */
  readOutput(
    words: readonly string[],
    confined?: { readonly context: string; readonly inputLabel: string; readonly logFolder: string },
    input?: string,
  ): string | undefined;
  /** Returns false if the process has ended. pidfd_send_signal(2) */
  signalProcess(process: ProcessId, signal: "SIGTERM" | "SIGKILL"): boolean;
  /**
   * Kills all processes of a user at once, so that none escapes by forking. No processes is no error. Throws "failed".
   * kill(2)
   */
  killUser(uid: number): void;
  /** Returns the guest's process once the reaper has reported it. Throws "failed" if it could not be executed. */
  spawnGuest(order: GuestOrder): Promise<ProcessId>;
  /** Returns the last bytes of the output of a guest's processes, at most `mostBytes`; undefined if there is no log. */
  readLogEnd(path: string, mostBytes: number): Promise<string | undefined>;
  /** Waits until the helper is ready. Throws "failed" if it ends first, "timeout". */
  spawnHelper(order: HelperOrder): Promise<void>;
  /** The time limits the whole conversation. Throws "timeout"; "failed" if QEMU has ended or sends invalid data. */
  connectMonitor(path: string, timeoutMs: number): Promise<Monitor>;
  /** Configures the host end of a tap and brings it up last. rtnetlink(7) */
  setUpTap(setup: TapSetup): void;
  /** Removes the tap if it has this address; otherwise it has another owner. Does nothing if it is missing. */
  removeTap(tap: { readonly name: string; readonly mac: string }): void;
  /** Throws "host-call"; "label-taken" if a network device has the name, "unsupported" if the kernel lacks the module. */
  makeMacvtap(link: Macvtap): void;
  /** Removes the macvtap if it is in this group; otherwise it has another owner. Does nothing if it is missing. */
  removeMacvtap(link: Pick<Macvtap, "name" | "group">): void;
  /**
   * Connects standard input and output to the guest's terminal or socket that was inspected. Ends at the byte `leaveBy`, or
   * when one side ends. A terminal at standard input is raw meanwhile and always restored afterwards. Throws "failed" if a
   * signal ends it.
   */
  talk(to: FileFacts, how: { readonly leaveBy: number; onOpen(): void }): Promise<TalkEnd>;

  /** Connects to the guest's socket that was inspected. Throws "host-call". */
  connectLines(to: FileFacts): Promise<LineChannel>;

  /** Writes a file of the kernel by a single write. */
  writeControl(path: string, value: string): void;
  /** Removes a control group and those below it, all empty. Does nothing if it is missing. */
  removeControlGroup(path: string): void;
  /** Ignores a thread that has ended, as setAffinity() and setScheduler() do. */
  moveThread(thread: number, group: string): void;
  setAffinity(thread: number, cpus: readonly number[]): void;
  setScheduler(thread: number, scheduler: Scheduler): void;
  /** Limits the memory that this process may lock, in KiB. Ignores a process that has ended. prlimit(2) */
  setMemlock(process: ProcessId, limitKiB: number | "unlimited"): void;

  getSelinux(): SelinuxState;
  /** Returns svirt's context; undefined without SELinux. */
  getOwnContext(): string | undefined;
  /** Returns whether the context is valid in the loaded policy. selinuxfs "context" */
  isValidContext(context: string): boolean;
  /** Returns whether the loaded policy allows all permissions of the access; true without SELinux. selinuxfs "access" */
  mayAccess(access: FileAccess): boolean;
  /** Returns the kernel log, one record a line, prefixed with the priority; undefined if svirt may not read it. dev-kmsg */
  readKernelLog(): readonly string[] | undefined;
  /** Returns undefined without SELinux. */
  getPolicy(): LoadedPolicy | undefined;
  /** Returns the ID of the current boot. random(4) */
  getBootId(): string;
  /** Returns the machine, identified by an ID that survives reboots. */
  getMachine(): Machine;
  /** Returns the boot time in seconds since 1970, to which the reference implementation ties its attributes. */
  getBootTime(): number;
  getUid(): number;
  nowMs(): number;
  sleep(ms: number): Promise<void>;
  makeUuid(): string;
}
