import { formatDomain, parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import type { Step } from "../../plan/steps/step.ts";
import { completeDomain } from "../../resolve/complete-domain.ts";
import { keepCompleted } from "../../resolve/completed-definition.ts";
import { refuseSilentPaths } from "../../resolve/silent-server.ts";
import { NO_OBSERVER, type StepObserver } from "../../run/steps/run-plan.ts";
import type { Definition } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";
import type { GuestRecord } from "../../state/record.ts";
import { storeDomain, storingStep, storingSteps } from "../define/define.ts";
import { findDomain } from "../guest/find-domain.ts";
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
  if (ask.isDryRun) {
    if (guest !== undefined) await refuseSilentPaths(instance.host, how.live.paths?.(guest) ?? []);
    const { after, steps } = guest === undefined ? { after: [], steps: [] } : how.live.decide(guest);
    const stored =
      definition === undefined ? [] : storingSteps(instance, changed(instance, definition.xml, how.config));
    return { name: found.name, steps: [...steps, ...after, ...stored] };
  }
  const isStored =
    guest !== undefined &&
    (await changeLive(instance, ask, { ...how, guest, isForBoth: definition !== undefined }));
  if (definition !== undefined && !isStored) await changeDefinition(instance, found.uuid, how.config);
  return { name: found.name, steps: [] };
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
export function refuseChange(instance: Instance, { xml }: Definition, change: Change["config"]): void {
  changed(instance, xml, change);
}

/**
 * Changes the current definition: another call may have changed a different part of it. Throws "not-found",
 * "wrong-state" if the definition no longer exists.
 */
export async function changeDefinition(
  instance: Instance,
  uuid: string,
  change: Change["config"],
): Promise<void> {
  await withRegistryLock(instance, async () => {
    const { definition } = decideImpact(findDomain(instance, uuid), { config: true });
    if (definition !== undefined) storeDomain(instance, changed(instance, definition.xml, change));
  });
}

function changed(instance: Instance, xml: string, change: Change["config"]): Domain {
  return completeDomain(instance, new TextEncoder().encode(formatDomain(change(parseDomainText(xml)))));
}
