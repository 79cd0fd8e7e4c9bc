import { unlessRefused } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { hasManagedSave } from "../../state/managed-save.ts";
import { readDescription } from "../change/describe-domain.ts";
import type { ListedDomain } from "./domain-list.ts";
import { type DomainGroup, type Selectable, selectDomains } from "./domain-selection.ts";

/** States in groups' selections, but for all others. */
const NAMED_STATES: readonly string[] = ["running", "paused", "shut off"];

/** Domain with further columns of a list, if they are requested. */
export interface DetailedDomain extends ListedDomain {
  /** Empty if the domain has none, or if its definition is damaged. */
  readonly title?: string;
  readonly hasManagedSave?: boolean;
}

/**
 * Returns the listed domains with a property of each group. States are the list's: no QEMU is queried again.
 */
export async function selectListed(
  instance: Instance,
  domains: readonly ListedDomain[],
  { groups, ...selectable }: Selectable & { readonly groups: readonly DomainGroup[] },
): Promise<readonly ListedDomain[]> {
  const [states, others] = [groups.filter(isOfStates), groups.filter((group) => !isOfStates(group))];
  const inState = domains.filter(({ state }) =>
    states.every((group) => group.some(([wanted]) => wanted === nameOf(state))),
  );
  if (others.length === 0) return inState;
  const selected = new Set((await selectDomains(instance, selectable, others)).map(({ name }) => name));
  return inState.filter(({ name }) => selected.has(name));
}

function isOfStates(group: DomainGroup): boolean {
  return group.some(([property]) => NAMED_STATES.includes(property) || property === "other state");
}

function nameOf(state: string): string {
  return NAMED_STATES.includes(state) ? state : "other state";
}

/** Adds the titles of domains, and whether they have a managed save. */
export function addDetails(instance: Instance, domains: readonly ListedDomain[]): readonly DetailedDomain[] {
  return domains.map((domain) => ({
    ...domain,
    title: unlessRefused(() => readDescription(instance, { key: domain.name, options: {} }, "title")) ?? "",
    hasManagedSave: hasManagedSave(instance, domain.name),
  }));
}
