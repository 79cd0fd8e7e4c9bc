import { closeSync, fstatSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { fileKey } from "../../../plan/facts/file-key.ts";
import {
  type DescriptorInfo,
  type MappedFile,
  parseDescriptorInfo,
  parseMaps,
} from "../../../plan/facts/process-files.ts";
import type { HeldThing, Holding, InspectProcessesOptions } from "../../processes.ts";
import { isLockedForWriting } from "../content/image-lock.ts";
import { deviceNumber, fileFacts } from "../files/file-id.ts";
import { getxattr } from "../labels/xattr.ts";
import { listTables } from "./descriptor-tables.ts";
import { attempt, isGone, orGone } from "./ended-process.ts";
import { LookBudget, withinBudget } from "./look-budget.ts";
import { type MayAsk, openImage, rememberAnswers } from "./open-image.ts";

/** Memory, null, zero and random: they store nothing. admin-guide/devices.txt */
const MEMORY_DEVICE = /^device-1:/;
/**
 * File system without its own device, such as btrfs and overlayfs: `maps` shows a different device than
 * stat(2).
 */
const ANONYMOUS_DEVICE = /^0:/;
/** Suffix in `maps` of a file with a removed name. proc_pid_maps(5) */
const DELETED = / \(deleted\)$/;
/** Approximate size of a line of `maps`, which costs as much as a descriptor. */
const BYTES_A_LOOK = 64;
const RING = "anon_inode:[io_uring]";
const TUN = "/dev/net/tun";
/** admin-guide/devices.txt */
const TUN_NUMBER = "10:200";

/** Requested resources, prepared for comparison. */
interface Wanted {
  readonly keys: ReadonlySet<string>;
  /** Inodes of the files and of device nodes. */
  readonly inodes: ReadonlySet<string>;
  readonly paths: ReadonlySet<string>;
  /** Kinds of the device keys, as far as their paths show them. */
  readonly kinds: ReadonlyMap<string, "block" | "character">;
  readonly hasDevices: boolean;
  readonly hasTaps: boolean;
  /** Contexts of connections. */
  readonly contexts: ReadonlySet<string>;
  /** Every line of `maps` about a requested resource contains at least one of these texts. */
  readonly marks: readonly string[];
  /** Numbers of the requested resources and of /dev/net/tun; inodes with the precision of a `number`. */
  readonly numbers: { readonly inodes: ReadonlySet<number>; readonly devices: ReadonlySet<string> };
  /** Whether an unidentified descriptor or mapping counts as a hold. */
  readonly isComplete: boolean;
  readonly budget: LookBudget;
}

/**
 * Implements Host.findHoldings: inspects the descriptors of all threads, then the mappings, because a
 * descriptor can become a mapping but not the reverse. kcmp(2), proc_pid_fd(5), proc_pid_maps(5)
 */
export function findHoldings(
  things: readonly HeldThing[],
  pids: readonly number[],
  { isComplete, most = Number.POSITIVE_INFINITY }: InspectProcessesOptions,
): readonly Holding[] {
  const wanted = prepare(things, { isComplete, budget: new LookBudget(most) });
  const all = withinBudget(() => [
    ...pids.flatMap((pid) => findDescriptors(wanted, pid)),
    ...pids.flatMap((pid) => findMappings(wanted, pid)),
  ]);
  const found = all.filter(({ isTooMuch, key }) => key !== undefined || isComplete || isTooMuch === true);
  if (!isComplete || found.some(({ key }) => key === undefined)) return found;
  const others = things.filter(({ key }) => !found.some((holding) => holding.key === key));
  const mayAsk = rememberAnswers();
  return [...found, ...others.flatMap((thing) => findHidden(thing, pids, mayAsk))];
}

/**
 * Finds an image that is open for a guest according to svirt's lock, although no descriptor shows it: a
 * system call holds it.
 */
function findHidden({ key, path }: HeldThing, [pid]: readonly number[], mayAsk: MayAsk): Holding[] {
  if (path === undefined || pid === undefined) return [];
  let fd: number | undefined;
  try {
    fd = openImage(path, mayAsk);
  } catch {
    // svirt cannot have locked a file it cannot open.
    return [];
  }
  if (fd === undefined) return [];
  try {
    const { id } = fileFacts(path, fstatSync(fd, { bigint: true }));
    if (fileKey(id) !== key || !isLockedForWriting(fd)) return [];
    return [{ pid, key, by: "an open file without a descriptor", canWrite: true }];
  } finally {
    closeSync(fd);
  }
}

function prepare(things: readonly HeldThing[], how: Pick<Wanted, "isComplete" | "budget">): Wanted {
  const keys = new Set(things.map(({ key }) => key));
  const nodes = things.flatMap(lookAtNode);
  const inodes = new Set([
    ...[...keys].flatMap((key) => /^inode-.*-(\d+)$/.exec(key)?.[1] ?? []),
    ...nodes.map(({ inode }) => inode),
  ]);
  const paths = new Set(things.flatMap(({ path }) => path ?? []));
  const hasDevices = [...keys].some((key) => key.startsWith("device-"));
  return {
    keys,
    inodes,
    paths,
    kinds: new Map(nodes.map(({ key, type }) => [key, type])),
    hasDevices,
    hasTaps: [...keys].some((key) => key.startsWith("tap-")),
    contexts: new Set([...keys].flatMap((key) => /^peers-(.*)$/.exec(key)?.[1] ?? [])),
    marks: [...[...inodes].map((inode) => ` ${inode} `), ...paths, ...(hasDevices ? ["/dev/"] : [])],
    numbers: numbersOf(keys, inodes),
    ...how,
  };
}

/** Compared first: making a key of each of a process's files takes ten times as long. */
function numbersOf(keys: ReadonlySet<string>, inodes: ReadonlySet<string>): Wanted["numbers"] {
  const devices = [...keys].flatMap((key) => /^device-(.*)$/.exec(key)?.[1] ?? []);
  return { inodes: new Set([...inodes].map(Number)), devices: new Set([...devices, TUN_NUMBER]) };
}

interface DeviceNode {
  readonly key: string;
  readonly type: "block" | "character";
  readonly inode: string;
}

function lookAtNode({ key, path }: HeldThing): DeviceNode[] {
  if (path === undefined || !key.startsWith("device-")) return [];
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return [];
  const { id, type } = fileFacts(path, stat);
  if (fileKey(id) !== key || (type !== "block" && type !== "character")) return [];
  return [{ key, type, inode: id.inode }];
}

function findDescriptors(wanted: Wanted, pid: number): Holding[] {
  return attempt(pid, () =>
    listTables(wanted.budget, pid).flatMap((table) => {
      const listed = readdirSync(`${table}/fd`);
      wanted.budget.spend(pid, listed.length);
      return listed.flatMap((fd) => orGone(() => lookAtDescriptor(wanted, { pid, table, fd }) ?? []));
    }),
  );
}

interface Descriptor {
  readonly pid: number;
  /** Folder of a thread in /proc. */
  readonly table: string;
  readonly fd: string;
}

function lookAtDescriptor(wanted: Wanted, descriptor: Descriptor): Holding | undefined {
  const { fd, pid, table } = descriptor;
  const path = `${table}/fd/${fd}`;
  if (!wanted.isComplete && !mayBeWanted(wanted, path)) return undefined;
  const target = readlinkSync(path);
  if (!target.startsWith("/")) return wanted.isComplete ? lookInside(wanted, descriptor, target) : undefined;
  const key = wanted.hasTaps && target === TUN ? tapAt(wanted, descriptor) : keyAt(wanted, path);
  if (key === undefined) return undefined;
  const { canWrite, inode = "" } = readInfo(descriptor);
  const found = { pid, by: `descriptor ${fd}`, canWrite };
  if (key !== "unreadable") return { ...found, key };
  // Counts as a requested resource if its inode number is the same.
  return wanted.inodes.has(inode) ? found : undefined;
}

function mayBeWanted({ numbers }: Wanted, path: string): boolean {
  try {
    const stat = statSync(path);
    const isDevice = stat.isCharacterDevice() || stat.isBlockDevice();
    if (isDevice && numbers.devices.has(deviceNumber(BigInt(stat.rdev)))) return true;
    return numbers.inodes.has(stat.ino);
  } catch (error) {
    if (isGone(error)) throw error;
    return true;
  }
}

function tapAt({ keys }: Wanted, descriptor: Descriptor): string | undefined {
  const key = `tap-${readInfo(descriptor).tap}`;
  return keys.has(key) ? key : undefined;
}

/**
 * Inspects a connection, a socket in whose queue descriptors wait, or an io_uring with registered files or
 * buffers. The kernel does not identify these descriptors, files and buffers.
 */
function lookInside(wanted: Wanted, descriptor: Descriptor, target: string): Holding | undefined {
  const { fd, pid } = descriptor;
  if (target === RING && readInfo(descriptor).registered !== 0)
    return { pid, by: `files or buffers of the io_uring ${fd}`, canWrite: true };
  if (!target.startsWith("socket:")) return undefined;
  const { waiting = -1 } = readInfo(descriptor);
  if (waiting > 0) return { pid, by: `descriptors in transit in socket ${fd}`, canWrite: true };
  return waiting < 0 || wanted.contexts.size === 0 ? undefined : lookAtConnection(wanted, descriptor, target);
}

/** Inspects a connection. The number in `socket:[NUMBER]` belongs to the connection, in any process. */
function lookAtConnection(
  wanted: Wanted,
  { fd, pid, table }: Descriptor,
  target: string,
): Holding | undefined {
  const context = labelOf(`${table}/fd/${fd}`);
  if (context === undefined || !wanted.contexts.has(context)) return undefined;
  return { pid, key: `peers-${context}`, by: target, canWrite: true };
}

/**
 * Returns undefined for a descriptor that svirt is not permitted to inspect, since svirt has not created it.
 */
function labelOf(link: string): string | undefined {
  try {
    return getxattr(link, "security.selinux");
  } catch {
    return undefined;
  }
}

function readInfo({ fd, table }: Descriptor): DescriptorInfo {
  return parseDescriptorInfo(readFileSync(`${table}/fdinfo/${fd}`, "utf8"));
}

/** Returns the key of the requested resource to which a link in /proc leads. */
function keyAt(wanted: Wanted, link: string): string | "unreadable" | undefined {
  try {
    const { id, type } = fileFacts(link, statSync(link, { bigint: true }));
    const key = fileKey(id);
    if (!wanted.keys.has(key) || (type === "character" && MEMORY_DEVICE.test(key))) return undefined;
    const kind = wanted.kinds.get(key);
    return kind === undefined || kind === type ? key : undefined;
  } catch (error) {
    if (isGone(error)) throw error;
    return "unreadable";
  }
}

function findMappings(wanted: Wanted, pid: number): Holding[] {
  return attempt(pid, () => {
    const { text, thread } = readMaps(pid);
    wanted.budget.spend(pid, text.length / BYTES_A_LOOK);
    // Parsing all lines takes longer than reading them.
    if (!wanted.marks.some((mark) => text.includes(mark))) return [];
    return parseMaps(text).flatMap((mapped) => lookAtMapping(wanted, { pid, thread, mapped }) ?? []);
  });
}

/** Reads the mappings, shared by all threads. An ended main thread no longer shows them. */
function readMaps(pid: number): { readonly thread: string; readonly text: string } {
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const text = readFileSync(`/proc/${thread}/maps`, "utf8");
    if (text !== "") return { thread, text };
  }
  return { thread: String(pid), text: "" };
}

