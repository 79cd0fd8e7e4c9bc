import { uuidOf } from "../../domain/forms/uuid.ts";
import { type OnRefused, SvirtError } from "../../errors.ts";
import { formatFilterXml } from "../../network/filter/filter-xml.ts";
import { FILTERS } from "../../network/filter/filters.ts";
import type { Instance } from "../../state/instance.ts";
import { filterStore } from "../../state/networks/filters.ts";
import { compareNames } from "../../state/xml-files.ts";

/** A filter for `<filterref>` of interfaces. */
export interface NamedFilter {
  readonly name: string;
  readonly uuid: string;
}

/** libvirt's filters, which are a part of svirt and have the same UUID on every host. */
const OWN: readonly NamedFilter[] = [...FILTERS.keys()].map((name) => ({ name, uuid: uuidOfName(name) }));

/**
 * Lists the filters by their names: libvirt's, and the defined filters. The errors of damaged files go to
 * `onDamaged`.
 */
export function listFilters(instance: Instance, onDamaged?: OnRefused): readonly NamedFilter[] {
  const defined = filterStore.list(instance, onDamaged).map(({ name, uuid }) => ({ name, uuid }));
  return [...OWN, ...defined].sort((one, other) => compareNames(one.name, other.name));
}

/**
 * Returns a filter by its name or UUID. Throws "not-found" with libvirt's message; "failed" for a damaged
 * file of the name. nwfilterLookupByName() of libvirt
 */
export function findFilter(instance: Instance, by: keyof NamedFilter, key: string): NamedFilter {
  const found = OWN.find((filter) => filter[by] === key) ?? findDefined(instance, by, key);
  if (found !== undefined) return found;
  throw new SvirtError(`Network filter not found: no nwfilter with matching ${by} '${key}'`, {
    kind: "not-found",
    libvirt: "NO_NWFILTER",
    remedy: "svirt nwfilter-list lists the filters.",
  });
}

function findDefined(instance: Instance, by: keyof NamedFilter, key: string): NamedFilter | undefined {
  if (by === "uuid") return filterStore.list(instance).find(({ uuid }) => uuid === key);
  return filterStore.read(instance, key);
}

/** Returns a filter by its UUID or name, as virsh looks for it. Throws as findFilter(). */
export function lookUpFilter(instance: Instance, key: string): NamedFilter {
  const uuid = uuidOf(key);
  const found = uuid === undefined ? undefined : listFilters(instance).find((one) => one.uuid === uuid);
  const { name, uuid: own } = found ?? findFilter(instance, "name", key);
  return { name, uuid: own };
}

/** Returns the XML of a filter by its UUID. Throws "not-found" with libvirt's message. */
export function getFilterXml(instance: Instance, key: string): string {
  const { name, uuid } = findFilter(instance, "uuid", key);
  const own = FILTERS.get(name);
  return own === undefined
    ? (filterStore.read(instance, name)?.defined ?? "")
    : formatFilterXml(name, uuid, own);
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
