import { formatDomain, parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import type { Step } from "../../plan/steps/step.ts";
import { completeDomain } from "../../resolve/complete-domain.ts";
import { keepCompleted } from "../../resolve/completed-definition.ts";
import { refuseSilentPaths } from "../../resolve/silent-server.ts";
import { NO_OBSERVER, type StepObserver } from "../../run/steps/run-plan.ts";
import type { Definition } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { domainStoring, storingStep } from "../define/define.ts";
import { findDomain } from "../guest/find-domain.ts";
import { carryOut, planOnly } from "../object-change/carry-out.ts";
import type { Change as ObjectChange } from "../object-change/change.ts";
import { type ChangeRequest, changeGuest, type DecidedChange } from "./change-guest.ts";
import { decideImpact, type ImpactOptions } from "./impact.ts";

/** Target and options of a change. */
export interface Ask {
  /** Name, id or UUID of the domain. */
  readonly key: string;
  readonly options: ImpactOptions;
  /** Change nothing. */
  readonly isDryRun: boolean;
  readonly observer?: StepObserver;
}

/** Steps of a dry run. Empty after a real change. */
export interface Changed {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** How to change the running guest and the definition. */
export interface Change {
  readonly live: ChangeRequest;
  config(domain: Domain): Domain;
}

/**
 * Changes the running guest, the definition or both, as `ask` selects. The definition's refusals come before
 * the guest changes. Throws the errors of the decisions and the host.
 */
export async function changeDomain(instance: Instance, ask: Ask, how: Change): Promise<Changed> {
  const found = findDomain(instance, ask.key);
  const { definition, guest } = decideImpact(found, ask.options);
  if (definition !== undefined) refuseChange(instance, definition, how.config);
  const stored = definition === undefined ? undefined : definitionChange(found.uuid, how.config);
  if (ask.isDryRun) return { name: found.name, steps: await planSteps(instance, { ...how, guest, stored }) };
  const isStored =
    guest !== undefined &&
    (await changeLive(instance, ask, { ...how, guest, isForBoth: definition !== undefined }));
  if (stored !== undefined && !isStored) await carryOut(instance, stored, ask.observer);
  return { name: found.name, steps: [] };
}

/** Returns the steps on the running guest and on the definition. Changes nothing. */
async function planSteps(
  instance: Instance,
  {
    guest,
    live,
    stored,
  }: Change & { readonly guest: GuestRecord | undefined; readonly stored: ObjectChange<unknown> | undefined },
): Promise<readonly Step[]> {
  if (guest !== undefined) await refuseSilentPaths(instance.host, live.paths?.(guest) ?? []);
  const { after, steps } = guest === undefined ? { after: [], steps: [] } : live.decide(guest);
  const onDefinition = stored === undefined ? undefined : await planOnly(instance, stored);
  return [...steps, ...after, ...(onDefinition?.steps ?? [])];
}

/** Changes the running guest. Returns whether the definition was changed with it. */
async function changeLive(
  instance: Instance,
  { observer = NO_OBSERVER }: Ask,
  { config, guest, isForBoth, live }: Change & { readonly guest: GuestRecord; readonly isForBoth: boolean },
): Promise<boolean> {
  const { uuid } = guest;
  let stored: Domain | undefined;
  const decide: ChangeRequest["decide"] = (now) => {
    const decided = live.decide(now);
    const both = isForBoth ? addDefinition(instance, decided, { uuid, config }) : undefined;
    stored = both?.domain;
    return both?.decided ?? decided;
  };
  let isWritten = false;
  await changeGuest(instance, uuid, {
    request: { ...live, decide },
    observer(moment, step, at) {
      // Another call that has changed the definition since the decision keeps its text.
      if (moment === "after" && step.do === "replace-text")
        isWritten = instance.host.readText(step.path) === step.to;
      observer(moment, step, at);
    },
  });
  if (stored !== undefined && isWritten)
    keepCompleted(instance, { ...stored, xml: formatDomain(stored) }, stored);
  return isWritten;
}

/**
 * Adds the step that stores the changed definition to a change of the guest, so that an interruption leaves
 * both changed or neither. Returns undefined if QEMU has to release a device first: a guest may keep it, and
 * the definition changes all the same. The caller holds the registry's lock.
 */
function addDefinition(
  instance: Instance,
  decided: DecidedChange,
  { config, uuid }: Pick<Change, "config"> & { readonly uuid: string },
): { readonly decided: DecidedChange; readonly domain: Domain } | undefined {
  if (decided.after.length > 0) return undefined;
  const { definition } = decideImpact(findDomain(instance, uuid), { config: true });
  if (definition === undefined) return undefined;
  const domain = changed(instance, definition.xml, config);
  const step = storingStep(instance, domain);
  return step === undefined ? undefined : { decided: { ...decided, after: [step] }, domain };
}

/** Throws the refusals of a change of a definition, before anything is changed. */
function refuseChange(instance: Instance, { xml }: Definition, change: Change["config"]): void {
  changed(instance, xml, change);
}

/**
 * Returns the change of the current definition: another call may have changed a different part of it. Its
 * plan throws "not-found", "wrong-state" if the definition no longer exists.
 */
function definitionChange(uuid: string, change: Change["config"]): ObjectChange<unknown> {
  return domainStoring((instance) => {
    const { definition } = decideImpact(findDomain(instance, uuid), { config: true });
    return changed(instance, definition?.xml ?? "", change);
  });
}

function changed(instance: Instance, xml: string, change: Change["config"]): Domain {
  return completeDomain(instance, new TextEncoder().encode(formatDomain(change(parseDomainText(xml)))));
}
