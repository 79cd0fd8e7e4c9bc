import type { Machine } from "../label/machine.ts";
import type { StorageFacts } from "../label/seen-by-others.ts";
import type { Display } from "../plan/facts/display.ts";
import type { FileId } from "../plan/facts/file.ts";
import type { GuestOrder, HandedFile, HelperOrder, PluggedPeer } from "../plan/facts/guest-order.ts";
import type { Scheduler } from "../plan/facts/limits.ts";
import type { FolderLimit, Ownership } from "../plan/facts/step-parts.ts";
import type { HandedTap, Macvtap, TapSetup } from "../plan/facts/tap.ts";
import type { GuestPipe, LineChannel, PipeWish, TalkEnd } from "./channels.ts";

/** What a path leads to. */
export type FileType = "file" | "block" | "character" | "folder" | "fifo" | "socket";

/** What stat(2) tells of a file. */
export interface FileFacts {
  readonly id: FileId;
  readonly type: FileType;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** What it takes up on its disk: less where there are holes. st_blocks */
  readonly allocatedBytes: number;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** How much of an input is read. */
export interface LineLimits {
  readonly mostBytes: number;
  /** In bytes; others are left out. */
  readonly shortest: number;
  readonly longest: number;
  /** Of a file that is larger only its end is read. */
  readonly isEnd?: true;
  /** Called, in place of what comes after, when there are more bytes. */
  onMore?(): void;
}

/** What a new file has in it. */
export interface FileContent {
  readonly bytes: Uint8Array;
  /** Longer than the bytes: zeros, which need no room on disk. */
  readonly sizeBytes: number;
}

/** Which process it is, also after the number was given to another: start time in clock ticks. proc_pid_stat(5) */
export interface ProcessId {
  readonly pid: number;
  readonly startTicks: number;
}

/** What /proc tells of a process. A zombie is gone: it holds no file and runs no code. */
export interface ProcessFacts extends ProcessId {
  readonly parentPid: number;
  /** As in /proc/PID/attr/current; undefined where the kernel does not tell. */
  readonly context: string | undefined;
  readonly uid: number;
  readonly command: string;
}

/** A descriptor of a process: its number, what it is open on, and that file's label. */
export interface OpenFile {
  readonly fd: number;
  readonly target: string;
  readonly label: string | undefined;
  readonly id: FileId | undefined;
}

/**
 * A file by fileKey(), a tap, `tap-NAME`, or connections, `peers-CONTEXT`; the path tells a block device from a character device
 * of that number.
 */
export interface HeldThing {
  readonly key: string;
  readonly path: string | undefined;
  /** To be asked for; absent: "any". A file that others come to read may be held for reading. */
  readonly forbidden?: "any" | "writing";
}

/** Something that a process has of the things asked for. */
export interface Holding {
  readonly pid: number;
  /** Absent: the process has something of which the kernel does not tell what it is. */
  readonly key?: string;
  /** For a person: `descriptor 7`. */
  readonly by: string;
  /** Whether it could be written to by that: a descriptor opened for writing, or a shared mapping. */
  readonly canWrite: boolean;
  /** The processes have more open than is looked at: nothing more is told of them. */
  readonly isTooMuch?: true;
}

/** How processes are looked at. */
export interface HowToLook {
  /** Whether what cannot be told apart counts, too. */
  readonly isComplete: boolean;
  /** How many descriptors, threads and lines of mappings are looked at; absent: all. */
  readonly most?: number;
}

/** What one user is let do to a file, whoever owns it. */
export interface GrantedAccess {
  readonly uid: number;
  readonly access: "read-only" | "read-write";
}

/** Extended attributes of a file that is open: of that very one, whatever stands at its path by now. */
export interface FileAttributes {
  /** Their names. */
  listXattrs(): readonly string[];
  /** Undefined: no such attribute, or the file system has none. */
  getXattr(name: string): string | undefined;
  /** False when the file system takes no such attribute. Bytes are written as given: a label wants its NUL. */
  setXattr(name: string, value: string): boolean;
  /** Missing is fine. */
  removeXattr(name: string): void;
}

/** A file that is open, and what it was when it was opened. */
export interface OpenedFile extends FileAttributes {
  readonly facts: FileFacts;
}

/** Something in a folder, opened without following it: all that is done to it is done to that very thing. */
export interface TreeEntry extends FileAttributes {
  /** With the path by which it was found. */
  readonly id: FileId;
  readonly type: FileType | "symlink";
  readonly uid: number;
  readonly gid: number;
  /** How many names it has. st_nlink */
  readonly links: number;
  setOwner(uid: number, gid: number): void;
  /** These two as Host has them; a folder may also be searched. */
  grantAccess(granted: GrantedAccess): void;
  revokeAccess(uid: number): void;
}

/** A conversation with one QEMU. It has one deadline as a whole, however many questions are asked and whatever QEMU says. */
export interface Monitor {
  /** Sets the deadline anew, so long from now: for what makes progress, or has a bound of its own. */
  allow(timeoutMs: number): void;
  /** Throws "failed" with QEMU's words when it answers with an error, "timeout" when it does not answer. */
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Opens the file and hands it over as a set of its own, `/dev/fdset/FD`. Throws "host-call", "denied", "failed". */
  handOver(file: HandedFile): Promise<void>;
  /** Makes or opens a tap and hands its queues over under their names. Throws "host-call", "failed". */
  handTap(tap: HandedTap): Promise<void>;
  /**
   * Connects to another program's socket and hands the connection over under its name. Throws "host-call", "denied",
   * "failed".
   */
  handPeer(peer: PluggedPeer): Promise<void>;
  /** Listens on a TCP port and hands the socket over under that name. Throws "host-call", "failed". */
  handListener(name: string, display: Display): Promise<void>;
  /** Makes a pipe and hands QEMU its end. Throws "host-call", "failed". getfd of qemu.git qapi/misc.json */
  openPipe(wish: PipeWish): Promise<GuestPipe>;
  /** Whether QEMU has told that the device is gone, or does so in time. Counts from when the conversation began. */
  waitUntilDeleted(device: string, timeoutMs: number): Promise<boolean>;
  close(): void;
}

/** How the kernel stands to SELinux. */
export interface SelinuxState {
  readonly mode: "enforcing" | "permissive" | "disabled";
  /** SELINUXTYPE of /etc/selinux/config: the folder below /etc/selinux. */
  readonly policyName: string | undefined;
}

/** What the kernel tells of the policy that it has loaded. */
export interface LoadedPolicy {
  readonly version: number;
  readonly isMls: boolean;
  readonly denyUnknown: boolean;
  /** SHA-256 of the loaded policy; undefined when svirt may not read it. */
  readonly sha256: string | undefined;
}

/** What a process of a context would do to a file of a label. */
export interface FileAccess {
  readonly context: string;
  readonly label: string;
  readonly type: FileType;
  readonly permissions: readonly ("lock" | "read" | "write")[];
}

/**
 * The machine, as small acts. Each act is one system call or a few that belong together, and throws "host-call" or
 * "no-access" with the call's own words. Everything left of here in the program is pure; `host/linux/` is the only real
 * one, and tests have one in memory.
 */
export interface Host {
  /** The text of a file; undefined when there is none. Follows symlinks. */
  readText(path: string): string | undefined;
  /** Whole or not at all, on disk before it returns: new file, fsync, rename, fsync of the folder. */
  writeText(path: string, text: string, mode: number): void;
  /** The first half of writeText(): what is written is on disk, beside the file, and takes its place by placeText(). */
  stageText(path: string, text: string, mode: number): void;
  /** Whole or not at all; after a power failure it may be what it was before. Throws "host-call" where nothing is staged. */
  placeText(path: string): void;
  /** Whole or not at all for whoever looks; after a power failure it may be there and empty. */
  writeVolatile(path: string, text: string, mode: number): void;
  /** Missing is fine. */
  removeFile(path: string): void;
  /** The names in a folder, sorted; none when it is missing. */
  listFolder(path: string): readonly string[];
  /**
   * Made if it is missing; owner, mode and label are set in any case. With a limit it is a file system of its own that takes
   * no more memory than that. Throws "no-access" where that may not be mounted.
   */
  makeFolder(folder: {
    readonly path: string;
    readonly mode: number;
    readonly uid?: number;
    readonly label?: string;
    readonly limit?: FolderLimit;
  }): void;
  /**
   * A folder and what is in it, not what is below that, gets another owner and label, the folder also its mode: whoever had it before may have put
   * anything there, so no symlink is followed.
   */
  giveFolder(
    path: string,
    to: { readonly uid: number; readonly label?: string; readonly mode?: number },
  ): void;
  /**
   * With all that is in it; never follows a symlink. Missing is fine. What is mounted on it goes with it if `isMounted`;
   * any other mount on it or in it is an error, "wrong-state".
   */
  removeFolder(path: string, isMounted?: boolean): void;
  makeSymlink(path: string, target: string): void;
  /** In the very folder that was inspected. Throws "host-call" when something is there, "denied" for another folder. */
  makeLinkWithin(
    folder: FileId,
    link: { readonly path: string; readonly target: string; readonly label?: string },
  ): void;
  /** A symlink to that target; what else is there stays. Missing is fine. */
  removeLink(path: string, target: string): void;
  /**
   * With these bytes, and zeros up to its size, or empty: whole or not at all. Throws when something is there. Gives
   * which file.
   */
  makeFile(path: string, mode: number, content?: FileContent): FileId;
  /** Into a file that svirt has made. Throws "host-call" when the path leads to another file by now. */
  writeBytes(file: FileId, offset: number, bytes: Uint8Array): void;
  /** In place of what is there. What is in it is on disk before that, and its name before this returns. */
  renameFile(from: string, to: string): void;