function lookAtMapping(
  wanted: Wanted,
  { mapped, pid, thread }: { readonly pid: number; readonly thread: string; readonly mapped: MappedFile },
): Holding | undefined {
  const { device, inode, isShared, path, range } = mapped;
  if (!mayBe(wanted, mapped)) return undefined;
  const link = `/proc/${thread}/map_files/${range}`;
  // Only the link's mode shows how the file was opened, and reading it needs a separate permission. So every
  // shared mapping counts as writable.
  const found = { pid, by: "a mapping", canWrite: isShared };
  const key = keyAtMapping(wanted, link);
  if (key !== "unreadable") return key === undefined ? undefined : { ...found, key };
  // Without CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE: compares the device and inode of the line.
  const told = `inode-${device}-${inode}`;
  if (wanted.keys.has(told)) return { ...found, key: told };
  const isAlike = ANONYMOUS_DEVICE.test(device) && wanted.inodes.has(inode);
  return isAlike || isNamed(wanted, path) ? found : undefined;
}

/** Preselects mappings by inode and path, since inspecting each library of each guest would take too long. */
function mayBe(wanted: Wanted, { inode, path }: MappedFile): boolean {
  if (wanted.inodes.has(inode) || isNamed(wanted, path)) return true;
  return wanted.hasDevices && path.startsWith("/dev/");
}

function isNamed({ paths }: Wanted, path: string): boolean {
  return paths.has(path.replace(DELETED, ""));
}

/** Returns "unreadable" for an ended mapping: its line in `maps` decides. */
function keyAtMapping(wanted: Wanted, link: string): string | "unreadable" | undefined {
  try {
    return keyAt(wanted, link);
  } catch {
    return "unreadable";
  }
}
