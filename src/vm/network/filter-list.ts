import { SvirtError } from "../../errors.ts";
import { formatFilterXml } from "../../network/filter/filter-xml.ts";
import { FILTERS } from "../../network/filter/filters.ts";

/** A filter that interfaces may name in `<filterref>`. */
export interface NamedFilter {
  readonly name: string;
  readonly uuid: string;
}

/** Lists the filters by their names. They are a part of svirt, so each has the same UUID on every host. */
export function listFilters(): readonly NamedFilter[] {
  return [...FILTERS.keys()].toSorted().map((name) => ({ name, uuid: uuidOfName(name) }));
}

/** Returns a filter by its name or UUID. Throws "not-found" with libvirt's message. nwfilterLookupByName() of libvirt */
export function findFilter(by: keyof NamedFilter, key: string): NamedFilter {
  const found = listFilters().find((filter) => filter[by] === key);
  if (found !== undefined) return found;
  throw new SvirtError(`Network filter not found: no nwfilter with matching ${by} '${key}'`, {
    kind: "not-found",
    libvirt: "NO_NWFILTER",
    remedy: "docs/networks.md lists the filters.",
  });
}

/** Returns a filter by its UUID or name, as virsh looks for it. Throws "not-found" with libvirt's message. */
export function lookUpFilter(key: string): NamedFilter {
  return listFilters().find(({ uuid }) => uuid === key.toLowerCase()) ?? findFilter("name", key);
}

/** Returns the XML of a filter by its UUID. Throws "not-found" with libvirt's message. */
export function getFilterXml(key: string): string {
  const { name, uuid } = findFilter("uuid", key);
  return formatFilterXml(name, uuid, FILTERS.get(name) ?? { entries: [] });
}

/** Returns a UUID that a name always has: version 8 of RFC 9562, of four FNV-1a hashes. */
function uuidOfName(name: string): string {
  const hex = [1, 2, 3, 4].map((seed) => fnv1a(`${seed} ${name}`).toString(16).padStart(8, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}

/** http://www.isthe.com/chongo/tech/comp/fnv/ */
function fnv1a(text: string): number {
  let hash = 0x811c_9dc5;
  for (const letter of text) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x0100_0193) >>> 0;
  return hash;
}
