import { formatRange, type IdSet, listRanges } from "../../domain/forms/id-set.ts";

/** `y-y`: a letter for each of the host's processors. */
export function formatRow(chosen: IdSet, most: number): string {
  const known = new Set(chosen);
  return Array.from({ length: most }, (_, id) => (known.has(id) ? "y" : "-")).join("");
}

/** `0-1,4` */
export function formatProcessors(chosen: IdSet): string {
  return listRanges(chosen).map(formatRange).join(",");
}
