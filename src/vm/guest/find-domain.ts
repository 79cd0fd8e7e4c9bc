import { uuidOf } from "../../domain/forms/uuid.ts";
import { SvirtError } from "../../errors.ts";
import { type Definition, definitionOf, readDefinition } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { type GuestRecord, isRunning, readRecord } from "../../state/record.ts";
import { findRecorded } from "../../state/running-guests.ts";
import { keepParsed } from "./parsed-guest.ts";

/** A domain, defined, running, or both. */
export interface FoundDomain {
  readonly name: string;
  readonly uuid: string;
  readonly definition: Definition | undefined;
  /** Record of the running guest. */
  readonly guest: GuestRecord | undefined;
}

/** Text of an id: no other has to be compared with the records. */
const ID = /^\d+$/;

/** Property for the search of a domain. */
export type DomainKey = "id" | "name" | "uuid";

const ALL_KEYS: readonly DomainKey[] = ["id", "name", "uuid"];

/**
 * Returns the domain with that id, name or UUID, in virsh's order. Throws "not-found" with virsh's message.
 * Throws "failed" if the domain's record is damaged: it is then unknown whether the domain runs.
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
 * Returns the domain with that id, name or UUID. Throws "not-found" with libvirt's message, and as
 * findDomain() does. qemuDomainLookupByID(), qemuDomainLookupByName() and qemuDomainLookupByUUID() of libvirt
 */
export function lookUpDomain(instance: Instance, by: DomainKey, key: string): FoundDomain {
  return searchDomain(instance, key, [by]) ?? throwUnknown(`${by} ${by === "id" ? key : `'${key}'`}`);
}

/**
 * Returns the domain found by a client before: only its UUID counts, since names and ids change hands. Throws
 * as lookUpDomain() does, with the client's name for it. qemuDomainObjFromDomain() of libvirt
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
  const looked = by.includes("uuid") ? uuidOf(key) : undefined;
  for (const one of by) {
    const guest = findGuest(instance, one, key);
    if (guest !== undefined) return addDefinition(instance, guest);
  }
  const definition =
    (by.includes("name") ? readDefinition(instance, key) : undefined) ??
    (looked === undefined ? undefined : definitionOf(instance, looked));
  if (definition === undefined) return undefined;
  const { name, uuid } = definition;
  // A guest with the UUID that was asked for would have been found above.
  return { name, uuid, definition, guest: uuid === looked ? undefined : runningGuest(instance, uuid) };
}

/** Returns the running guest with that property. Throws "failed" if its record is damaged. */
function findGuest(instance: Instance, by: DomainKey, key: string): GuestRecord | undefined {
  if (by === "uuid") return runningGuest(instance, uuidOf(key));
  if (by === "id" && !ID.test(key)) return undefined;
  return findRecorded(instance, by, key)
    .map((uuid) => runningGuest(instance, uuid))
    .find((guest) => guest !== undefined && String(guest[by]) === key);
}

function runningGuest(instance: Instance, uuid: string | undefined): GuestRecord | undefined {
  const guest = uuid === undefined ? undefined : readRecord(instance, uuid);
  if (guest === undefined || !isRunning(instance, guest)) return undefined;
  keepParsed(instance, guest);
  return guest;
}

/**
 * Returns a running domain, as findDomain() does. Throws "wrong-state" with libvirt's message.
 * virDomainObjCheckActive() of libvirt
 */
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
  return wanted === undefined ? undefined : definitionOf(instance, wanted);
}

function addDefinition(instance: Instance, guest: GuestRecord): FoundDomain {
  const definition = readDefinition(instance, guest.name);
  const isSame = definition?.uuid === guest.uuid;
  return { name: guest.name, uuid: guest.uuid, definition: isSame ? definition : undefined, guest };
}
