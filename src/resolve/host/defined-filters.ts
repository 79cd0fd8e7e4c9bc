import { asSvirtError } from "../../errors.ts";
import { compileFilter } from "../../network/filter/compile-filter.ts";
import { parseFilterText } from "../../network/filter/document.ts";
import type { Filter } from "../../network/filter/filter-rule.ts";
import { type FindFilter, findBuiltIn } from "../../network/filter/instance.ts";
import type { Instance } from "../../state/instance.ts";
import { filterStore } from "../../state/networks/filters.ts";

/** Returns the function that finds libvirt's filters and those that are defined on this host. It throws "failed" for a damaged file. */
export function definedFilters(instance: Instance): FindFilter {
  return (name) => findBuiltIn(name) ?? readDefined(instance, name);
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
