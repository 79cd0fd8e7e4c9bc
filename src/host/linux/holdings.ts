import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import type { HeldThing, Holding } from "../../host.ts";
import {
  type DescriptorInfo,
  type MappedFile,
  parseDescriptorInfo,
  parseMaps,
} from "../../plan/process-files.ts";
import { fileKey } from "../../plan/start-plan.ts";
import { fileFacts } from "./file-id.ts";
import { libc } from "./libc.ts";

/** asm/unistd_64.h; elsewhere asm-generic/unistd.h */
const SYS_KCMP = process.arch === "x64" ? 312n : 272n;
/** linux/kcmp.h */
const KCMP_FILES = 2n;
/** sys/stat.h, here whether the file was opened for writing. proc_pid_fd(5), proc_pid_map_files(5) */
const S_IWUSR = 0o200;
/** Memory, null, zero, random: nothing is kept in them. admin-guide/devices.txt */
const MEMORY_DEVICE = /^device-1:/;
/** File systems without a device of their own show inodes of another number in `maps`. */
const ANONYMOUS_DEVICE = "0:";
const RING = "anon_inode:[io_uring]";
const TUN = "/dev/net/tun";

/** What is asked for, made ready for comparing. */
interface Wanted {
  readonly keys: ReadonlySet<string>;
  readonly inodes: ReadonlySet<string>;
  /** Of keys of devices: of which kind they are, as far as their paths tell. */
  readonly kinds: ReadonlyMap<string, "block" | "character">;
  readonly hasTaps: boolean;
  readonly isAnonymous: boolean;
}

/**
 * Host.findHoldings: descriptors of all threads first, then mappings, because a descriptor can become a mapping and no
 * mapping a descriptor. kcmp(2), proc_pid_fd(5), proc_pid_maps(5)
 */
export function findHoldings(things: readonly HeldThing[], pids: readonly number[]): readonly Holding[] {
  const wanted = prepare(things);
  return [
    ...pids.flatMap((pid) => findDescriptors(wanted, pid)),
    ...pids.flatMap((pid) => findMappings(wanted, pid)),
  ];
}

function prepare(things: readonly HeldThing[]): Wanted {
  const keys = new Set(things.map(({ key }) => key));
  return {
    keys,
    inodes: new Set([...keys].flatMap((key) => /^inode-.*-(\d+)$/.exec(key)?.[1] ?? [])),
    kinds: new Map(things.flatMap(kindOf)),
    hasTaps: [...keys].some((key) => key.startsWith("tap-")),
    isAnonymous: [...keys].some((key) => !key.startsWith("inode-") || key.startsWith("inode-0:")),
  };
}

function kindOf({ key, path }: HeldThing): [string, "block" | "character"][] {
  if (path === undefined || !key.startsWith("device-")) return [];
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return [];
  const { id, type } = fileFacts(path, stat);
  return fileKey(id) === key && (type === "block" || type === "character") ? [[key, type]] : [];
}

function findDescriptors(wanted: Wanted, pid: number): Holding[] {
  return attempt(pid, () =>
    listTables(pid).flatMap((table) =>
      readdirSync(`${table}/fd`).flatMap((fd) =>
        orGone(() => lookAtDescriptor(wanted, { pid, table, fd }) ?? []),
      ),
    ),
  );
}

/** The folders of those threads that have tables of descriptors of their own: clone(2) leaves each the choice. */
function listTables(pid: number): string[] {
  const own: string[] = [];
  for (const thread of readdirSync(`/proc/${pid}/task`))
    if (!own.some((other) => hasSameTable(other, thread))) own.push(thread);
  return own.map((thread) => `/proc/${pid}/task/${thread}`);
}

function hasSameTable(one: string, other: string): boolean {
  return libc().syscall(SYS_KCMP, BigInt(one), BigInt(other), KCMP_FILES, 0n) === 0n;
}

interface Descriptor {
  readonly pid: number;
  /** The folder of a thread. */
  readonly table: string;
  readonly fd: string;
}

function lookAtDescriptor(wanted: Wanted, descriptor: Descriptor): Holding | undefined {
  const { fd, pid, table } = descriptor;
  const path = `${table}/fd/${fd}`;
  const target = readlinkSync(path);
  if (!target.startsWith("/")) return lookInside(descriptor, target);
  const found = { pid, by: `descriptor ${fd}`, canWrite: (lstatSync(path).mode & S_IWUSR) !== 0 };
  if (wanted.hasTaps && target === TUN) {
    const key = `tap-${readInfo(descriptor).tap}`;
    return wanted.keys.has(key) ? { ...found, key } : undefined;
  }
  const key = keyAt(wanted, path);
  if (key !== "unreadable") return key === undefined ? undefined : { ...found, key };
  // Held to be one of those asked for if its number is the same.
  return wanted.inodes.has(readInfo(descriptor).inode ?? "") ? found : undefined;
}

/** A socket in whose queue descriptors wait, or a ring that keeps files: of which the kernel does not tell. */
function lookInside(descriptor: Descriptor, target: string): Holding | undefined {
  const { fd, pid } = descriptor;
  if (target.startsWith("socket:") && readInfo(descriptor).waiting > 0)
    return { pid, by: `descriptors that wait in socket ${fd}`, canWrite: true };
  if (target === RING && readInfo(descriptor).registered !== 0)
    return { pid, by: `files of the io_uring ${fd}`, canWrite: true };
  return undefined;
}

function readInfo({ fd, table }: Descriptor): DescriptorInfo {
  return parseDescriptorInfo(readFileSync(`${table}/fdinfo/${fd}`, "utf8"));
}

/** Which of those asked for a link of /proc leads to. */
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
    return parseMaps(text).flatMap((mapped) => lookAtMapping(wanted, { pid, thread, mapped }) ?? []);
  });
}

/** Threads have one memory, which a first thread that has ended no longer shows. */
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
  const { device, inode, isShared, range } = mapped;
  const isAnonymous = wanted.isAnonymous || device.startsWith(ANONYMOUS_DEVICE);
  if (!isAnonymous && !wanted.inodes.has(inode)) return undefined;
  const link = `/proc/${thread}/map_files/${range}`;
  const found = { pid, by: "a mapping", canWrite: isShared && !isReadOnly(link) };
  const key = keyAtMapping(wanted, link);
  if (key !== "unreadable") return key === undefined ? undefined : { ...found, key };
  // Without CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE: by what the inode itself says.
  const told = `inode-${device}-${inode}`;
  if (wanted.keys.has(told)) return { ...found, key: told };
  return isAnonymous && wanted.inodes.has(inode) ? found : undefined;
}

function isReadOnly(link: string): boolean {
  try {
    return (lstatSync(link).mode & S_IWUSR) === 0;
  } catch {
    return false;
  }
}

/** A mapping that has gone since it was told of counts by what was told. */
function keyAtMapping(wanted: Wanted, link: string): string | "unreadable" | undefined {
  try {
    return keyAt(wanted, link);
  } catch {
    return "unreadable";
  }
}

/** What the kernel does not show may be anything; a process that ends meanwhile has nothing. */
function attempt(pid: number, look: () => Holding[]): Holding[] {
  try {
    return look();
  } catch (error) {
    if (isGone(error)) return [];
    return [{ pid, by: "descriptors or mappings that the kernel does not show", canWrite: true }];
  }
}

function orGone(look: () => Holding | never[]): Holding | never[] {
  try {
    return look();
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

function isGone(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return code === "ENOENT" || code === "ESRCH";
}
