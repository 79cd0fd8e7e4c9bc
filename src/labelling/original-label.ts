import { SvirtError } from "../errors.ts";
import type { FileFacts } from "../host/files.ts";
import type { FileId } from "../plan/facts/file.ts";
import { fileKey, PENDING_FILE } from "../plan/facts/file-key.ts";
import { privateRange } from "../report/policy-facts.ts";
import { type FileMarks, readMarks } from "../run/labels/file-label.ts";
import { getFileLabel } from "../run/labels/get-file-label.ts";
import { othersOf } from "../run/labels/machine-marks.ts";
import { type Instance, registryOf } from "../state/instance.ts";
import { readRecords } from "../state/record.ts";
import { type FileUse, heldUnmarked, isOfGuestsMount, refuseElsewhere } from "./held-elsewhere.ts";

// Rule: The original label is the one from before any guest; a stale private label is none.

/** Tolerance between two computations of a boot time: libvirt's results differ by a second. */
const BOOT_TIME_JITTER_S = 2;

/** A file, and its path in the request. */
export interface NamedFile {
  readonly named: string;
  readonly facts: FileFacts;
}

const ALONE: FileUse = { sharing: "exclusive", to: undefined, meant: undefined };

/**
 * Returns the label from before any guest: as recorded by the file's other users, as remembered by the file,
 * or else its current label. A missing label, or the label of an ended guest (unless it is `meant`), is
 * replaced by the original in the guest's record, or by the policy's default. Throws "in-use" if another tool
 * or another machine holds the file.
 */
export function originalOf(instance: Instance, file: NamedFile, use: FileUse = ALONE): string | undefined {
  const { host } = instance;
  const { id } = file.facts;
  if (id.inode === PENDING_FILE.inode || host.inspectFile(id.path) === undefined) return undefined;
  const [holder] = registryOf(instance).listHolders("file", fileKey(id));
  if (holder !== undefined) return holder.original;
  const marks = host.withAttributes(id, (opened) => readMarks(host, { id, file: opened }));
  refuseOtherTool(instance, file.named, marks);
  refuseElsewhere(instance, { named: file.named, id, marks }, use);
  const known = marks.remembered?.original ?? marks.label;
  const range = known === use.meant ? undefined : privateRange(host, known);
  if (known !== undefined && (range === undefined || isOfGuestsMount(instance, { id, range }))) return known;
  const recorded = recordedOriginal(instance, id, known);
  if (recorded !== undefined) return recorded;
  const {
    defaultContextAt,
  }: typeof import("../report/default-labels.ts") = require("../report/default-labels.ts");
  return defaultContextAt(host, id.path, file.facts.type) ?? known;
}

/**
 * Returns the original label from the record of the labelling guest, if its end has not been carried out yet:
 * a power failure may have emptied its claims, and an undone start removed the attributes with the memory of
 * it.
 */
function recordedOriginal(
  instance: Instance,
  { inode, path }: FileId,
  label: string | undefined,
): string | undefined {
  for (const step of readRecords(instance).flatMap(({ steps }) => steps)) {
    if (step.do !== "set-label" || step.to !== label) continue;
    if (step.file.path === path && step.file.inode === inode) return step.from;
  }
  return undefined;
}

/** A label of a single guest, on a file held by no guest on this machine. */
interface LeftLabel {
  /**
   * The storage by which other machines may see the file, possibly another machine's guest's; undefined: the
   * guest no longer exists.
   */
  readonly through: string | undefined;
}

/**
 * Returns the guest's label on an unused file; undefined also for a static label, and if another machine has
 * marked the file.
 */
export function findLeftLabel(instance: Instance, { id }: FileFacts): LeftLabel | undefined {
  const { host } = instance;
  const registry = registryOf(instance);
  const range = privateRange(host, getFileLabel(host, id));
  if (range === undefined || registry.isTaken("static", range)) return undefined;
  if (registry.isTaken("file", fileKey(id)) || isLevelOfOthers(instance, range)) return undefined;
  if (isOfGuestsMount(instance, { id, range })) return undefined;
  const marks = host.withAttributes(id, (file) => readMarks(host, { id, file }));
  if (othersOf(host, marks.machines).length > 0) return undefined;
  return { through: heldUnmarked(instance, { id, marks }) };
}

/** Returns whether an unused file has the label of a guest that no longer exists, and not a static label. */
export function isStale(instance: Instance, facts: FileFacts): boolean {
  const left = findLeftLabel(instance, facts);
  return left !== undefined && left.through === undefined;
}

/** Throws "in-use" for a file held by libvirt, or with the level of a process not started by svirt. */
export function refuseOtherTool(instance: Instance, named: string, { label, remembered }: FileMarks): void {
  if (
    remembered?.bootId === undefined &&
    (remembered?.users ?? 0) > 0 &&
    isOfThisBoot(instance, remembered)
  ) {
    throw new SvirtError(`Cannot label ${named}: libvirt uses it for ${remembered?.users} of its guests`, {
      kind: "in-use",
      remedy: "Stop the guests of libvirt that use it.",
    });
  }
  const range = privateRange(instance.host, label);
  if (range === undefined || !isLevelOfOthers(instance, range)) return;
  throw new SvirtError(`Cannot label ${named}: a process runs at its level ${range}`, {
    kind: "in-use",
    remedy: `Find that process with ps -eZ | grep ${range}, and stop it: svirt did not start it.`,
  });
}

/**
 * Returns whether a process not started by svirt has the range. Guests of svirt claim all their files: an
 * unclaimed file with a guest's level is a copy.
 */
function isLevelOfOthers(instance: Instance, range: string): boolean {
  if (registryOf(instance).isTaken("level", range)) return false;
  return instance.host.listContexts().some((context) => context.endsWith(`:${range}`));
}

function isOfThisBoot(instance: Instance, remembered: { readonly bootTime: number } | undefined): boolean {
  return Math.abs((remembered?.bootTime ?? 0) - instance.host.getBootTime()) <= BOOT_TIME_JITTER_S;
}