  /** Lets the caller change a file with his editor, and waits for it. Throws "usage", "failed". */
  editFile(path: string): Promise<void>;
  /** What an operator gives as input: a regular file, `-` for standard input; at most so many bytes and one more. */
  readInput(path: string, mostBytes: number): Uint8Array;
  /** The same, a line at a time and none kept. */
  readLines(path: string, limits: LineLimits): Iterable<string>;
  /** Resolves symlinks and says what is there; undefined when nothing is. */
  inspectFile(path: string): FileFacts | undefined;
  /** The same, and by that descriptor all that `use` does with its attributes. */
  withInspected<Result>(path: string, use: (file: OpenedFile) => Result): Result | undefined;
  /** Whether svirt's user may open it for reading and writing, as far as owner, mode and ACL tell. access(2) */
  mayOpen(file: FileId): boolean;
  /** At most `length` bytes. Throws "host-call" when the path leads to another file by now. */
  readBytes(file: FileId, offset: number, length: number): Uint8Array;
  /** Opens the file once for all that `use` does with its attributes. Throws when the path leads to another file by now. */
  withAttributes<Result>(file: FileId, use: (attributes: FileAttributes) => Result): Result;
  /** Beside its owner and group: an entry of its ACL. Throws "denied" where there are none. acl(5) */
  grantAccess(file: FileId, granted: GrantedAccess): void;
  /** Owner, group and mode, each as far as it is another one. Throws when the path leads to another file by now. */
  setOwnership(file: FileId, ownership: Ownership): void;
  /** Without the entry nothing is changed. Throws when the path leads to another file by now. */
  revokeAccess(file: FileId, uid: number): void;

