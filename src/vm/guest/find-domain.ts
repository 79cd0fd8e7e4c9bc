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

/** Property by which a domain is searched. */
export type DomainKey = "id" | "name" | "uuid";

const ALL_KEYS: readonly DomainKey[] = ["id", "name", "uuid"];

/**
 * Returns the domain with that id, name or UUID, in virsh's order. Throws "not-found" with virsh's message. Throws "failed"
 * if the domain's record is damaged: it is then unknown whether the domain runs.
 */
export function findDomain(instance: Instance, key: string): FoundDomain {
  const found = searchDomain(instance, key, ALL_KEYS);
  if (found !== undefined) return found;
  throw new SvirtError(`failed to get domain '${key}'`, {
    kind: "not-found",
    libvirt: "NO_DOMAIN",
    remedy: "svirt list --all lists the domains.",
  });
}

/**
 * Returns the domain with that id, name or UUID. Throws "not-found" with libvirt's message, and as findDomain() does.
 * qemuDomainLookupByID(), qemuDomainLookupByName() and qemuDomainLookupByUUID() of libvirt
 */
export function lookUpDomain(instance: Instance, by: DomainKey, key: string): FoundDomain {
  return searchDomain(instance, key, [by]) ?? throwUnknown(`${by} ${by === "id" ? key : `'${key}'`}`);
}

/**
 * Returns the domain that a client has found before: only its UUID counts, since names and ids change hands. Throws as
 * lookUpDomain() does, with the name that the client has for it. qemuDomainObjFromDomain() of libvirt
 */
export function lookUpKnownDomain(
  instance: Instance,
  { name, uuid }: { readonly name: string; readonly uuid: string },
): FoundDomain {
  return searchDomain(instance, uuid, ["uuid"]) ?? throwUnknown(`uuid '${uuid}' (${name})`);
}

function throwUnknown(wanted: string): never {
  throw new SvirtError(`Domain not found: no domain with matching ${wanted}`, {
    kind: "not-found",
    libvirt: "NO_DOMAIN",
    remedy: "svirt list --all lists the domains.",
  });
}

/** Returns undefined if there is no such domain. */
function searchDomain(instance: Instance, key: string, by: readonly DomainKey[]): FoundDomain | undefined {
  const damaged = new Map<string | undefined, SvirtError>();
  const records = readRecords(instance, (error, uuid) => damaged.set(uuid, error));
  const guests = records.filter((guest) => isRunning(instance, guest));
  const tests: Readonly<Record<DomainKey, (guest: GuestRecord) => boolean>> = {
    id: ({ id }) => String(id) === key,
    name: ({ name }) => name === key,
    uuid: ({ uuid }) => uuid === uuidOf(key),
  };
  for (const one of by) {
    const found = guests.find(tests[one]);
    if (found !== undefined) return withDefinition(instance, found);
  }
  const definition =
    (by.includes("name") ? readDefinition(instance, key) : undefined) ??
    (by.includes("uuid") ? definitionByUuid(instance, key) : undefined);
  const unknown = damaged.get(definition?.uuid ?? uuidOf(key));
  if (unknown !== undefined) throw unknown;
  if (definition !== undefined) {
    const guest = guests.find((candidate) => candidate.uuid === definition.uuid);
    return { name: definition.name, uuid: definition.uuid, definition, guest };
  }
  return undefined;
}

/** Returns a running domain, as findDomain() does. Throws "wrong-state" with libvirt's message. virDomainObjCheckActive() of libvirt */
export function findRunning(instance: Instance, key: string): FoundDomain & { readonly guest: GuestRecord } {
  const found = findDomain(instance, key);
  const { guest } = found;
  if (guest !== undefined) return { ...found, guest };
  throw new SvirtError("Requested operation is not valid: domain is not running", {
    kind: "wrong-state",
    from: "DOMAIN",
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
