import { SvirtError } from "../../errors.ts";
import { compileFilter } from "../../network/filter/compile-filter.ts";
import { formatWrittenFilter, parseFilter, type WrittenFilter } from "../../network/filter/document.ts";
import { FILTERS } from "../../network/filter/filters.ts";
import { collectRules } from "../../network/filter/instance.ts";
import { definedFilters } from "../../resolve/host/defined-filters.ts";
import type { Instance } from "../../state/instance.ts";
import { filterStore } from "../../state/networks/filters.ts";
import type { StoredXml } from "../../state/xml-store.ts";
import { type Edited, editDefinition, type TreatChange } from "../define/edit-definition.ts";
import { carryOut } from "../object-change/carry-out.ts";
import type { Change } from "../object-change/change.ts";
import { plannedOf } from "../object-change/change-of.ts";
import { listFilters, lookUpFilter, type NamedFilter } from "./filter-list.ts";
import { findFilterUser } from "./filter-user.ts";

/**
 * Stores the definition of a filter, or replaces the filter of its name. Included filters may be missing
 * until an interface uses it. Throws "xml", "unsupported" with the place; "in-use" if a running guest has it,
 * or if another filter has its UUID; "failed" for a filter inside itself; "denied" for libvirt's own.
 * nwfilterDefineXMLFlags() of libvirt
 */
export async function defineFilter(instance: Instance, bytes: Uint8Array): Promise<NamedFilter> {
  return await carryOut(instance, filterDefinition(bytes));
}

/** Returns the change of defineFilter(). Throws "xml", "unsupported". */
export function filterDefinition(bytes: Uint8Array): Change<NamedFilter> {
  return replacement(parseFilter(bytes));
}

/** Returns the change that stores a filter. The callback throws if the definition is not to be replaced. */
function replacement(filter: WrittenFilter, refuse: () => void = () => undefined): Change<NamedFilter> {
  return {
    kind: "filter",
    plan(instance) {
      refuse();
      const { name, uuid } = completed(instance, filter);
      const steps = [filterStore.defineStep(instance, name, formatWrittenFilter({ ...filter, uuid }))];
      return plannedOf({ kind: "filter", name, uuid }, { command: "nwfilter-define", steps, commit: "last" });
    },
  };
}

/** Returns the identity that a filter gets. Throws as defineFilter(). */
function completed(instance: Instance, filter: WrittenFilter): NamedFilter {
  const { name } = filter;
  refuseBuiltIn(name);
  refuseUsed(instance, name);
  const known = listFilters(instance);
  const uuid = filter.uuid ?? known.find((one) => one.name === name)?.uuid ?? instance.host.makeUuid();
  refuseOther({ name, uuid }, known);
  refuseLoop(instance, filter);
  return { name, uuid };
}

/**
 * Removes the definition of a filter. Throws "not-found"; "in-use" if a running guest has it; "denied" for
 * libvirt's own.
 */
export async function undefineFilter(instance: Instance, key: string): Promise<NamedFilter> {
  return await carryOut(instance, filterRemoval(key));
}

/** Returns the change of undefineFilter(). */
export function filterRemoval(key: string): Change<NamedFilter> {
  return {
    kind: "filter",
    plan(instance) {
      const { name, uuid } = findRemovable(instance, key);
      refuseBuiltIn(name);
      refuseUsed(instance, name);
      const steps = [filterStore.defineStep(instance, name, undefined)];
      return plannedOf(
        { kind: "filter", name, uuid },
        { command: "nwfilter-undefine", steps, commit: "last" },
      );
    },
  };
}

/** Finds a filter, also with a damaged file: its name alone is enough. */
function findRemovable(instance: Instance, key: string): NamedFilter {
  const isDamaged = filterStore.listEntries(instance).some(({ name }) => name === key);
  const isRead = listFilters(instance).some(({ name }) => name === key);
  return isDamaged && !isRead ? { name: key, uuid: "" } : lookUpFilter(instance, key);
}

/**
 * Lets the caller edit the definition of a filter, and treats the change that defineFilter() would make of
 * it. Throws as defineFilter().
 */
export async function editFilter<Result>(
  instance: Instance,
  key: string,
  treat: TreatChange<Result>,
): Promise<Edited<Result>> {
  const { name, uuid } = lookUpFilter(instance, key);
  refuseBuiltIn(name);
  const read = (): StoredXml["defined"] => filterStore.read(instance, name)?.defined;
  return await editDefinition(instance, {
    name,
    id: `nwfilter-${uuid}`,
    xml: read() ?? "",
    commands: { define: "nwfilter-define", dumpxml: `nwfilter-dumpxml ${uuid}` },
    async store(bytes, refuseOtherText) {
      const filter = parseFilter(bytes);
      return await treat(replacement(filter, () => refuseOtherText(read())));
    },
  });
}

function refuseBuiltIn(name: string): void {
  if (!FILTERS.has(name)) return;
  throw new SvirtError(
    `Operation not supported: the filter '${name}' is a part of svirt and cannot be changed`,
    {
      kind: "unsupported",
      libvirt: "OPERATION_UNSUPPORTED",
      from: "NWFILTER",
      remedy: `Define a filter of another name that includes it: <filterref filter='${name}'/>`,
    },
  );
}

/**
 * Throws "in-use" if a guest in its start, run or end has the filter, directly or by another filter.
 * nwfilterUndefine() of libvirt
 */
function refuseUsed(instance: Instance, name: string): void {
  const user = findFilterUser(instance, name);
  if (user === undefined) return;
  throw new SvirtError(
    `Requested operation is not valid: nwfilter is in use: '${name}' by the guest ${user.name}`,
    {
      kind: "in-use",
      libvirt: "OPERATION_INVALID",
      from: "NWFILTER",
      remedy: "Give the guest's interface another filter: svirt update-device. Or end the guest.",
    },
  );
}

/** Throws "in-use" if the name or the UUID is another filter's. virNWFilterObjListAssignDef() of libvirt */
function refuseOther({ name, uuid }: NamedFilter, known: readonly NamedFilter[]): void {
  const other = known.find((one) => (one.name === name) !== (one.uuid === uuid));
  if (other === undefined) return;
  const why =
    other.name === name
      ? `filter '${name}' already exists with uuid ${other.uuid}`
      : `filter with same UUID but different name ('${other.name}') already exists`;
  throw new SvirtError(`operation failed: ${why}`, {
    kind: "in-use",
    libvirt: "OPERATION_FAILED",
    from: "NWFILTER",
    remedy: "Leave <uuid> out, or undefine the other filter.",
  });
}

/** Throws "failed" if the filter includes itself by others, or has too many rules with them. */
function refuseLoop(instance: Instance, filter: WrittenFilter): void {
  const find = definedFilters(instance);
  const compiled = compileFilter(filter);
  collectRules(filter.name, (name) => (name === filter.name ? compiled : (find(name) ?? { entries: [] })));
}
