import { SvirtError } from "../../errors.ts";
import { getMemory, listCells } from "../../report/node-facts.ts";
import type { Instance } from "../../state/instance.ts";

/** Free memory of the host or of a NUMA cell. */
export interface FreeMemory {
  /** Undefined for the whole host. */
  readonly cell: number | undefined;
  readonly freeKiB: number;
}

/** Memory statistics of the host in KiB. The kernel does not report all of them for a NUMA cell. */
export type HostMemory = Readonly<Partial<Record<"total" | "free" | "buffers" | "cached", number>>>;

/** Names in the kernel, in virsh's order. */
const KERNEL_NAMES = [
  ["total", "MemTotal"],
  ["free", "MemFree"],
  ["buffers", "Buffers"],
  ["cached", "Cached"],
] as const;

/**
 * Lists the free memory of the whole host, of a NUMA cell or of each. Throws "not-found" for an unknown cell.
 */
export function listFreeMemory(
  { host }: Instance,
  which: "host" | "cells" | { readonly cell: number },
): readonly FreeMemory[] {
  const free = (cell?: number): FreeMemory => ({
    cell,
    freeKiB: getMemory(host, cell).get("MemFree") ?? 0,
  });
  if (which === "host") return [free()];
  const cells = [...listCells(host).keys()];
  if (which === "cells") return cells.map(free);
  const { cell } = which;
  if (cells.includes(cell)) return [free(cell)];
  throw new SvirtError(`Cannot show NUMA cell ${cell}: the host has the cells ${cells.join(", ")}`, {
    kind: "not-found",
    libvirt: "INVALID_ARG",
    from: "NONE",
    remedy: "Name one of these.",
  });
}

/** Returns the memory statistics of a NUMA cell, or the host's if the kernel reports none for the cell. */
export function getHostMemory({ host }: Instance, cell: number | undefined): HostMemory {
  const memory = getMemory(host, cell);
  return Object.fromEntries(
    KERNEL_NAMES.flatMap(([name, kernel]) => {
      const kiB = memory.get(kernel);
      return kiB === undefined ? [] : [[name, kiB] as const];
    }),
  );
}
