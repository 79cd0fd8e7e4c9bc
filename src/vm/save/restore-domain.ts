import { parseDomain, parseDomainText } from "../../domain/document.ts";
import { SvirtError } from "../../errors.ts";
import type { Incoming } from "../../plan/facts/file.ts";
import type { Step } from "../../plan/steps/step.ts";
import type { StepObserver } from "../../run/steps/run-plan.ts";
import type { Instance } from "../../state/instance.ts";
import { hasManagedSave, managedSavePath } from "../../state/managed-save.ts";
import { isRunning, readRecord } from "../../state/record.ts";
import { isForMerge } from "../../state/snapshots/snapshot-merge.ts";
import { xmlOf } from "../guest/domain-form.ts";
import { type FoundDomain, findDomain } from "../guest/find-domain.ts";
import type { Beginning } from "../start/decide-start.ts";
import {
  alreadyActive,
  planDomainStart,
  type Started,
  type StartOptions,
  startDefinition,
  startFromState,
} from "../start/start.ts";
import { refuseSnapshotMemory } from "./memory-files.ts";
import { decideSavedXml, readSaveImage, type SaveImage } from "./save-image.ts";

/** Guest to restore, in addition to the file. */
interface AskedRestore {
  /** Whether the guest runs or stays paused; undefined: as the file says. */
  readonly resumes: boolean | undefined;
  /** Another definition of the same domain. */
  readonly xml: Uint8Array | undefined;
}

/** Options of a restore, in addition to the file. */
export interface RestoreOptions extends AskedRestore {
  readonly observer?: StepObserver;
}

/**
 * Starts a guest with the state in a file, labelled as in any start. Throws "wrong-state" if it runs;
 * "in-use" for the memory of a snapshot, without other XML.
 */
export async function restoreDomain(
  instance: Instance,
  path: string,
  options: RestoreOptions,
): Promise<Started> {
  const { observer, ...asked } = options;
  const { bytes, incoming } = decideRestore(instance, path, asked);
  return await startFromState(instance, bytes, { incoming, ...(observer === undefined ? {} : { observer }) });
}

/** Returns the steps of restoreDomain(), and changes nothing. Throws its errors. */
export async function planRestore(
  instance: Instance,
  path: string,
  asked: AskedRestore,
): Promise<{ readonly steps: readonly Step[] }> {
  const { bytes, incoming } = decideRestore(instance, path, asked);
  const { name, uuid } = parseDomain(bytes);
  const guest = uuid === undefined ? undefined : readRecord(instance, uuid);
  if (guest !== undefined && isRunning(instance, guest)) throw alreadyActive(name);
  return { steps: await planDomainStart(instance, bytes, { incoming }) };
}

function decideRestore(
  instance: Instance,
  path: string,
  { resumes, xml }: AskedRestore,
): { readonly bytes: Uint8Array; readonly incoming: Incoming } {
  const image = readSaveImage(instance, path);
  // With other XML, the guest may have copies of the images.
  if (xml === undefined) refuseSnapshotMemory(instance, image.file.path);
  return { bytes: decideSavedXml(image, xml), incoming: incomingOf(image, resumes) };
}

/** How a defined domain is to begin. */
export interface HowToBegin extends Pick<StartOptions, "isPaused"> {
  /** Discards its managed save. */
  readonly forceBoot: boolean;
}

/** How to start a defined domain. */
type HowToStart = HowToBegin & Pick<StartOptions, "observer">;

/** Starts the domain with that name, id or UUID, as startDefined() does. Throws "not-found". */
export async function startNamed(instance: Instance, key: string, how: HowToStart): Promise<Started> {
  const found = findDomain(instance, key);
  return await startDefined(instance, { ...found, xml: xmlOf(found, "defined") ?? "" }, how);
}

/**
 * Starts a defined domain, with its managed save if there is one. Throws "wrong-state" while svirt has
 * started it to delete a snapshot.
 */
export async function startDefined(
  instance: Instance,
  found: Pick<FoundDomain, "name" | "uuid" | "guest"> & { readonly xml: string },
  how: HowToStart,
): Promise<Started> {
  const begins = found.guest === undefined ? beginningOf(instance, found, how) : {};
  const { bytes, incoming, ...options } = { ...begins, ...observed(how) };
  if (bytes === undefined || incoming === undefined)
    return refuseForMerge(instance, await startDefinition(instance, found, options));
  return await startFromState(instance, bytes, { incoming, ...observed(how) });
}

function observed({ observer }: HowToStart): Pick<StartOptions, "observer"> {
  return observer === undefined ? {} : { observer };
}

/**
 * Throws "wrong-state" for a guest started by svirt only for the deletion of a snapshot: it ends with the
 * deletion. libvirt lets a start wait for the deletion.
 */
function refuseForMerge(instance: Instance, started: Started): Started {
  const { name, uuid } = started.guest;
  if (started.did || !isForMerge(instance, uuid)) return started;
  throw new SvirtError(
    `Requested operation is not valid: domain '${name}' is active only while a snapshot of it is deleted`,
    { kind: "wrong-state", remedy: `Start it once that has ended, or have it run on: svirt resume ${name}` },
  );
}

/** How a domain begins, and the XML of its saved state; without one, its definition begins. */
export interface DomainBeginning extends Beginning {
  readonly bytes?: Uint8Array;
}

/** Returns how a domain that is off begins: with its managed save, unless that is discarded. */
export function beginningOf(
  instance: Instance,
  found: Pick<FoundDomain, "name" | "uuid">,
  { forceBoot, isPaused = false }: HowToBegin,
): DomainBeginning {
  if (forceBoot && hasManagedSave(instance, found.name))
    return { isPaused, discards: managedSavePath(instance, found.name) };
  const saved = findManagedState(instance, found);
  if (saved === undefined) return { isPaused };
  return { ...saved, incoming: isPaused ? { ...saved.incoming, resumes: false } : saved.incoming };
}

/**
 * Returns the state for a resuming start. Throws "failed" for another domain's state, or for a file without a
 * state.
 */
function findManagedState(
  instance: Instance,
  { name, uuid }: Pick<FoundDomain, "name" | "uuid">,
): { readonly bytes: Uint8Array; readonly incoming: Incoming } | undefined {
  if (!hasManagedSave(instance, name)) return undefined;
  const path = managedSavePath(instance, name);
  const image = readSaveImage(instance, path);
  const bytes = new TextEncoder().encode(image.xml);
  refuseOthers(image, { name, uuid, path });
  return { bytes, incoming: { ...incomingOf(image, undefined), uses: path } };
}

function incomingOf({ file, streamAt, wasRunning }: SaveImage, resumes: boolean | undefined): Incoming {
  return { from: file, at: streamAt, resumes: resumes ?? wasRunning };
}

/** Refuses another domain's file, which an administrator has put there. qemuDomainObjRestore() of libvirt */
function refuseOthers(
  { xml }: SaveImage,
  { name, path, uuid }: { readonly name: string; readonly uuid: string; readonly path: string },
): void {
  const own = parseDomainText(xml);
  if (own.uuid === uuid) return;
  throw new SvirtError(
    `operation failed: cannot restore domain '${name}' uuid ${uuid} from a file which belongs to domain '${own.name}' uuid ${own.uuid}: ${path}`,
    {
      kind: "failed",
      libvirt: "OPERATION_FAILED",
      remedy: `Boot the domain without its saved state: svirt start ${name} --force-boot`,
    },
  );
}
