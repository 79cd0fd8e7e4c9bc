import { formatDomain } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import type { Step } from "../../plan/steps/step.ts";
import { completeDomain } from "../../resolve/complete-domain.ts";
import { keepCompleted } from "../../resolve/completed-definition.ts";
import { type Definition, defineStep, readDefinition } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { readReason, reasonFile } from "../../state/shutoff-reason.ts";
import { refuseConflict } from "../guest/refuse-conflict.ts";
import { carryOut } from "../object-change/carry-out.ts";
import type { Change } from "../object-change/change.ts";
import { plannedOf } from "../object-change/change-of.ts";
import { changedClaims } from "./static-claims.ts";

/**
 * Stores a domain with all defaults decided; replaces a domain of the same name. A domain without a UUID gets
 * the UUID of the definition with its name, or a new UUID. Throws "xml", "unsupported"; "in-use" when name
 * and UUID belong to different domains.
 */
export async function defineDomain(
  instance: Instance,
  bytes: Uint8Array,
): Promise<{ name: string; uuid: string }> {
  return await carryOut(instance, newDefinition(instance, bytes));
}

/** Returns the change of defineDomain(). Throws "xml", "unsupported". */
export function newDefinition(
  instance: Instance,
  bytes: Uint8Array,
): Change<Pick<Definition, "name" | "uuid">> {
  return domainDefinition(completeDomain(instance, bytes));
}

/**
 * Returns the change that stores a completed domain. The callback throws if its definition is not to be
 * replaced.
 */
export function domainDefinition(
  domain: Domain,
  refuse: () => void = () => undefined,
): Change<Pick<Definition, "name" | "uuid">> {
  return domainStoring(() => {
    refuse();
    return domain;
  });
}

/** Returns the change that stores the completed domain that a function decides under the registry's lock. */
export function domainStoring(
  decide: (instance: Instance) => Domain,
): Change<Pick<Definition, "name" | "uuid">> {
  let stored: Domain | undefined;
  return {
    kind: "domain",
    plan(instance) {
      const domain = decide(instance);
      stored = domain;
      const { name, uuid } = domain;
      const decided = decideStored(instance, domain);
      const { earlier, reserve } = decided;
      const steps = [
        ...stepsOf(instance, name, decided),
        ...(earlier === undefined ? dropReason(instance, uuid) : []),
      ];
      return plannedOf({ kind: "domain", name, uuid }, { command: "define", steps, commit: reserve.length });
    },
    refresh(instance) {
      if (stored !== undefined) keepCompleted(instance, { ...stored, xml: formatDomain(stored) }, stored);
    },
  };
}

/**
 * Returns the step after which a new domain is off for an unknown reason; none if no reason is stored.
 * virDomainObjNew() of libvirt
 */
function dropReason(instance: Instance, uuid: string): readonly Step[] {
  if (readReason(instance, uuid) === undefined) return [];
  return [{ do: "remove-file", path: reasonFile(instance, uuid) }];
}

/** Returns all steps that store a completed domain. Throws "in-use". */
export function storingSteps(instance: Instance, domain: Domain): readonly Step[] {
  return stepsOf(instance, domain.name, decideStored(instance, domain));
}

function stepsOf(
  instance: Instance,
  name: string,
  { release, reserve, xml }: ReturnType<typeof decideStored>,
): readonly Step[] {
  return [
    ...reserve.map((claim) => ({ do: "reserve", claim }) as const),
    defineStep(instance, name, xml),
    ...release.map((claim) => ({ do: "release", claim }) as const),
  ];
}

/**
 * Returns the step that stores a completed domain, if no other step is needed: its static levels stay as they
 * are. The caller holds the registry's lock. Throws "in-use".
 */
export function storingStep(instance: Instance, domain: Domain): Step | undefined {
  const { release, reserve, xml } = decideStored(instance, domain);
  return release.length + reserve.length === 0 ? defineStep(instance, domain.name, xml) : undefined;
}

/**
 * Returns the text of a domain, its present definition, and the claims of static levels that differ. Throws
 * "in-use" when name and UUID belong to different domains.
 */
function decideStored(instance: Instance, domain: Domain) {
  refuseConflict(instance, domain);
  const earlier = readDefinition(instance, domain.name);
  const xml = formatDomain(domain);
  return { earlier, xml, ...changedClaims(earlier?.xml, xml) };
}
