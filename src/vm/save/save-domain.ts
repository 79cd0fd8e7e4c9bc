import { asDefined } from "../../domain/definition-of-running.ts";
import { formatDomain, parseDomain, parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { SvirtError } from "../../errors.ts";
import { planSave, type TargetFile } from "../../plan/actions/stream.ts";
import { decideMachine } from "../../qemu/model/machine.ts";
import { completeDomain } from "../../resolve/complete-domain.ts";
import type { Progress } from "../../run/actor.ts";
import type { StepObserver } from "../../run/steps/run-plan.ts";
import type { Instance } from "../../state/instance.ts";
import { managedTarget, removeManagedSave } from "../../state/managed-save.ts";
import type { GuestRecord } from "../../state/record.ts";
import { type ChangeRequest, changeGuest } from "../change/change-guest.ts";
import { findDomain, findRunning } from "../guest/find-domain.ts";
import { addBootQueues } from "./boot-queues.ts";
import { withJob } from "./domain-job.ts";
import { type InspectedGuest, inspectGuest, refuseFrozen, refuseJobs } from "./inspect-guest.ts";
import { decideSavedXml } from "./save-image.ts";
import { decideTarget } from "./target-file.ts";

/** Options of a save, in addition to the file. */
export interface SaveOptions {
  /** Whether the guest runs or stays paused once it is restored; undefined: as it is now. */
  readonly resumes: boolean | undefined;
  /** Another definition of the same domain, with which it is restored. */
  readonly xml?: Uint8Array | undefined;
  readonly observer?: StepObserver;
  readonly onProgress?: Progress;
}

/**
 * Writes a guest's state to a file and ends the guest. A failure is undone: the guest resumes, and an
 * existing file is unchanged. Throws "wrong-state" if it is off, and the errors of the file and of QEMU.
 */
export async function saveDomain(
  instance: Instance,
  key: string,
  options: SaveOptions & { readonly path: string },
): Promise<{ name: string }> {
  const { guest, name } = findRunning(instance, key);
  await save(instance, guest, {
    ...options,
    targetOf: ({ uuid }) => decideTarget(instance, options.path, uuid),
  });
  return { name };
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
  const { definition, guest, name } = findRunning(instance, key);
  if (definition === undefined) {
    throw new SvirtError("Requested operation is not valid: cannot do managed save for transient domain", {
      kind: "wrong-state",
      remedy: `Save it to a file: svirt save ${name} FILE`,
    });
  }
  await save(instance, guest, { ...options, targetOf: (now) => managedTarget(instance, now) });
  return { name };
}

/**
 * Removes the managed save of a domain: its next start boots it. `did` is false if it has none. Throws
 * "not-found".
 */
export function discardManagedSave(
  instance: Instance,
  key: string,
): { readonly name: string; readonly did: boolean } {
  const { name } = findDomain(instance, key);
  return { name, did: removeManagedSave(instance, name) };
}

type TargetOf = (guest: GuestRecord) => TargetFile;

async function save(
  instance: Instance,
  guest: GuestRecord,
  { targetOf, resumes, onProgress, xml, ...audience }: SaveOptions & { readonly targetOf: TargetOf },
): Promise<void> {
  const other = xml === undefined ? undefined : parseDomain(decideSavedXml(guest, xml));
  // A restore would refuse the rest, once the guest has ended.
  if (other !== undefined) completeDomain(instance, new TextEncoder().encode(formatDomain(asDefined(other))));
  const asked = { targetOf, resumes, other };
  const request = {
    what: "save",
    look: async (now: GuestRecord) => askedSave(await inspectGuest(instance, now), asked),
  };
  const { uuid } = guest;
  await withJob(instance, { operation: "save", uuid, onProgress }, async (job) => {
    await changeGuest(instance, uuid, { request, ...audience, ...job });
  });
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
