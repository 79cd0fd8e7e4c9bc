import { uuidOf } from "../../domain/forms/uuid.ts";
import { SvirtError } from "../../errors.ts";
import { type Definition, listDefinitionNames, readDefinition } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { type GuestRecord, isRunning, readRecords } from "../../state/record.ts";

/** A domain that is defined, running, or both. */
export interface FoundDomain {
  readonly name: string;
  readonly uuid: string;
  readonly definition: Definition | undefined;
  /** Record of the running guest. */
  readonly guest: GuestRecord | undefined;
}

/**
 * Returns the domain with that id, name or UUID, in virsh's order. Throws "not-found" with virsh's message. Throws "failed"
 * if the domain's record is damaged: it is then unknown whether the domain runs.
 */
export function findDomain(instance: Instance, key: string): FoundDomain {
  const damaged = new Map<string | undefined, SvirtError>();
  const records = readRecords(instance, (error, uuid) => damaged.set(uuid, error));
  const guests = records.filter((guest) => isRunning(instance, guest));
  const found =
    guests.find((guest) => String(guest.id) === key) ??
    guests.find((guest) => guest.name === key) ??
    guests.find((guest) => guest.uuid === uuidOf(key));
  if (found !== undefined) return withDefinition(instance, found);
  const definition = readDefinition(instance, key) ?? definitionByUuid(instance, key);
  const unknown = damaged.get(definition?.uuid ?? uuidOf(key));
  if (unknown !== undefined) throw unknown;
  if (definition !== undefined) {
    const guest = guests.find((candidate) => candidate.uuid === definition.uuid);
    return { name: definition.name, uuid: definition.uuid, definition, guest };
  }
  throw new SvirtError(`failed to get domain '${key}'`, {
    kind: "not-found",
    libvirt: "NO_DOMAIN",
    remedy: "svirt list --all lists the domains.",
  });
}

/** Returns a running domain, as findDomain() does. Throws "wrong-state" with libvirt's message. */
export function findRunning(instance: Instance, key: string): FoundDomain & { readonly guest: GuestRecord } {
  const found = findDomain(instance, key);
  const { guest } = found;
  if (guest !== undefined) return { ...found, guest };
  throw new SvirtError(`Requested operation is not valid: domain '${found.name}' is not running`, {
    kind: "wrong-state",
    remedy: `Start it: svirt start ${found.name}`,
  });
}

/** Returns the defined domain of a UUID, under any name. */
export function definitionByUuid(instance: Instance, key: string): Definition | undefined {
  const wanted = uuidOf(key);
  if (wanted === undefined) return undefined;
  for (const name of listDefinitionNames(instance)) {
    const definition = readDefinition(instance, name);
    if (definition?.uuid === wanted) return definition;
  }
  return undefined;
}

function withDefinition(instance: Instance, guest: GuestRecord): FoundDomain {
  const definition = readDefinition(instance, guest.name);
  const isSame = definition?.uuid === guest.uuid;
  return { name: guest.name, uuid: guest.uuid, definition: isSame ? definition : undefined, guest };
}
