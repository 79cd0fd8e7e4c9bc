import { SvirtError } from "../../errors.ts";
import { listHugeSizes, PAGE_KIB } from "../../report/host-cpu.ts";
import { getMemory, listCells, NODE_FOLDER } from "../../report/node-facts.ts";
import type { Instance } from "../../state/instance.ts";

/** Pages to count: their sizes, and the first NUMA cell; -1 is the whole host. */
interface AskedPages {
  readonly pagesKiB: readonly number[];
  readonly first: number;
  /** Number of cells. */
  readonly cells: number;
}

const HOST_HUGEPAGES = "/sys/kernel/mm/hugepages";

/** Free pages of the whole host or of a NUMA cell. */
export interface FreePages {
  /** -1 for the whole host. */
  readonly cell: number;
  readonly pages: readonly { readonly sizeKiB: number; readonly free: number }[];
}

/**
 * Counts the free pages of all sizes, or of a single size, in each NUMA cell or in a single cell; -1 is the
 * whole host. Throws as getFreePages().
 */
export function listFreePages(
  instance: Instance,
  asked: { readonly cell: number | undefined; readonly sizeKiB: number | undefined },
): readonly FreePages[] {
  const { host } = instance;
  const sizes =
    asked.sizeKiB === undefined ? [PAGE_KIB, ...listHugeSizes(host, HOST_HUGEPAGES)] : [asked.sizeKiB];
  const cells = asked.cell === undefined ? [...listCells(host).keys()] : [asked.cell];
  return cells.map((cell) => {
    const counts = getFreePages(instance, { pagesKiB: sizes, first: cell, cells: 1 });
    return { cell, pages: sizes.map((sizeKiB, at) => ({ sizeKiB, free: counts[at] ?? 0 })) };
  });
}

/**
 * Counts the free pages of each size in each cell, cell by cell. Throws "usage" for a first cell that the
 * host does not have; "failed" for a size without pages. virHostMemGetFreePages(), virNumaGetPageInfo() of
 * libvirt
 */
export function getFreePages(instance: Instance, { cells, first, pagesKiB }: AskedPages): readonly number[] {
  const last = Math.max(...listCells(instance.host).keys());
  if (first > last || first < -1)
    throw new SvirtError(`internal error: start cell ${first} out of range (0-${last})`, {
      kind: "usage",
      libvirt: "INTERNAL_ERROR",
      from: "NONE",
      remedy: "Name a NUMA cell of virsh freecell --all.",
    });
  const end = Math.min(last, first + cells - 1);
  const asked = Array.from({ length: Math.max(0, end - first + 1) }, (_, at) => first + at);
  return asked.flatMap((cell) => pagesKiB.map((size) => countFree(instance, cell, size)));
}

function countFree({ host }: Instance, cell: number, sizeKiB: number): number {
  const where = cell < 0 ? undefined : cell;
  if (sizeKiB === PAGE_KIB) return Math.floor((getMemory(host, where).get("MemFree") ?? 0) / PAGE_KIB);
  const folder = where === undefined ? HOST_HUGEPAGES : `${NODE_FOLDER}/node${where}/hugepages`;
  const free = host.readText(`${folder}/hugepages-${sizeKiB}kB/free_hugepages`);
  if (free !== undefined) return Number(free.trim());
  const place = where === undefined ? "" : ` on node ${where}`;
  // virNumaGetHugePageInfoPath() of libvirt
  throw new SvirtError(`operation failed: page size ${sizeKiB} is not available${place}`, {
    kind: "failed",
    libvirt: "OPERATION_FAILED",
    from: "NONE",
    remedy: "Name a page size of virsh capabilities.",
  });
}
