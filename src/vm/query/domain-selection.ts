import { type OnRefused, unlessRefused } from "../../errors.ts";
import { isAutostarted, readDefinition } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { hasManagedSave } from "../../state/managed-save.ts";
import type { RunningGuest } from "../../state/running-guests.ts";
import { hasSnapshots } from "../../state/snapshots/snapshots.ts";
import { type ListedDomain, listDomains } from "./domain-list.ts";
import { listStates } from "./listed-states.ts";

/** Properties for the selection of domains. A domain has no checkpoints. */
type DomainProperty =
  | "active"
  | "persistent"
  | "running"
  | "paused"
  | "shut off"
  | "other state"
  | "managed save"
  | "autostart"
  | "snapshot"
  | "checkpoint";

/** Alternatives. A domain must have any of them: a property, and whether the domain has it. */
export type DomainGroup = readonly (readonly [DomainProperty, boolean])[];

/** A selected domain. */
export type SelectedDomain = Pick<ListedDomain, "id" | "name"> & { readonly uuid: string };

/** States with a property of their own. */
const NAMED_STATES: ReadonlySet<string> = new Set(["running", "paused", "shut off"]);

/** Domains of the selection. */
export interface Selectable {
  /** The running guests, as found by the recovery before the call. */
  readonly running: readonly RunningGuest[];
  /** Receives the error of each damaged definition, whose domain is left out while it is off. */
  readonly onDamaged?: OnRefused | undefined;
}

/**
 * Lists the domains with a property of each group: running domains by their ids, then inactive domains by
 * their names. Queries the states of guests only if a group names a state. virDomainObjMatchFilter() of
 * libvirt
 */
export async function selectDomains(
  instance: Instance,
  { onDamaged, running }: Selectable,
  groups: readonly DomainGroup[],
): Promise<readonly SelectedDomain[]> {
  const asksStates = groups.flat().some(([property]) => STATES.has(property));
  const states = asksStates ? await listStates(instance, running) : [];
  const active = running.map((guest, at) => ({ ...guest, state: states[at]?.state ?? "running" }));
  const off = await listDomains(instance, { running, which: "inactive", wantsUuids: true, onDamaged });
  return [...active, ...off].flatMap(({ id, name, state, uuid }) => {
    if (uuid === undefined) return [];
    const domain = { id, name, uuid };
    const isSelected = groups.every((group) =>
      group.some(([property, wanted]) => hasProperty(instance, { ...domain, state }, property) === wanted),
    );
    return isSelected ? [domain] : [];
  });
}

const STATES: ReadonlySet<DomainProperty> = new Set([
  "running",
  "paused",
  "shut off",
  "other state",
] as const);

function hasProperty(
  instance: Instance,
  { id, name, state, uuid }: SelectedDomain & { readonly state: string },
  property: DomainProperty,
): boolean {
  switch (property) {
    case "active":
      return id !== undefined;
    case "persistent":
      return id === undefined || isDefined(instance, { name, uuid });
    case "running":
    case "paused":
    case "shut off":
      return state === property;
    case "other state":
      return !NAMED_STATES.has(state);
    case "managed save":
      return hasManagedSave(instance, name);
    case "autostart":
      return isAutostarted(instance, name);
    case "snapshot":
      return hasSnapshots(instance, uuid);
    case "checkpoint":
      return false;
  }
}

/**
 * Whether a running guest has a definition. A damaged one of its name counts: only its own commands read it.
 */
function isDefined(instance: Instance, { name, uuid }: Pick<SelectedDomain, "name" | "uuid">): boolean {
  let isDamaged = false;
  const definition = unlessRefused(
    () => readDefinition(instance, name),
    () => {
      isDamaged = true;
    },
  );
  return isDamaged || definition?.uuid === uuid;
}
