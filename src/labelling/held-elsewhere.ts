import { SvirtError } from "../errors.ts";
import type { FileId } from "../plan/facts/file.ts";
import { privateRange } from "../report/policy-facts.ts";
import type { FileMarks } from "../run/labels/file-label.ts";
import {
  heldElsewhere,
  keepsLabels,
  labelsSeenBy,
  othersOf,
  UNKNOWN_MACHINE,
} from "../run/labels/machine-marks.ts";
import { type Instance, registryOf } from "../state/instance.ts";

// Rule: A mark of another machine on a file means that the file is held elsewhere.

/** How a guest will use a file. */
export interface FileUse {
  readonly sharing: "exclusive" | "shared";
  /** The file's new label; undefined: it keeps its own. */
  readonly to: string | undefined;
  /** A label possibly set by an administrator. */
  readonly meant: string | undefined;
}

/** A file, and the marks of its label. */
interface FileWithMarks {
  readonly id: FileId;
  readonly marks: FileMarks;
}

/**
 * Throws "in-use" for a file that guests of another machine hold or may hold. The new guest may share it with
 * them under its current label.
 */
export function refuseElsewhere(
  instance: Instance,
  { id, marks, named }: FileWithMarks & { readonly named: string },
  use: FileUse,
): void {
  const others = othersOf(instance.host, marks.machines);
  const changes = use.to !== undefined && use.to !== marks.label;
  if (others.length > 0 && (use.sharing === "exclusive" || changes)) throw heldElsewhere(named, others);
  if (use.to === undefined || marks.label === use.meant) return;
  const through = heldUnmarked(instance, { id, marks });
  if (through !== undefined) throw mayBeHeld(instance, { id, marks, named }, through);
}

/** Returns whether guests of another machine hold the file, or may hold it. */
export function isHeldElsewhere(instance: Instance, file: FileWithMarks): boolean {
  return (
    othersOf(instance.host, file.marks.machines).length > 0 || heldUnmarked(instance, file) !== undefined
  );
}

/**
 * Returns the storage by which other machines may see a file with a guest's label and without a machine's
 * mark. A label remembered by the file since the current boot counts as this machine's: an older svirt set no
 * machine marks. The caller has checked the file: no guest here holds it.
 */
export function heldUnmarked(
  instance: Instance,
  { id, marks: { label, machines, remembered } }: FileWithMarks,
): string | undefined {
  const { host } = instance;
  const range = privateRange(host, label);
  if (range === undefined || machines.length > 0 || remembered?.bootId === host.getBootId()) return undefined;
  if (registryOf(instance).isTaken("static", range) || isOfGuestsMount(instance, { id, range }))
    return undefined;
  return labelsSeenBy(host, id);
}

/**
 * Reports whether a file has the private range of a guest of this machine from its mount, as in a folder
 * mounted by svirt for the guest. No other machine has set such a label.
 */
export function isOfGuestsMount(
  instance: Instance,
  { id, range }: { readonly id: FileId; readonly range: string },
): boolean {
  return registryOf(instance).isTaken("level", range) && !instance.host.withAttributes(id, keepsLabels);
}

/** Returns the error for a file without a machine's mark, possibly held by another machine's guest. */
export function mayBeHeld(
  { host }: Instance,
  { id, marks: { label }, named }: FileWithMarks & { readonly named: string },
  through: string,
): SvirtError {
  return new SvirtError(
    `Cannot label ${named}: it has the label ${label} of a guest that this machine does not run, and other machines access it by ${through}`,
    {
      kind: "in-use",
      remedy: host.withAttributes(id, keepsLabels)
        ? `If no machine runs a guest with it: svirt label release ${named} --machine ${UNKNOWN_MACHINE}`
        : OF_MOUNT,
    },
  );
}

/** Remedy for a file with a guest's label from its mount: no call can change it. */
export const OF_MOUNT =
  "If the guest owns that label, write it into the guest's XML as a static label; if not, mount the file system with another context=.";
