import { formatRange, type IdSet, listRanges } from "../../domain/forms/id-set.ts";

/** Formats `y-y`: a letter for each processor of the host. */
export function formatRow(chosen: IdSet, most: number): string {
  const known = new Set(chosen);
  return Array.from({ length: most }, (_, id) => (known.has(id) ? "y" : "-")).join("");
}

/** Formats `0-1,4`. */
export function formatProcessors(chosen: IdSet): string {
  return listRanges(chosen).map(formatRange).join(",");
}
