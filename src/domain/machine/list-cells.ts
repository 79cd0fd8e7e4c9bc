import type { Cell, Numa } from "./numa.ts";

/** The cells by their numbers: one without takes its place's. virDomainNumaDefParseXML() of libvirt */
export function listCells({ cells }: Pick<Numa, "cells">): readonly (Cell & { readonly id: number })[] {
  return cells
    .map((found, at) => ({ ...found, id: found.id ?? at }))
    .toSorted((one, other) => one.id - other.id);
}
