import type { Cell, Numa } from "./numa.ts";

/**
 * Returns the cells in the order of their numbers; the default number is the position.
 * virDomainNumaDefParseXML() of libvirt
 */
export function listCells({ cells }: Pick<Numa, "cells">): readonly (Cell & { readonly id: number })[] {
  return cells
    .map((found, at) => ({ ...found, id: found.id ?? at }))
    .toSorted((one, other) => one.id - other.id);
}
