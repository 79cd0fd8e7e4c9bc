import { type OnRefused, unlessRefused } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import type { RunningGuest } from "../../state/running-guests.ts";
import { type ListedState, listStates } from "./listed-states.ts";

/** A domain in a list. */
export interface ListedDomain {
  /** Undefined if the domain is off. */
  readonly id: number | undefined;
  readonly name: string;
  /** Undefined for an inactive domain, unless its UUID is requested. */
  readonly uuid: string | undefined;
  readonly state: ListedState["state"] | "shut off";
  /** Whether a running guest's QEMU has answered the query for its state. */
  readonly monitor?: ListedState["monitor"];
}

/** Selection of the domains in a list. */
export interface ListOptions {
  /** The running guests, as found by the recovery before the call. */
  readonly running: readonly RunningGuest[];
  readonly which: "active" | "inactive" | "all";
  /** Whether inactive domains have their UUIDs: each definition is read for them. */
  readonly wantsUuids: boolean;
  /** Receives the error of each damaged definition, whose domain is listed without a UUID. */
  readonly onDamaged?: OnRefused | undefined;
}

/** Lists domains: running domains by their ids, then inactive domains by their names. */
export async function listDomains(instance: Instance, options: ListOptions): Promise<ListedDomain[]> {
  const { running, which } = options;
  const active = which === "inactive" ? [] : await listActive(instance, running);
  return which === "active" ? active : [...active, ...(await listInactive(instance, options))];
}

async function listActive(instance: Instance, running: readonly RunningGuest[]): Promise<ListedDomain[]> {
  if (running.length === 0) return [];
  const states = await listStates(instance, running);
  const domains: ListedDomain[] = [];
  for (const { id, name, uuid } of running)
    domains.push({ id, name, uuid, state: "running", ...states[domains.length] });
  return domains;
}

async function listInactive(
  instance: Instance,
  { onDamaged, running, wantsUuids }: ListOptions,
): Promise<ListedDomain[]> {
  // Imported only if requested: the usual list is of running guests.
  const { listDefinitionNames, readDefinition } = await import("../../state/definitions.ts");
  const runningNames = new Set(running.map(({ name }) => name));
  return listDefinitionNames(instance)
    .filter((name) => !runningNames.has(name))
    .map((name) => {
      const definition = wantsUuids
        ? unlessRefused(() => readDefinition(instance, name), onDamaged)
        : undefined;
      return { id: undefined, name, uuid: definition?.uuid, state: "shut off" };
    });
}
