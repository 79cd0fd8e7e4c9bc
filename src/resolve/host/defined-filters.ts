import { asSvirtError } from "../../errors.ts";
import { compileFilter } from "../../network/filter/compile-filter.ts";
import { parseFilterText } from "../../network/filter/document.ts";
import type { Filter } from "../../network/filter/filter-rule.ts";
import { type FindFilter, findBuiltIn } from "../../network/filter/instance.ts";
import type { Instance } from "../../state/instance.ts";
import { filterStore } from "../../state/networks/filters.ts";

/**
 * Returns the function for finding libvirt's filters and the host's own, for a single decision: it reads each
 * filter once. It throws "failed" for a damaged file.
 */
export function definedFilters(instance: Instance): FindFilter {
  const read = new Map<string, Filter | undefined>();
  return (name) => {
    if (!read.has(name)) read.set(name, findBuiltIn(name) ?? readDefined(instance, name));
    return read.get(name);
  };
}

function readDefined(instance: Instance, name: string): Filter | undefined {
  const xml = filterStore.read(instance, name)?.defined;
  if (xml === undefined) return undefined;
  try {
    return compileFilter(parseFilterText(xml));
  } catch (error) {
    throw filterStore.damaged(instance, { name, form: "defined" }, asSvirtError(error));
  }
}
