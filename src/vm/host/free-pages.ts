import { SvirtError } from "../../errors.ts";
import { getMemory, listCells, NODE_FOLDER } from "../../report/node-facts.ts";
import type { Instance } from "../../state/instance.ts";

/** Pages to count: their sizes, and the first NUMA cell; -1 is the whole host. */
interface AskedPages {
  readonly pagesKiB: readonly number[];
  readonly first: number;
  /** Number of cells. */
  readonly cells: number;
}

/** A page of the kernel on x86_64. getpagesize(2) */
const PAGE_KIB = 4;
const HOST_HUGEPAGES = "/sys/kernel/mm/hugepages";

/**
 * Counts the free pages of each size in each cell, cell by cell. Throws "usage" for a first cell that the host does not have; "failed"
 * for a size without pages. virHostMemGetFreePages(), virNumaGetPageInfo() of libvirt
 */
export function getFreePages(instance: Instance, { cells, first, pagesKiB }: AskedPages): readonly number[] {
  const last = Math.max(...listCells(instance.host).keys());
  if (first > last || first < -1)
    throw new SvirtError(`internal error: start cell ${first} out of range (0-${last})`, {
      kind: "usage",
      libvirt: "INTERNAL_ERROR",
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
  throw new SvirtError(`operation failed: page size ${sizeKiB} is not available on node ${cell}`, {
    kind: "failed",
    libvirt: "OPERATION_FAILED",
    remedy: "Name a page size of virsh capabilities.",
  });
}