  /** On what it lies: the very file that was inspected. Throws when the path leads to another file by now. */
  getStorage(file: FileId): StorageFacts;
  /**
   * A folder and all below it, a folder before what is in it; what `visit` gives for a folder is told it of each of its
   * entries. No symlink is followed, no other file system gone into. Throws, at the end, for folders nested too deep.
   */
  visitTree<Told>(folder: FileId, above: Told, visit: (entry: TreeEntry, above: Told) => Told): void;

  /** Waits until nobody else holds it; gone with the process. Throws "timeout". flock(2) */
  lock(path: string, timeoutMs: number): Promise<() => void>;
  /** Whether somebody holds it now. */
  isLocked(path: string): boolean;

  getProcess(pid: number): ProcessFacts | undefined;
  /** Those of one user, or all; without the kernel's own threads. */
  listProcesses(uid?: number): readonly ProcessFacts[];
  /** Those that are meant, by their context, undefined where the kernel does not tell it, which is the least to read, and their user. */
  listProcessesIn(
    isMeant: (context: string | undefined, uid: () => number | undefined) => boolean,
  ): readonly ProcessFacts[];
  /** The contexts of all processes but the kernel's own threads, each once. */
  listContexts(): readonly string[];
  /** The words a process was started with; none for one that is gone or a kernel thread. */
  getCommandLine(pid: number): readonly string[];
  listOpenFiles(pid: number): readonly OpenFile[];
  /**
   * Those of these things that some process may have, whichever: all but files of which the kernel proves that nobody has them
   * open or mapped, or, where writing is forbidden, so that they could be written to. On most file systems it proves nothing.
   */
  listOpened<Thing extends HeldThing>(things: readonly Thing[]): readonly Thing[];
  /**
   * What those processes hold of those things, by descriptor or by mapping: the kernel is asked, whatever the processes say.
   * With `isComplete` also what cannot be told apart: descriptors that wait in a socket, files and buffers registered with an io_uring,
   * images that a system call keeps open, and all of a process that the kernel does not show. Processes that have more open than
   * is looked at give one holding that says so, in any case.
   */
  findHoldings(things: readonly HeldThing[], pids: readonly number[], how: HowToLook): readonly Holding[];
  /** Processor time a process has used. proc_pid_stat(5) */
  getCpuSeconds(pid: number): number | undefined;
  /** As `kill -9` from outside would, at this instant: for drills. */
  killSelf(): never;
  /**
   * What a program prints, run without a shell; undefined when it cannot be run or fails. In a context it may write only
   * where a guest's log may lie, and read only what has a guest's label: so both take the way over files there.
   */
  readOutput(
    words: readonly string[],
    confined?: { readonly context: string; readonly inputLabel: string; readonly logFolder: string },
    input?: string,
  ): string | undefined;
  /** False when that process is gone already. pidfd_send_signal(2) */
  signalProcess(process: ProcessId, signal: "SIGTERM" | "SIGKILL"): boolean;
  /** Kills all processes of a user at one instant, so that none escapes by forking. None is fine. Throws "failed". kill(2) */
  killUser(uid: number): void;
  /** Gives the guest's process once the reaper has told it. Throws "failed" when it could not be executed. */
  spawnGuest(order: GuestOrder): Promise<ProcessId>;
  /** What a guest's processes have said last, so many bytes of it at the most; undefined when there is no such log. */
  readLogEnd(path: string, mostBytes: number): Promise<string | undefined>;
  /** Waits until it is ready. Throws "failed" when it ends instead, "timeout". */
  spawnHelper(order: HelperOrder): Promise<void>;
  /** The time is for the conversation as a whole. Throws "timeout"; "failed" when QEMU has ended or makes no sense. */
  connectMonitor(path: string, timeoutMs: number): Promise<Monitor>;
  /** What the host's end of a tap is to be, up at last. rtnetlink(7) */
  setUpTap(setup: TapSetup): void;
  /** One that is gone, or has another address and so is somebody else's, is left alone. */
  removeTap(tap: { readonly name: string; readonly mac: string }): void;
  /** Throws "host-call"; "label-taken" when a network device has the name, "unsupported" without the kernel's module. */
  makeMacvtap(link: Macvtap): void;
  /** One that is gone, or is of another group and so is somebody else's, is left alone. */
  removeMacvtap(link: Pick<Macvtap, "name" | "group">): void;
  /**
   * Connects standard input and output with a guest's terminal or socket, the very one that was inspected, until the
   * byte `leaveBy` comes or one of them ends. A terminal at standard input is raw meanwhile, and afterwards as it was,
   * whatever happens. Throws "failed" when a signal ends it.
   */
  talk(to: FileFacts, how: { readonly leaveBy: number; onOpen(): void }): Promise<TalkEnd>;

