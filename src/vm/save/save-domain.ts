import { asDefined } from "../../domain/definition-of-running.ts";
import { formatDomain, parseDomain, parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { SvirtError } from "../../errors.ts";
import { planSave, type TargetFile } from "../../plan/actions/stream.ts";
import type { Step } from "../../plan/steps/step.ts";
import { decideMachine } from "../../qemu/model/machine.ts";
import { completeDomain } from "../../resolve/complete-domain.ts";
import type { Progress } from "../../run/actor.ts";
import type { StepObserver } from "../../run/steps/run-plan.ts";
import type { Instance } from "../../state/instance.ts";
import { hasManagedSave, makeSaveFolder, managedSavePath, managedTarget } from "../../state/managed-save.ts";
import type { GuestRecord } from "../../state/record.ts";
import { type ChangeQuery, type ChangeRequest, changeGuest } from "../change/change-guest.ts";
import { planGuestChange } from "../change/plan-change.ts";
import { findDomain, findRunning } from "../guest/find-domain.ts";
import type { Change } from "../object-change/change.ts";
import { changeOf } from "../object-change/change-of.ts";
import { addBootQueues } from "./boot-queues.ts";
import { withJob } from "./domain-job.ts";
import { type InspectedGuest, inspectGuest, refuseFrozen, refuseJobs } from "./inspect-guest.ts";
import { decideSavedXml } from "./save-image.ts";
import { decideTarget } from "./target-file.ts";

/** Saved state, in addition to the file. */
interface AskedSave {
  /** Whether the guest runs or stays paused once it is restored; undefined: as it is now. */
  readonly resumes: boolean | undefined;
  /** Another definition of the same domain, with which it is restored. */
  readonly xml?: Uint8Array | undefined;
}

/** Options of a save, in addition to the file. */
export interface SaveOptions extends AskedSave {
  readonly observer?: StepObserver;
  readonly onProgress?: Progress;
}

/** Steps of a save. */
interface SavePlan {
  readonly steps: readonly Step[];
}

/**
 * Writes a guest's state to a file and ends the guest. A failure is undone: the guest resumes, and an
 * existing file is unchanged. Throws "wrong-state" if it is off, and the errors of the file and of QEMU.
 */
export async function saveDomain(
  instance: Instance,
  key: string,
  { path, ...options }: SaveOptions & { readonly path: string },
): Promise<{ name: string }> {
  const { guest, name } = findRunning(instance, key);
  await save(instance, guest, { ...options, targetOf: fileTarget(instance, path) });
  return { name };
}

/**
 * Returns the steps of saveDomain(), with those of the guest's end, and changes nothing. Throws its errors.
 */
export async function planSaveOf(
  instance: Instance,
  key: string,
  { path, ...asked }: AskedSave & { readonly path: string },
): Promise<SavePlan> {
  const { guest } = findRunning(instance, key);
  return await planOf(instance, guest, { ...asked, targetOf: fileTarget(instance, path) });
}

function fileTarget(instance: Instance, path: string): TargetOf {
  return ({ uuid }) => decideTarget(instance, path, uuid);
}

/**
 * Saves a guest where its next start looks for the state. Throws "wrong-state" with libvirt's message if it
 * is not defined.
 */
export async function managedSaveDomain(
  instance: Instance,
  key: string,
  options: SaveOptions,
): Promise<{ name: string }> {
  const { guest, name } = findDefined(instance, key);
  // After all refusals. The folder is one of svirt's own, which stay.
  const targetOf: TargetOf = (now) => {
    makeSaveFolder(instance);
    return managedTarget(instance, now);
  };
  await save(instance, guest, { ...options, targetOf });
  return { name };
}

/** Returns the steps of managedSaveDomain(), as planSaveOf(). */
export async function planManagedSave(instance: Instance, key: string, asked: AskedSave): Promise<SavePlan> {
  const { guest } = findDefined(instance, key);
  return await planOf(instance, guest, { ...asked, targetOf: (now) => managedTarget(instance, now) });
}

/** Returns a running guest with a definition. Throws as managedSaveDomain(). */
function findDefined(instance: Instance, key: string): ReturnType<typeof findRunning> {
  const found = findRunning(instance, key);
  if (found.definition !== undefined) return found;
  throw new SvirtError("Requested operation is not valid: cannot do managed save for transient domain", {
    kind: "wrong-state",
    remedy: `Save it to a file: svirt save ${found.name} FILE`,
  });
}

/** Domain whose managed save was to be removed. `did` is false if it had none. */
interface Discarded {
  readonly name: string;
  readonly did: boolean;
}

/** Returns the removal of a domain's managed save: the next start boots it. Its plan throws "not-found". */
export function managedSaveRemoval(key: string): Change<Discarded> {
  return {
    kind: "domain",
    plan(instance) {
      const { name, uuid } = findDomain(instance, key);
      const did = hasManagedSave(instance, name);
      const steps = did ? [{ do: "remove-file", path: managedSavePath(instance, name) } as const] : [];
      const command = { command: "managedsave-remove", steps, commit: "begin" } as const;
      return { change: changeOf({ kind: "domain", name, uuid }, command), result: { name, did } };
    },
  };
}

type TargetOf = (guest: GuestRecord) => TargetFile;

async function save(
  instance: Instance,
  guest: GuestRecord,
  { onProgress, resumes, targetOf, xml, ...audience }: SaveOptions & { readonly targetOf: TargetOf },
): Promise<void> {
  const request = saveRequest(instance, guest, { resumes, xml, targetOf });
  const { uuid } = guest;
  await withJob(instance, { operation: "save", uuid, onProgress }, async (job) => {
    await changeGuest(instance, uuid, { request, ...audience, ...job });
  });
}

async function planOf(
  instance: Instance,
  guest: GuestRecord,
  asked: AskedSave & { readonly targetOf: TargetOf },
): Promise<SavePlan> {
  return { steps: await planGuestChange(instance, guest.uuid, saveRequest(instance, guest, asked)) };
}

/** Returns the change that saves a guest. Throws the errors of another definition. */
function saveRequest(
  instance: Instance,
  guest: GuestRecord,
  { resumes, targetOf, xml }: AskedSave & { readonly targetOf: TargetOf },
): ChangeQuery {
  const other = xml === undefined ? undefined : parseDomain(decideSavedXml(guest, xml));
  // A restore would refuse the rest, once the guest has ended.
  if (other !== undefined) completeDomain(instance, new TextEncoder().encode(formatDomain(asDefined(other))));
  return {
    what: "save",
    look: async (now) => askedSave(await inspectGuest(instance, now), { targetOf, resumes, other }),
  };
}

function askedSave(
  seen: InspectedGuest,
  {
    other,
    resumes,
    targetOf,
  }: {
    readonly targetOf: TargetOf;
    readonly resumes: boolean | undefined;
    readonly other: Domain | undefined;
  },
): ChangeRequest {
  return {
    what: "save",
    decide(guest) {
      refuseFrozen(guest);
      refuseJobs(guest);
      refuseTransient(guest);
      const domain = other ?? parseDomainText(guest.xml);
      const head = { xml: savedXml(guest, domain, seen.machine), wasRunning: resumes ?? seen.isRunning };
      return { ...planSave(targetOf(guest), seen, head), xml: guest.xml, ends: "saved" };
    },
  };
}

/**
 * Refuses a transient disk: its changes are lost when the guest ends, and the memory is useless without them.
 */
export function refuseTransient({ name, xml }: GuestRecord): void {
  const found = parseDomainText(xml).devices.disks.find(({ transient }) => transient !== undefined);
  if (found === undefined) return;
  throw new SvirtError(
    `Requested operation is not valid: cannot save domain '${name}' with transient disk '${found.target.dev}'`,
    { kind: "wrong-state", remedy: `End it: svirt shutdown ${name}` },
  );
}

/**
 * Formats the XML of a saved guest, with the versioned name of its board. `pc` means a different board in the
 * next version of QEMU, which would reject the state.
 */
export function savedXml(guest: GuestRecord, saved: Domain, machine: string | undefined): string {
  const domain = addBootQueues(asDefined(saved), guest, machine);
  const { type } = domain.os;
  if (machine === undefined || /\d/.test(type.machine ?? "")) return formatDomain(domain);
  const named = { ...domain, os: { ...domain.os, type: { ...type, machine } } };
  // QEMU, which the guest may control, must not choose another board.
  const isSameBoard = decideMachine(named).chipset === decideMachine(domain).chipset;
  return formatDomain(isSameBoard ? named : domain);
}
