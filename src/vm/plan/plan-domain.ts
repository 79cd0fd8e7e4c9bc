import { parseDomain } from "../../domain/document.ts";
import { planStop } from "../../plan/steps/inverse.ts";
import type { Step } from "../../plan/steps/step.ts";
import type { Instance } from "../../state/instance.ts";
import { type GuestRecord, isRunning, readRecord } from "../../state/record.ts";
import { planEnd } from "../end/end-guest.ts";
import { xmlOf } from "../guest/domain-form.ts";
import { type FoundDomain, findDomain } from "../guest/find-domain.ts";
import { beginningOf, type DomainBeginning, type HowToBegin } from "../save/restore-domain.ts";
import { planDomainStart } from "../start/start.ts";

/** Steps of a domain's start or end. */
export interface DomainPlan {
  readonly steps: readonly Step[];
  /** Name of the guest, if it runs: its start is then complete and has no steps left. */
  readonly runningName: string | undefined;
}

/** Domain by its name, id or UUID, or as a document. */
export type PlanSubject = { readonly key: string } | { readonly xml: Uint8Array };

/** An end, or a start: as the domain is, or as the options of the start say. */
type PlanWhat = "end" | "start" | HowToBegin;

/**
 * Returns all steps of a domain's start or of its end, and changes nothing. The end of a guest that runs has
 * the steps of its record. Throws "not-found", and the errors of a start.
 */
export async function planDomain(
  instance: Instance,
  subject: PlanSubject,
  what: PlanWhat,
): Promise<DomainPlan> {
  const { bytes, found, guest } = resolveSubject(instance, subject);
  if (guest !== undefined) {
    return { runningName: guest.name, steps: what === "end" ? planEnd(guest) : [] };
  }
  const how = typeof what === "string" ? { forceBoot: false } : what;
  const { bytes: saved = bytes, ...begins }: DomainBeginning =
    found === undefined ? {} : beginningOf(instance, found, how);
  const start = await planDomainStart(instance, saved, begins);
  return { runningName: undefined, steps: what === "end" ? planStop(start) : start };
}

interface Resolved {
  readonly bytes: Uint8Array;
  /** Undefined if the XML itself is given. */
  readonly found: FoundDomain | undefined;
  /** Guest that a start would report as running. */
  readonly guest: GuestRecord | undefined;
}

function resolveSubject(instance: Instance, subject: PlanSubject): Resolved {
  if ("xml" in subject) {
    const guest = findGuest(instance, parseDomain(subject.xml).uuid);
    return { bytes: subject.xml, found: undefined, guest };
  }
  const found = findDomain(instance, subject.key);
  const bytes = new TextEncoder().encode(xmlOf(found, "defined") ?? "");
  return { bytes, found, guest: found.guest };
}

function findGuest(instance: Instance, uuid: string | undefined): GuestRecord | undefined {
  const guest = uuid === undefined ? undefined : readRecord(instance, uuid);
  return guest !== undefined && isRunning(instance, guest) ? guest : undefined;
}