  /** Connects to a guest's socket, the very one that was inspected. Throws "host-call". */
  connectLines(to: FileFacts): Promise<LineChannel>;

  /** By one write, to a file that the kernel has made. */
  writeControl(path: string, value: string): void;
  /** With those below it, all of them empty. Missing is fine. */
  removeControlGroup(path: string): void;
  /** A thread that has ended meanwhile is fine, here and below. */
  moveThread(thread: number, group: string): void;
  setAffinity(thread: number, cpus: readonly number[]): void;
  setScheduler(thread: number, scheduler: Scheduler): void;
  /** How much memory that very process may lock, in KiB. One that is gone is fine. prlimit(2) */
  setMemlock(process: ProcessId, limitKiB: number | "unlimited"): void;

  getSelinux(): SelinuxState;
  /** svirt's own context; undefined without SELinux. */
  getOwnContext(): string | undefined;
  /** Whether the loaded policy knows this context. selinuxfs "context" */
  isValidContext(context: string): boolean;
  /** Whether the loaded policy lets a process do all of that to a file; true without SELinux. selinuxfs "access" */
  mayAccess(access: FileAccess): boolean;
  /** What the kernel's log holds, a line each, with the priority in front; undefined where svirt may not read it. dev-kmsg */
  readKernelLog(): readonly string[] | undefined;
  /** Undefined without SELinux. */
  getPolicy(): LoadedPolicy | undefined;
  /** A new one at each boot. random(4) */
  getBootId(): string;
  /** The machine, by an id that outlives its boots. */
  getMachine(): Machine;
  /** When the kernel was booted, in seconds since 1970: what the reference implementation ties its attributes to. */
  getBootTime(): number;
  getUid(): number;
  nowMs(): number;
  sleep(ms: number): Promise<void>;
  makeUuid(): string;
}
