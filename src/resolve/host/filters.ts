import { type FindFilter, findBuiltIn } from "../../network/filter/instance.ts";
import type { Instance } from "../../state/instance.ts";

/**
 * Returns the function for finding the filters of interfaces. The host's filters are read only for an
 * interface with such a filter.
 */
export async function filtersOf(
  instance: Instance,
  interfaces: readonly { readonly filterref?: { readonly filter: string } }[],
): Promise<FindFilter> {
  const isBuiltIn = interfaces.every(
    ({ filterref }) => filterref === undefined || findBuiltIn(filterref.filter) !== undefined,
  );
  if (isBuiltIn) return findBuiltIn;
  const { definedFilters } = await import("./defined-filters.ts");
  return definedFilters(instance);
}
