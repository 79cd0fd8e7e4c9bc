import { formatRange, listRanges } from "../../domain/forms/id-set.ts";
import { listCells } from "../../domain/machine/list-cells.ts";
import type { Cell, Numa } from "../../domain/machine/numa.ts";
import { type Arguments, keyValues } from "../argument/argument.ts";
import type { Launch } from "../launch.ts";
import type { Guest } from "../model/guest.ts";
import { formatBackend, isFilledFirst, type MemoryPiece, wholePath } from "./memory-backend.ts";
import { inWholeMiB } from "./memory-size.ts";

const NO_CELLS: Numa = { cells: [] };
const HIERARCHY = ["memory", "first-level", "second-level", "third-level"] as const;
const ASSOCIATIVITY = { none: "none", direct: "direct", full: "complex" } as const;
const POLICY = { none: "none", writeback: "write-back", writethrough: "write-through" } as const;

/** Default distance of a cell from itself and from others. ACPI 6.1, 5.2.17 */
const [LOCAL, REMOTE] = [10, 20];

/** Machines before 5.1 of QEMU, whose cells need only a size. */
const OLD = /^pc-(?:i440fx|q35)-(?:[0-4]\.\d+|5\.0)$/;

/**
 * Formats -numa for the cells with their memory, their distances and caches. qemuBuildNumaCommandLine() of
 * libvirt
 */
export function formatNuma(guest: Guest, launch: Launch | undefined): Arguments {
  const numa = guest.domain.cpu?.numa ?? NO_CELLS;
  const cells = listCells(numa);
  if (cells.length === 0) return [];
  const isHmat = hasHmat(numa);
  const hasBackends = needsBackends(guest, launch);
  const isAllFilled = isPreallocated(guest, launch);
  return [
    ...(isAllFilled ? ["-mem-prealloc"] : []),
    ...(hasBackends ? [] : formatPath(guest, launch)),
    ...cells.flatMap((cell) => [
      ...(hasBackends ? formatBackend(guest.domain, pieceOf(cell), { launch }).words : []),
      "-numa",
      [
        `node,nodeid=${cell.id}`,
        ...listRanges(cell.cpus ?? []).map((range) => `cpus=${formatRange(range)}`),
        ...(isHmat ? [`initiator=${initiatorOf(cell, numa)}`] : []),
        hasBackends ? `memdev=ram-node${cell.id}` : `mem=${inWholeMiB(cell.memory) / 1024}`,
      ].join(","),
    ]),
    ...formatDistances(cells),
    ...(isHmat ? formatHmat(numa) : []),
  ];
}

/** Reports whether the machine has a heterogeneous memory attribute table. */
export function hasHmat({ cells, interconnects }: Numa): boolean {
  const { latencies = [], bandwidths = [] } = interconnects ?? {};
  return latencies.length + bandwidths.length > 0 || cells.some(({ caches }) => caches.length > 0);
}

/** Reports whether -mem-prealloc fills all memory: backends then need no such key. */
export function isPreallocated(guest: Guest, launch: Launch | undefined): boolean {
  const cells = listCells(guest.domain.cpu?.numa ?? NO_CELLS);
  if (cells.length === 0 || needsBackends(guest, launch)) return false;
  return cells.some((cell) => isFilledFirst(guest.domain, pieceOf(cell)));
}

function needsBackends({ domain, machine }: Guest, launch: Launch | undefined): boolean {
  const numa = domain.cpu?.numa ?? NO_CELLS;
  if (!OLD.test(machine.word) || hasHmat(numa)) return true;
  // A backend needs no mount of huge pages, unlike -mem-path.
  if (launch !== undefined && domain.memoryBacking?.hugepages !== undefined) return true;
  return listCells(numa).some((cell) => formatBackend(domain, pieceOf(cell)).isNeeded);
}

function formatPath({ domain }: Guest, launch: Launch | undefined): Arguments {
  const path = wholePath(domain, launch);
  return path === undefined ? [] : ["-mem-path", path];
}

function pieceOf(cell: Cell & { readonly id: number }): MemoryPiece {
  return {
    id: `ram-node${cell.id}`,
    file: `ram-node${cell.id}`,
    kind: "cell",
    place: `/domain/cpu/numa/cell[${cell.id + 1}]`,
    sizeKiB: inWholeMiB(cell.memory),
    cell: cell.id,
  };
}

/** Formats all distances if any is not the default: virDomainNumaNodesDistancesAreBeingSet() of libvirt */
function formatDistances(cells: ReturnType<typeof listCells>): Arguments {
  const given = (from: Cell, to: number): number | undefined =>
    from.distances?.siblings.find(({ id }) => id === to)?.value;
  const isSet = cells.some(
    (from) =>
      from.distances !== undefined && cells.some(({ id }) => ![LOCAL, REMOTE].includes(given(from, id) ?? 0)),
  );
  if (!isSet) return [];
  return cells.flatMap((from) =>
    cells.flatMap(({ id }) => {
      const value = given(from, id) ?? (id === from.id ? LOCAL : REMOTE);
      return ["-numa", `dist,src=${from.id},dst=${id},val=${value}`];
    }),
  );
}

/** Returns the cell with the nearest processors. virDomainNumaGetNodeInitiator() of libvirt */
function initiatorOf({ id, cpus }: Cell & { readonly id: number }, numa: Numa): number {
  if (cpus !== undefined) return id;
  const { latencies = [], bandwidths = [] } = numa.interconnects ?? {};
  const toHere = <T extends { readonly target: number }>(found: readonly T[]): readonly T[] =>
    found.filter(({ target }) => target === id);
  const [quickest] = toHere(latencies).toSorted((one, other) => one.value - other.value);
  const [widest] = toHere(bandwidths).toSorted((one, other) => other.value - one.value);
  const first = listCells(numa).findIndex((cell) => cell.cpus !== undefined);
  return (quickest ?? widest)?.initiator ?? first;
}

function formatHmat(numa: Numa): Arguments {
  const { latencies = [], bandwidths = [] } = numa.interconnects ?? {};
  const connections = [
    ...latencies.map((found) => ({ ...found, kind: "latency", amount: String(found.value) })),
    ...bandwidths.map((found) => ({ ...found, kind: "bandwidth", amount: `${found.value}K` })),
  ];
  return [
    ...connections.flatMap(({ initiator, target, cache = 0, type, kind, amount }) => {
      const pairs = keyValues([
        ["initiator", initiator],
        ["target", target],
        ["hierarchy", HIERARCHY[cache]],
        ["data-type", `${type}-${kind}`],
        [kind, amount],
      ]);
      return ["-numa", `hmat-lb,${pairs}`];
    }),
    ...listCells(numa).flatMap(({ id, caches }) => caches.flatMap((cache) => formatCache(id, cache))),
  ];
}

function formatCache(
  id: number,
  { level, size, line, associativity, policy }: Cell["caches"][number],
): Arguments {
  const pairs = keyValues([
    ["node-id", id],
    ["size", `${size.value}K`],
    ["level", level],
    ["associativity", ASSOCIATIVITY[associativity]],
    ["policy", POLICY[policy]],
    ["line", line.value],
  ]);
  return ["-numa", `hmat-cache,${pairs}`];
}
