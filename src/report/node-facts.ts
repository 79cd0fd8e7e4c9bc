import { cpuSet, type IdSet } from "../domain/forms/id-set.ts";
import type { Host } from "../host/host.ts";
import { listHostProcessors, listOnlineProcessors } from "./host-processors.ts";

/** Folders of the processors in sysfs. */
export const CPU_FOLDER = "/sys/devices/system/cpu";
/** Folders of the NUMA nodes in sysfs. */
export const NODE_FOLDER = "/sys/devices/system/node";

/** Facts about the host for virsh nodeinfo. virNodeInfo of libvirt */
export interface NodeFacts {
  readonly model: "x86_64";
  readonly cpus: number;
  /** Undefined if the kernel does not report it. */
  readonly mhz: number | undefined;
  readonly sockets: number;
  readonly cores: number;
  readonly threads: number;
  readonly cells: number;
  readonly memoryKiB: number;
}

/** Place of a processor: its NUMA node, socket, die and core. */
export interface Seat {
  readonly cell: number;
  readonly socket: number;
  readonly core: string;
}

/** Reads the facts from the kernel. Throws "failed" without /sys. */
export function getNodeFacts(host: Host): NodeFacts {
  const mhz = /^cpu MHz\s*: (\d+)/m.exec(host.readText("/proc/cpuinfo") ?? "")?.[1];
  const online = listOnlineProcessors(host);
  const seats = listSeats(host, online);
  const offline = listHostProcessors(host).length - online.length;
  return {
    model: "x86_64",
    cpus: online.length,
    mhz: mhz === undefined ? undefined : Number(mhz),
    ...decideTopology(seats, offline),
    memoryKiB: readMemory(host, "/proc/meminfo").get("MemTotal") ?? 0,
  };
}

/**
 * Lists NUMA nodes with their processors, by number. If the kernel reports none, a single node has all online
 * processors.
 */
export function listCells(host: Host): ReadonlyMap<number, IdSet> {
  const cells = host.listFolder(NODE_FOLDER).flatMap((name) => {
    const number = /^node(\d+)$/.exec(name)?.[1];
    if (number === undefined) return [];
    const cpus = cpuSet.decode((host.readText(`${NODE_FOLDER}/${name}/cpulist`) ?? "").trim()) ?? [];
    return [[Number(number), cpus] as const];
  });
  if (cells.length === 0) return new Map([[0, listOnlineProcessors(host)]]);
  return new Map(cells.toSorted(([one], [other]) => one - other));
}

/** Returns the memory of the host or of a NUMA node in KiB, by the kernel's names. proc_meminfo(5) */
export function getMemory(host: Host, cell?: number): ReadonlyMap<string, number> {
  const own = cell === undefined ? new Map() : readMemory(host, `${NODE_FOLDER}/node${cell}/meminfo`);
  return own.size > 0 ? own : readMemory(host, "/proc/meminfo");
}

/**
 * Counts the sockets of a NUMA node, the cores of a socket and the threads of a core. If parts differ in
 * these, all processors count as cores of a single socket. virHostCPUGetInfoPopulateLinux() of libvirt
 */
export function decideTopology(
  seats: readonly Seat[],
  offline: number,
): Pick<NodeFacts, "sockets" | "cores" | "threads" | "cells"> {
  const cells = countBy(seats, ({ cell }) => String(cell));
  const sockets = Math.max(...count(seats, (seat) => [seat.cell, `${seat.socket}`]));
  const cores = Math.max(...count(seats, (seat) => [`${seat.cell} ${seat.socket}`, seat.core]));
  const threads = Math.max(...countBy(seats, (seat) => `${seat.cell} ${seat.socket} ${seat.core}`).values());
  const all = seats.length + offline;
  if (cells.size * sockets * cores * threads === all) return { sockets, cores, threads, cells: cells.size };
  return { sockets: 1, cores: all, threads: 1, cells: 1 };
}

/** Counts the different parts of each whole. */
function count(
  seats: readonly Seat[],
  split: (seat: Seat) => readonly [whole: string | number, part: string],
): readonly number[] {
  const parts = new Map<string | number, Set<string>>();
  for (const seat of seats) {
    const [whole, part] = split(seat);
    parts.set(whole, (parts.get(whole) ?? new Set()).add(part));
  }
  return [...parts.values()].map(({ size }) => size);
}

function countBy(seats: readonly Seat[], nameOf: (seat: Seat) => string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const seat of seats) counts.set(nameOf(seat), (counts.get(nameOf(seat)) ?? 0) + 1);
  return counts;
}

function listSeats(host: Host, online: IdSet): readonly Seat[] {
  const cells = listCells(host);
  return online.map((cpu) => {
    const read = (name: string): number =>
      Number((host.readText(`${CPU_FOLDER}/cpu${cpu}/topology/${name}`) ?? "0").trim());
    const cell = [...cells].find(([, cpus]) => cpus.includes(cpu))?.[0] ?? 0;
    return { cell, socket: read("physical_package_id"), core: `${read("die_id")} ${read("core_id")}` };
  });
}

/** Reads a file of memory statistics. Each line of a NUMA node begins with the node's name. */
function readMemory(host: Host, path: string): ReadonlyMap<string, number> {
  const lines = (host.readText(path) ?? "").matchAll(/^(?:Node \d+ )?(\w+):\s+(\d+) kB$/gm);
  return new Map([...lines].map(([, name = "", kiB]) => [name, Number(kiB)]));
}
